"""The safetensors library beside the engine's own reader and writer."""

from __future__ import annotations

import json
import struct

import numpy as np
import pytest
import torch
from safetensors import SafetensorError
from safetensors.numpy import load, save
from safetensors.torch import save as save_torch

from engine import InputError
from engine.weights import read_arrays, write_arrays

RNG = np.random.default_rng(0)


@pytest.mark.parametrize("dtype", ["float64", "float32", "float16", "int64", "int32", "int16", "int8"])
def test_what_it_writes_is_read(dtype: str) -> None:
    arrays = {"weight_ih_l0": (40 * RNG.normal(size=(3, 4))).astype(dtype), "one": np.array(2, dtype),
              "none": np.zeros((0, 3), dtype)}
    found = read_arrays(save(arrays, metadata={"format": "np"}), "a.safetensors")
    assert set(found) == set(arrays)
    assert all(np.array_equal(found[name], arrays[name]) for name in arrays)
    assert all(found[name].shape == arrays[name].shape for name in arrays)


def test_bfloat16_is_read() -> None:
    tensor = torch.tensor(RNG.normal(size=(5, 3)) * 10.0 ** RNG.integers(-30, 30, (5, 3))).bfloat16()
    assert np.array_equal(read_arrays(save_torch({"w": tensor}), "a.safetensors")["w"], tensor.double().numpy())


def test_it_reads_what_is_written() -> None:
    arrays = {"a.b/c": RNG.normal(size=(3, 4)), "d": RNG.normal(size=7), "e": np.zeros((0, 2))}
    found = load(write_arrays(arrays, "a.safetensors"))
    assert all(np.array_equal(found[name], arrays[name]) for name in arrays)


def file(header: object, body: bytes = b"") -> bytes:
    text = (header if isinstance(header, str) else json.dumps(header)).encode()
    return struct.pack("<Q", len(text)) + text + body


def entry(kind: str, shape: list[int], begin: int, end: int) -> dict[str, object]:
    return {"dtype": kind, "shape": shape, "data_offsets": [begin, end]}


FALSE = {
    "nothing": b"", "a length alone": struct.pack("<Q", 2), "a length beyond the file": struct.pack("<Q", 9) + b"{}",
    "no JSON": file("{"), "a list": file("[]"), "past the end": file({"a": entry("F32", [2], 0, 8)}, b"1234"),
    "a gap": file({"a": entry("F32", [1], 4, 8)}, b"12345678"),
    "an overlap": file({"a": entry("F32", [1], 0, 4), "b": entry("F32", [1], 2, 6)}, b"123456"),
    "bytes left over": file({"a": entry("F32", [1], 0, 4)}, b"12345"),
    "a shape of other bytes": file({"a": entry("F32", [2], 0, 4)}, b"1234"),
    "a negative shape": file({"a": entry("F32", [-1], 0, 4)}, b"1234"),
    "backwards": file({"a": entry("F32", [1], 4, 0)}, b"1234"),
    "an unknown dtype": file({"a": entry("F33", [1], 0, 4)}, b"1234"),
    "a shape that overflows": file({"a": entry("F32", [2**32, 2**32, 2], 0, 0)}),
}


@pytest.mark.parametrize("data", FALSE.values(), ids=FALSE)
def test_what_it_refuses_is_refused(data: bytes) -> None:
    with pytest.raises(SafetensorError):
        load(data)
    with pytest.raises(InputError):
        read_arrays(data, "a.safetensors")
