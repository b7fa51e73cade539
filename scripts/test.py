"""Runs the tests: all of them, or the parts named. `make test` is `python -m scripts.test`.

Nothing is left out in silence: the closing summary names each part as passed, failed or not run,
and why. The exit code is 0 if nothing failed; with CI set in the environment, everything must
also have run.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from pathlib import Path

from scripts import chromium, parts, postgres
from scripts.outcome import Outcome, succeeded, summary

QUICK: dict[str, parts.Part] = {"lint": parts.lint, "types": parts.types, "js": parts.js,
                                "js-types": parts.js_types}
EVERYTHING = (*QUICK, "unit", "browser", "load")


def main(wanted: Sequence[str]) -> int:
    """Returns the exit code of a run of the parts wanted, in the order that tells of a mistake soonest."""
    unknown = [name for name in wanted if name not in (*EVERYTHING, "parity")]
    if unknown:
        print(f"no such part: {', '.join(unknown)}; choose from {', '.join((*EVERYTHING, 'parity'))}",
              file=sys.stderr)
        return 2
    with ThreadPoolExecutor(1) as pool:  # one after the other: only one may install packages at a time
        database = pool.submit(postgres.obtain) if "unit" in wanted else Future[Path]()
        found = pool.submit(chromium.obtain) if "browser" in wanted else Future[chromium.Found]()
        outcomes = [*_side_by_side([QUICK[name] for name in QUICK if name in wanted])]
        slow: dict[str, parts.Part] = {"unit": partial(parts.unit, database), "browser": partial(parts.browser, found),
                                       "load": parts.load, "parity": parts.parity}
        outcomes += [_one(part) for name, part in slow.items() if name in wanted]
    print(f"\n{summary(outcomes)}", flush=True)
    return 0 if succeeded(outcomes, strict=bool(os.environ.get("CI"))) else 1


def _side_by_side(quick: Sequence[parts.Part]) -> list[Outcome]:
    with ThreadPoolExecutor(2) as pool:
        return [_told(outcome) for outcome in pool.map(lambda part: part(), quick)]


def _one(part: parts.Part) -> Outcome:
    return _told(part())


def _told(outcome: Outcome) -> Outcome:
    """Says at once what a part came to; what failed says why."""
    print(f"{outcome.part}: {outcome.verdict} in {outcome.seconds:.1f} s", flush=True)
    if outcome.failed and outcome.output:
        print(outcome.output, flush=True)
    return outcome


if __name__ == "__main__":
    # Ended from outside, the run still ends what it started.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    sys.exit(main(sys.argv[1:] or EVERYTHING))
