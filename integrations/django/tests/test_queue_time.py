"""Request queue times: the header, the counting, the middleware, the reports, and what the worker makes of them."""

import asyncio
import json
import os
import re
import threading
import time

import pytest
import redis
from django.http import HttpResponse
from django.test import Client, RequestFactory, override_settings

from autoscaler_django import reports, waits
from autoscaler_django.middleware import QueueTime

from .conftest import ask, eventually

NOW = 1_790_000_000.5

SCRIPT = """
pipeline("web", #{
    measure: measure::request_queue_time(#{ %s, percentile: 50, measurement_interval_in_seconds: 0.2 }),
    decide: |m| hold("waited " + m.value + " ms"),
    min_dynos: 1, max_dynos: 2,
    scale: #{ current: || 1, scale_to: |n| () },
    notify: [notify::console(#{ notify_on_every_measurement: true })],
});
"""


@pytest.fixture(autouse=True)
def fresh(monkeypatch):
    monkeypatch.setattr(waits, "WAITS", waits.Waits())


@pytest.mark.parametrize(
    "header",
    ["1790000000250", "t=1790000000.250", "1790000000.25", "1790000000250000", "1790000000250000000", " t=1790000000250 "],
)
def test_the_unit_is_told_by_the_magnitude(header):
    assert waits.waited_ms(header, NOW) == 250


@pytest.mark.parametrize("header", ["", "soon", "-", "...", "12", "t=0", "1.2.3", "946684800"])
def test_what_is_no_time_is_passed_over(header):
    assert waits.waited_ms(header, NOW) is None


def test_a_router_whose_clock_is_ahead_makes_no_negative_wait_and_a_stopped_one_no_long_one():
    assert waits.waited_ms("1790000009000", NOW) == 0
    assert waits.waited_ms("1780000000000", NOW) is None


def test_waits_are_rounded_to_few_numbers_that_stay_close():
    for ms in range(0, 100_000, 7):
        assert abs(waits.rounded(ms) - ms) <= ms * 0.0125, ms
    assert [waits.rounded(ms) for ms in (0, 1, 12, 199, 1234)] == [0, 1, 12, 199, 1235]
    assert len({waits.rounded(ms) for ms in range(0, waits.LONGEST_MS, 5)}) < 2000


def test_percentiles_are_nearest_rank():
    counts = {10: 90, 20: 5, 500: 5}
    assert [waits.percentile(counts, p) for p in (0, 50, 90, 91, 95, 96, 100)] == [10, 10, 10, 20, 20, 500, 500]
    assert waits.percentile({}, 95) is None


def test_a_minute_is_kept_and_no_more():
    kept = waits.Waits()
    for second in range(300):
        kept.note(second, NOW + second)
    assert len(kept._slots) <= waits.WINDOW_SECONDS + 1
    assert sum(kept.of_window(NOW + 299).values()) == waits.WINDOW_SECONDS
    assert kept.of_window(NOW + 1000) == {}


def test_the_middleware_notes_requests_of_both_kinds():
    def request():
        return RequestFactory().get("/", HTTP_X_REQUEST_START=str(int((time.time() - 0.15) * 1000)))

    assert QueueTime(lambda _: HttpResponse("sync"))(request()).content == b"sync"

    async def respond(_):
        return HttpResponse("async")

    middleware = QueueTime(respond)
    assert asyncio.run(middleware(request())).content == b"async"
    counts = waits.WAITS.of_window(time.time())
    assert sum(counts.values()) == 2 and all(150 <= ms < 5000 for ms in counts), counts


def test_the_view_tells_them():
    start = str(int((time.time() - 0.04) * 1000))
    told = Client().get("/heroku-autoscale/queue-time/", HTTP_X_REQUEST_START=start).json()
    assert told["requests"] == 1 and told["p50"] == told["p95"] >= 40
    assert told["ms"] == {str(told["p95"]): 1}
    with override_settings(AUTOSCALER_TOKEN="secret-of-the-worker"):
        assert Client().get("/heroku-autoscale/queue-time/").status_code == 403


def test_reports_go_to_redis_and_nothing_grows(redis_url, monkeypatch):
    monkeypatch.setattr(reports, "KEPT", 3)
    server = redis.Redis.from_url(redis_url)
    reporter = reports.Reporter(redis_url, "waits")
    eventually("it reports that it is there", lambda: server.llen("waits"))
    for ms in (5, 5, 1234, None):
        reporter.note(ms)
    for _ in range(5):
        reporter.report(server)
    texts = [json.loads(text) for text in server.lrange("waits", 0, -1)]
    assert len(texts) == 3 and 0 < server.ttl("waits") <= reports.EXPIRES_SECONDS
    assert sum(sum(text["ms"].values()) for text in texts) <= 3


def test_a_redis_that_is_away_costs_no_request_anything(caplog):
    reporter = reports.Reporter("redis://127.0.0.1:1/0")
    eventually("it is told once", lambda: "queue times are not reported to Redis" in caplog.text)
    started = threading.active_count()
    for ms in range(1000):
        reporter.note(ms)
    assert threading.active_count() == started


def test_a_process_that_was_forked_reports_too(redis_url):
    server = redis.Redis.from_url(redis_url)
    reporter = reports.Reporter(redis_url, "waits")
    eventually("the first report", lambda: server.llen("waits"))
    child = os.fork()
    if child == 0:
        reporter.note(777)
        eventually("its own report", lambda: any(b"775" in text for text in server.lrange("waits", 0, -1)))
        os._exit(0)
    assert os.waitpid(child, 0)[1] == 0


@pytest.mark.parametrize("way", ["url", "redis"])
def test_the_worker_measures_it(project, request, way):
    if way == "redis":
        address = request.getfixturevalue("redis_url")
        project.settings(f"AUTOSCALER_QUEUE_TIME_REDIS_URL = {address!r}")
        setting = f'redis_url: "{address}"'
    url = project.serve("wsgi")
    if way == "url":
        setting = f'url: "{url}/heroku-autoscale/queue-time/"'
    project.script(SCRIPT % setting)
    for _ in range(3):
        start = f"t={time.time() - 2:.3f}"
        assert ask(f"{url}/heroku-autoscale/measurement/", X_Request_Start=start)[0] in (200, 500)
    worker = project.start("autoscaler", "autoscale.rhai")
    # Two seconds, and what the request itself took.
    worker.line(r"Ping: [23]\d\d\dms", re.search)
