"""The one encoder: every number comes back as it was, finite or not, in every form."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from starlette.testclient import TestClient

import engine
from server.encoding import encode_binary, encode_json, encode_npz, nonfinite
from server.tables import encode_csv
from tests.server.test_api import BINARY, decode

FLOATS = arrays.arrays(np.float64, arrays.array_shapes(max_dims=3, max_side=5), elements=st.floats(width=64))
# A plain RNN whose gradient passes what double precision can hold, on its way back.
EXPLODING = {"cell": "rnn", "task": "series", "init": "orthogonal", "gain": 3, "steps": 3000, "hidden": 64,
             "batch": 1, "style": "full", "loss_at": "last"}  # fmt: skip


@dataclass(frozen=True)
class Holder:
    values: Any
    name: str = "x"


def restore(shown: Any, marks: dict[str, list[int]]) -> Any:
    """Returns the array that JSON shows, with what stands beside it put back."""
    array = np.array(shown, dtype=object)
    flat = array.ravel()
    for word, value in (("nan", np.nan), ("+inf", np.inf), ("-inf", -np.inf)):
        assert all(flat[index] is None for index in marks.get(word, []))
        flat[marks.get(word, [])] = value
    assert not any(value is None for value in flat)
    return flat.astype(float).reshape(array.shape)


@given(FLOATS)
def test_json_loses_no_number(values: Any) -> None:
    found = json.loads(encode_json(Holder(values)))
    np.testing.assert_array_equal(restore(found["values"], found.get("values_nonfinite", {})), values)
    assert ("values_nonfinite" in found) == (not np.isfinite(values).all())


@given(FLOATS)
def test_binary_loses_no_bit(values: Any) -> None:
    found = decode(encode_binary(Holder(values)))["values"]
    assert found.tobytes() == values.tobytes()


@given(st.floats())
def test_a_single_number_is_marked_too(value: float) -> None:
    found = json.loads(encode_json({"a": value}))
    if np.isfinite(value):
        assert found == {"a": value}
    else:
        assert found == {"a": None, "a_nonfinite": nonfinite(np.asarray(value))}
    np.testing.assert_array_equal(decode(encode_binary({"a": value}))["a"], value)


def test_npz_loses_no_bit_and_is_always_the_same() -> None:
    value = Holder({"l0.h": np.array([np.nan, np.inf, -np.inf, -0.0, 5e-324])}, "név")
    content = encode_npz(value)
    with np.load(io.BytesIO(content), allow_pickle=False) as found:
        assert found["values.l0.h"].tobytes() == value.values["l0.h"].tobytes()
        assert str(found["name"]) == "név"
    assert encode_npz(value) == content


def test_kinds_that_a_browser_has() -> None:
    values = {"b": np.array([True, False]), "i": np.array([1, -2]), "big": np.array([2**40]),
              "f4": np.array([1.5], np.float32), "f8": np.zeros((2, 3)), "none": np.zeros((0,))}  # fmt: skip
    found = decode(encode_binary(values))
    assert {name: array.dtype.str for name, array in found.items()} == {
        "b": "|u1", "i": "<i4", "big": "<f8", "f4": "<f4", "f8": "<f8", "none": "<f8"}  # fmt: skip
    assert json.loads(encode_json(values)) == {
        "b": [True, False], "i": [1, -2], "big": [2**40], "f4": [1.5], "f8": [[0.0] * 3] * 2, "none": []}  # fmt: skip


def test_an_array_in_two_places_is_stored_once() -> None:
    values = np.arange(1000.0)
    assert len(encode_binary({"a": values, "b": [{"y": values}]})) < 8300


def test_a_list_of_numbers_is_an_array() -> None:
    found = json.loads(encode_json({"x": [1.0, float("nan")], "words": ["a"], "none": None}))
    assert found == {"x": [1.0, None], "x_nonfinite": {"nan": [1]}, "words": ["a"], "none": None}


@pytest.mark.parametrize("encode", [encode_json, encode_binary])
def test_what_cannot_be_encoded_is_not_guessed(encode: Any) -> None:
    with pytest.raises(TypeError):
        encode({"a": object()})
    with pytest.raises(TypeError):
        encode({"a": {1, 2}})


def test_nothing_that_is_not_finite_stands_without_a_name() -> None:
    with pytest.raises(ValueError, match="no name"):
        encode_json({"a": [["x"], np.array([np.nan])]})


def test_an_explosion_is_said_in_every_form(client: TestClient) -> None:
    truth = engine.analyze(engine.parse(EXPLODING))
    assert not np.isfinite(truth.full.h).all()
    plain = client.get("/api/v1/analysis", params=EXPLODING).json()["full"]
    np.testing.assert_array_equal(restore(plain["h"], plain["h_nonfinite"]), truth.full.h)
    binary = client.get("/api/v1/analysis", params=EXPLODING, headers={"accept": BINARY})
    np.testing.assert_array_equal(decode(binary.content)["full"]["h"], truth.full.h)
    rows = list(csv.DictReader(io.StringIO(encode_csv(truth).decode())))
    np.testing.assert_array_equal([float(row["full_dL_dh"]) for row in rows], truth.full.h)


def test_a_cell_of_the_table_is_empty_only_where_there_is_no_value() -> None:
    truth = engine.analyze(engine.parse({"task": "copy", "lag": 3, "steps": 8, "hidden": 4, "batch": 1}))
    rows = list(csv.DictReader(io.StringIO(encode_csv(truth).decode())))
    assert [row["loss"] != "" for row in rows] == [t in truth.sequence.loss_steps for t in range(8)]
    assert all(row["norm_h"] for row in rows)


def test_a_label_of_the_table_is_no_formula() -> None:
    truth = engine.analyze(engine.parse({"text": "=1+1-@x" * 9, "steps": 8, "hidden": 4, "batch": 1}))
    rows = list(csv.DictReader(io.StringIO(encode_csv(truth).decode())))
    assert not any(row[name].startswith(("=", "+", "-", "@")) for row in rows for name in ("input", "target"))
