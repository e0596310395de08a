"""`manage.py autoscaler` with a real worker: mail, logging, time zone, signals, and what nobody gets to see."""

import os
import signal
from pathlib import Path

import pytest

from .conftest import eventually

TELL = """
pipeline("web", #{
    measure: measure::custom(#{ measurement_interval_in_seconds: 0.2 }, || 1000),
    decide: |m| if m.dynos < 2 { up(1) },
    min_dynos: 1, max_dynos: 3,
    scale: #{ current: || 1, scale_to: |n| throw "the platform is away" },
    notify: [%s],
});
"""

MAIL = "notify::django_email()"


def worker_of(process):
    """The worker below manage.py."""
    children = Path(f"/proc/{process.process.pid}/task/{process.process.pid}/children")
    return int(eventually(lambda: process.text, lambda: children.read_text().split())[0])


def test_admins_are_mailed_as_django_does_and_no_password_is_to_be_seen(project, mail):
    project.settings(
        f"EMAIL_HOST, EMAIL_PORT = '127.0.0.1', {mail.port}\n"
        f"EMAIL_HOST_USER, EMAIL_HOST_PASSWORD = 'mailer', {mail.password!r}"
    )
    project.script(TELL % MAIL)
    manage = project.start("autoscaler", "autoscale.rhai")
    message = mail.next()[0]
    headers = dict(message["headers"])
    assert message["login"] and message["from"] == "shop@example.com"
    assert message["recipients"] == ["ops@example.com"]
    assert headers["Subject"].startswith("[Shop] Scale to "), headers
    assert "the platform is away" in message["body"] and "Pipeline: web" in message["body"]
    worker = worker_of(manage)
    for shown in ("cmdline", "environ"):
        for pid in (worker, manage.process.pid):
            assert mail.password.encode() not in Path(f"/proc/{pid}/{shown}").read_bytes()
    assert mail.password not in manage.text


def test_another_email_backend_is_served_too(project):
    project.settings(
        "EMAIL_BACKEND = 'django.core.mail.backends.filebased.EmailBackend'\n"
        "EMAIL_FILE_PATH = DATA / 'mail'\nADMINS = [('Ops', 'ops@example.com'), ('Boss', 'boss@example.com')]"
    )
    project.script(TELL % MAIL)
    project.start("autoscaler", "autoscale.rhai")

    def mailed():
        return "".join(path.read_text() for path in (project.folder / "mail").glob("*"))

    eventually(mailed, lambda: "To: ops@example.com, boss@example.com" in mailed())
    assert "Subject: [Shop] Scale to" in mailed()


@pytest.mark.parametrize(
    "settings, said",
    [
        ("ADMINS = []", "the setting ADMINS of Django names nobody to be mailed"),
        ("EMAIL_HOST, EMAIL_PORT = '127.0.0.1', 1", "the mail server 127.0.0.1:1: "),
        ("EMAIL_BACKEND = 'nowhere.Backend'", "nowhere.Backend: ModuleNotFoundError"),
    ],
)
def test_mail_that_cannot_be_sent_is_told_and_the_worker_goes_on(project, settings, said):
    project.settings(settings)
    project.script(TELL % MAIL)
    manage = project.start("autoscaler", "autoscale.rhai")
    manage.line(said)
    assert manage.process.poll() is None


def test_a_mail_server_that_refuses_the_login_is_quoted_without_the_password(project, mail):
    project.settings(
        f"EMAIL_HOST, EMAIL_PORT = '127.0.0.1', {mail.port}\n"
        "EMAIL_HOST_USER, EMAIL_HOST_PASSWORD = 'mailer', 'wrong-horse-battery'"
    )
    project.script(TELL % MAIL)
    manage = project.start("autoscaler", "autoscale.rhai")
    manage.line(f"the mail server 127.0.0.1:{mail.port} answered 535")
    assert "wrong-horse" not in manage.text


def test_the_logger_is_pythons(project):
    project.settings(
        "LOGGING = {'version': 1, 'handlers': {'file': {'class': 'logging.FileHandler', 'filename': DATA / 'shop.log',"
        " 'formatter': 'plain'}}, 'formatters': {'plain': {'format': '%(levelname)s %(name)s %(pipeline)s %(kind)s"
        " %(message)s'}}, 'loggers': {'autoscaler': {'handlers': ['file'], 'level': 'INFO'}}}"
    )
    project.script(TELL % "notify::logger()")
    project.start("autoscaler", "autoscale.rhai")
    log = project.folder / "shop.log"
    line = "ERROR autoscaler web scale_failed web: Just tried to scale"
    eventually(lambda: log.read_text(), lambda: log.exists() and line in log.read_text())


def test_a_project_that_has_set_up_no_logging_sees_it_all_the_same(project):
    project.script(TELL % "notify::logger()")
    project.start("autoscaler", "autoscale.rhai").line("ERROR autoscaler: web: Just tried to scale")


def test_time_zone_is_the_default_zone(project):
    project.script(
        'pipeline("web", #{ measure: || 1, decide: |m| hold(), min_dynos: #{ "0:00": 1 }, max_dynos: #{ "0:00": 2 },'
        ' scale: #{ current: || 1, scale_to: |n| () },'
        ' notify: |event| print("at " + event.at) });'
        'pipeline("zone", #{ measure: measure::custom(#{ measurement_interval_in_seconds: 0.2 }, || 1),'
        ' decide: |m| hold("the hour is " + m.now.hour), scale: #{ current: || 1, scale_to: |n| () } });'
    )
    project.environment["AUTOSCALER_LOG"] = "debug"
    worker = project.start("autoscaler", "autoscale.rhai")
    from datetime import datetime, timezone, timedelta

    def hours():
        now = datetime.now(timezone.utc)
        return {(now - timedelta(hours=hours)).hour for hours in (7, 8)}

    eventually(lambda: worker.text, lambda: any(f"the hour is {hour}" in worker.text for hour in hours()))


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_stops_the_worker_in_good_order(project, number):
    project.script(TELL % "notify::console()")
    manage = project.start("autoscaler", "autoscale.rhai")
    manage.line("runs web")
    # As Heroku does, which signals every process of a dyno.
    worker = worker_of(manage)
    os.kill(worker, number)
    manage.signal(number)
    assert manage.wait() == 0, manage.text
    assert "stopped" in manage.text


def test_sighup_reloads(project):
    project.script(TELL % "notify::console()")
    manage = project.start("autoscaler", "autoscale.rhai")
    manage.line("runs web")
    project.script((TELL % "notify::console()").replace("1000", "2000"))
    manage.signal(signal.SIGHUP)
    manage.line("eloaded")


def test_a_host_that_is_killed_leaves_no_worker_behind(project):
    project.script(TELL % "notify::console()")
    manage = project.start("autoscaler", "autoscale.rhai")
    manage.line("runs web")
    worker = worker_of(manage)
    manage.signal(signal.SIGKILL)
    manage.wait()
    eventually(lambda: manage.text, lambda: not Path(f"/proc/{worker}").exists())
    assert "has gone, and the worker stops with it" in manage.text


def test_the_exit_code_is_the_workers_and_nothing_is_left_behind(project, tmp_path_factory):
    temporary = tmp_path_factory.mktemp("t")
    project.environment["TMPDIR"] = str(temporary)
    project.script("pipelin()")
    code, said = project.manage("autoscaler", "autoscale.rhai")
    assert code == 1 and "pipelin" in said, said
    assert list(temporary.iterdir()) == []


def test_what_is_missing_is_said(project):
    code, said = project.manage("autoscaler")
    assert (code, said) == (1, "CommandError: name a script, or set AUTOSCALE_SETTINGS\n")
    project.environment["AUTOSCALER_BINARY"] = "/nowhere/autoscaler"
    project.script(TELL % MAIL)
    code, said = project.manage("autoscaler", "autoscale.rhai")
    assert (code, said) == (1, "CommandError: AUTOSCALER_BINARY names /nowhere/autoscaler, which cannot be run\n")
