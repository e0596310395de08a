"""One table to ask."""

from django.db import models


class Beat(models.Model):
    """A number that the measurement view reads."""

    number = models.IntegerField()
