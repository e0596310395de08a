"""The app."""

from django.apps import AppConfig


class AutoscalerConfig(AppConfig):
    """Its table is tiny, and so are its keys."""

    name = "autoscaler_django"
    verbose_name = "Autoscaler"
    default_auto_field = "django.db.models.AutoField"
