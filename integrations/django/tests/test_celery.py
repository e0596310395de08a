"""The producer's hook, and the latency that the worker measures with and without it."""

import subprocess
import sys
import time

import pytest

SEND = """
import sys
from celery import Celery
if sys.argv[2] == "hook":
    import autoscaler_django.celery
app = Celery("shop", broker=sys.argv[1])
app.send_task("shop.bake", priority=6)
"""

SCRIPT = """
pipeline("celery", #{
    measure: measure::celery_redis_queue_latency(#{ redis_url: "%s", measurement_interval_in_seconds: 0.2 }),
    decide: |m| if m.value > 1 { up(1).because(`estimated ${m.data.estimated}`) },
    min_dynos: 1, max_dynos: 2,
    scale: #{ current: || 1, scale_to: |n| () },
});
"""


@pytest.mark.parametrize("hook, estimated", [("hook", "false"), ("none", "true")])
def test_the_oldest_task_is_measured(project, redis_url, hook, estimated):
    (project.folder / "send.py").write_text(SEND)
    done = subprocess.run([sys.executable, "send.py", redis_url, hook], cwd=project.folder, env=project.environment)
    assert done.returncode == 0
    project.script(SCRIPT % redis_url)
    worker = project.start("autoscaler", "autoscale.rhai")
    worker.line(f"estimated {estimated}")


def test_the_hook_notes_when_a_task_was_sent():
    from autoscaler_django.celery import enqueued_at

    headers = {}
    enqueued_at(sender="shop.bake", headers=headers, body=None)
    assert abs(headers["enqueued_at"] - time.time()) < 60
    enqueued_at(sender="shop.bake", headers=None)
