"""The release, and a fingerprint of the code that makes the numbers. (leaf)"""

from __future__ import annotations

import hashlib
from functools import cache
from importlib.metadata import version
from pathlib import Path

import engine
from engine.tasks.text import default_text
from server import paths

RELEASE = version("unrolled")


@cache
def fingerprint() -> str:
    """Returns what an answer depends on besides its query: the release, and a digest of the engine, of the
    figures, of the encoding, and of the text that is Python's own. Two answers with the same query and
    fingerprint are the same."""
    digest = hashlib.sha256(version("numpy").encode() + default_text().encode())
    for root in (Path(engine.__file__).parent, paths.HERE):
        for file in sorted(root.rglob("*.py")):
            digest.update(file.relative_to(root).as_posix().encode() + file.read_bytes())
    if paths.TOKENS.exists():
        digest.update(paths.TOKENS.read_bytes())
    return f"{RELEASE}+{digest.hexdigest()[:12]}"
