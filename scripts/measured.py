"""A plugin of coverage, for `make coverage`: what a process has reached is saved while it runs.

Compute processes end by being killed, and so do many servers of the tests: no process has a last word."""

from __future__ import annotations

import contextlib
import sys
import threading
import time

from coverage import Coverage, CoverageException
from coverage.plugin_support import Plugins

SECONDS = 0.5


def coverage_init(plugins: Plugins, options: object) -> None:
    """Begins to save, where coverage begins to measure."""
    threading.Thread(target=_save, daemon=True).start()


def _save() -> None:
    """Returns when the process turns out to be pytest's, which saves at its end."""
    while True:
        time.sleep(SECONDS)
        if "pytest" in sys.modules:
            return
        if (measuring := Coverage.current()) is not None:
            with contextlib.suppress(CoverageException):
                measuring.save()
