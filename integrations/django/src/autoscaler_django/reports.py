"""Reports of waits to Redis, in the background: a Redis that is slow or gone costs no request anything."""

import json
import logging
import os
import threading
import time
from collections import Counter
from typing import Any, Optional

from . import waits

# The list that reports go to, the newest first.
KEY = "autoscaler:queue-time"

# A process reports so often, also that nobody came: else silence could be a crash.
EVERY_SECONDS = 5.0

# The newest so many are kept: a minute of 80 processes.
KEPT = 1000

# The list goes when nobody reports any more.
EXPIRES_SECONDS = 600

log = logging.getLogger("autoscaler")


class Reporter:
    """One thread of each process that reports."""

    def __init__(self, url: str, key: str = KEY) -> None:
        self._url, self._key = url, key
        self._starting, self._lock = threading.Lock(), threading.Lock()
        self._counts: "Counter[int]" = Counter()
        self._told = False
        self._start()

    def note(self, ms: Optional[int]) -> None:
        """A request came, and waited so long where that is known."""
        # A server that forks after it has loaded the app takes no threads along.
        if self._pid != os.getpid():
            with self._starting:
                if self._pid != os.getpid():
                    self._start()
        if ms is not None:
            with self._lock:
                self._counts[waits.rounded(ms)] += 1

    def _start(self) -> None:
        self._lock, self._counts = threading.Lock(), Counter()
        self._pid = os.getpid()
        threading.Thread(target=self._run, name="autoscaler-queue-time", daemon=True).start()

    def _run(self) -> None:
        server: Any = None
        while True:
            try:
                if server is None:
                    server = connect(self._url)
                self.report(server)
                self._told = False
            except Exception as error:
                # Told once, or the log would be full of it.
                if not self._told:
                    log.warning("queue times are not reported to Redis: %s", error)
                self._told = True
            time.sleep(EVERY_SECONDS)

    def report(self, server: Any) -> None:
        """Reports what was noted since the last time. What cannot be told is forgotten, and soon of no interest."""
        with self._lock:
            counts, self._counts = self._counts, Counter()
        text = json.dumps({"at": round(time.time(), 3), "ms": counts}, separators=(",", ":"))
        pipe = server.pipeline(transaction=False)
        pipe.lpush(self._key, text)
        pipe.ltrim(self._key, 0, KEPT - 1)
        pipe.expire(self._key, EXPIRES_SECONDS)
        pipe.execute()


def connect(url: str) -> Any:
    """The client of the package `redis`, which projects with Celery or a Redis cache have."""
    import redis

    return redis.Redis.from_url(url, socket_timeout=2, socket_connect_timeout=2)
