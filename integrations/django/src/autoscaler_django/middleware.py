"""`autoscaler_django.middleware.QueueTime`: how long requests wait before Django takes them up.

First in MIDDLEWARE. With AUTOSCALER_QUEUE_TIME_REDIS_URL all processes of the app report to one Redis, for
`measure::request_queue_time(#{ redis_url: … })`.
"""

from typing import Any, Awaitable, Callable, Union

from asgiref.sync import iscoroutinefunction, markcoroutinefunction
from django.conf import settings
from django.http import HttpRequest
from django.http.response import HttpResponseBase

from . import reports, waits

Answer = Union[HttpResponseBase, Awaitable[HttpResponseBase]]


class QueueTime:
    """Reads `X-Request-Start`; works under WSGI and ASGI alike."""

    sync_capable = True
    async_capable = True

    def __init__(self, get_response: Callable[[HttpRequest], Answer]) -> None:
        self.get_response = get_response
        if iscoroutinefunction(get_response):
            markcoroutinefunction(self)
        url = getattr(settings, "AUTOSCALER_QUEUE_TIME_REDIS_URL", None)
        key = getattr(settings, "AUTOSCALER_QUEUE_TIME_REDIS_KEY", reports.KEY)
        self.reporter = reports.Reporter(url, key) if url else None

    def __call__(self, request: HttpRequest) -> Any:
        ms = waits.note(request.headers.get("X-Request-Start"))
        if self.reporter is not None:
            self.reporter.note(ms)
        return self.get_response(request)
