"""docs/licenses.md names what is installed, and nothing that would bind those who use Unrolled."""

from __future__ import annotations

import tomllib

import pytest

from scripts import licenses
from scripts.shell import ROOT

BINDING = ("GPL", "AGPL", "SSPL", "?")


def test_the_table_is_of_what_is_installed() -> None:
    assert licenses.PAGE.read_text(encoding="utf-8") == licenses.text(), "run python -m scripts.licenses"


def test_every_dependency_is_in_it_with_what_it_needs() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    listed = set(licenses.installed())
    assert {licenses.normal(name) for name in project["dependencies"]} <= listed
    assert {"starlette", "pydantic", "h11", "markupsafe"} <= listed
    assert "pytest" not in listed


@pytest.mark.parametrize("name", sorted(licenses.installed()))
def test_no_licence_binds_who_uses_it(name: str) -> None:
    said = licenses.licence(licenses.installed()[name])
    assert said
    assert not any(word in said for word in BINDING)
