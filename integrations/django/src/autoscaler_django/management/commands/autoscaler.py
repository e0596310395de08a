"""`manage.py autoscaler [SCRIPT]`: the worker, in the Procfile of a Django project."""

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from autoscaler_django import django_host
from autoscaler_django.binary import NotFound
from autoscaler_django.settings_json import Converted, Unusable, convert


class Command(BaseCommand):
    help = (
        "Runs the autoscaler worker on SCRIPT, or on the setting AUTOSCALE_SETTINGS. It mails ADMINS and logs as "
        "this project does. Further options of the worker are environment variables (AUTOSCALER_…)."
    )
    # The worker asks no database of the project, and starts while one is down.
    requires_system_checks: "list[str]" = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("script", nargs="?", help="the script; without it AUTOSCALE_SETTINGS is converted")
        parser.add_argument("--dry-run", action="store_true", help="do everything but scale")
        parser.add_argument("--only", help="only pipelines of these names or globs, with commas between them")
        parser.add_argument("--state", help="where state is kept: a folder, redis or memory")
        parser.add_argument(
            "--print-script", action="store_true", help="print AUTOSCALE_SETTINGS as a script, and end"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            code = self.work(options)
        except (Unusable, NotFound) as error:
            raise CommandError(str(error)) from error
        if code != 0:
            raise SystemExit(code)

    def work(self, options: "dict[str, Any]") -> int:
        script, converted = options["script"], None
        if script is None:
            converted = self.converted()
        elif options["print_script"]:
            raise CommandError("--print-script is for AUTOSCALE_SETTINGS, and a script is given")
        if options["print_script"]:
            self.stdout.write(converted.script if converted else "", ending="")
            return 0
        arguments = ["run", script or "-"]
        if options["dry_run"]:
            arguments.append("--dry-run")
        for name in ("only", "state"):
            if options[name]:
                arguments += [f"--{name}", options[name]]
        host = django_host.host()
        if converted is None:
            return host.run(arguments)
        host.variables = converted.variables
        return host.run(arguments, converted.script)

    def converted(self) -> Converted:
        """The script of AUTOSCALE_SETTINGS; its warnings are told."""
        dictionary = getattr(settings, "AUTOSCALE_SETTINGS", None)
        if dictionary is None:
            raise CommandError("name a script, or set AUTOSCALE_SETTINGS")
        converted = convert(dictionary, settings.TIME_ZONE, getattr(settings, "AUTOSCALER_TOKEN", None))
        if converted.warnings:
            self.stderr.write(converted.warnings)
        return converted
