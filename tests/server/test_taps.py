"""The taps are handed out as text, byte for byte, and each stands alone."""

from __future__ import annotations

import ast
import sys

import pytest
from starlette.testclient import TestClient

from server import paths
from server.routes.taps import FILES

FRAMEWORK = {"torch_tap.py": {"torch"}, "keras_tap.py": {"keras", "tensorflow"}, "jax_tap.py": {"jax"}}


@pytest.mark.parametrize("name", FILES)
def test_a_tap_is_saved_as_it_is(client: TestClient, name: str) -> None:
    answer = client.get(f"/taps/{name}")
    assert answer.status_code == 200
    assert answer.content == (paths.TAPS / name).read_bytes()
    assert answer.headers["content-type"] == "text/plain; charset=utf-8"
    assert answer.headers["content-disposition"] == f'attachment; filename="{name}"'
    assert client.get(f"/taps/{name}", headers={"if-none-match": answer.headers["etag"]}).status_code == 304


@pytest.mark.parametrize("name", FILES)
def test_a_tap_needs_its_framework_and_numpy_alone(name: str) -> None:
    nodes = list(ast.walk(ast.parse(FILES[name])))
    modules = [alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names]
    modules += [node.module or "." for node in nodes if isinstance(node, ast.ImportFrom)]
    rooms = {module.partition(".")[0] for module in modules}
    assert rooms <= set(sys.stdlib_module_names) | {"numpy"} | FRAMEWORK[name]
    assert rooms & FRAMEWORK[name]


def test_every_tap_is_handed_out() -> None:
    assert set(FILES) == {path.name for path in paths.TAPS.glob("*_tap.py")} == set(FRAMEWORK)


@pytest.mark.parametrize("name", ["__init__.py", "torch_tap", "..%2Fpyproject.toml", "pytorch_tap.py"])
def test_no_other_file_is(client: TestClient, name: str) -> None:
    answer = client.get(f"/taps/{name}")
    assert answer.status_code == 404
    assert answer.json()["status"] == 404
