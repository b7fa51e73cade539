"""The licences of what Unrolled installs: `python -m scripts.licenses` writes docs/licenses.md anew."""

from __future__ import annotations

import re
from importlib.metadata import Distribution, distribution

from scripts.shell import ROOT

PAGE = ROOT / "docs/licenses.md"
HEAD = """# Licences

Unrolled itself is under the MIT licence. It installs these packages, each under its own; `python -m scripts.licenses`
writes this table from what is installed.

| package | licence |
|---|---|
"""
NAME = re.compile(r"[A-Za-z0-9._-]+")
CLASSIFIER = "License :: OSI Approved :: "


def installed() -> dict[str, Distribution]:
    """Returns what `pip install unrolled` brings, without optional parts, by name; Unrolled aside."""
    found: dict[str, Distribution] = {}
    waiting = ["unrolled"]
    while waiting:
        name = waiting.pop()
        if name in found:
            continue
        found[name] = distribution(name)
        waiting += [normal(text) for text in found[name].requires or [] if wanted(text)]
    del found["unrolled"]
    return dict(sorted(found.items()))


def wanted(requirement: str) -> bool:
    """Returns whether a requirement holds on the systems that Unrolled is made for, without an extra."""
    _, _, marker = requirement.partition(";")
    if "extra" in marker or "win32" in marker.replace("!= 'win32'", "").replace('!= "win32"', ""):
        return False
    old = re.search(r"python_version\s*<\s*[\"']3\.(\d+)", marker) or re.search(r"python_full_version\s*<", marker)
    return not old and "Windows" not in marker and "emscripten" not in marker.replace("!= \"emscripten\"", "")


def normal(requirement: str) -> str:
    match = NAME.match(requirement)
    assert match
    return re.sub(r"[-_.]+", "-", match[0]).lower()


def licence(of: Distribution) -> str:
    """Returns a package's licence: its expression, else its classifiers, else the first line of its text."""
    said = of.metadata.get("License-Expression")
    classifiers = [text.removeprefix(CLASSIFIER) for text in of.metadata.get_all("Classifier") or []
                   if text.startswith(CLASSIFIER)]
    return said or ", ".join(classifiers) or (of.metadata.get("License") or "?").splitlines()[0]


def text() -> str:
    """Returns the whole page."""
    return HEAD + "".join(f"| {name} | {licence(of)} |\n" for name, of in installed().items())


if __name__ == "__main__":
    PAGE.write_text(text(), encoding="utf-8")
