"""What became of one part of the tests, and how the whole is told at the end. (leaf)"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Outcome:
    """One part: how many of its checks passed and failed, and what of it did not run, with the reason."""

    part: str
    passed: int = 0
    failed: int = 0
    not_run: tuple[str, ...] = ()
    seconds: float = 0.0
    output: str = ""  # what the tools said, where it was not already on the screen

    @property
    def verdict(self) -> str:
        if self.failed:
            return "FAILED"
        return "passed" if self.passed else "NOT RUN"


def summary(outcomes: Sequence[Outcome]) -> str:
    """Returns the closing table: a line a part, then everything that did not run, then the totals."""
    width = max(len(outcome.part) for outcome in outcomes)
    lines = [f"  {o.part:{width}}  {o.verdict:8} {o.passed:5} passed, {o.failed} failed  {o.seconds:6.1f} s"
             for o in outcomes]
    missing = [f"  {o.part}: {reason}" for o in outcomes for reason in o.not_run]
    if missing:
        lines += ["", "Not run:", *missing]
    passed, failed = sum(o.passed for o in outcomes), sum(o.failed for o in outcomes)
    return "\n".join([*lines, "", f"unrolled: {passed} passed, {failed} failed, {len(missing)} skipped"])


def succeeded(outcomes: Sequence[Outcome], strict: bool) -> bool:
    """Returns whether nothing failed; where `strict`, also whether everything ran."""
    return not any(o.failed for o in outcomes) and not (strict and any(o.not_run for o in outcomes))
