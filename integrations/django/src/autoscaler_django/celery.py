"""The producer's hook: imported where tasks are sent from, each of them bears the time when it was sent.

Celery itself notes none. `measure::celery_redis_queue_latency` reads it.
"""

import time
from typing import Any

from celery.signals import before_task_publish


@before_task_publish.connect  # type: ignore[untyped-decorator]
def enqueued_at(headers: Any = None, **_: Any) -> None:
    """Unix seconds, also of a task that is tried again."""
    if isinstance(headers, dict):
        headers["enqueued_at"] = time.time()


# The name that Celery calls is held weakly by the signal: this module keeps it.
__all__ = ["enqueued_at"]
