"""What a machine may lack or have taken: the port, a home, the right to write there, shared memory, open files."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path

import pytest

from scripts.shell import ROOT
from server.store import Store, StoreError
from tests.faults.seen import Seen, noting, progress
from tests.server.live import HUMBLE, Live, live, until
from tests.server.training_client import API, TINY, visitor

SMALL = "/api/v1/analysis?steps=8&hidden=4&batch=1"
FEW = {"workers": 1, "light_workers": 0, "training_workers": 1, "disk_reserved_bytes": 0}
WITHOUT_SHM = ("unshare", "--mount", "sh", "-c", 'umount /dev/shm && exec "$@"', "sh")


def refused(*flags: str) -> str:
    """Returns what a server that cannot listen says, which must be one line and exit code 2."""
    command = [sys.executable, "-m", "server", "--no-open", *flags]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert done.returncode == 2, f"exit code {done.returncode}"
    [line] = done.stderr.splitlines()
    assert "--port" in line or "--host" in line, line
    return line


def port_taken(seen: Seen) -> None:
    for family, host, shown in ((socket.AF_INET, "127.0.0.1", "127.0.0.1"), (socket.AF_INET6, "::1", "[::1]")):
        with closing(socket.socket(family)) as taken:
            taken.bind((host, 0))
            taken.listen()
            port = taken.getsockname()[1]
            line = refused("--host", host, "--port", str(port))
            assert f"{shown}:{port}" in line, line
    seen.say(f"the port taken, IPv4 and IPv6: exit code 2, one line ({line!r})")


def no_such_host(seen: Seen) -> None:
    line = refused("--host", "no-such-host.invalid", "--port", "0")
    assert "no-such-host.invalid" in line
    seen.say("a host that is none: exit code 2, one line")


def ipv6(seen: Seen) -> None:
    environment = os.environ | {f"UNROLLED_{name.upper()}": str(value) for name, value in FEW.items()}
    command = [sys.executable, "-m", "server", "--no-open", "--host", "::1", "--port", "0"]
    process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        address = next(word for word in process.stdout.readline().split() if word.startswith("http://[::1]:"))
        until(lambda: _opens(address + SMALL[1:]), 60)
    finally:
        process.terminate()
        process.communicate(timeout=20)
    seen.say("on ::1: it answers")


def _opens(address: str) -> bool:
    try:
        with urllib.request.urlopen(address, timeout=60) as answer:
            return bool(answer.status == 200)
    except OSError:  # it says where it is before it listens
        return False


def served_without(seen: Seen, what: str, before: Sequence[str], expect: int, **more: object) -> None:
    """A server in poor surroundings serves all but what needs them, and says of that what it lacks."""
    with live(before=before, **FEW | more) as server:
        owner = visitor(server)
        for page in ("/", "/train", "/healthz", SMALL):
            assert owner.ask("GET", page).status == 200, page
        answer = owner.ask("POST", API, TINY)
        assert answer.status == expect, f"a run was answered with {answer.status}"
        if expect == 201:
            owner.until(answer.body["id"], "done")
        else:
            assert answer.body["problems"][0]["remedy"]
        code, _, errors = server.stop()
        assert code == 0, f"exit code {code}"
        assert "Traceback" not in errors, errors
    seen.say(f"{what}: it serves, a run is answered with {expect}")


def a_home(folder: Path, mode: int) -> str:
    folder.mkdir()
    folder.chmod(mode)
    return f"HOME={folder}"


def read_only_home(seen: Seen, folder: Path) -> None:
    home = a_home(folder / "read-only", 0o555)
    served_without(seen, "a home that is read-only", [*HUMBLE, "env", "-u", "UNROLLED_DATA", home], 503)


def no_home(seen: Seen, folder: Path) -> None:
    """HOME is not set, and where one may become somebody else, it is a user whom the system does not know."""
    before = ["env", "-u", "UNROLLED_DATA", "-u", "HOME", f"XDG_DATA_HOME={folder / 'share'}"]
    served_without(seen, "no HOME", before, 201)
    assert (folder / "share/unrolled/runs.sqlite3").exists()


def no_shared_memory(seen: Seen, folder: Path) -> None:
    may = shutil.which("unshare") and not subprocess.run([*WITHOUT_SHM, "true"], capture_output=True).returncode
    if not may:
        seen.say("no /dev/shm: not tried here, for want of the right to take it away", False)
        return
    served_without(seen, "no /dev/shm", WITHOUT_SHM, 201, data=folder / "without")


def few_files(seen: Seen, folder: Path) -> None:
    """More connections than the process may have open files: it goes on when they are gone."""
    limit = ("sh", "-c", 'ulimit -n 64 && exec "$@"', "sh")
    with live(before=limit, **FEW | {"data": folder / "few"}) as server:
        many = [socket.create_connection(("127.0.0.1", server.port), timeout=5) for _ in range(100)]
        for connection in many:
            connection.close()
        assert _answers(server)
        code, _, errors = server.stop()
    assert code == 0
    seen.say(f"64 open files and 100 connections: it answers afterwards; tracebacks: {errors.count('Traceback')}")


def _answers(server: Live) -> bool:
    for _ in range(20):
        try:
            return server.get(SMALL, 10)[0] == 200
        except OSError:
            continue
    return False


def scene(count: int, folder: Path) -> Seen:
    seen = Seen()
    parts: list[Callable[[], None]] = [
        lambda: port_taken(seen), lambda: no_such_host(seen), lambda: ipv6(seen), lambda: no_home(seen, folder),
        lambda: read_only_home(seen, folder), lambda: no_shared_memory(seen, folder), lambda: few_files(seen, folder),
    ]  # fmt: skip
    for number, part in enumerate(parts[:count]):
        progress(f"surroundings: {number + 1}")
        with noting(seen, f"part {number + 1}"):
            part()
    return seen


def test_what_a_machine_lacks_is_done_without(tmp_path: Path) -> None:
    seen = scene(4, tmp_path)
    assert not seen.broken, seen.figures


def test_a_user_without_a_home_is_told_and_gets_no_folder_of_that_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A user whom the system does not know, as in some containers: `~` stays as it is."""
    monkeypatch.setattr("platformdirs.user_data_dir", lambda *_, **__: "~/.local/share/unrolled")
    monkeypatch.setattr("server.store.opening.NOWHERE", tmp_path / "file" / "unrolled")
    (tmp_path / "file").touch()
    monkeypatch.chdir(tmp_path)
    with pytest.raises(StoreError) as told:
        Store.open()
    assert (told.value.kind, told.value.status) == ("cannot-open", 503)
    assert [path.name for path in tmp_path.iterdir()] == ["file"]
