"""What is installed is what was locked: every package by its hash, every tool by its version, no other index."""

from __future__ import annotations

import json
import re
import tomllib
from typing import Any

import pytest

from scripts.shell import ROOT

LOCK = tomllib.loads((ROOT / "uv.lock").read_text(encoding="utf-8"))
NPM = json.loads((ROOT / "package-lock.json").read_text(encoding="utf-8"))
PACKAGES = [package for package in LOCK["package"] if "registry" in package["source"]]
HASH = re.compile(r"sha256:[0-9a-f]{64}")


def test_only_the_project_itself_is_not_from_the_index() -> None:
    others = [package["name"] for package in LOCK["package"] if "registry" not in package["source"]]
    assert others == ["unrolled"]
    assert {package["source"]["registry"] for package in PACKAGES} == {"https://pypi.org/simple"}
    assert len(PACKAGES) >= 40


@pytest.mark.parametrize("package", PACKAGES, ids=lambda package: f"{package['name']} {package['version']}")
def test_every_file_of_a_package_has_its_hash(package: dict[str, Any]) -> None:
    files = [*package.get("wheels", []), *([package["sdist"]] if "sdist" in package else [])]
    assert files
    assert all(HASH.fullmatch(file["hash"]) for file in files)
    assert not [file["url"] for file in files if not file.get("url", "https://").startswith("https://")]


def test_every_package_of_npm_has_its_hash() -> None:
    found = {name: entry for name, entry in NPM["packages"].items() if name}
    assert found
    assert all(entry["integrity"].startswith("sha512-") for entry in found.values())
    assert not [name for name, entry in found.items() if entry.get("hasInstallScript")]


def test_the_tools_that_fetch_are_pinned_and_take_the_lock() -> None:
    made = (ROOT / "Makefile").read_text(encoding="utf-8")
    assert re.search(r"^UV_VERSION := \d+\.\d+\.\d+$", made, re.MULTILINE)
    assert re.search(r"^TORCH_VERSION := \d+\.\d+\.\d+$", made, re.MULTILINE)
    assert made.count("sync --quiet --frozen") == 2
    assert "npm ci" in " ".join((ROOT / "scripts/parts.py").read_text(encoding="utf-8").replace('", "', " ").split())
    assert not re.search(r"curl|wget", made)


def test_nothing_is_unpickled_evaluated_or_run_by_a_shell_that_is_not_explained() -> None:
    """Ruff's rules of bandit are on (pyproject.toml): each exception stands with its reason."""
    ruff = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["ruff"]["lint"]
    assert "S" in ruff["select"]
    for room in ("engine", "server"):
        for path in ROOT.glob(f"{room}/**/*.py"):
            text = path.read_text(encoding="utf-8")
            for line in re.findall(r".*noqa: S\d+.*", text):
                assert re.search(r"noqa: S\d+  \w", line), f"{path}: {line}"
