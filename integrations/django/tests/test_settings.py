"""AUTOSCALE_SETTINGS: what becomes of every key, where credentials go, and what is said of what cannot be used."""

import copy
import json
import math
import sys
from collections import OrderedDict
from decimal import Decimal
from pathlib import Path

import pytest
from django.utils.functional import lazystr

from autoscaler_django.settings_json import Unusable, Variables, as_json, convert, plain

from .conftest import ROOT

sys.path.insert(0, str(ROOT / "tests/suite/django"))
from autoscale_settings import AUTOSCALE_SETTINGS as EXAMPLE  # noqa: E402

KEY = "abcdef1234567890abcdef12"


def test_the_documented_example_becomes_a_script_without_its_key():
    converted = convert(EXAMPLE, "America/Vancouver")
    script = converted.script
    for part in (
        'pipeline("web"', 'pipeline("celery"', "measure::response_time(", "decide::consecutive_threshold(",
        "scale::heroku(", "notify::django_email(", "notify::console(", "notify::logger(", "decide::average_threshold(",
        "measure::celery_redis_queue_size(", "min_time_ms: 500", "/my-custom-measurement/", "America/Vancouver",
    ):
        assert part in script, script
    assert KEY not in script and KEY not in converted.warnings
    assert list(converted.variables.values()) == [KEY]
    (name,) = converted.variables
    assert f'env::secret("{name}")' in script
    assert 'mode: "dry_run"' not in script


def test_a_key_that_comes_from_the_environment_keeps_its_name(monkeypatch):
    monkeypatch.setenv("HEROKU_API_KEY", KEY)
    converted = convert(EXAMPLE)
    assert converted.variables == {} and 'env::secret("HEROKU_API_KEY")' in converted.script


def test_two_keys_have_two_names():
    settings = copy.deepcopy(EXAMPLE)
    settings["celery"]["SCALING"]["SETTINGS"]["API_KEY"] = "another-key-of-another-app"
    settings["celery"]["MEASUREMENT"]["SETTINGS"] = {"REDIS_URL": "redis://:correct-horse@redis.test/0"}
    converted = convert(settings)
    assert sorted(converted.variables.values()) == sorted(
        [KEY, "another-key-of-another-app", "redis://:correct-horse@redis.test/0"]
    )
    assert "correct-horse" not in converted.script


def test_the_view_is_asked_with_its_token_and_other_views_are_not():
    backend = "heroku_web_autoscale.backends.measurement.ResponseTimeBackend"
    own = copy.deepcopy(EXAMPLE["web"])
    own["MEASUREMENT"] = {"BACKEND": backend}
    converted = convert({"web": own, "other": EXAMPLE["web"]}, token="of-the-worker")
    assert 'headers: #{ "Authorization": env::secret("AUTOSCALER_AUTHORIZATION") }' in converted.script
    assert converted.script.count("headers") == 1 and "of-the-worker" not in converted.script
    assert converted.variables["AUTOSCALER_AUTHORIZATION"] == "Bearer of-the-worker"


def test_every_documented_key_is_taken():
    web = EXAMPLE["web"]
    for section, backend, settings in [
        ("MEASUREMENT", "HerokuServiceTimeBackend",
         {"MEASUREMENT_URL": "/measurement", "MEASUREMENT_INTERVAL_IN_SECONDS": 20}),
        ("MEASUREMENT", "CeleryRedisQueueSizeBackend",
         {"QUEUE_NAME": "mail", "MEASUREMENT_INTERVAL_IN_SECONDS": 20}),
        ("MEASUREMENT", "AppDecisionBackend", {"MEASUREMENT_URL": "/load", "MEASUREMENT_INTERVAL_IN_SECONDS": 20}),
        ("DECISION", "ConsecutiveThresholdBackend", {
            "NUMBER_OF_FAILS_TO_SCALE_UP_AFTER": 4, "NUMBER_OF_PASSES_TO_SCALE_DOWN_AFTER": 6,
            "MIN_DYNOS": {"0:00": 1, "9:00": 3, "18:00": 1}, "MAX_DYNOS": OrderedDict([("0:00", 2), ("9:00", 5), ("18:00", 2)]),
            "INCREMENT": 2, "POST_SCALE_WAIT_TIME_SECONDS": Decimal("7.5"), "HISTORY_LENGTH": 20,
        }),
        ("DECISION", "AverageThresholdBackend", {
            "NUMBER_OF_MEASUREMENTS_TO_AVERAGE": 4, "MIN_MEASUREMENT_VALUE": 10, "MAX_MEASUREMENT_VALUE": 20,
        }),
        ("NOTIFICATION", None, {
            "NOTIFY_ON_EVERY_MEASUREMENT": True, "NOTIFY_ON_EVERY_SCALE": True, "NOTIFY_IF_NEEDS_BELOW_MIN": True,
            "NOTIFY_IF_NEEDS_EXCEED_MAX": False, "NOTIFY_IF_SCALING_IS_TOO_RAPID": True,
            "NOTIFY_IF_SCALING_IS_TOO_RAPID_NUM_SCALES": 9,
            "NOTIFY_IF_SCALING_IS_TOO_RAPID_TIME_PERIOD_MINUTES": 2,
        }),
    ]:
        changed = copy.deepcopy(web)
        if section == "MEASUREMENT":
            # Thresholds of milliseconds are none for a queue.
            changed["DECISION"] = {"BACKEND": "heroku_web_autoscale.backends.decision.AverageThresholdBackend"}
        if backend:
            changed[section]["BACKEND"] = f"heroku_web_autoscale.backends.{section.lower()}.{backend}"
        changed[section]["SETTINGS"] = settings
        script = convert({"web": changed}).script
        for name in settings:
            assert f"{name.lower()}: " in script, (name, script)


def test_what_python_has_and_json_has_not():
    class Backend:
        pass

    value = {
        "a": (1, 2), "b": Decimal("1.5"), "c": Path("/srv"), "d": lazystr("late"), "e": None, "f": {"x": {"y"}},
        "g": Backend,
    }
    told = json.loads(json.dumps(plain(value)))
    assert told == {
        "a": [1, 2], "b": 1.5, "c": "/srv", "d": "late", "e": None, "f": {"x": ["y"]},
        "g": f"{__name__}.{Backend.__qualname__}",
    }


@pytest.mark.parametrize(
    "settings, said",
    [
        ([], "AUTOSCALE_SETTINGS is a list, and must be a dictionary"),
        ({}, "AUTOSCALE_SETTINGS is empty: it names no process type to scale"),
        ({"web": {1: 2}}, "AUTOSCALE_SETTINGS['web'] has the key 1, which is no text"),
        ({"web": {"MEASUREMENT": {"X": object()}}},
         "AUTOSCALE_SETTINGS['web']['MEASUREMENT']['X'] is a object, and must be a text"),
        ({"web": {"X": math.nan}}, "AUTOSCALE_SETTINGS holds a number that is none"),
    ],
)
def test_what_cannot_be_used_is_named_with_its_path(settings, said):
    with pytest.raises(Unusable) as error:
        as_json(settings, None, Variables())
    assert said in str(error.value)


def test_a_backend_that_nobody_knows_a_missing_key_and_a_slip_are_named():
    for change, said in [
        (lambda web: web["MEASUREMENT"].update(BACKEND="ResponsTimeBackend"), "ResponsTimeBackend"),
        (lambda web: web["SCALING"]["SETTINGS"].pop("APP_NAME"), "APP_NAME"),
        (lambda web: web["MEASUREMENT"]["SETTINGS"].update(MIN_TIME="fast"), "MIN_TIME"),
    ]:
        web = copy.deepcopy(EXAMPLE["web"])
        change(web)
        try:
            told = convert({"web": web}).warnings
        except Unusable as error:
            told = str(error)
        assert said.lower() in told.lower(), told
        assert KEY not in told


def test_the_command_of_old_runs_a_module(project):
    (project.folder / "autoscale_settings.py").write_text(
        f"AUTOSCALE_SETTINGS = {dict(web=EXAMPLE['web'])!r}\n"
    )
    del project.environment["DJANGO_SETTINGS_MODULE"]
    command = [sys.executable, "-m", "autoscaler_django.command"]
    worker = project.started([*command, "--settings=autoscale_settings"], project.environment, project.folder)
    worker.line("runs web (dancing-forest-1234, every 30 s)")
    assert KEY not in worker.text
    worker.signal(15)
    assert worker.wait() == 0, worker.text
    for name, said in [("nowhere", "the module `nowhere` cannot be imported"), ("json", "has no AUTOSCALE_SETTINGS")]:
        wrong = project.started([*command, "--settings", name], project.environment, project.folder)
        assert wrong.wait() == 1 and said in wrong.text, wrong.text


def test_manage_runs_the_dictionary_and_prints_it(project):
    project.settings(f"AUTOSCALE_SETTINGS = {EXAMPLE!r}")
    project.environment["REDIS_URL"] = "redis://127.0.0.1:1/0"
    code, said = project.manage("autoscaler", "--print-script")
    assert code == 0 and 'pipeline("celery"' in said and KEY not in said, said
    for command in ("autoscaler", "heroku_web_autoscaler"):
        worker = project.start(command)
        worker.line("runs web (dancing-forest-1234, every 30 s), celery (dancing-forest-1234, every 30 s)")
        cmdline = Path(f"/proc/{worker.process.pid}/task/{worker.process.pid}/children")
        for pid in [*cmdline.read_text().split(), worker.process.pid]:
            for shown in ("cmdline", "environ"):
                assert KEY.encode() not in Path(f"/proc/{pid}/{shown}").read_bytes()
        worker.stop()
    project.settings("AUTOSCALE_SETTINGS = {'web': {}}")
    code, said = project.manage("autoscaler")
    assert code == 1 and said.startswith("CommandError: "), said
