"""What a server says at its start that listens beyond this machine; and the strict limits that hold then."""

from __future__ import annotations

import io
from typing import Any

import pytest

from server import cli, serve
from server.openness import told
from server.settings import MIB, STRICT, Settings, limits


@pytest.mark.parametrize(
    ("given", "strict"),
    [
        ({}, False),
        ({"host": "::1"}, False),
        ({"host": "localhost"}, False),
        ({"host": "0.0.0.0"}, True),
        ({"host": "192.168.1.5"}, True),
        ({"host": "0.0.0.0", "public": False}, False),
        ({"public": True}, True),
        ({"trusted_proxies": "127.0.0.1"}, True),
        ({"allowed_hosts": "room.school.example"}, True),
        ({"allowed_hosts": "room.school.example", "public": "no"}, False),
    ],
)
def test_strangers_have_strict_limits(given: dict[str, Any], strict: bool) -> None:
    found = Settings(**given)
    assert found.public is strict
    for name, value in STRICT.items():
        assert (getattr(found, name) == value) is strict
    assert limits(found)["public"]["value"] == int(strict)
    assert limits(found)["trace_bytes"]["value"] == (20 if strict else 200) * MIB


def test_each_strict_limit_is_stricter_and_can_be_set(monkeypatch: pytest.MonkeyPatch) -> None:
    usual = Settings()
    assert all(value < getattr(usual, name) or getattr(usual, name) == 0 for name, value in STRICT.items())
    monkeypatch.setenv("UNROLLED_TRACE_BYTES", "123456")
    assert Settings(public=True).trace_bytes == 123456
    assert Settings(public=True, kept_runs=7).kept_runs == 7


def test_what_is_open_to_whom_is_said() -> None:
    lines = "\n".join(told(Settings(host="0.0.0.0"), 8123, asks=False))
    assert "port 8123" in lines
    assert "20 MiB" in lines
    assert "no passphrase is asked for" in lines
    assert "--passphrase" in lines
    assert "not encrypted" in lines
    assert "0.0.0.0" not in lines or "192." not in lines
    closed = "\n".join(told(Settings(host="10.1.2.3", hsts=True, public=False), 80, asks=True))
    assert "who knows the passphrase" in closed
    assert "10.1.2.3" in closed
    assert "encrypted" not in closed
    assert "--no-public" in closed


@pytest.fixture
def served(monkeypatch: pytest.MonkeyPatch) -> list[Settings]:
    """The settings of servers that did not begin to serve."""
    found: list[Settings] = []
    monkeypatch.setattr(serve, "_run", lambda settings, bound: (found.append(settings), bound.close()))
    return found


def test_the_command_says_it(served: list[Settings], capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["serve", "--no-open", "--port", "0"]) == 0
    assert len(capsys.readouterr().out.splitlines()) == 1
    assert cli.main(["serve", "--no-open", "--port", "0", "--host", "0.0.0.0"]) == 0
    assert "Open to everybody" in capsys.readouterr().out
    assert [settings.public for settings in served] == [False, True]
    assert cli.main(["serve", "--no-open", "--port", "0", "--public"]) == 0
    assert served[-1].trace_bytes == 20 * MIB


def test_the_command_reads_a_passphrase(
    served: list[Settings], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("one for the class\n"))
    assert cli.main(["serve", "--no-open", "--port", "0", "--host", "0.0.0.0", "--passphrase"]) == 0
    assert served[0].passphrase.get_secret_value() == "one for the class"
    out, err = capsys.readouterr()
    assert "who knows the passphrase" in out
    assert "class" not in out + err
    monkeypatch.setattr("sys.stdin", io.StringIO("short\n"))
    assert cli.main(["serve", "--passphrase"]) == 2
    assert "5 characters" in capsys.readouterr().err
