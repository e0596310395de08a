"""`heroku_web_autoscaler --settings MODULE`: the command of heroku-web-autoscale, without Django."""

import argparse
import importlib
import os
import sys
from typing import Optional, Sequence

from .binary import NotFound
from .host import Host
from .settings_json import Unusable, convert


def main(arguments: Optional[Sequence[str]] = None) -> int:
    """Runs the worker on the AUTOSCALE_SETTINGS of a module."""
    parser = argparse.ArgumentParser(
        prog="heroku_web_autoscaler",
        description="Runs the autoscaler worker on the AUTOSCALE_SETTINGS of a Python module. "
        "`autoscaler import FILE.py` turns them into a script for good.",
    )
    parser.add_argument("--settings", required=True, metavar="MODULE", help="the module, such as autoscale_settings")
    parser.add_argument("--dry-run", action="store_true", help="do everything but scale")
    options = parser.parse_args(arguments)
    try:
        return run(options.settings, options.dry_run)
    except (Unusable, NotFound) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1


def run(name: str, dry_run: bool) -> int:
    """The worker, with the mail of Django where that is set up."""
    # As it was: the module lies where the command is run.
    sys.path.insert(0, os.getcwd())
    try:
        module = importlib.import_module(name)
    except ImportError as error:
        raise Unusable(f"the module `{name}` cannot be imported: {error}") from error
    dictionary = getattr(module, "AUTOSCALE_SETTINGS", None)
    if dictionary is None:
        raise Unusable(f"the module `{name}` has no AUTOSCALE_SETTINGS")
    zone = getattr(module, "TIME_ZONE", None)
    converted = convert(dictionary, zone)
    if converted.warnings:
        print(converted.warnings, file=sys.stderr)
    host = Host(program="heroku_web_autoscaler", time_zone=zone)
    if os.environ.get("DJANGO_SETTINGS_MODULE"):
        from . import django_host

        host = django_host.host()
    host.variables = converted.variables
    return host.run(["run", "-", *(["--dry-run"] if dry_run else [])], converted.script)


if __name__ == "__main__":
    sys.exit(main())
