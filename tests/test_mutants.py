"""The mutation runner: it changes one thing at a time, everything that decides something, and what it imports is it."""

from __future__ import annotations

import ast
import importlib
import sys
from pathlib import Path

import pytest

from scripts.mutants import TARGETS, Changed, mutants
from scripts.shell import ROOT

SOURCE = '''"""A docstring."""
MOST = 3


def f(x, y=True):
    """Returns it."""
    if x < MOST and y is not None:
        raise ValueError
    return x + 1 if y else -x
'''
SAID = {"3 becomes 4", "True becomes False", "Lt becomes LtE", "And becomes Or", "IsNot becomes Is", "Add becomes Sub",
        "1 becomes 2", "returns None", "the condition is always True", "the condition is always False"}  # fmt: skip


def test_one_thing_is_changed_at_a_time() -> None:
    found = list(mutants(SOURCE))
    texts = [ast.unparse(mutant.tree) for mutant in found]
    plain = ast.unparse(ast.parse(SOURCE))
    assert {mutant.said for mutant in found} >= SAID
    assert len(set(texts)) == len(texts)
    assert plain not in texts
    for text in texts:
        assert sum(a != b for a, b in zip(text.splitlines(), plain.splitlines(), strict=True)) == 1


def test_what_is_left_out_is_a_refusal_or_a_call() -> None:
    found = [mutant.said for mutant in mutants("def f():\n    'Docstring.'\n    g()\n    raise ValueError\n")]
    assert found == ["line 3 is left out", "line 4 is left out"]


def test_the_module_is_imported_changed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (mutant,) = mutants("MOST = 3\n")
    monkeypatch.setattr(sys, "meta_path", [Changed("a_changed_module", tmp_path / "x.py", mutant.tree), *sys.meta_path])
    module = importlib.import_module("a_changed_module")
    monkeypatch.delitem(sys.modules, "a_changed_module")
    assert module.MOST == 4


@pytest.mark.parametrize("name", TARGETS)
def test_targets_are_there(name: str) -> None:
    assert (ROOT / f"{name.replace('.', '/')}.py").exists()
    assert all((ROOT / test).exists() for test in TARGETS[name])
