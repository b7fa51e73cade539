"""The programs for pytorch, run alone, print the engine's numbers; and what checked.json says of them holds."""

from __future__ import annotations

from pathlib import Path

import pytest

from server.code import read_checked
from tests.peers.code_runs import SPREAD, TOLERANCE, digest, run


@pytest.mark.parametrize("name", SPREAD)
def test_the_program_prints_the_engines_numbers(name: str, tmp_path: Path) -> None:
    assert run("pytorch", name, tmp_path).worst < TOLERANCE


def test_what_the_page_says_was_checked_is_this_text() -> None:
    assert read_checked()["pytorch"].digest == digest("pytorch")


def test_a_program_that_imports_all_itself_prints_the_same(tmp_path: Path) -> None:
    name = "window longer than the sequence"
    assert run("pytorch", name, tmp_path, fresh=True) == run("pytorch", name, tmp_path)
