"""A plugin of coverage, for `make coverage`: what a process has reached is saved while it runs.

Compute processes end by being killed, and so do many servers of the tests: no process has a last word. One that is
killed while it writes leaves a file that nobody can read; so each keeps a copy, which takes its name when it is whole.
"""

from __future__ import annotations

import contextlib
import functools
import os
import secrets
import sys
import threading
import time
from pathlib import Path
from typing import Any

from coverage import Coverage, CoverageData, CoverageException
from coverage.plugin_support import Plugins

SECONDS = 0.5


def coverage_init(plugins: Plugins, options: object) -> None:
    """Begins to save, where coverage begins to measure."""
    CoverageData.update = _but_for_broken(CoverageData.update)  # type: ignore[method-assign]
    threading.Thread(target=_save, daemon=True).start()


def _save() -> None:
    """Returns when the process turns out to be pytest's, which saves at its end."""
    before, name = b"", secrets.token_hex(8)
    while True:
        time.sleep(SECONDS)
        if "pytest" in sys.modules:
            return
        if (measuring := Coverage.current()) is not None:
            with contextlib.suppress(CoverageException, OSError):
                data = measuring.get_data()
                if (found := data.dumps()) != before:
                    _keep(found, Path(data.base_filename()), name)
                    before = found


def _keep(found: bytes, base: Path, name: str) -> None:
    """Writes a copy beside the data that are combined in the end, in one piece."""
    half = base.with_name(f"{base.name}-half-{name}")
    copy = CoverageData(str(half))
    copy.erase()
    copy.loads(found)
    copy.close()
    os.replace(half, base.with_name(f"{base.name}.copy.{name}"))


def _but_for_broken(update: Any) -> Any:
    """Returns coverage's own way to add a file, which leaves out one that a killed process broke."""

    @functools.wraps(update)
    def added(whole: CoverageData, part: CoverageData, *more: Any, **named: Any) -> None:
        with contextlib.suppress(CoverageException):
            update(whole, part, *more, **named)

    return added
