"""The rooms keep to themselves: templates, static <- server -> engine -> numpy, and nothing points back."""

from __future__ import annotations

import ast
import importlib
import re
import sys
from collections.abc import Iterator
from functools import cache
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
ENGINE, SERVER = sorted(ROOT.glob("engine/**/*.py")), sorted(ROOT.glob("server/**/*.py"))
SCRIPTS = [*sorted(ROOT.glob("scripts/*.py")), *sorted(ROOT.glob("benchmarks/*.py"))]
PYTHON = [*ENGINE, *SERVER, *SCRIPTS, *sorted(ROOT.glob("tests/**/*.py"))]
PAGE = [*sorted(ROOT.glob("static/**/*.js")), *sorted(ROOT.glob("static/**/*.css")),
        *sorted(ROOT.glob("tests/js/**/*.js")), *sorted(ROOT.glob("templates/**/*.html"))]

# What of the standard library would give the engine input, output, a clock, threads or shared randomness.
NOT_IN_ENGINE = {
    "asyncio", "concurrent", "ctypes", "datetime", "fileinput", "glob", "http", "io", "logging", "mmap",
    "multiprocessing", "os", "pathlib", "pickle", "queue", "random", "secrets", "select", "shelve", "shutil",
    "signal", "socket", "sqlite3", "subprocess", "sys", "tempfile", "threading", "time", "urllib",
}
# Import names of what pyproject.toml declares, with what those are made of (starlette, pydantic, h11 ...).
SERVER_USES = {"fastapi", "starlette", "pydantic", "pydantic_core", "pydantic_settings", "uvicorn", "h11",
               "jinja2", "markupsafe", "plotly", "threadpoolctl", "math_core", "fastapi_offline", "numpy",
               "sqlalchemy", "alembic", "itsdangerous", "platformdirs", "tqdm",
               "prometheus_client"}
IDS = {"ids": lambda path: str(path.relative_to(ROOT))}


def module_of(path: Path) -> str:
    name = ".".join(path.relative_to(ROOT).with_suffix("").parts)
    return name.removesuffix(".__init__")


MODULES = {module_of(path) for path in [*ENGINE, *SERVER]}


@cache
def tree_of(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def imports_of(path: Path) -> Iterator[tuple[str, int]]:
    """Yields the modules that a file imports anywhere in it, with the line."""
    for node in ast.walk(tree_of(path)):
        if isinstance(node, ast.Import):
            yield from ((alias.name, node.lineno) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            for alias in node.names:
                inner = f"{node.module}.{alias.name}"
                yield (inner if inner in MODULES else node.module), node.lineno


def rooms_of(path: Path) -> set[str]:
    return {name.partition(".")[0] for name, _ in imports_of(path)}


@pytest.mark.parametrize("path", ENGINE, **IDS)
def test_the_engine_needs_numpy_and_nothing_of_the_outside(path: Path) -> None:
    allowed = (set(sys.stdlib_module_names) - NOT_IN_ENGINE) | {"engine", "numpy", "threadpoolctl"}
    assert rooms_of(path) <= allowed, f"the engine must not import {rooms_of(path) - allowed}"


@pytest.mark.parametrize("path", ENGINE, **IDS)
def test_the_engine_reads_no_file_and_draws_no_global_random_number(path: Path) -> None:
    called = {ast.unparse(node.func) for node in ast.walk(tree_of(path)) if isinstance(node, ast.Call)}
    banned = {name for name in called if re.fullmatch(
        r"open|print|input|exec|eval|(np|numpy)\.(load|save|savez|loadtxt|savetxt|fromfile|memmap)"
        r"|(np|numpy)\.random\.(?!default_rng|Generator|PCG64|SeedSequence)\w+", name)}
    assert not banned
    assert not re.search(r"default_rng\(\)", path.read_text(encoding="utf-8")), "a generator without a seed"


@pytest.mark.parametrize("path", SERVER, **IDS)
def test_the_server_imports_the_engine_and_its_declared_dependencies(path: Path) -> None:
    foreign = rooms_of(path) - set(sys.stdlib_module_names) - {"engine", "server"}
    assert foreign <= SERVER_USES, f"{foreign - SERVER_USES}: not a dependency, or not listed here"


@pytest.mark.parametrize("path", [p for p in SERVER if "figures" in p.parts], **IDS)
def test_figures_know_the_engine_and_nothing_else_of_the_server(path: Path) -> None:
    others = {name for name, _ in imports_of(path) if name.startswith("server") and "figures" not in name}
    assert not others


@pytest.mark.parametrize("path", PYTHON, **IDS)
def test_imports_say_the_whole_name(path: Path) -> None:
    relative = [node for node in ast.walk(tree_of(path)) if isinstance(node, ast.ImportFrom) and node.level]
    assert not relative


@pytest.mark.parametrize("path", [*ENGINE, *SERVER, *SCRIPTS], **IDS)
def test_imports_stand_at_the_top(path: Path) -> None:
    """But the command imports the web server only when it serves, and so starts fast otherwise; and a compute
    process imports NumPy only after it has been given its limits."""
    inner = [node.lineno for scope in ast.walk(tree_of(path))
             if isinstance(scope, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef))
             for node in ast.walk(scope) if isinstance(node, (ast.Import, ast.ImportFrom))]
    assert not inner or path.name in ("cli.py", "worker.py")


def test_there_is_no_import_cycle() -> None:
    """Imports inside functions count, so that none can hide a cycle."""
    graph = {module_of(path): {name for name, _ in imports_of(path) if name in MODULES} - {module_of(path)}
             for path in [*ENGINE, *SERVER]}
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        pytest.fail(f"import cycle: {' -> '.join(error.args[1])}")


@pytest.mark.parametrize("path", [*PYTHON, *PAGE], **IDS)
def test_a_file_is_one_concept(path: Path) -> None:
    lines = path.read_text(encoding="utf-8").count("\n")
    assert lines <= 300


@pytest.mark.parametrize("path", [*ENGINE, *SERVER], **IDS)
def test_a_function_fits_on_a_screen(path: Path) -> None:
    long = [f"{node.name} ({node.end_lineno - node.lineno + 1} lines)" for node in ast.walk(tree_of(path))
            if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))
            and node.end_lineno is not None and node.end_lineno - node.lineno >= 60]
    assert not long


@pytest.mark.parametrize("name", sorted(m for m in MODULES if not m.endswith("__main__")))
def test_every_public_name_exists(name: str) -> None:
    module = importlib.import_module(name)
    missing = [public for public in getattr(module, "__all__", []) if not hasattr(module, public)]
    assert not missing


def test_the_engine_lists_its_public_names_and_nothing_else() -> None:
    statements = tree_of(ROOT / "engine/__init__.py").body
    listed = set(importlib.import_module("engine").__all__)
    imported = {alias.asname or alias.name for node in statements if isinstance(node, ast.ImportFrom)
                and node.module != "__future__" for alias in node.names}
    assert imported | {"__version__"} >= listed
    assert imported <= listed, f"imported but not listed: {imported - listed}"
    plain = (ast.ImportFrom, ast.Expr, ast.Assign, ast.AnnAssign)
    assert all(isinstance(node, plain) for node in statements), "the public list, nothing else"


def test_colours_are_written_once() -> None:
    """A literal colour stands in static/css/tokens.css and nowhere else; "rgba(0,0,0,0)" is none."""
    literal = re.compile(r"#(?:[0-9a-fA-F]{3}){1,2}\b(?![-\w])"
                         r"|\b(?!rgba\(0, ?0, ?0, ?0\))(?:rgb|hsl)a?\(\s*\d")
    places = [*ROOT.glob("static/**/*.css"), *ROOT.glob("static/**/*.js"), *ROOT.glob("server/figures/*.py"),
              *ROOT.glob("templates/**/*.html")]
    found = [f"{path.relative_to(ROOT)}: {match.group()}" for path in places if path.name != "tokens.css"
             for match in literal.finditer(path.read_text(encoding="utf-8"))]
    assert not found


def test_the_page_names_no_other_host() -> None:
    """Nothing that the page loads comes from elsewhere; a namespace is a name, not an address."""
    address = re.compile(r"""(?:https?:)?//(?!www\.w3\.org/)[a-z0-9-]+\.[a-z]{2,}[^\s"'<>)]*""")
    loads = re.compile(r"""(?:src|href|import|from|fetch|url)\s*[=(]?\s*["'(]?\s*$""")
    found = [f"{path.relative_to(ROOT)}: {match.group()}" for path in PAGE if "tests" not in path.parts
             for text in [path.read_text(encoding="utf-8")] for match in address.finditer(text)
             if loads.search(text[:match.start()])]
    assert not found
