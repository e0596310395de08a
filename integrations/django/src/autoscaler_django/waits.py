"""How long requests waited: `X-Request-Start` read, counted by the millisecond, told over a minute."""

import threading
import time
from collections import Counter, deque
from typing import Optional

# Requests of so many seconds are told.
WINDOW_SECONDS = 60

# Longer waits than an hour are a clock that is wrong.
LONGEST_MS = 3_600_000

# 2000-01-01 as Unix time: a number above it in one unit is no time in the next coarser one.
_2000 = 946_684_800
_UNITS = ((_2000 * 1e9, 1e9), (_2000 * 1e6, 1e6), (_2000 * 1e3, 1e3))


def started(header: str) -> Optional[float]:
    """Unix seconds of an `X-Request-Start`; its unit is told by its magnitude.

    Heroku sends milliseconds, nginx `t=` and fractional seconds, others micro- or nanoseconds.
    """
    digits = "".join(char for char in header if char in "0123456789.")
    try:
        value = float(digits)
    except ValueError:
        return None
    for above, unit in _UNITS:
        if value > above:
            return value / unit
    return value if value > _2000 else None


def waited_ms(header: str, now: float) -> Optional[int]:
    """Whole milliseconds; 0 where the clock of the router is ahead of ours."""
    start = started(header)
    if start is None:
        return None
    ms = round((now - start) * 1000)
    return max(ms, 0) if ms <= LONGEST_MS else None


def rounded(ms: int) -> int:
    """To some two and a half digits, so that a window has few different numbers: 1234 is 1235, 12345 is 12350."""
    step = 1
    while ms >= 200 * step:
        step *= 10
    if step == 1:
        return ms
    half = step // 2
    return (ms + half // 2) // half * half


def percentile(counts: "dict[int, int]", p: float) -> Optional[int]:
    """Nearest rank; nothing where no request came."""
    rank, passed = max(sum(counts.values()) * p / 100, 1), 0
    for ms in sorted(counts):
        passed += counts[ms]
        if passed >= rank:
            return ms
    return None


class Waits:
    """The waits of one process, in slots of a second."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._slots: "deque[tuple[int, Counter[int]]]" = deque()

    def note(self, ms: int, now: float) -> None:
        """A request waited so long."""
        slot = int(now)
        with self._lock:
            if not self._slots or self._slots[-1][0] != slot:
                self._slots.append((slot, Counter()))
                self._forget(now)
            self._slots[-1][1][rounded(ms)] += 1

    def of_window(self, now: float, seconds: int = WINDOW_SECONDS) -> "dict[int, int]":
        """How many requests of the last seconds waited how many milliseconds."""
        counts: "Counter[int]" = Counter()
        with self._lock:
            self._forget(now)
            for slot, slots in self._slots:
                if slot > now - seconds:
                    counts.update(slots)
        return dict(counts)

    def _forget(self, now: float) -> None:
        while self._slots and self._slots[0][0] <= now - WINDOW_SECONDS:
            self._slots.popleft()


WAITS = Waits()


def note(header: Optional[str]) -> Optional[int]:
    """Notes the wait of a request that has just been taken up, and says how long it was."""
    if not header:
        return None
    now = time.time()
    ms = waited_ms(header, now)
    if ms is not None:
        WAITS.note(ms, now)
    return ms
