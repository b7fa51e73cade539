"""A PostgreSQL of the tests' own: found on this machine or installed, in a temporary folder, on a free port.

`python -m scripts.postgres` says which one the tests would use.
"""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path

import psycopg

ELSEWHERE = ("/usr/lib/postgresql/*/bin", "/usr/pgsql-*/bin", "/opt/homebrew/opt/postgresql*/bin",
             "/usr/local/opt/postgresql*/bin")
UNPRIVILEGED = ("postgres", "nobody")  # who runs the server where the tests are run by root
REMEDY = "no PostgreSQL: install your system's `postgresql` package"
INSTALL_SECONDS = 600
START_SECONDS = 60
# The tests kill programs, not the machine: what has been written need not be on the disk.
QUICK = {"fsync": "off", "full_page_writes": "off"}
SMALL = {"shared_buffers": "32MB", "max_connections": "60", "listen_addresses": "127.0.0.1"}


def binaries() -> Path | None:
    """Returns the folder of `initdb` and `postgres`, the newest one, or None."""
    found = [folder for pattern in ELSEWHERE for folder in Path("/").glob(pattern.lstrip("/"))]
    on_path = shutil.which("initdb")
    found += [Path(on_path).resolve().parent] if on_path else []
    usable = [folder for folder in found if (folder / "initdb").exists() and (folder / "postgres").exists()]
    return max(usable, key=lambda folder: [int(part) for part in folder.parts if part.isdigit()], default=None)


def obtain() -> Path:
    """Returns the folder of its programs, after installing them if they are missing; raises RuntimeError."""
    if found := binaries():
        return found
    if _install_package() and (found := binaries()):
        return found
    raise RuntimeError(REMEDY)  # a test that needs it fails with this, it is not left out


def _install_package() -> bool:
    """Returns whether Debian's package could be installed: as root, or where sudo asks for no password."""
    if not shutil.which("apt-get"):
        return False
    apt = [*([] if os.geteuid() == 0 else ["sudo", "-n"]), "env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "-q",
           "-o", f"DPkg::Lock::Timeout={INSTALL_SECONDS}"]
    install = [*apt, "install", "-y", "--no-install-recommends", "postgresql"]
    return all(_succeeds(command) for command in ([*apt, "update"], install))


def _succeeds(command: list[str]) -> bool:
    try:
        return subprocess.run(command, timeout=INSTALL_SECONDS, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                              stderr=subprocess.DEVNULL).returncode == 0
    except (OSError, subprocess.TimeoutExpired):
        return False


class Postgres:
    """One running server. `stop` and `start` are for the tests of a server that goes away and comes back."""

    def __init__(self, folder: Path, programs: Path, user: str | None, settings: dict[str, str]) -> None:
        self._folder, self._programs, self._user, self._settings = folder, programs, user, settings
        self._numbers = count()
        self.port = _free_port()
        self._child: subprocess.Popen[bytes] | None = None

    @classmethod
    @contextmanager
    def started(cls, quick: bool = True) -> Iterator[Postgres]:
        """Yields a new server, with nothing in it; it and its files are gone afterwards. One that is not `quick`
        writes to the disk as any other does."""
        programs, user = obtain(), _unprivileged()
        folder = Path(tempfile.mkdtemp(prefix="unrolled-postgres-"))
        if user is not None:
            shutil.chown(folder, user)
        server = cls(folder, programs, user, SMALL | QUICK if quick else SMALL)
        try:
            server._run("initdb", "--pgdata", str(folder / "data"), "--username=unrolled", "--auth=trust",
                        "--encoding=UTF8", "--locale=C.UTF-8", "--no-sync")
            server.start()
            yield server
        finally:
            server.crash()  # nothing of it is needed any more
            shutil.rmtree(folder, ignore_errors=True)

    def start(self) -> None:
        """Starts the server and returns when it answers."""
        options = [word for name, value in self._settings.items() for word in ("-c", f"{name}={value}")]
        command = [str(self._programs / "postgres"), "-D", str(self._folder / "data"), "-p", str(self.port),
                   "-k", str(self._folder), *options]
        with (self._folder / "log").open("ab") as log:
            self._child = subprocess.Popen(command, user=self._user, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                           cwd=self._folder, start_new_session=True)
        deadline = time.monotonic() + START_SECONDS
        while not self._answers():
            if time.monotonic() > deadline or self._child.poll() is not None:
                raise RuntimeError(f"PostgreSQL does not start: {(self._folder / 'log').read_text()[-2000:]}")
            time.sleep(0.05)

    def stop(self) -> None:
        """Ends the server at once, and every connection to it."""
        self._end(signal.SIGINT)  # its "fast" shutdown

    def crash(self) -> None:
        """Ends the server as a fault of the machine would: without a word, in the middle of everything."""
        self._end(signal.SIGQUIT)

    def _end(self, how: signal.Signals) -> None:
        if self._child is not None:
            self._child.send_signal(how)
            self._child.wait(START_SECONDS)
            self._child = None

    def new_database(self) -> str:
        """Returns the address of a new, empty database."""
        name = f"runs_{next(self._numbers)}"
        self.execute(f"CREATE DATABASE {name}")
        return self.address(name)

    def address(self, name: str) -> str:
        return f"postgresql://unrolled@127.0.0.1:{self.port}/{name}"

    def execute(self, statement: str, name: str = "postgres") -> None:
        """Runs one statement by itself, as the database's owner."""
        with psycopg.connect(self.address(name), autocommit=True, connect_timeout=5) as connection:
            connection.execute(statement.encode())

    def _answers(self) -> bool:
        try:
            self.execute("SELECT 1")
        except psycopg.OperationalError:
            return False
        return True

    def _run(self, program: str, *arguments: str) -> None:
        done = subprocess.run([str(self._programs / program), *arguments], user=self._user, cwd=self._folder,
                              capture_output=True, text=True, timeout=START_SECONDS)
        if done.returncode:
            raise RuntimeError(f"{program} failed: {done.stderr[-2000:]}")


def _unprivileged() -> str | None:
    """Returns who must run the server, which refuses root; None for the present user."""
    if os.geteuid() != 0:
        return None
    known = {entry.pw_name for entry in pwd.getpwall()}
    return next(name for name in UNPRIVILEGED if name in known)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


if __name__ == "__main__":
    try:
        print(obtain())
    except RuntimeError as error:
        sys.exit(str(error))
