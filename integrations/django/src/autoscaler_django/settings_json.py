"""AUTOSCALE_SETTINGS as JSON, which the binary turns into a script.

The dictionary goes as it is; what Python has and JSON has not is put in the nearest words, or named with its
path where there are none.
"""

import json
import os
import re
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from os import PathLike, fspath
from typing import Any, Optional

from .binary import find

# What stands for an environment variable in the JSON.
VARIABLE = "$variable"

# The measurement view of this package, and what stands for the header that it wants.
VIEW = "/heroku-autoscale/measurement/"
AUTHORIZATION = "AUTOSCALER_AUTHORIZATION"

# Settings whose text is nobody's business.
CREDENTIALS = {"api_key", "redis_url", "smtp_url"}


class Unusable(Exception):
    """AUTOSCALE_SETTINGS cannot be used: the text says where and why."""


def plain(value: Any, path: str = "AUTOSCALE_SETTINGS") -> Any:
    """`value` in the types of JSON.

    Raises Unusable where there is no such thing.
    """
    if value is None or isinstance(value, (bool, int, float)):
        return value
    if isinstance(value, str):
        return str(value)
    if isinstance(value, Decimal):
        return float(value)
    if isinstance(value, Mapping):
        for key in value:
            if not isinstance(key, str):
                raise Unusable(f"{path} has the key {key!r}, which is no text")
        return {str(key): plain(item, f"{path}[{key!r}]") for key, item in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [plain(item, f"{path}[{index}]") for index, item in enumerate(value)]
    if isinstance(value, PathLike):
        return str(fspath(value))
    if isinstance(value, type):
        return f"{value.__module__}.{value.__qualname__}"
    # A text that is translated, or made, when it is needed.
    if type(value).__name__ == "__proxy__" or hasattr(value, "_wrapped"):
        return str(value)
    raise Unusable(f"{path} is a {type(value).__name__}, and must be a text, a number, a list or a dictionary")


class Variables:
    """Credentials of a dictionary, and the variables that stand for them in the script.

    A script is kept with the worker's state: no credential is to stand in it. One that comes from the environment
    keeps the name it has there.
    """

    def __init__(self) -> None:
        self.given: "dict[str, str]" = {}

    def stand_for(self, text: str, pipeline: str, key: str) -> "dict[str, str]":
        """What stands for `text` in the JSON."""
        for name, value in os.environ.items():
            if value == text:
                return {VARIABLE: name}
        for name, value in self.given.items():
            if value == text:
                return {VARIABLE: name}
        name = re.sub(r"\W", "_", f"AUTOSCALE_{pipeline}_{key}".upper())
        while name in self.given or name in os.environ:
            name += "_"
        self.given[name] = text
        return {VARIABLE: name}

    def replace(self, value: Any, pipeline: str) -> Any:
        """`value` with what stands for its credentials."""
        if isinstance(value, list):
            return [self.replace(item, pipeline) for item in value]
        if not isinstance(value, dict):
            return value
        return {
            key: self.stand_for(item, pipeline, key)
            if key.lower() in CREDENTIALS and isinstance(item, str)
            else self.replace(item, pipeline)
            for key, item in value.items()
        }


@dataclass
class Converted:
    """A dictionary as a script."""

    script: str
    warnings: str
    # What the worker is to be given besides, by name.
    variables: "dict[str, str]"


def as_json(settings: Any, time_zone: Optional[str], variables: Variables) -> str:
    """The dictionary as JSON; TIME_ZONE beside it where there is one."""
    if not isinstance(settings, Mapping):
        raise Unusable(f"AUTOSCALE_SETTINGS is a {type(settings).__name__}, and must be a dictionary")
    if not settings:
        raise Unusable("AUTOSCALE_SETTINGS is empty: it names no process type to scale")
    pipelines = {name: variables.replace(pipeline, name) for name, pipeline in plain(settings).items()}
    told: "dict[str, Any]" = {"AUTOSCALE_SETTINGS": pipelines}
    if time_zone:
        told["TIME_ZONE"] = time_zone
    try:
        return json.dumps(told, allow_nan=False)
    except ValueError as error:
        raise Unusable("AUTOSCALE_SETTINGS holds a number that is none (NaN) or without an end") from error


def with_token(settings: Any, token: Optional[str], variables: Variables) -> Any:
    """The dictionary, in which the measurement view of this package is asked with the token that it wants."""
    if not token or not isinstance(settings, Mapping):
        return settings
    told = dict(settings)
    for name, pipeline in told.items():
        measurement = pipeline.get("MEASUREMENT") if isinstance(pipeline, Mapping) else None
        if not isinstance(measurement, Mapping) or not str(measurement.get("BACKEND")).endswith("ResponseTimeBackend"):
            continue
        own = measurement.get("SETTINGS") or {}
        if not isinstance(own, Mapping) or "HEADERS" in own or own.get("MEASUREMENT_URL", VIEW) != VIEW:
            continue
        variables.given[AUTHORIZATION] = f"Bearer {token}"
        headers = {"Authorization": {VARIABLE: AUTHORIZATION}}
        told[name] = {**pipeline, "MEASUREMENT": {**measurement, "SETTINGS": {**own, "HEADERS": headers}}}
    return told


def convert(settings: Any, time_zone: Optional[str] = None, token: Optional[str] = None) -> Converted:
    """The script that does what the dictionary says; `token` is that of the measurement view.

    Raises Unusable with what is wrong.
    """
    variables = Variables()
    text = as_json(with_token(settings, token, variables), time_zone, variables)
    command = [find(), "import", "-", "--format", "json", "--live", "--django"]
    done = subprocess.run(command, input=text, capture_output=True, encoding="utf-8", check=False)
    if done.returncode != 0:
        raise Unusable(done.stderr.strip() or f"`autoscaler import` ended with {done.returncode}")
    return Converted(done.stdout, done.stderr.strip(), variables.given)
