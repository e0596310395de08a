"""A measurement view as the predecessor's: it touches what a usual page needs."""

import tempfile

from django.core.cache import cache
from django.http import HttpResponse, JsonResponse

from .models import Beat


def measurement(request):
    """Database, cache and disk, in that order; an empty table is an error."""
    number = Beat.objects.order_by("?")[0].number
    if cache.get("cached-value") is None:
        cache.set("cached-value", "1234")
    cached = cache.get("cached-value")
    with tempfile.TemporaryFile("w+") as file:
        text = f"{number} {cached}"
        file.write(text)
        file.flush()
        file.seek(0)
        assert file.read() == text
    return HttpResponse("Beat", content_type="text/plain")


def decision(request):
    """How many rows there are, as JSON."""
    return JsonResponse({"table": {"rows": Beat.objects.count()}, "list": [1, 2.5]})
