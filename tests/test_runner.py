"""The test runner itself: nothing is left out in silence, and what does not run fails where it must run."""

from __future__ import annotations

from pathlib import Path

import pytest

from scripts import parts, shell
from scripts.outcome import Outcome, succeeded, summary
from scripts.test import main

PASSED = Outcome("unit", passed=3, seconds=1.5)
FAILED = Outcome("lint", failed=1, output="E501")
NOT_RUN = Outcome("browser", not_run=("no Chromium: install one",))
PARTLY = Outcome("unit", passed=3, not_run=("test_x: skipped by hand",))


@pytest.mark.parametrize(("outcomes", "by_hand", "in_ci"), [
    ([PASSED], True, True), ([PASSED, FAILED], False, False), ([PASSED, NOT_RUN], True, False),
    ([PARTLY], True, False),
], ids=["passed", "failed", "not-run", "partly"])
def test_what_counts_as_success(outcomes: list[Outcome], by_hand: bool, in_ci: bool) -> None:
    assert succeeded(outcomes, strict=False) == by_hand
    assert succeeded(outcomes, strict=True) == in_ci


def test_the_summary_names_every_part_and_what_did_not_run() -> None:
    text = summary([PASSED, FAILED, NOT_RUN])
    assert all(word in text for word in ("unit", "lint", "FAILED", "NOT RUN", "no Chromium: install one"))
    assert text.splitlines()[-1] == "unrolled: 3 passed, 1 failed, 1 skipped"


def test_a_report_counts_what_was_skipped_with_its_reason(tmp_path: Path) -> None:
    report = tmp_path / "report.xml"
    report.write_text('<testsuites><testsuite tests="4" failures="1" errors="0"><testcase classname="a" name="x">'
                      '<skipped message="no screen"/></testcase></testsuite></testsuites>')
    assert parts.read_report(report) == (2, 1, ["a::x: no screen"])


def test_a_command_that_hangs_is_ended_with_all_that_it_started() -> None:
    code, output = shell.run(["sh", "-c", "echo begun; sleep 60 & wait"], seconds=0.3)
    assert code == shell.TIMED_OUT
    assert "begun" in output


def test_an_unknown_part_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["brwoser"]) == 2
    assert "choose from lint" in capsys.readouterr().err
