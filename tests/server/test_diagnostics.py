"""The deeper diagnostics by way of the API: each form holds the engine's numbers, and keeps to the description."""

from __future__ import annotations

import io
import json
from dataclasses import fields
from typing import Any

import jsonschema_rs
import numpy as np
import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

import engine
from tests.server.test_api import BINARY, decode
from tests.server.test_encoding import restore

NAMES = ("bias_curve", "paths", "spectrum", "gates", "draws")
RANDOM = {"steps": "12", "hidden": "4", "batch": "2", "style": "random", "p": "0.2"}
# Zeros, infinities and NaN: an RNN without W_hh, one that explodes, two steps and one loss.
HARD = [{"cell": "rnn", "gain": "0"}, {"cell": "rnn", "gain": "9", "init": "orthogonal", "steps": "900"},
        {"steps": "2", "hidden": "1", "batch": "1", "loss_at": "last"}, {"cell": "gru", "layers": "3"}]  # fmt: skip


def ask(client: TestClient, options: dict[str, str], include: tuple[str, ...] = NAMES, accept: str = "*/*") -> bytes:
    query = options | {"include": ",".join(include), "certificate": "false"}
    answer = client.get("/api/v1/analysis", params=query, headers={"Accept": accept})
    assert answer.status_code == 200, answer.text
    return answer.content


def truth(options: dict[str, str]) -> engine.Analysis:
    return engine.analyze(engine.parse(options), include=frozenset(NAMES), certify=False)


def compare(ours: Any, theirs: Any, marks: dict[str, list[int]] | None = None, where: str = "") -> None:
    """Holds an answer against the engine's dataclass, arrays, numbers and words, to the last bit."""
    if hasattr(theirs, "__dataclass_fields__"):
        for field in fields(theirs):
            beside = ours.get(f"{field.name}_nonfinite")
            compare(ours[field.name], getattr(theirs, field.name), beside, f"{where}.{field.name}")
    elif isinstance(theirs, dict):
        for name, part in theirs.items():
            compare(ours[name], part, ours.get(f"{name}_nonfinite"), f"{where}.{name}")
    elif isinstance(theirs, (float, np.ndarray)) and not isinstance(ours, np.ndarray):
        np.testing.assert_array_equal(restore(ours, marks or {}), theirs, where)
    else:
        np.testing.assert_array_equal(ours, theirs, where)


@pytest.mark.parametrize("name", NAMES)
def test_each_comes_alone_as_the_engine_computes_it(client: TestClient, name: str) -> None:
    answer = json.loads(ask(client, RANDOM, (name,)))
    assert [other for other in NAMES if answer[other] is not None] == [name]
    compare(answer[name], getattr(truth(RANDOM), name))


@pytest.mark.parametrize("options", HARD, ids=str)
def test_what_is_not_finite_is_marked_and_not_lost(client: TestClient, options: dict[str, str]) -> None:
    options = RANDOM | {"task": "series"} | options
    answer, known = json.loads(ask(client, options)), truth(options)
    for name in NAMES:
        part = getattr(known, name)
        assert (answer[name] is None) == (part is None)
        if part is not None:
            compare(answer[name], part)


@pytest.mark.parametrize("options", [{}, *HARD], ids=str)
def test_the_binary_form_holds_the_same(client: TestClient, options: dict[str, str]) -> None:
    options = RANDOM | {"task": "series"} | options
    answer, known = decode(ask(client, options, accept=BINARY)), truth(options)
    for name in NAMES:
        if (part := getattr(known, name)) is not None:
            compare(answer[name], part)


def test_npz_holds_every_array(client: TestClient) -> None:
    with np.load(io.BytesIO(ask(client, RANDOM, accept="application/x-npz"))) as found:
        known = truth(RANDOM)
        np.testing.assert_array_equal(found["bias_curve.sliding"], known.bias_curve.sliding)
        np.testing.assert_array_equal(found["bias_curve.sliding_blocks.l0.W_hh"],
                                      known.bias_curve.sliding_blocks["l0.W_hh"])  # fmt: skip
        np.testing.assert_array_equal(found["bias_curve.adaptive.bound"], known.bias_curve.adaptive.bound)
        np.testing.assert_array_equal(found["paths.shares.highway"], known.paths.shares["highway"])
        np.testing.assert_array_equal(found["spectrum.lyapunov"], known.spectrum.lyapunov)
        np.testing.assert_array_equal(found["gates.memory"], known.gates.memory)
        np.testing.assert_array_equal(found["draws.h_spread"], known.draws.h_spread)


def test_a_post_asks_for_the_same(client: TestClient) -> None:
    config = {"steps": 12, "hidden": 4, "batch": 2, "style": "random", "p": 0.2}
    answer = client.post("/api/v1/analysis", json={"config": config, "include": list(NAMES), "certificate": False})
    for name in NAMES:
        compare(answer.json()[name], getattr(truth(RANDOM), name))


@pytest.mark.parametrize("options", [{}, *HARD], ids=str)
def test_answers_keep_to_the_description(app: FastAPI, client: TestClient, options: dict[str, str]) -> None:
    document = app.openapi()
    schema = {"$ref": "#/components/schemas/AnalysisAnswer", "components": document["components"]}
    answer = json.loads(ask(client, RANDOM | {"task": "series"} | options))
    found = [error.message for error in jsonschema_rs.validator_for(schema).iter_errors(answer)]
    assert not found


def test_the_witness_stands_in_the_certificate(client: TestClient) -> None:
    answer = client.get("/api/v1/certificate", params={"steps": "12", "hidden": "4", "k": "4"}).json()
    assert answer["certificate_full"]["witness"]["relative_error"] <= 1e-12
    assert answer["certificate"]["witness"] is None


def test_an_estimate_counts_them(client: TestClient) -> None:
    query = {"steps": "200", "hidden": "64", "batch": "1"}
    seconds = [client.get("/api/v1/estimate", params=query | {"include": include}).json()["seconds"]
               for include in ("", "bias_curve", "spectrum")]  # fmt: skip
    assert seconds[0] < min(seconds[1:])
