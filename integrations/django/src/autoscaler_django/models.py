"""The row that the measurement view reads."""

from django.db import models


class Beat(models.Model):
    """One row in a table of its own: its migration writes it, nobody ever changes it."""

    number = models.IntegerField()

    class Meta:
        # Also where this app is there under the name of its predecessor only.
        app_label = "autoscaler_django"
