"""Mutation testing: does a test notice when a parser or a limit is wrong? `make mutants`, or

    python -m scripts.mutants                    # every target below; takes a while
    python -m scripts.mutants server.strict      # some of them
    python -m scripts.mutants --most 20          # so many mutants of each, spread evenly

Each mutant is one change of one expression of a module. A process is forked for it, which imports the module changed
and runs its tests until one fails; a mutant that no test fails for has survived, and is printed."""

from __future__ import annotations

import argparse
import ast
import contextlib
import copy
import importlib.abc
import importlib.machinery
import importlib.util
import os
import resource
import signal
import sys
import time
import types
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy  # noqa: F401  what is imported before the fork need not be imported in each
import pydantic  # noqa: F401
import pytest

from scripts.shell import ROOT

CPU_SECONDS, SECONDS = 30, 300  # for the tests of one mutant: one that never ends has been noticed
TARGET = 85  # per cent
RECORDED = tuple(f"tests/engine/test_recorded{part}.py" for part in ("_bounds", "_bad", ""))
TARGETS: dict[str, tuple[str, ...]] = {
    "engine.recorded.archive": RECORDED,
    "engine.recorded.meta": RECORDED,
    "engine.weights.npz": ("tests/engine/test_npz_bounds.py", "tests/engine/test_weights_files.py"),
    "engine.weights.safetensors": ("tests/engine/test_safetensors_bounds.py", "tests/engine/test_weights_files.py"),
    "server.strict": ("tests/server/test_parts.py",),
    "server.typed": ("tests/server/test_typed.py",),
    "server.guesses": ("tests/server/test_door.py",),
    "server.passphrase": ("tests/server/test_door.py",),
    "server.tarpit": ("tests/server/test_tarpit.py",),
    "server.fair": ("tests/server/test_fair.py", "tests/server/test_limits.py"),
}
OPPOSITES: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt, ast.Eq: ast.NotEq, ast.NotEq: ast.Eq,
    ast.In: ast.NotIn, ast.NotIn: ast.In, ast.Is: ast.IsNot, ast.IsNot: ast.Is,
}  # fmt: skip
OPERATORS: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.FloorDiv, ast.FloorDiv: ast.Mult, ast.LShift: ast.RShift,
    ast.Mod: ast.Mult,
}  # fmt: skip


@dataclass(frozen=True)
class Mutant:
    """A module's code with one change, and where that stands."""

    line: int
    said: str
    tree: ast.Module


def mutants(source: str) -> Iterator[Mutant]:
    """Yields the module with each change that can be made to it, one at a time."""
    tree = ast.parse(source)
    for index, node in enumerate(ast.walk(tree)):
        for change, said in _changes(node):
            changed = copy.deepcopy(tree)
            target = next(found for at, found in enumerate(ast.walk(changed)) if at == index)
            change(target)
            yield Mutant(getattr(node, "lineno", 0), said, ast.fix_missing_locations(changed))


Change = Callable[[ast.AST], None]


def _changes(node: ast.AST) -> Iterator[tuple[Change, str]]:
    if isinstance(node, ast.Compare):
        for at, operator in enumerate(node.ops):
            other = OPPOSITES[type(operator)]
            yield _setting("ops", at, other()), f"{type(operator).__name__} becomes {other.__name__}"
    elif isinstance(node, ast.BoolOp):
        other_word = ast.Or if isinstance(node.op, ast.And) else ast.And
        yield _setting("op", None, other_word()), f"{type(node.op).__name__} becomes {other_word.__name__}"
    elif isinstance(node, ast.BinOp) and type(node.op) in OPERATORS:
        sign = OPERATORS[type(node.op)]
        yield _setting("op", None, sign()), f"{type(node.op).__name__} becomes {sign.__name__}"
    elif isinstance(node, ast.Constant) and type(node.value) in (int, float) and node.value + 1 != node.value:
        yield _setting("value", None, node.value + 1), f"{node.value} becomes {node.value + 1}"
    elif isinstance(node, ast.Constant) and isinstance(node.value, bool):
        yield _setting("value", None, not node.value), f"{node.value} becomes {not node.value}"
    elif isinstance(node, (ast.If, ast.While, ast.IfExp)):
        for truth in (True, False) if not isinstance(node, ast.While) else (False,):
            yield _setting("test", None, ast.Constant(truth)), f"the condition is always {truth}"
    elif isinstance(node, ast.Return) and node.value is not None:
        yield _setting("value", None, ast.Constant(None)), "returns None"
    elif isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
        for at, statement in enumerate(node.body):
            if isinstance(statement, (ast.Raise, ast.Expr)) and not _docstring(statement):
                yield _setting("body", at, ast.Pass()), f"line {statement.lineno} is left out"


def _docstring(statement: ast.stmt) -> bool:
    return isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)


def _setting(name: str, at: int | None, value: object) -> Change:
    def change(node: ast.AST) -> None:
        if at is None:
            setattr(node, name, value)
        else:
            getattr(node, name)[at] = value

    return change


class Changed(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Imports one module as a mutant."""

    def __init__(self, name: str, path: Path, tree: ast.Module) -> None:
        self._name, self._path, self._tree = name, path, tree

    def find_spec(self, name: str, path: object, target: object = None) -> importlib.machinery.ModuleSpec | None:
        if name != self._name:
            return None
        return importlib.util.spec_from_file_location(name, self._path, loader=self)

    def exec_module(self, module: types.ModuleType) -> None:
        exec(compile(self._tree, str(self._path), "exec"), module.__dict__)  # noqa: S102  our own code, changed


def survives(name: str, path: Path, mutant: Mutant, tests: Sequence[str]) -> bool:
    """Returns whether every test passes with the mutant in the module's place."""
    child = os.fork()
    if child == 0:
        with open(os.devnull, "w") as nothing, contextlib.redirect_stdout(nothing), contextlib.redirect_stderr(nothing):
            signal.alarm(SECONDS)
            used = int(time.process_time())
            resource.setrlimit(resource.RLIMIT_CPU, (used + CPU_SECONDS, used + CPU_SECONDS))
            sys.meta_path.insert(0, Changed(name, path, mutant.tree))
            code = 1
            with contextlib.suppress(BaseException):
                code = pytest.main(["-x", "-q", "-p", "no:cacheprovider", "-p", "no:schemathesis", *tests])
            os._exit(int(code != 0))
    _, status = os.waitpid(child, 0)
    return status == 0


def attack(name: str, most: int) -> tuple[int, int]:
    """Returns how many mutants of a module there were, and how many were noticed; prints the others."""
    path = ROOT / f"{name.replace('.', '/')}.py"
    found = list(mutants(path.read_text(encoding="utf-8")))
    found = found[:: -(-len(found) // most)] if most else found
    if not survives(name, path, Mutant(0, "nothing", ast.parse(path.read_text(encoding="utf-8"))), TARGETS[name]):
        raise SystemExit(f"{name}: its tests fail as it is")
    survivors = [mutant for mutant in found if survives(name, path, mutant, TARGETS[name])]
    for mutant in survivors:
        print(f"  {path.relative_to(ROOT)}:{mutant.line}: {mutant.said}: no test notices", flush=True)
    killed = len(found) - len(survivors)
    print(f"{name}: {killed} of {len(found)} noticed ({100 * killed / max(1, len(found)):.0f} %)", flush=True)
    return len(found), killed


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("modules", nargs="*", metavar="MODULE", help=f"of {', '.join(TARGETS)}")
    parser.add_argument("--most", type=int, default=0, help="mutants of each module; 0 for all")
    given = parser.parse_args()
    if unknown := set(given.modules) - set(TARGETS):
        parser.error(f"no such target: {', '.join(unknown)}")
    found = [attack(name, given.most) for name in given.modules or TARGETS]
    count, killed = (sum(column) for column in zip(*found, strict=True))
    print(f"together {killed} of {count} noticed: {100 * killed / count:.1f} %, to be at least {TARGET} %")
    return 0 if 100 * killed >= TARGET * count else 1


if __name__ == "__main__":
    sys.exit(main())
