"""What OpenAPI says of an address, by every method, is what the server answers there: for names, for words that stand
where a name may stand and are addresses of their own, and for what is no name."""

from __future__ import annotations

import re
from typing import Any

import pytest
from starlette.testclient import TestClient

from server.app import create_app
from server.settings import Settings

PATHS: dict[str, dict[str, Any]] = create_app(Settings(workers=1)).openapi()["paths"]
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "NONSENSE")
RUN = "A" * 22
NAMES = {"id": RUN, "name": "nothing", "framework": "pytorch", "lane": "0.0", "tokens": "1"}
NO_RUNS = ["none", "A" * 21, "A" * 65, f"{RUN}.", f"{RUN}%0A", f"{RUN}%00", f"%0A{RUN}", f"{RUN}%2F", f"{RUN}%C3%A4"]
TEMPLATES = [path for path in PATHS if "{" in path]


def matching(template: str, path: str) -> bool:
    """Whether a path is one of the template's, as OpenAPI has it: a name is a part of a path."""
    return re.fullmatch(re.sub(r"\{\w+\}", "[^/]+", template.replace(".", r"\.")), path) is not None


def filled(template: str, **names: str) -> str:
    return re.sub(r"\{(\w+)\}", lambda found: (NAMES | names)[found[1]], template)


def methods(path: str) -> set[str]:
    """Returns the methods that a path of the description has; HEAD goes with GET."""
    found = {method.upper() for method in PATHS[path]}
    return found | ({"HEAD"} if "GET" in found else set())


def words(template: str) -> list[str]:
    """Returns the paths without names that could be taken for the template's."""
    return [path for path in PATHS if "{" not in path and path != template and matching(template, path)]


def statuses(path: str, method: str) -> set[int]:
    operation = PATHS[path]["get" if method == "HEAD" else method.lower()]
    return {int(status) for status in operation["responses"]}


@pytest.mark.parametrize("path", PATHS)
def test_an_address_has_the_methods_that_are_described_and_no_others(client: TestClient, path: str) -> None:
    for method in METHODS:
        answer = client.request(method, f"{filled(path)}?nonsense=1")
        if method in methods(path):
            assert answer.status_code in statuses(path, method) - {405}, method
        else:
            assert answer.status_code == 405, method
            assert set(answer.headers["allow"].split(", ")) == methods(path)


@pytest.mark.parametrize("path", PATHS)
def test_a_parameter_is_described_once(path: str) -> None:
    """A second description, of any text, had a run's id be any word."""
    for operation in PATHS[path].values():
        named = [(parameter["name"], parameter["in"]) for parameter in operation.get("parameters", [])]
        assert len(set(named)) == len(named)
        assert {name for name, place in named if place == "path"} == set(re.findall(r"\{(\w+)\}", path))


def test_there_are_words_that_stand_where_a_name_may_stand() -> None:
    assert words("/api/v1/training/{id}") == [f"/api/v1/training/{word}" for word in ("options", "presets", "estimate")]
    assert words("/api/v1/bugs/{name}") == ["/api/v1/bugs/find"]


@pytest.mark.parametrize("template", TEMPLATES)
def test_a_word_is_no_name_and_the_description_says_so(client: TestClient, template: str) -> None:
    """To OpenAPI a request to a word is the word's; to whoever puts the word in a name's place it is the name's. So its
    answer is one of either's, and 405 stands at a name's operation where there is a word without its method."""
    lacking = set()
    for word in words(template):
        for method in METHODS:
            answer = client.request(method, f"{word}?nonsense=1").status_code
            assert (answer == 405) is (method not in methods(word)), (method, word)
            if method in methods(template) - methods(word):
                lacking.add(method)
                assert answer in statuses(template, method), (method, word)
    assert {method for method in methods(template) if 405 in statuses(template, method)} == lacking


@pytest.mark.parametrize("template", [template for template in TEMPLATES if "{id}" in template])
@pytest.mark.parametrize("none", NO_RUNS)
def test_what_is_no_id_is_no_address(client: TestClient, template: str, none: str) -> None:
    for method in METHODS:
        assert client.request(method, filled(template, id=none)).status_code == 404, method


@pytest.mark.parametrize("path", [path for path in PATHS if "{" not in path])
def test_a_line_break_is_part_of_an_address(client: TestClient, path: str) -> None:
    """`$` in a regular expression would leave one at the end out."""
    for method in METHODS:
        assert client.request(method, f"{path}%0A?nonsense=1").status_code == 404, method


def test_a_list_that_may_be_empty_is_described_so(client: TestClient) -> None:
    """`include=` asks for nothing beside the norms; the description said that each entry is one of the names."""
    listed = [(path, parameter) for path in PATHS for parameter in PATHS[path].get("get", {}).get("parameters", [])
              if parameter["schema"].get("type") == "array"]
    assert [path for path, _ in listed] == ["/api/v1/analysis", "/api/v1/estimate"]
    for path, parameter in listed:
        assert parameter["allowEmptyValue"] is True
        sizes = "steps=4&hidden=2&batch=1&lag=1&certificate=false" if path.endswith("analysis") else "steps=4"
        assert client.get(f"{path}?{sizes}&{parameter['name']}=").status_code == 200
        assert client.get(f"{path}?{sizes}&{parameter['name']}=,").status_code == 422
