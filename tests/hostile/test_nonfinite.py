"""Numbers that are no numbers, and those at the ends of double precision, through every form and place: JSON, binary,
NumPy's archive, CSV, the database, the event stream, the checkpoint, the picture. None changes in silence."""

from __future__ import annotations

import csv
import io
import json
import re
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from engine import Analysis, analyze, parse
from server.encoding import encode_binary, encode_json, encode_npz
from server.figures import FIGURES
from server.store import Append, NewEvent, NewRun, Store, new_id
from server.tables import encode_csv
from server.training import results
from server.training.archives import dump, load
from server.training.sending import encode
from server.training.view import read_event
from tests.server.made_runs import diverged

ODD = [1.5, np.nan, np.inf, -np.inf, 5e-324, -5e-324, 2.2250738585072014e-308, 1.7976931348623157e308,
       -1.7976931348623157e308, -0.0, 1e-300, 0.1 + 0.2, 2.0**53 + 2, 1 / 3]  # fmt: skip
ARRAYS: dict[str, Any] = {
    "row": np.array(ODD), "matrix": np.array(ODD).reshape(7, 2), "single": np.array(ODD[:4], "f4"), "list": ODD,
    "nothing": np.zeros(0), "all": np.full(5, np.nan), "not_a_number": float("nan"), "above": np.inf,
    "below": np.float64(-np.inf), "inner": {"row": np.array(ODD), "deeper": {"x": np.array([np.inf])}},
}  # fmt: skip
SPECIAL = {"nan": np.nan, "+inf": np.inf, "-inf": -np.inf}


def same(one: Any, other: Any) -> bool:
    """Returns whether numbers are the same, bit for bit, NaN with NaN and -0.0 with -0.0."""
    one, other = np.asarray(one, np.float64), np.asarray(other, np.float64)
    signs = np.array_equal(np.signbit(one[~np.isnan(one)]), np.signbit(other[~np.isnan(other)]))
    return signs and np.array_equal(one, other, equal_nan=True)


def refilled(value: dict[str, Any]) -> dict[str, Any]:
    """Returns what JSON says, with what is named beside an array put back: as docs/api.md tells clients to."""
    out = {}
    for name, item in value.items():
        if name.endswith("_nonfinite"):
            continue
        out[name] = refilled(item) if isinstance(item, dict) else item
        if isinstance(item, list) and item and isinstance(item[0], (dict, str)):
            out[name] = [refilled(part) if isinstance(part, dict) else part for part in item]
        elif isinstance(item, (list, float, type(None))):
            filled = np.array(item, dtype=object).astype(float)
            for kind, places in value.get(f"{name}_nonfinite", {}).items():
                filled.ravel()[places] = SPECIAL[kind]
            out[name] = filled
    return out


def check(found: dict[str, Any], wanted: dict[str, Any] = ARRAYS) -> None:
    assert found.keys() == wanted.keys()
    for name, value in wanted.items():
        if isinstance(value, dict):
            check(found[name], value)
        else:
            assert same(found[name], value), name


def test_json_names_every_one() -> None:
    text = encode_json(ARRAYS).decode()
    assert not re.search(r"NaN|Infinity", text)
    check(refilled(json.loads(text, parse_constant=lambda name: pytest.fail(name))))


def test_a_null_in_json_is_always_named() -> None:
    """So many nulls, so many names: none stands there without its reason."""
    found = json.loads(encode_json(ARRAYS))

    def nulls(value: Any) -> int:
        return sum(map(nulls, value)) if isinstance(value, list) else int(value is None)

    def count(value: dict[str, Any]) -> tuple[int, int]:
        pairs = [count(item) if isinstance(item, dict) and not name.endswith("_nonfinite") else
                 (nulls(item), sum(map(len, item.values())) if name.endswith("_nonfinite") else 0)
                 for name, item in value.items()]  # fmt: skip
        return sum(pair[0] for pair in pairs), sum(pair[1] for pair in pairs)

    assert len(set(count(found))) == 1
    assert count(found)[0] > 10


@pytest.mark.parametrize("value", [[{"x": np.nan}, np.nan], ["a", np.inf], [[np.nan, "b"]]])
def test_what_could_not_be_named_is_refused(value: Any) -> None:
    with pytest.raises(ValueError, match="no name"):
        encode_json({"mixed": value})


def test_the_binary_form_keeps_their_bits() -> None:
    body = encode_binary(ARRAYS)
    length = struct.unpack_from("<I", body, 4)[0]
    head = json.loads(body[8 : 8 + length])

    def read(value: Any) -> Any:
        if isinstance(value, dict) and "$array" in value:
            entry = value["$array"]
            count = int(np.prod(entry["shape"], dtype=int))
            numbers = np.frombuffer(body, f"<{entry['dtype']}", count, 8 + length + entry["offset"])
            return numbers.reshape(entry["shape"])
        return {name: read(item) for name, item in value.items()} if isinstance(value, dict) else value

    check(read(head))


def test_numpys_archive_keeps_their_bits() -> None:
    flat = {**{name: value for name, value in ARRAYS.items() if name != "inner"}, "inner.row": ARRAYS["inner"]["row"],
            "inner.deeper.x": ARRAYS["inner"]["deeper"]["x"]}
    with np.load(io.BytesIO(encode_npz(ARRAYS)), allow_pickle=False) as found:
        assert set(found.files) == set(flat)
        assert all(same(found[name], value) for name, value in flat.items())


def test_checkpoints_keep_their_bits() -> None:
    found = load(dump({"row": ARRAYS["row"], "single": ARRAYS["single"]}))
    assert same(found["row"], ARRAYS["row"])
    assert found["single"].dtype == np.float32
    assert same(found["single"], ARRAYS["single"])


@pytest.fixture(scope="module")
def overflow() -> Analysis:
    """Full BPTT through a chaotic network: past 1e308 before it reaches step 0."""
    return analyze(parse({"cell": "rnn", "gain": 5, "init": "orthogonal", "hidden": 64, "steps": 1500, "batch": 1,
                          "task": "series", "style": "full"}), include=frozenset({"credit"}))  # fmt: skip


def test_an_analysis_that_explodes_says_the_same_in_every_form(overflow: Analysis) -> None:
    wanted = overflow.full.h
    assert not np.isfinite(wanted).all()
    assert same(refilled(json.loads(encode_json(overflow)))["full"]["h"], wanted)
    with np.load(io.BytesIO(encode_npz(overflow))) as archive:
        assert same(archive["full.h"], wanted)
    rows = list(csv.DictReader(io.StringIO(encode_csv(overflow).decode())))
    assert same([float(row["full_dL_dh"]) for row in rows], wanted)


def test_every_picture_of_it_marks_what_it_cannot_draw(overflow: Analysis) -> None:
    """The norms have a rail for them: as many marks as there are steps whose norm is not finite."""
    figure = FIGURES["norms"](overflow)
    rails = [trace for trace in figure["data"] if "finite" in str(trace.get("name", ""))]
    marked = {int(x) for trace in rails for x in np.asarray(trace["x"]).ravel() if np.isfinite(x)}
    assert marked >= set(np.flatnonzero(~np.isfinite(overflow.full.h)).tolist())


def test_a_diverged_run_says_the_same_in_every_form() -> None:
    view = diverged()
    said = json.loads(results.as_json(view))
    rows = list(csv.DictReader(io.StringIO(results.as_csv(view).decode())))
    for index, lane in enumerate(view.lanes):
        wanted = lane.points["loss"]
        assert same(refilled(said["lanes"][index])["points"]["loss"], wanted)
        mine = [row for row in rows if row["lane"] == f"{lane.strategy}.{lane.seed}" and row["kind"] == "point"]
        assert np.array_equal([float(row["loss"]) for row in mine], wanted, equal_nan=True)


def test_the_database_and_the_stream_keep_them(tmp_path: Path) -> None:
    kept = {name: ARRAYS[name] for name in ("row", "list", "not_a_number", "above", "below", "all")}
    text = encode_json(kept).decode()
    store = Store.open(f"sqlite:///{tmp_path / 'runs.sqlite3'}")
    try:
        run = store.create(NewRun(new_id(), "ann", "{}", "", None)).id
        store.append_all([Append(run, [NewEvent("point", "0.0", "1", text)])])
        (event,) = store.events(run)
    finally:
        store.close()
    assert event.data_json == text
    sent = encode(event).decode()
    (line,) = [line.removeprefix("data: ") for line in sent.splitlines() if line.startswith("data: ")]
    assert line == text
    back = read_event(line)
    assert all(same(back[name], value) for name, value in kept.items())
