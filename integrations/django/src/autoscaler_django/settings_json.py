"""AUTOSCALE_SETTINGS as JSON, which the binary turns into a script.

The dictionary goes as it is; what Python has and JSON has not is put in the nearest words, or named with its
path where there are none.
"""

import json
import subprocess
from collections.abc import Mapping
from decimal import Decimal
from os import PathLike, fspath
from typing import Any, Optional

from .binary import find


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


def as_json(settings: Any, time_zone: Optional[str] = None) -> str:
    """The dictionary as JSON; TIME_ZONE beside its pipelines where there is one."""
    if not isinstance(settings, Mapping):
        raise Unusable(f"AUTOSCALE_SETTINGS is a {type(settings).__name__}, and must be a dictionary")
    if not settings:
        raise Unusable("AUTOSCALE_SETTINGS is empty: it names no process type to scale")
    told = plain(settings)
    if time_zone:
        told.setdefault("TIME_ZONE", time_zone)
    return json.dumps(told, allow_nan=False)


def script_of(settings: Any, time_zone: Optional[str] = None) -> "tuple[str, str]":
    """The script that does what the dictionary says, and the warnings there are.

    Raises Unusable with what is wrong. The dictionary holds keys: it goes over a pipe.
    """
    command = [find(), "import", "-", "--format", "json", "--live"]
    done = subprocess.run(
        command, input=as_json(settings, time_zone), capture_output=True, encoding="utf-8", check=False
    )
    if done.returncode != 0:
        raise Unusable(done.stderr.strip() or f"`autoscaler import` ended with {done.returncode}")
    return done.stdout, done.stderr.strip()
