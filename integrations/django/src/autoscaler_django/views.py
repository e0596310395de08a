"""What the worker asks: how long cache, database and disk take, and how long requests have waited."""

import hmac
import secrets
import tempfile
import time
from typing import Any, Callable

from django.conf import settings
from django.core.cache import DEFAULT_CACHE_ALIAS, cache, caches
from django.core.cache.backends.dummy import DummyCache
from django.db import DatabaseError, connection, transaction
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from . import waits
from .models import Beat

View = Callable[[HttpRequest], HttpResponse]

try:
    from django.contrib.auth.decorators import login_not_required  # Django 5.1 and newer
except ImportError:  # pragma: no cover

    def login_not_required(view_func: Any) -> Any:  # type: ignore[misc]
        return view_func


class Broken(Exception):
    """Something that the view touches does not work: its text is what the reader is told."""


def guarded(view: View) -> View:
    """Lets in who knows AUTOSCALER_TOKEN, where that is set. The token comes as `Authorization: Bearer …`."""

    def guard(request: HttpRequest) -> HttpResponse:
        token = getattr(settings, "AUTOSCALER_TOKEN", None)
        given = request.headers.get("Authorization", "")
        if token and not hmac.compare_digest(given.encode(), f"Bearer {token}".encode()):
            return HttpResponse("the token is missing or wrong\n", status=403, content_type="text/plain")
        return view(request)

    return guard


def public(view: View) -> View:
    """A view that nobody logs in for, that is read only and never cached, and stands in no transaction."""
    wrapped: View = never_cache(require_safe(guarded(view)))
    return login_not_required(transaction.non_atomic_requests(wrapped))


@public
def measurement(request: HttpRequest) -> HttpResponse:
    """Touches cache, database and disk; 500 with the reason where one of them is broken."""
    timings: dict[str, float] = {}
    for name, touch in (("cache", touch_cache), ("database", touch_database), ("disk", touch_disk)):
        started = time.perf_counter()
        try:
            touch()
        except Exception as error:
            return answer(request, {**timings, "error": f"the {name} is broken: {reason(error)}"}, 500)
        timings[f"{name}_ms"] = round((time.perf_counter() - started) * 1000, 3)
    return answer(request, timings, 200)


@public
def queue_time(request: HttpRequest) -> HttpResponse:
    """How long the requests of the last minute waited for this process, as its middleware noted it."""
    counts = waits.WAITS.of_window(time.time())
    return JsonResponse({
        "window_seconds": waits.WINDOW_SECONDS,
        "requests": sum(counts.values()),
        "p50": waits.percentile(counts, 50),
        "p95": waits.percentile(counts, 95),
        "ms": counts,
    })


def answer(request: HttpRequest, told: dict[str, Any], status: int) -> HttpResponse:
    """JSON for who asks for it, plain text for everybody else."""
    if "application/json" in request.headers.get("Accept", ""):
        return JsonResponse(told, status=status)
    text = told.get("error", "Beat")
    return HttpResponse(f"{text}\n", status=status, content_type="text/plain; charset=utf-8")


def reason(error: Exception) -> str:
    """One line, without what a driver adds below it."""
    return (str(error).strip().splitlines() or [type(error).__name__])[0][:200]


def touch_cache() -> None:
    """Writes a key and reads it back. A DummyCache keeps nothing, and is no cache to wait for."""
    key, value = f"autoscaler-measurement-{secrets.token_hex(8)}", secrets.token_hex(8)
    cache.set(key, value, 30)
    kept = cache.get(key)
    cache.delete(key)
    if kept != value and not isinstance(caches[DEFAULT_CACHE_ALIAS], DummyCache):
        raise Broken("it does not keep what it is given")


def touch_database() -> None:
    """Reads the row of the app's own table; where it is not migrated, any answer will do."""
    try:
        # A failed query must not spoil a transaction that is open around this view.
        with transaction.atomic():
            Beat.objects.first()
    except DatabaseError:
        if Beat._meta.db_table in connection.introspection.table_names():
            raise
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
            cursor.fetchone()


def touch_disk() -> None:
    """Writes a file to the folder for temporary files and reads it back.

    It does not wait for the platter (fsync): on a slow disk that would be most of what is measured.
    """
    text = secrets.token_hex(16).encode()
    with tempfile.TemporaryFile(prefix="autoscaler-") as file:
        file.write(text)
        file.flush()
        file.seek(0)
        if file.read() != text:
            raise Broken("a file does not hold what was written")
