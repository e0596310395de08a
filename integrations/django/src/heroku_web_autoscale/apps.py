"""The app; its models and views are those of `autoscaler_django`, whose table it does without."""

from django.apps import AppConfig


class HerokuWebAutoscaleConfig(AppConfig):
    name = "heroku_web_autoscale"
    verbose_name = "Autoscaler"
