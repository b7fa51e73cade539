"""Bad traces: each is refused with its reason, soon, in little memory, and nothing but our one exception comes out."""

from __future__ import annotations

import time
import tracemalloc
import zipfile

import numpy as np
import pytest

from engine.errors import InputError
from engine.recorded import outcome_of, read_trace, source_of
from tests.engine.false_files import archive
from tests.engine.false_traces import FALSE, fields, given, members, trace

SECONDS, BYTES = 0.25, 24 << 20


def test_the_one_that_all_others_differ_from_is_good() -> None:
    found = outcome_of(read_trace(source_of(trace())))
    assert found.reach is not None
    assert found.reach.agrees is True
    assert len(FALSE) >= 100


@pytest.mark.parametrize("name", FALSE)
def test_a_false_trace_is_refused(name: str) -> None:
    """Its reason is a short one of our own; the time and the memory do not depend on what the file says of itself."""
    file, said = FALSE[name]
    source = source_of(file)
    tracemalloc.start()
    begun = time.perf_counter()
    with pytest.raises(InputError) as caught:
        read_trace(source)
    seconds, (_, most) = time.perf_counter() - begun, tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert said in str(caught.value)
    assert len(str(caught.value)) < 600
    assert all(problem.limit and problem.remedy for problem in caught.value.problems)
    assert seconds < SECONDS
    assert most < BYTES


@pytest.mark.parametrize(("values", "said"), [(np.nan, "NaN"), (np.inf, "0 or not finite")])
def test_nan_and_infinity_everywhere_are_shown_and_said(values: float, said: str) -> None:
    """They are data: a model that has exploded is what somebody wants to look at."""
    arrays = {name: np.full_like(array, values) if array.dtype.kind == "f" else array
              for name, array in given().items()}
    if np.isinf(values):
        arrays["credit"] = given()["credit"]
    found = outcome_of(read_trace(source_of(trace(fields(), arrays))))
    assert said in found.captions["grad"]
    assert said in found.captions["state"]
    assert found.captions["loss"] == "Not one step has a loss that is a finite number."
    assert found.reach is not None
    assert found.reach.agrees is True


MUTANTS = 3000


@pytest.mark.parametrize("packed", [False, True])
def test_mutants_are_read_or_refused_and_never_anything_else(packed: bool) -> None:
    """Bytes turned, cut out, doubled and set at random, in the archive and in its directory."""
    rng = np.random.default_rng(5 if packed else 4)
    whole = np.frombuffer(_packed() if packed else trace(), np.uint8)
    read = refused = 0
    for _ in range(MUTANTS // 2):
        try:
            outcome_of(read_trace(source_of(_mutant(whole, rng))))
        except InputError:
            refused += 1
        else:
            read += 1
    assert read + refused == MUTANTS // 2
    assert refused > MUTANTS // 4


def test_mutants_whose_checksums_hold() -> None:
    """The numbers and the headers themselves are changed before the archive is made, so that they are looked at."""
    rng = np.random.default_rng(6)
    read = refused = 0
    for _ in range(MUTANTS // 2):
        arrays = given()
        name = list(arrays)[rng.integers(len(arrays))]
        arrays[name] = another(arrays[name], rng)
        text = other_text(rng)
        try:
            outcome_of(read_trace(source_of(trace(text, arrays))))
        except InputError:
            refused += 1
        else:
            read += 1
    assert read > 50
    assert refused > 50


def _packed() -> bytes:
    return archive(members(), zipfile.ZIP_DEFLATED)


def _mutant(whole: np.ndarray, rng: np.random.Generator) -> bytes:
    out = whole.copy()
    tail = len(out) - 700  # the directory
    for _ in range(rng.integers(1, 5)):
        at = int(rng.integers(tail if rng.random() < 0.5 else 0, len(out)))
        kind = rng.integers(4)
        if kind == 0:
            out[at] ^= np.uint8(1 << rng.integers(8))
        elif kind == 1:
            out[at : at + 4] = rng.choice([0, 1, 0x7F, 0xFF])
        elif kind == 2:
            out = np.delete(out, slice(at, at + int(rng.integers(1, 40))))
        else:
            out = np.concatenate([out[:at], out[max(0, at - 30) : at], out[at:]])
    return out.tobytes()


@np.errstate(all="ignore")
def another(array: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """The array in another shape, type or order, or with other numbers in it."""
    kind = rng.integers(6)
    if kind == 0:
        return np.asarray(array.T)
    if kind == 1:
        return array.astype(rng.choice(["f2", "f4", ">f8", "i1", "u8", "?", "i2"]))
    if kind == 2:
        return np.asfortranarray(array)
    if kind == 3:
        return array[..., : rng.integers(array.shape[-1] + 1)]
    if kind == 4:
        return array[None]
    out = array.astype(float).copy()
    out.ravel()[rng.integers(out.size)] = rng.choice([np.nan, np.inf, -np.inf, -1, 2, 1e308, 300])
    return out.astype(array.dtype)


def other_text(rng: np.random.Generator) -> dict[str, object]:
    """The fields, with one of them something else half of the time."""
    others = [None, [], {}, 0, -1, 1.5, "", "x", True, [0, 4], [[]], {"style": "full"}, {"style": "sliding", "k": 3},
              {"style": "k1k2", "k1": 2, "k2": 6, "value": "carry"}, ["a", "b"], [0, 11], 10**30]
    text: dict[str, object] = fields()
    if rng.random() < 0.5:
        text[list(text)[rng.integers(len(text))]] = others[rng.integers(len(others))]
    return text
