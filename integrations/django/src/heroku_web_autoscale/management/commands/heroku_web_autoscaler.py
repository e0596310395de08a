"""`manage.py heroku_web_autoscaler`, where `heroku_web_autoscale` is the installed app."""

from autoscaler_django.management.commands.autoscaler import Command

__all__ = ["Command"]
