"""The wheel carries the page with it, and the command works from any directory, without the checkout."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
UV = str(Path(sys.executable).with_name("uv"))


def run(*command: str | Path, cwd: Path = ROOT) -> str:
    """Returns what a command prints; one that fails fails the test, with what it said."""
    clean = {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "VIRTUAL_ENV")}
    words = [str(word) for word in command]
    done = subprocess.run(words, cwd=cwd, env=clean, capture_output=True, text=True, timeout=240)
    assert done.returncode == 0, f"{' '.join(words)}\n{done.stdout}\n{done.stderr}"
    return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("dist")
    run(UV, "build", "--quiet", "--wheel", "--out-dir", folder, ROOT)
    return next(folder.glob("*.whl"))


@pytest.fixture(scope="module")
def elsewhere(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A fresh environment in a directory of its own, with the wheel and the locked dependencies in it."""
    folder = tmp_path_factory.mktemp("elsewhere")
    locked = run(UV, "export", "--quiet", "--frozen", "--no-dev", "--no-emit-project")
    (folder / "locked.txt").write_text(locked)
    run(UV, "venv", "--quiet", "--python", sys.executable, folder / "venv")
    python = folder / "venv/bin/python"
    run(UV, "pip", "install", "--quiet", "--no-deps", "--python", python, "-r", folder / "locked.txt", wheel)
    return folder


def test_the_wheel_holds_every_file_of_the_rooms_and_nothing_else(wheel: Path) -> None:
    files = [str(path.relative_to(ROOT)) for room in ("engine", "server", "static", "templates", "taps")
             for path in (ROOT / room).rglob("*") if path.is_file() and "__pycache__" not in path.parts]
    expected = {re.sub(r"^(static|templates)/", r"server/\1/", name) for name in files}
    expected = {re.sub(r"^taps/", "unrolled_taps/", name) for name in expected}
    inside = {name for name in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in name}
    assert inside == expected
    assert any(name.startswith("server/static/js/") for name in inside)
    assert any(name.startswith("server/templates/") for name in inside)


def test_the_command_works_from_elsewhere(elsewhere: Path) -> None:
    command = elsewhere / "venv/bin/unrolled"
    assert all(word in run(command, "--help", cwd=elsewhere) for word in ("serve", "analyze", "certify"))
    small = ("--cell", "rnn", "--hidden", "4", "--steps", "12", "--k", "4")
    assert "window(4)" in run(command, "analyze", *small, cwd=elsewhere)


def test_the_page_is_the_one_in_the_wheel(elsewhere: Path) -> None:
    ask = "from server import paths; print(paths.STATIC, paths.TEMPLATES, sep='\\n')"
    printed = run(elsewhere / "venv/bin/python", "-c", ask, cwd=elsewhere).split("\n")
    static, templates = (Path(line) for line in printed[:2])
    assert static.is_dir()
    assert templates.is_dir()
    assert static.parent == templates.parent
    assert static.is_relative_to(elsewhere / "venv")


def test_the_store_finds_its_steps_in_the_wheel(elsewhere: Path) -> None:
    ask = ("from server.store import NewRun, Store, new_id; store = Store.open(); "
           "store.create(NewRun(new_id(), 'ann', '{}')); print(len(store.runs('ann')))")
    home = elsewhere / "home"
    environment = ("env", f"HOME={home}", f"XDG_DATA_HOME={home}")
    assert run(*environment, elsewhere / "venv/bin/python", "-c", ask, cwd=elsewhere).strip() == "1"
    assert list(home.rglob("runs.sqlite3"))


def test_the_taps_are_a_package_that_hides_none_of_the_users_own(elsewhere: Path) -> None:
    ask = ("from importlib.util import find_spec; from server import paths; print(find_spec('taps'), paths.TAPS, "
           "find_spec('unrolled_taps.torch_tap').origin, sep='\\n')")
    top, folder, file = run(elsewhere / "venv/bin/python", "-c", ask, cwd=elsewhere).split("\n")[:3]
    assert top == "None"
    assert Path(file) == Path(folder) / "torch_tap.py"
    assert Path(folder).is_relative_to(elsewhere / "venv")


def test_the_licence_travels_with_it(wheel: Path) -> None:
    assert any(name.endswith("/licenses/LICENSE") for name in zipfile.ZipFile(wheel).namelist())


def test_uv_is_the_one_of_the_makefile() -> None:
    pinned = re.search(r"^UV_VERSION := (\S+)$", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert pinned
    assert shutil.which(UV), "uv is not in the environment: run `make test`"
    assert run(UV, "--version").split()[1] == pinned[1]
