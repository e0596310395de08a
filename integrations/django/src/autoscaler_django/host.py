"""The host of a worker: hands it time zone, mail and logging of this program, and passes signals through.

The two talk over a Unix socket in a folder of their own, which is gone once the worker has come: nothing of it is
on a command line or in the environment.
"""

import json
import logging
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import Any, Callable, Optional, Sequence

VARIABLE = "AUTOSCALER_HOST"

# Signals that end a worker; SIGHUP makes it read its script again.
ENDING = (signal.SIGTERM, signal.SIGINT)

LEVELS = {"error": logging.ERROR, "warning": logging.WARNING}

logger = logging.getLogger("autoscaler")


class Undelivered(Exception):
    """A mail was not sent: why, and whether it is worth trying again."""

    def __init__(self, message: str, again: bool = False) -> None:
        super().__init__(message)
        self.again = again


@dataclass
class Host:
    """What a worker is given."""

    program: str
    time_zone: Optional[str] = None
    # Who gets mail; nothing where there is no mail to be had.
    mail_to: Optional["list[str]"] = None
    mail_through: str = ""
    # Sends subject and body; raises Undelivered.
    send_mail: Optional[Callable[[str, str], None]] = None
    # For the script, beside those of the environment: credentials that stand in settings.
    variables: "dict[str, str]" = field(default_factory=dict, repr=False)
    _say: Optional[Callable[["dict[str, Any]"], None]] = None
    _pool: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(4, "autoscaler-host"))

    def greeting(self) -> "dict[str, Any]":
        mail = None
        if self.send_mail is not None and self.mail_to is not None:
            mail = {"to": self.mail_to, "through": self.mail_through}
        return {
            "program": self.program, "time_zone": self.time_zone, "mail": mail, "logging": True,
            "variables": self.variables,
        }

    def answer(self, request: "dict[str, Any]") -> "dict[str, Any]":
        """Does what is asked, and says how it went."""
        told = {"id": request.get("id")}
        try:
            if "mail" in request:
                if self.send_mail is None:
                    raise Undelivered(f"{self.program} has no mail set up")
                self.send_mail(request["mail"]["subject"], request["mail"]["body"])
            elif "log" in request:
                write_log(request["log"])
            else:
                raise Undelivered("this version of autoscaler_django does not know what is asked")
        except Undelivered as error:
            told.update(error=str(error), again=error.again)
        except Exception as error:
            told.update(error=f"{type(error).__name__}: {error}", again=False)
        return told

    def serve(self, connection: socket.socket) -> None:
        """Speaks with a worker until it has gone."""
        lock = threading.Lock()

        def say(told: "dict[str, Any]") -> None:
            try:
                with lock:
                    connection.sendall(json.dumps(told).encode() + b"\n")
            except OSError:
                # It has gone, and waits for no answer.
                pass

        def answer(request: "dict[str, Any]") -> None:
            say(self.answer(request))

        say(self.greeting())
        self._say = say
        try:
            with connection.makefile("rb") as lines:
                for line in lines:
                    request = json.loads(line)
                    if "log" in request:
                        # In order, and at once.
                        say(self.answer(request))
                    else:
                        self._pool.submit(answer, request)
        except (OSError, ValueError):
            pass

    def run(self, arguments: Sequence[str], script: Optional[str] = None, binary: Optional[str] = None) -> int:
        """Runs `autoscaler ARGUMENTS`, `script` on its standard input, to its end; the exit code is its."""
        from .binary import find

        folder = private_folder()
        listener = socket.socket(socket.AF_UNIX)
        try:
            path = folder / "host"
            listener.bind(str(path))
            listener.listen(1)
            child = self._start([binary or find(), *arguments], {**os.environ, VARIABLE: str(path)}, script)
            threading.Thread(target=self._meet, args=(listener, folder), daemon=True).start()
            code = child.wait()
        finally:
            listener.close()
            shutil.rmtree(folder, ignore_errors=True)
        # A worker that a signal ended: as a shell reports it.
        return code if code >= 0 else 128 - code

    def _start(
        self, command: "list[str]", environment: "dict[str, str]", script: Optional[str]
    ) -> "subprocess.Popen[bytes]":
        """Starts the worker and passes signals to it from now on."""
        early: "list[int]" = []
        asked = False
        child: "Optional[subprocess.Popen[bytes]]" = None

        def passed(number: int, _: Optional[FrameType]) -> None:
            nonlocal asked
            if child is None:
                early.append(number)
            elif number in ENDING and asked:
                child.kill()
            elif number in ENDING and self._say is not None:
                # Not as a signal: Heroku sends its SIGTERM to the worker too, and a second one is for the impatient.
                asked = True
                self._say({"stop": signal.Signals(number).name})
            elif child.poll() is None:
                child.send_signal(number)

        for number in (*ENDING, signal.SIGHUP):
            signal.signal(number, passed)
        # A session of its own: Ctrl-C of a terminal would come to both.
        stdin = subprocess.PIPE if script is not None else None
        child = subprocess.Popen(command, env=environment, stdin=stdin, start_new_session=True)
        for signalled in early:
            child.send_signal(signalled)
        if script is not None and child.stdin is not None:
            try:
                child.stdin.write(script.encode())
                child.stdin.close()
            except BrokenPipeError:
                # It has ended, and says why itself.
                pass
        return child

    def _meet(self, listener: socket.socket, folder: Path) -> None:
        try:
            connection, _ = listener.accept()
        except OSError:
            # It has ended, and never came.
            return
        # Nobody else is to come.
        shutil.rmtree(folder, ignore_errors=True)
        listener.close()
        with connection:
            self.serve(connection)


def private_folder() -> Path:
    """A new folder for a socket that nobody else can enter: the name of a socket has a limit of some 100 characters."""
    short = len(os.fsencode(tempfile.gettempdir())) < 70
    return Path(tempfile.mkdtemp(prefix="autoscaler-", dir=None if short else "/tmp"))


def write_log(record: "dict[str, Any]") -> None:
    """To Python's logger `autoscaler`; where nobody has set up logging, to standard error."""
    if not logger.hasHandlers():
        handler = logging.StreamHandler(sys.stderr)
        handler.setFormatter(logging.Formatter("%(levelname)s %(name)s: %(message)s"))
        logger.addHandler(handler)
        logger.setLevel(logging.INFO)
    known = {name: record.get(name) for name in ("pipeline", "kind", "reason")}
    pipeline = f"{known['pipeline']}: " if known["pipeline"] else ""
    reason = f" ({known['reason']})" if known["reason"] else ""
    logger.log(
        LEVELS.get(record.get("level", ""), logging.INFO),
        "%s%s%s", pipeline, record.get("message", ""), reason,
        extra=known,
    )
