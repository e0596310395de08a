"""manage.py fill N: puts N rows into the table."""

from django.core.management.base import BaseCommand
from site_app.models import Beat


class Command(BaseCommand):
    """Fills the table."""

    def add_arguments(self, parser):
        parser.add_argument("rows", type=int)

    def handle(self, *args, rows, **options):
        Beat.objects.bulk_create(Beat(number=number) for number in range(rows))
