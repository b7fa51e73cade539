"""Every route's contract, against real compute processes."""

from __future__ import annotations

import io
import json
import re
import struct
from typing import Any

import numpy as np
import pytest
from starlette.testclient import TestClient

import engine
from server.figures import FIGURES, NAMES

SMALL = "steps=12&hidden=4&batch=2"
BINARY = "application/vnd.unrolled.bin"


def decode(content: bytes) -> Any:
    """Returns a binary answer with its arrays, as a browser reads it."""
    assert content[:4] == b"UNR1"
    (length,) = struct.unpack("<I", content[4:8])
    start = 8 + length
    assert start % 8 == 0

    def revive(value: Any) -> Any:
        if isinstance(value, dict) and "$array" in value:
            entry = value["$array"]
            assert entry["offset"] % 8 == 0
            count = int(np.prod(entry["shape"]))
            flat = np.frombuffer(content, "<" + entry["dtype"], count, start + entry["offset"])
            return flat.reshape(entry["shape"])
        if isinstance(value, dict):
            return {name: revive(item) for name, item in value.items()}
        return [revive(item) for item in value] if isinstance(value, list) else value

    return revive(json.loads(content[8:start]))


def test_an_analysis_is_what_the_engine_says(client: TestClient) -> None:
    answer = client.get(f"/api/v1/analysis?{SMALL}").json()
    truth = engine.analyze(engine.parse({"steps": 12, "hidden": 4, "batch": 2}))
    np.testing.assert_array_equal(answer["truncated"]["h"], truth.truncated.h)
    np.testing.assert_array_equal(answer["credit"]["h"], truth.credit.h if truth.credit else None)
    assert answer["words"]["headline"] == truth.words.headline
    assert answer["certificate"]["status"] == "passed"
    assert answer["engine_ms"] > 0
    assert set(answer) == {*truth.__dataclass_fields__, "engine_ms", "convention", "reduction", "reduction_factor"}


def test_the_headers_say_what_it_cost_and_how_long_it_holds(client: TestClient) -> None:
    response = client.get(f"/api/v1/analysis?{SMALL}&seed=1")
    assert re.fullmatch(r'"[0-9a-f]{32}"', response.headers["etag"])
    assert re.fullmatch(r"queue;dur=[\d.]+, engine;dur=[\d.]+", response.headers["server-timing"])
    assert "max-age" in response.headers["cache-control"]
    again = client.get(f"/api/v1/analysis?{SMALL}&seed=1")
    assert 'cache;desc="hit"' in again.headers["server-timing"]
    assert again.content == response.content


def test_a_get_and_a_post_of_the_same_config_are_one_answer(client: TestClient) -> None:
    config = {"steps": 12, "hidden": 4, "batch": 2, "seed": 2}
    posted = client.post("/api/v1/analysis", json={"config": config})
    got = client.get("/api/v1/analysis", params=config)
    assert posted.content == got.content
    assert posted.headers["etag"] == got.headers["etag"]


def test_a_query_is_canonical(client: TestClient) -> None:
    """Defaults, order, spelling of numbers, and options that do not apply make no difference."""
    tags = {
        client.get(f"/api/v1/analysis?{query}").headers["etag"]
        for query in (SMALL, "batch=2&hidden=4&steps=12", f"{SMALL}&seed=0&k=20.0", f"{SMALL}&lag=3&include=credit")
    }
    assert len(tags) == 1
    assert client.get(f"/api/v1/analysis?{SMALL}&k=19").headers["etag"] not in tags
    assert client.get(f"/api/v1/analysis?{SMALL}&certificate=false").headers["etag"] not in tags


@pytest.mark.parametrize("tags", ["{}", "W/{}", '"x", {}', "*"])
def test_who_has_it_already_gets_304(client: TestClient, tags: str) -> None:
    tag = client.get(f"/api/v1/analysis?{SMALL}").headers["etag"]
    response = client.get(f"/api/v1/analysis?{SMALL}", headers={"if-none-match": tags.format(tag)})
    assert (response.status_code, response.content) == (304, b"")
    assert response.headers["etag"] == tag


def test_another_tag_gets_the_answer(client: TestClient) -> None:
    assert client.get(f"/api/v1/analysis?{SMALL}", headers={"if-none-match": '"x"'}).status_code == 200


def test_head_is_get_without_the_body(client: TestClient) -> None:
    for address in (f"/api/v1/analysis?{SMALL}", "/healthz", "/api/v1/options", "/"):
        got, head = client.get(address), client.head(address)
        assert (head.status_code, head.content) == (200, b"")
        assert head.headers["content-length"] == got.headers["content-length"]


def test_the_credit_matrix_comes_alone_or_by_a_row(client: TestClient) -> None:
    whole = client.get(f"/api/v1/analysis?{SMALL}&certificate=false").json()
    alone = client.get(f"/api/v1/credit?{SMALL}").json()
    assert (alone["credit"], alone["sentence"]) == (whole["credit"], whole["words"]["credit"])
    binary = decode(client.get(f"/api/v1/credit?{SMALL}", headers={"accept": BINARY}).content)
    assert binary["heatmap"]["z"].shape == np.shape(whole["credit"]["h"])
    config = {name: int(value) for name, value in (pair.split("=") for pair in SMALL.split("&"))}
    posted = client.post("/api/v1/credit", json={"config": config}).json()
    assert posted["credit"] == whole["credit"]
    row = client.get(f"/api/v1/analysis?{SMALL}&include=row,figures&certificate=false&loss=3").json()
    assert (row["credit"], row["words"]["credit"], row["row"]["loss_step"]) == (None, "", 3)
    np.testing.assert_allclose(row["row"]["h"], whole["credit"]["h"][3], rtol=1e-12)
    assert [trace["uid"] for trace in row["figures"]["credit"]["data"]] == ["veil", "reach"]
    for wrong in ("-1", "x", "1.0", "9999999"):
        assert client.get(f"/api/v1/analysis?{SMALL}&include=row&loss={wrong}").status_code == 422


def test_the_binary_form_holds_the_same_numbers(client: TestClient) -> None:
    plain = client.get(f"/api/v1/analysis?{SMALL}").json()
    response = client.get(f"/api/v1/analysis?{SMALL}&include=credit,figures", headers={"accept": BINARY})
    assert response.headers["content-type"] == BINARY
    found = decode(response.content)
    np.testing.assert_array_equal(found["credit"]["h"], plain["credit"]["h"])
    np.testing.assert_array_equal(found["plan"]["cut"], np.array(plain["plan"]["cut"], np.uint8))
    assert found["plan"]["reach"].dtype == np.int32
    assert set(found["figures"]) == set(FIGURES)


def test_npz_holds_every_array(client: TestClient) -> None:
    response = client.get(f"/api/v1/analysis?{SMALL}&include=gradients", headers={"accept": "application/x-npz"})
    with np.load(io.BytesIO(response.content), allow_pickle=False) as found:
        truth = engine.analyze(engine.parse({"steps": 12, "hidden": 4, "batch": 2}), include=frozenset({"gradients"}))
        np.testing.assert_array_equal(found["truncated.h"], truth.truncated.h)
        np.testing.assert_array_equal(found["gradients.l0.W_hh"], (truth.gradients or {})["l0.W_hh"])
        assert json.loads(str(found["config"]))["steps"] == 12


def test_csv_is_one_row_a_step(client: TestClient) -> None:
    response = client.get(f"/api/v1/analysis?{SMALL}", headers={"accept": "text/csv"})
    head, *rows = response.text.splitlines()
    assert response.headers["content-type"].startswith("text/csv")
    assert head.startswith("step,input,target,loss,")
    assert [row.split(",")[0] for row in rows] == [str(t) for t in range(12)]


def test_json_is_compressed_for_who_takes_that(client: TestClient) -> None:
    address = f"/api/v1/analysis?{SMALL}"
    packed = client.get(address, headers={"accept-encoding": "gzip"})
    plain = client.get(address, headers={"accept-encoding": "identity"})
    assert packed.headers["content-encoding"] == "gzip"
    assert "content-encoding" not in plain.headers
    assert packed.json()["truncated"] == plain.json()["truncated"]
    assert packed.headers["etag"] != plain.headers["etag"]
    assert "accept-encoding" in packed.headers["vary"]


@pytest.mark.parametrize("method", ["get", "post"])
def test_a_certificate_comes_alone(client: TestClient, method: str) -> None:
    config = {"steps": 12, "hidden": 4, "batch": 2}
    response = client.get("/api/v1/certificate", params=config) if method == "get" else client.post(
        "/api/v1/certificate", json={"config": config})  # fmt: skip
    found = response.json()
    assert set(found) == {"certificate", "certificate_full", "sentence", "engine_ms"}
    assert found["certificate"]["status"] == found["certificate_full"]["status"] == "passed"
    assert found["sentence"].startswith("Certified")


def test_without_a_certificate_there_is_none(client: TestClient) -> None:
    found = client.get(f"/api/v1/analysis?{SMALL}&certificate=false").json()
    assert found["certificate"] is found["certificate_full"] is None


@pytest.mark.parametrize("include", ["", "credit", "gradients,weights", "states,inputs"])
def test_include_decides_what_comes(client: TestClient, include: str) -> None:
    found = client.get(f"/api/v1/analysis?{SMALL}&include={include}").json()
    assert (found["credit"] is not None) == ("credit" in include)
    assert (found["gradients"] is not None) == ("gradients" in include)
    assert (found["weights"] is not None) == ("weights" in include)
    assert (found["arrays"] is not None) == ("states" in include)


def test_an_estimate_says_cost_and_limits(client: TestClient) -> None:
    found = client.get(f"/api/v1/estimate?{SMALL}").json()
    assert found["affordable"]
    assert 0 < found["bytes"] < 1e8
    assert found["limits"]["analysis_seconds"]["value"] == 10
    large = client.post("/api/v1/estimate", json={"config": {"steps": 10000, "hidden": 1024, "batch": 256}}).json()
    assert not large["affordable"]
    assert "T = 10000" in large["problems"][0]["value"]


def test_own_weights_and_data_are_taken(client: TestClient) -> None:
    config = {"cell": "rnn", "steps": 3, "hidden": 2, "batch": 1, "task": "series", "style": "full"}
    weights = {"l0.W_ih": [[0.5], [0.1]], "l0.W_hh": [[0.1, 0.0], [0.0, 0.2]]}
    state = {"l0.h": [[0.3, -0.3]]}
    body = {"config": config, "weights": weights, "inputs": [[[1.0]], [[2.0]], [[3.0]]], "initial_state": state,
            "include": ["weights", "states"]}  # fmt: skip
    found = client.post("/api/v1/analysis", json=body).json()
    assert found["weights"]["l0.W_hh"] == weights["l0.W_hh"]
    assert found["certificate"]["status"] == "passed"
    truth = engine.analyze(
        engine.parse(config), engine.Given(weights, inputs=body["inputs"], initial_state=state), frozenset({"states"})
    )
    np.testing.assert_array_equal(found["arrays"]["l0.h"], (truth.arrays or {})["l0.h"])


def test_a_long_body_is_read_in_a_compute_process(client: TestClient) -> None:
    text = "To be, or not to be, that is the question. " * 3000
    body = {"config": {"steps": 12, "hidden": 4, "batch": 2, "text": text}}
    found = client.post("/api/v1/analysis", json=body).json()
    assert found["config"]["text"] == text
    refused = client.post("/api/v1/analysis", json={"config": {"text": text, "k": 0}})
    assert refused.status_code == 422
    assert refused.json()["problems"][0]["field"] == "k"


def test_a_text_with_any_character_goes_through_a_query(client: TestClient) -> None:
    text = "a&b=c+d % é ☃ \n\t'\"<script> \U0001f600" * 4
    found = client.get("/api/v1/analysis", params={"steps": 8, "hidden": 4, "batch": 1, "text": text}).json()
    assert found["config"]["text"] == text


@pytest.mark.parametrize("name", FIGURES)
def test_a_figure_is_ready_for_plotly(client: TestClient, name: str) -> None:
    figures = [client.get(f"/api/v1/figures/{name}?{SMALL}&theme={theme}") for theme in ("light", "dark")]
    for response in figures:
        assert response.status_code == 200
        assert {"data", "layout"} <= set(response.json())
        assert "var(--" not in response.text
    assert figures[0].text != figures[1].text


def test_the_figures_are_listed(client: TestClient) -> None:
    assert client.get("/api/v1/figures").json() == list(NAMES)


def test_the_catalogue_is_the_engines(client: TestClient) -> None:
    options = client.get("/api/v1/options").json()
    assert [option["name"] for option in options] == list(engine.OPTION)
    assert set(options[0]) == {"name", "kind", "help", "default", "low", "high", "choices", "when"}
    for address, option in (("cells", "cell"), ("tasks", "task"), ("styles", "style")):
        names = [entry["name"] for entry in client.get(f"/api/v1/{address}").json()]
        assert names == list(engine.OPTION[option].choices or ())


@pytest.mark.parametrize(("address", "entries"), [("presets", engine.PRESETS), ("questions", engine.QUESTIONS)])
def test_a_preset_is_a_query(client: TestClient, address: str, entries: tuple[engine.Preset, ...]) -> None:
    found = client.get(f"/api/v1/{address}").json()
    assert [entry["name"] for entry in found] == [entry.name for entry in entries]
    for shown, entry in zip(found, entries, strict=True):
        assert engine.parse(shown["config"]) == entry.config


def test_every_limit_is_shown(client: TestClient) -> None:
    limits = client.get("/api/v1/limits").json()
    assert limits["body_bytes"] == {"value": 2097152, "unit": "bytes", "help": "The longest request body."}
    assert all(set(entry) == {"value", "unit", "help"} for entry in limits.values())


def test_health_and_readiness(client: TestClient) -> None:
    assert client.get("/healthz").json()["status"] == "ok"
    client.get(f"/api/v1/analysis?{SMALL}")
    assert client.get("/readyz").json()["processes"] in (1, 2)  # one of them does light analyses only


def test_openapi_names_every_route(client: TestClient) -> None:
    document = client.get("/api/v1/openapi.json").json()
    assert document["openapi"].startswith("3.1")
    assert {"/healthz", "/readyz", "/api/v1/analysis", "/api/v1/certificate", "/api/v1/estimate", "/api/v1/limits",
            "/api/v1/figures/{name}", "/api/v1/presets"} <= set(document["paths"])  # fmt: skip
    names = [parameter["name"] for parameter in document["paths"]["/api/v1/analysis"]["get"]["parameters"]]
    assert names == [*engine.OPTION, "include", "certificate", "convention", "reduction", "loss"]
