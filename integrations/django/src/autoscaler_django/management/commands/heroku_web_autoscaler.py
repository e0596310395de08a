"""`manage.py heroku_web_autoscaler`: the name that heroku-web-autoscale gave the command."""

from autoscaler_django.management.commands.autoscaler import Command

__all__ = ["Command"]
