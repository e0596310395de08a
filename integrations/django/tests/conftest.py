"""Servers on free ports, started by the tests and stopped with them; projects made of settings; the worker."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
PACKAGE = ROOT / "integrations/django"

# Far more than anything here needs.
PATIENCE = 60

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
os.environ.setdefault("AUTOSCALER_BINARY", str(ROOT / "target/debug/autoscaler"))
os.environ["APP_DATA"] = tempfile.mkdtemp(prefix="autoscaler-tests-")


def pytest_configure():
    import django

    django.setup()


def pytest_unconfigure():
    shutil.rmtree(os.environ["APP_DATA"], ignore_errors=True)


def eventually(what, condition):
    """The first true value of `condition`, which must come."""
    end = time.monotonic() + PATIENCE
    while True:
        value = condition()
        if value:
            return value
        assert time.monotonic() < end, f"not within {PATIENCE} s: {what() if callable(what) else what}"
        time.sleep(0.02)


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def listens(port):
    with socket.socket() as client:
        return client.connect_ex(("127.0.0.1", port)) == 0


class Process:
    """A process in a group of its own, with what it says in a file."""

    def __init__(self, command, folder, environment=None, **more):
        self.log = Path(tempfile.mkstemp(dir=folder, suffix=".log")[1])
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [str(part) for part in command], cwd=folder, stdout=log, stderr=log,
                env=environment, start_new_session=True, **more,
            )

    @property
    def text(self):
        return self.log.read_text(errors="replace")

    def line(self, needle, search=lambda needle, text: needle in text):
        """Waits for `needle`; with `re.search` for a pattern."""
        def holds():
            return search(needle, self.text)

        def found():
            ended = self.process.poll() is not None
            assert holds() or not ended, f"it ended: {self.text}"
            return holds()

        eventually(lambda: f"{needle!r} in {self.text}", found)

    def signal(self, number):
        self.process.send_signal(number)

    def wait(self):
        return self.process.wait(PATIENCE)

    def stop(self):
        try:
            os.killpg(self.process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        self.process.wait()


@pytest.fixture
def started(request, tmp_path):
    """Starts processes that end with the test."""
    def start(command, environment=None, folder=tmp_path, **more):
        process = Process(command, folder, environment, **more)
        request.addfinalizer(process.stop)
        return process

    return start


@pytest.fixture(scope="session")
def postgres():
    """"127.0.0.1:port" of a PostgreSQL of our own."""
    command = [sys.executable, PACKAGE / "tests/postgres.py"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, encoding="utf-8") as server:
        port = server.stdout.readline().strip()
        assert port, "see above"
        yield f"127.0.0.1:{port}"
        server.stdin.close()


@pytest.fixture
def redis_url(started):
    port = free_port()
    started(["redis-server", "--port", port, "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"])
    eventually("redis listens", lambda: listens(port))
    return f"redis://127.0.0.1:{port}/0"


class Mail:
    """A mail server that wants a login, and what it took."""

    def __init__(self, process, port):
        self.process, self.port, self.password = process, port, "correct-horse-battery"

    def next(self, count=1):
        """The messages, once there are so many."""
        def taken():
            lines = [json.loads(line) for line in self.process.text.splitlines() if line.startswith('{"from"')]
            return lines if len(lines) >= count else None

        return eventually(lambda: f"{count} mails: {self.process.text}", taken)


@pytest.fixture
def mail(started):
    script = ROOT / "tests/suite/notify/smtp_server.py"
    password = "correct-horse-battery"
    process = started([sys.executable, script, "--login", f"mailer:{password}"], stdin=subprocess.PIPE)
    process.line('{"port"')
    port = json.loads(process.text.splitlines()[0])["port"]
    return Mail(process, port)


class Project:
    """A Django project in a folder of its own: the settings of these tests, and more."""

    def __init__(self, folder, started):
        self.folder, self.started = folder, started
        (folder / "manage.py").write_text(
            "import os, sys\n"
            "os.environ['DJANGO_SETTINGS_MODULE'] = 'site_settings'\n"
            "from django.core.management import execute_from_command_line\n"
            "execute_from_command_line(sys.argv)\n"
        )
        (folder / "site_wsgi.py").write_text(
            "from django.core.wsgi import get_wsgi_application\napplication = get_wsgi_application()\n"
        )
        (folder / "site_asgi.py").write_text(
            "from django.core.asgi import get_asgi_application\napplication = get_asgi_application()\n"
        )
        self.environment = {
            "PATH": os.environ["PATH"], "HOME": str(folder), "APP_DATA": str(folder),
            "PYTHONPATH": f"{PACKAGE / 'src'}:{PACKAGE}", "PYTHONDONTWRITEBYTECODE": "1",
            "DJANGO_SETTINGS_MODULE": "site_settings", "AUTOSCALER_STATE": "memory",
            "AUTOSCALER_BINARY": os.environ["AUTOSCALER_BINARY"],
        }
        self.settings("")

    def settings(self, more):
        (self.folder / "site_settings.py").write_text(f"from tests.settings import *\n{more}\n")

    def script(self, text):
        (self.folder / "autoscale.rhai").write_text(text)

    def manage(self, *arguments):
        """A command that runs to its end, and what it said."""
        done = subprocess.run(
            [sys.executable, "manage.py", *arguments], cwd=self.folder, env=self.environment, timeout=PATIENCE,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, encoding="utf-8",
        )
        return done.returncode, done.stdout

    def start(self, *arguments):
        """A command that goes on."""
        return self.started([sys.executable, "manage.py", *arguments], self.environment, self.folder)

    def serve(self, kind):
        """The URL of the project under gunicorn (`wsgi`) or uvicorn (`asgi`)."""
        port = free_port()
        programs = {
            "wsgi": ["gunicorn", "site_wsgi:application", "--bind", f"127.0.0.1:{port}"],
            "asgi": ["uvicorn", "site_asgi:application", "--host", "127.0.0.1", "--port", port, "--lifespan", "off"],
        }
        process = self.started([sys.executable, "-m", *programs[kind]], self.environment, self.folder)
        eventually(lambda: process.text, lambda: listens(port))
        return f"http://127.0.0.1:{port}"


@pytest.fixture
def project(tmp_path, started):
    return Project(tmp_path, started)


def ask(url, **headers):
    """Status, headers and body."""
    request = urllib.request.Request(url, headers={name.replace("_", "-"): text for name, text in headers.items()})
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(request, timeout=PATIENCE) as answer:
            return answer.status, answer.headers, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.headers, error.read().decode()
