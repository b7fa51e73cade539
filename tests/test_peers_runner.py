"""The run of the live libraries: every test file is run by one of them, and none is named that is not there."""

from __future__ import annotations

from pathlib import Path

import pytest

from scripts.peers import PEERS, main

FOLDER = Path(__file__).resolve().parent / "peers"


def test_every_file_has_its_library() -> None:
    named = [f"test_{file}.py" for peer in PEERS.values() for file in peer.tests]
    assert sorted(named) == sorted(path.name for path in FOLDER.glob("test_*.py"))


def test_every_package_is_pinned() -> None:
    assert all("==" in package for peer in PEERS.values() for package in peer.packages)


def test_an_unknown_library_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["pytroch"]) == 2
    assert "choose from torch" in capsys.readouterr().err
