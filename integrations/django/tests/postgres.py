"""A PostgreSQL for tests: a cluster of its own on a free port of loopback, run by a user that is not root.

Prints the port, and ends when its standard input ends.
"""

import glob
import os
import pwd
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

PATIENCE_SECONDS = 60


def programs():
    """The folder with initdb and postgres: Debian keeps it out of the search path."""
    found = sorted(glob.glob("/usr/lib/postgresql/*/bin/initdb"), key=lambda path: float(path.split("/")[4]))
    found = found or [path for path in [shutil.which("initdb")] if path]
    if not found:
        sys.exit("PostgreSQL is missing: `tests/run setup` installs it")
    return Path(found[-1]).parent


def somebody(folder):
    """Whom the server runs as: it refuses to be root."""
    if os.getuid() != 0:
        return {}
    users = {user.pw_name: user for user in pwd.getpwall()}
    user = users.get("postgres") or users["nobody"]
    os.chown(folder, user.pw_uid, user.pw_gid)
    return {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}


def main():
    folder = tempfile.mkdtemp(prefix="autoscaler-postgres-")
    who, data = somebody(folder), f"{folder}/data"
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port = listener.getsockname()[1]
    made = [programs() / "initdb", "-D", data, "-U", "postgres", "-A", "trust", "--no-sync", "--encoding=UTF8"]
    subprocess.run(made, check=True, stdout=subprocess.DEVNULL, cwd=folder, **who)
    command = [programs() / "postgres", "-D", data, "-h", "127.0.0.1", "-p", str(port), "-k", folder, "-F"]
    server = subprocess.Popen(command, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, **who)
    try:
        ready = [programs() / "pg_isready", "-q", "-h", "127.0.0.1", "-p", str(port)]
        end = time.monotonic() + PATIENCE_SECONDS
        while subprocess.run(ready).returncode != 0:
            if server.poll() is not None or time.monotonic() > end:
                sys.exit("PostgreSQL does not start")
            time.sleep(0.05)
        print(port, flush=True)
        sys.stdin.read()
    finally:
        server.kill()
        server.wait()
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
