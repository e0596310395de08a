"""Where the program `autoscaler` of this package is."""

import os
import shutil
import sys
import sysconfig
from pathlib import Path
from typing import Iterator

NAME = "autoscaler"


class NotFound(Exception):
    """There is none."""


def find() -> str:
    """The path of the binary: AUTOSCALER_BINARY, else the one that came with this package.

    Raises NotFound.
    """
    named = os.environ.get("AUTOSCALER_BINARY")
    if named:
        if os.access(named, os.X_OK):
            return named
        raise NotFound(f"AUTOSCALER_BINARY names {named}, which cannot be run")
    for folder in folders():
        path = folder / NAME
        if path.is_file() and os.access(path, os.X_OK):
            return str(path)
    found = shutil.which(NAME)
    if found:
        return found
    raise NotFound("the program `autoscaler` is missing: `pip install autoscaler-engine` brings it")


def folders() -> Iterator[Path]:
    """Where pip puts programs, likeliest first."""
    yield Path(sysconfig.get_path("scripts"))
    yield Path(sys.executable).parent
    yield Path(sysconfig.get_path("scripts", f"{os.name}_user"))
    # pip install --target
    yield Path(__file__).resolve().parents[1] / "bin"
