"""A page names every module that its script imports."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from server.modules import imported

PAGES = {"/": "explore", "/model": "model", "/agree": "agree", "/bugs": "museum", "/train": "train"}


def test_imports_are_followed_once_and_only_where_they_are_code() -> None:
    texts = {
        "js/pages/a.js": 'import { x } from "../lib/b.js";\nimport "./c.js";\nimport {\n  y,\n} from "../lib/d.js";\n',
        "js/lib/b.js": ' * @typedef {import("./never.js").T} T\nexport { z } from "./d.js";\n',
        "js/lib/d.js": 'import { x } from "./b.js";\nconst text = "./never.js";\n',
    }
    found = imported("js/pages/a.js", texts.get)
    assert found == ("js/pages/a.js", "js/lib/b.js", "js/pages/c.js", "js/lib/d.js")


@pytest.mark.parametrize(("address", "script"), PAGES.items())
def test_a_page_names_its_modules_and_each_is_there(client: TestClient, address: str, script: str) -> None:
    named = re.findall(r'rel="modulepreload" href="([^"]+)"', client.get(address).text)
    assert named[0].endswith(f"/js/pages/{script}.js")
    assert len(named) == len(set(named))
    texts = [client.get(name) for name in named]
    assert {answer.headers["cache-control"] for answer in texts} == {"public, max-age=31536000, immutable"}
    imports = re.compile(r'^import[^"]*"([^"]+)"', re.MULTILINE)
    asked = {Path(name).name for answer in texts for name in imports.findall(answer.text)}
    assert asked <= {Path(name).name for name in named}
