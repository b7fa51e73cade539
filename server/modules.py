"""Which modules a script imports, directly or through others. (leaf)

A page names them all, so that the browser asks for all at once, and not for each after the one that imports it.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable

IMPORT = re.compile(r'^(?:import|export)\b[^"\';]*"(\.[^"]+)"', re.MULTILINE)


def imported(script: str, text_of: Callable[[str], str | None]) -> tuple[str, ...]:
    """Returns the script and all that it imports, by name, the nearest first. text_of: a module's text by its name."""
    found, waiting = [script], [script]
    while waiting:
        here = waiting.pop(0)
        for address in IMPORT.findall(text_of(here) or ""):
            name = posixpath.normpath(posixpath.join(posixpath.dirname(here), address))
            if name not in found:
                found.append(name)
                waiting.append(name)
    return tuple(found)
