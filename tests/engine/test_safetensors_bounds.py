"""Each bound of a safetensors file is where it is said to be, and what is just inside is read as what it is."""

from __future__ import annotations

import json
import struct

import numpy as np
import pytest

from engine import InputError
from engine.weights.safetensors import read_safetensors, write_safetensors
from tests.engine.false_files import entry, tensors

MIB = 1 << 20


def refusal(data: bytes) -> str:
    with pytest.raises(InputError) as caught:
        read_safetensors(data)
    return str(caught.value)


def test_how_long_a_file_may_be() -> None:
    """Zeros: a header of no bytes, which is no JSON, wherever the length is not what is wrong."""
    assert "must have 8 to" in refusal(bytes(7))
    assert "no JSON" in refusal(bytes(8))
    assert "no JSON" in refusal(bytes(128 * MIB))
    assert f"must have 8 to {128 * MIB}" in refusal(bytes(128 * MIB + 1))


def test_how_long_a_header_may_be() -> None:
    text = json.dumps({"a": entry("I8", [1], 0, 1)})
    assert read_safetensors(tensors(text.ljust(MIB), b"\7"))["a"].tolist() == [7]
    assert f"at most {MIB}" in refusal(tensors(text.ljust(MIB + 1), b"\7"))
    assert "stand in the file" in refusal(struct.pack("<Q", 3) + b"{}")


def test_as_many_tensors_and_axes_as_there_may_be() -> None:
    many = {f"a{n}": entry("I8", [1, 1, 1, 1], n, n + 1) for n in range(64)}
    found = read_safetensors(tensors(many, bytes(range(64))))
    assert [found[f"a{n}"].tolist() for n in range(64)] == [[[[[n]]]] for n in range(64)]


def test_metadata_is_no_tensor() -> None:
    data = tensors({"__metadata__": {"format": "pt"}, "a": entry("I8", [1], 0, 1)}, b"\7")
    assert list(read_safetensors(data)) == ["a"]
    assert "must be a JSON object" in refusal(tensors({"__metadata__": [1], "a": entry("I8", [1], 0, 1)}, b"\7"))


def test_the_name_that_is_there_twice_is_said() -> None:
    assert "header = 'again': is there twice" in refusal(tensors('{"once": {}, "again": {}, "again": {}}'))


@pytest.mark.parametrize(("kind", "stored", "numbers"), [
    ("F64", struct.pack("<2d", 1.5, -2.0), [1.5, -2.0]), ("F32", struct.pack("<2f", 1.5, -2.0), [1.5, -2.0]),
    ("F16", struct.pack("<2e", 1.5, -2.0), [1.5, -2.0]), ("BF16", b"\xc0\x3f\x00\xc0", [1.5, -2.0]),
    ("I64", struct.pack("<2q", 2**53 + 1, -7), [2**53 + 1, -7]), ("I32", struct.pack("<2i", 5, -7), [5, -7]),
    ("I16", struct.pack("<2h", 5, -7), [5, -7]), ("I8", struct.pack("<2b", 5, -7), [5, -7])])  # fmt: skip
def test_numbers_of_each_kind(kind: str, stored: bytes, numbers: list[float]) -> None:
    found = read_safetensors(tensors({"a": entry(kind, [2], 0, len(stored))}, stored))["a"]
    assert found.tolist() == numbers
    assert found.dtype == (np.int64 if kind[0] == "I" else np.float64)


@pytest.mark.parametrize("name", ["a" * length for length in range(1, 10)])
def test_what_is_written_begins_at_a_multiple_of_eight_bytes(name: str) -> None:
    data = write_safetensors({name: np.ones(2)})
    (length,) = struct.unpack_from("<Q", data)
    assert length % 8 == 0
    assert data[8 : 8 + length].rstrip(b" ").endswith(b"}")
    assert len(data[8 : 8 + length]) - len(data[8 : 8 + length].rstrip(b" ")) < 8
    assert data[8 + length :] == np.ones(2).tobytes()
