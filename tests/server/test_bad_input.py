"""What cannot be used is refused: field, value, limit and remedy, and the server goes on."""

from __future__ import annotations

import json
from typing import Any

import pytest
from starlette.testclient import TestClient

ANALYSIS = "/api/v1/analysis"
JSON = {"content-type": "application/json"}


def problems(response: Any, status: int) -> list[dict[str, str]]:
    """Returns the problems of a refusal, after what holds for all of them."""
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "application/problem+json"
    assert response.headers["cache-control"] == "no-store"
    assert len(response.content) < 4096
    body = response.json()
    assert set(body) == {"type", "title", "status", "detail", "problems"}
    assert body["status"] == status
    assert "Traceback" not in response.text
    found: list[dict[str, str]] = body["problems"]
    assert 1 <= len(found) <= 10
    assert all(all(problem[part] for part in ("field", "value", "limit", "remedy")) for problem in found)
    return found


@pytest.mark.parametrize(
    ("query", "field", "hint"),
    [
        ("cel=lstm", "cel", "cell"),
        ("hiden=3", "hiden", "hidden"),
        ("includ=credit", "includ", "include"),
        ("cell=lstn", "cell", "lstm"),
        ("task=coppy", "task", "copy"),
        ("style=windows", "style", "window"),
        ("include=credits", "include", "credit"),
        ("certificate=yes", "certificate", "true"),
        ("k=0", "k", "1"),
        ("k=-3", "k", "1"),
        ("k=1.5", "k", "number"),
        ("k=many", "k", "number"),
        ("hidden=0", "hidden", "1024"),
        ("hidden=100000", "hidden", "1024"),
        ("gain=nan", "gain", "finite"),
        ("gain=inf", "gain", "finite"),
        ("gain=1e999", "gain", "finite"),
        ("gain=1_0", "gain", "number"),
        ("steps=%D9%A1%D9%A2", "steps", "number"),
        ("seed=-1", "seed", "0"),
        ("task=copy&lag=60&steps=60", "lag", "59"),
        ("style=k1k2&k1=20&k2=10", "k2", "k1"),
        ("steps=10000&batch=256&hidden=1024", "steps", "smaller"),
        ("text=a%00b", "text", "NUL"),
        ("text=abc", "text", "text"),
        ("task=series&series=1,2,x", "series", "number"),
        ("task=series&series=1,2,nan", "series", "finite"),
        ("seed=1&seed=2", "seed", "once"),
    ],
)
def test_a_query(client: TestClient, query: str, field: str, hint: str) -> None:
    found = problems(client.get(f"{ANALYSIS}?{query}"), 422)
    assert found[0]["field"] == field
    assert hint in json.dumps(found[0])


def test_every_wrong_value_is_named_at_once(client: TestClient) -> None:
    found = problems(client.get(f"{ANALYSIS}?k=0&hidden=0&cell=x&gain=inf"), 422)
    assert {problem["field"] for problem in found} >= {"k", "hidden"} or {"gain"} <= {p["field"] for p in found}


@pytest.mark.parametrize("query", ["%ff=1", "k=%ff", "k", "a=1&" * 100 + "k=3"])
def test_a_query_that_is_no_query(client: TestClient, query: str) -> None:
    assert problems(client.get(f"{ANALYSIS}?{query}"), 400)[0]["field"] == "query"


def test_more_than_the_steps_is_full_bptt_and_not_an_error(client: TestClient) -> None:
    found = client.get(f"{ANALYSIS}?steps=12&hidden=4&batch=2&k=1000").json()
    assert found["costs"]["whole"]["kept"] == pytest.approx(1, rel=1e-14)
    assert not any(found["plan"]["cut"])


def test_an_explosion_is_not_an_error(client: TestClient) -> None:
    """It is data: null in place, and beside it which of the numbers it is not."""
    query = "cell=rnn&task=series&init=orthogonal&gain=100&steps=400&hidden=8&batch=1&style=full&loss_at=last"
    response = client.get(f"{ANALYSIS}?{query}")
    assert response.status_code == 200


@pytest.mark.parametrize(
    ("body", "hint"),
    [
        (b"", "JSON"),
        (b"{", "JSON"),
        (b"\xff\xfe", "JSON"),
        (b'{"config": {}} {}', "JSON"),
        (b'{"config": {"gain": NaN}}', "JSON"),
        (b'{"config": {"gain": Infinity}}', "JSON"),
        (b'{"config": {"text": "\\ud800"}}', "JSON"),
        (b'{"config": {"seed": ' + b"9" * 5000 + b"}}", "JSON"),
        (b'{"config": {"k": 1, "k": 2}}', "more than once"),
        (b'{"inputs": ' + b"[" * 100_000 + b"]" * 100_000 + b"}", "nested"),
        (b'{"inputs": ' + b"[" * 100_000, "nested"),
        (b'{"a":' * 1_000, "nested"),
        (b'{"a":' * 100_000, "names"),
        (b'"' + b'\\"' * 500_000, "JSON"),
    ],
)  # fmt: skip
def test_a_body_that_is_no_json(client: TestClient, body: bytes, hint: str) -> None:
    found = problems(client.post(ANALYSIS, content=body, headers=JSON), 400)
    assert found[0]["field"] == "body"
    assert hint in json.dumps(found[0])


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ([], "body"),
        ("text", "body"),
        ({"confg": {}}, "confg"),
        ({"config": []}, "config"),
        ({"config": {"hidden": "12"}}, "hidden"),
        ({"config": {"hidden": True}}, "hidden"),
        ({"config": {"hidden": None}}, "hidden"),
        ({"config": {"hidden": 1e300}}, "hidden"),
        ({"config": {"reset_after": "true"}}, "reset_after"),
        ({"config": {"series": "1,2"}}, "series"),
        ({"config": {"text": 5}}, "text"),
        ({"config": {"hiden": 5}}, "hiden"),
        ({"include": "credit"}, "include"),
        ({"include": ["credits"]}, "include.0"),
        ({"certificate": 1}, "certificate"),
        ({"weights": []}, "weights"),
        ({"weights": {"l0.W_hx": [[1]]}}, "weights.l0.W_hx"),
        ({"weights": {"l0.W_hh": [[1, 2], [3, 4]]}}, "weights.l0.W_hh"),
        ({"weights": {"l0.W_hh": [[1, 2], [3]]}}, "weights.l0.W_hh"),
        ({"weights": {"l0.W_hh": [["a"]]}}, "weights.l0.W_hh"),
        ({"inputs": [[1, 2]]}, "inputs"),
        ({"mask": [0, 1]}, "mask"),
        ({"initial_state": {"l0.x": [[0]]}}, "initial_state.l0.x"),
        ({"initial_state": {"l0.h": [[0]]}}, "initial_state.l0.h"),
    ],
)
def test_a_body_with_a_wrong_value(client: TestClient, body: Any, field: str) -> None:
    assert problems(client.post(ANALYSIS, json=body), 422)[0]["field"] == field


def test_weights_of_a_wrong_shape_say_which_expected_and_got(client: TestClient) -> None:
    body = {"config": {"cell": "rnn", "hidden": 3}, "weights": {"l0.W_hh": [[1.0, 2.0], [3.0, 4.0]]}}
    found = problems(client.post(ANALYSIS, json=body), 422)[0]
    assert found["field"] == "weights.l0.W_hh"
    assert "(3, 3)" in json.dumps(found)
    assert "(2, 2)" in json.dumps(found)


def test_a_number_beyond_float64_in_an_array_is_refused(client: TestClient) -> None:
    body = b'{"config": {"cell": "rnn", "hidden": 1}, "weights": {"l0.W_hh": [[1e999]]}}'
    assert problems(client.post(ANALYSIS, content=body, headers=JSON), 422)[0]["field"] == "weights.l0.W_hh"


def test_characters_that_given_weights_do_not_know(client: TestClient) -> None:
    body = {"config": {"text": "abcabcabcabcabcz" * 3, "steps": 8, "batch": 1}, "vocabulary": ["a", "b", "c"]}
    found = problems(client.post(ANALYSIS, json=body), 422)
    assert "z" in json.dumps(found)


def test_integers_may_be_written_as_one_point_zero(client: TestClient) -> None:
    body = {"config": {"steps": 12.0, "hidden": 4, "batch": 2}}
    assert client.post(ANALYSIS, json=body).status_code == 200


def test_a_body_of_ten_megabytes(client: TestClient) -> None:
    found = problems(client.post(ANALYSIS, content=b"[" + b"1," * 5_000_000 + b"1]", headers=JSON), 413)
    assert (found[0]["field"], "2097152" in found[0]["limit"]) == ("body", True)


@pytest.mark.parametrize(
    "kind", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", ""]
)
def test_a_body_that_is_not_called_json(client: TestClient, kind: str) -> None:
    response = client.post(ANALYSIS, content=b"{}", headers={"content-type": kind})
    assert problems(response, 415)[0]["field"] == "Content-Type"


def test_a_compressed_body(client: TestClient) -> None:
    response = client.post(ANALYSIS, content=b"{}", headers={**JSON, "content-encoding": "gzip"})
    assert problems(response, 415)[0]["field"] == "Content-Encoding"


def test_a_form_that_is_not_offered(client: TestClient) -> None:
    response = client.get(ANALYSIS, headers={"accept": "image/png"})
    assert "application/json" in problems(response, 406)[0]["limit"]


def test_an_address_that_is_too_long(client: TestClient) -> None:
    assert problems(client.get(f"{ANALYSIS}?text={'a' * 10_000}"), 414)[0]["field"] == "address"


@pytest.mark.parametrize(("address", "near"), [("/api/v1/analyses", "/api/v1/analysis"), ("/health", "/healthz")])
def test_an_address_that_is_not_there(client: TestClient, address: str, near: str) -> None:
    assert near in problems(client.get(address), 404)[0]["remedy"]


def test_a_figure_that_is_not_there(client: TestClient) -> None:
    assert "norms" in problems(client.get("/api/v1/figures/norm"), 404)[0]["remedy"]


@pytest.mark.parametrize(
    ("method", "address", "allowed"),
    [("DELETE", ANALYSIS, "GET, HEAD, POST"), ("POST", "/healthz", "GET, HEAD"), ("PUT", "/", "GET, HEAD")],
)
def test_a_method_that_an_address_does_not_have(client: TestClient, method: str, address: str, allowed: str) -> None:
    response = client.request(method, address)
    problems(response, 405)
    assert response.headers["allow"] == allowed


def test_a_very_long_value_is_not_echoed(client: TestClient) -> None:
    problems(client.post(ANALYSIS, json={"config": {"cell": "x" * 100_000, "y" * 100_000: 1}}), 422)
    problems(client.post(ANALYSIS, json={f"{i}{'z' * 1000}": 1 for i in range(100)}), 422)


def test_the_server_goes_on(client: TestClient) -> None:
    assert client.get(f"{ANALYSIS}?steps=12&hidden=4&batch=2").status_code == 200
