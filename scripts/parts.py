"""The parts of the test run, each a function from nothing to its outcome."""

from __future__ import annotations

import importlib.util
import re
import shutil
import sys
import tempfile
import time
import xml.etree.ElementTree as ElementTree
from collections.abc import Callable, Sequence
from concurrent.futures import Future, wait
from pathlib import Path

from scripts import chromium
from scripts.outcome import Outcome
from scripts.shell import ROOT, run

Part = Callable[[], Outcome]


def lint() -> Outcome:
    return _check("lint", [sys.executable, "-m", "ruff", "check", "."])


def types() -> Outcome:
    return _check("types", [sys.executable, "-m", "mypy"])


def js_types() -> Outcome:
    """TypeScript reads the JavaScript; it is fetched when the lock has changed since the last time."""
    if not shutil.which("npm"):
        return Outcome("js-types", not_run=("npm is not installed: install Node.js with npm",))
    stamp, lock = ROOT / "node_modules/.package-lock.json", ROOT / "package-lock.json"
    if not stamp.exists() or stamp.stat().st_mtime < lock.stat().st_mtime:
        code, output = run(["npm", "ci", "--no-audit", "--no-fund", "--loglevel=error"])
        if code:
            return Outcome("js-types", failed=1, output=f"npm ci failed:\n{output}")
        stamp.touch()
    return _check("js-types", ["npx", "--no-install", "tsc", "--project", "tsconfig.json"])


def js() -> Outcome:
    """The unit tests of the JavaScript that needs no browser."""
    if not shutil.which("node"):
        return Outcome("js", not_run=("node is not installed: install Node.js 20 or newer",))
    files = sorted((ROOT / "tests/js").rglob("*.test.js"))
    if not files:
        return Outcome("js", not_run=("there is no tests/js/*.test.js",))
    start = time.monotonic()
    code, output = run(["node", "--test", "--test-reporter=tap", *files])
    totals = re.findall(r"^# (pass|fail|cancelled|skipped|todo) (\d+)$", output, re.MULTILINE)
    counts = {name: int(number) for name, number in totals}
    failed = counts.get("fail", 0) + counts.get("cancelled", 0)
    left_out = counts.get("skipped", 0) + counts.get("todo", 0)
    return Outcome("js", counts.get("pass", 0), max(failed, int(code != 0)),
                   (f"{left_out} tests are marked skip or todo",) if left_out else (),
                   time.monotonic() - start, output if code else "")


def unit(database: Future[Path]) -> Outcome:
    """Every Python test that needs no browser. Where no PostgreSQL could be had, those of the store fail and say so."""
    wait([database])
    return _pytest("unit", ["tests", "--ignore=tests/browser", "-n", "auto", "--dist", "worksteal"])


def browser(found: Future[chromium.Found]) -> Outcome:
    """The page in a real Chromium."""
    chosen = found.result()
    if chosen.browser is None:
        return Outcome("browser", not_run=(chosen.how,))
    print(f"Chromium: {chosen.how}", flush=True)
    return _pytest("browser", ["tests/browser", "-n", "auto", "--dist", "worksteal"], {chromium.CHOSEN: chosen.browser})


def load() -> Outcome:
    """The short scenes of `make load`: their figures are printed in any case, and only faults fail."""
    if not sys.platform.startswith("linux"):
        return Outcome("load", not_run=("what processes hold is read from Linux's /proc",))
    start = time.monotonic()
    code, _ = run([sys.executable, "-m", "tests.load", "--short"], live=True)
    return Outcome("load", int(code == 0), int(code != 0), (), time.monotonic() - start)


def parity() -> Outcome:
    """The engine beside PyTorch, which is not a dependency: `make parity` installs it."""
    if importlib.util.find_spec("torch") is None:
        return Outcome("parity", not_run=("PyTorch is not installed: `make parity` installs it",))
    return _pytest("parity", ["tests/parity", "-n", "auto"])


def _check(part: str, command: Sequence[str]) -> Outcome:
    """A tool that says yes or no counts as one check."""
    start = time.monotonic()
    code, output = run(command)
    return Outcome(part, int(code == 0), int(code != 0), (), time.monotonic() - start, output if code else "")


def _pytest(part: str, arguments: Sequence[str], extra: dict[str, str] | None = None) -> Outcome:
    start = time.monotonic()
    if not any((ROOT / arguments[0]).rglob("test_*.py")):
        return Outcome(part, not_run=(f"there is no {arguments[0]}/test_*.py",))
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.xml"
        code, _ = run([sys.executable, "-m", "pytest", *arguments, f"--junitxml={report}"], extra, live=True)
        passed, failed, skipped = read_report(report) if report.exists() else (0, 0, [])
    return Outcome(part, passed, max(failed, int(code != 0)), tuple(skipped), time.monotonic() - start)


def read_report(report: Path) -> tuple[int, int, list[str]]:
    """Returns how many tests passed and failed, and the skipped ones with their reasons."""
    suites = ElementTree.parse(report).getroot().iter("testsuite")
    total = failed = 0
    skipped = []
    for suite in suites:
        total += int(suite.get("tests", 0))
        failed += int(suite.get("failures", 0)) + int(suite.get("errors", 0))
        skipped += [f"{case.get('classname')}::{case.get('name')}: {mark.get('message')}"
                    for case in suite.iter("testcase") for mark in case.iter("skipped")]
    return max(total - failed - len(skipped), 0), failed, skipped
