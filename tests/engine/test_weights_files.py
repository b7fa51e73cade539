"""Files of weights: what numpy and this project write is read; only arrays or InputError leave the readers."""

from __future__ import annotations

import io
import struct
import time
import tracemalloc
import zipfile

import numpy as np
import pytest

from engine import InputError
from engine.weights import import_weights, read_arrays, write_arrays
from tests.engine.false_files import FALSE_NPZ, FALSE_SAFETENSORS, archive, npy, npz, tensors

RNG = np.random.default_rng(0)
WEIGHTS = {"weight_ih_l0": RNG.normal(size=(20, 3)), "weight_hh_l0": RNG.normal(size=(20, 5)),
           "bias_ih_l0": RNG.normal(size=20)}


@pytest.mark.parametrize("compressed", [False, True])
@pytest.mark.parametrize("dtype", ["f8", "f4", "f2", ">f8", "i8", "i1", "u2", "?"])
def test_what_numpy_writes_is_read(compressed: bool, dtype: str) -> None:
    arrays = {"a": (9 * RNG.normal(size=(4, 3))).astype(dtype), "F": np.asfortranarray(RNG.normal(size=(4, 3))),
              "one": np.array(1, dtype), "none": np.zeros((0, 3), dtype), "deep": np.ones((1, 2, 3, 4), dtype)}
    found = read_arrays(npz(compressed, **arrays), "weights.NPZ")
    assert found.keys() == arrays.keys()
    assert all(np.array_equal(found[name], arrays[name]) for name in arrays)
    assert all(found[name].shape == arrays[name].shape for name in arrays)


def test_later_versions_of_npy_are_read() -> None:
    for version in ((2, 0), (3, 0)):
        found = read_arrays(archive({"a.npy": npy(np.arange(3.0), version)}), "a.npz")
        assert np.array_equal(found["a"], np.arange(3.0))


@pytest.mark.parametrize("ending", [".npz", ".safetensors"])
def test_what_is_written_is_read_and_is_the_same_file_each_time(ending: str) -> None:
    data = write_arrays(WEIGHTS, f"x{ending}")
    assert data == write_arrays(WEIGHTS, f"y{ending}")
    found = read_arrays(data, f"x{ending}")
    assert all(np.array_equal(found[name], WEIGHTS[name]) for name in WEIGHTS)
    assert import_weights("pytorch", "lstm", found, 5)["l0.W_ih"].shape == (20, 3)


def test_numpy_reads_what_is_written() -> None:
    with np.load(io.BytesIO(write_arrays({"lstm/cell.kernel": WEIGHTS["weight_ih_l0"]}, "a.npz"))) as found:
        assert np.array_equal(found["lstm__cell__kernel"], WEIGHTS["weight_ih_l0"])


@pytest.mark.parametrize(("data", "said"), FALSE_NPZ.values(), ids=FALSE_NPZ)
def test_an_npz_that_is_refused(data: bytes, said: str) -> None:
    with pytest.raises(InputError) as caught:
        read_arrays(data, "a.npz")
    assert said in str(caught.value)


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_a_member_given_twice() -> None:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as out:
        for _ in range(2):
            out.writestr("a.npy", npy(np.ones(2)))
    with pytest.raises(InputError, match="unique names"):
        read_arrays(file.getvalue(), "a.npz")


def lying(data: bytes, field: int, value: int) -> bytes:
    """Returns the archive with a size in its directory changed."""
    at = data.rindex(b"PK\1\2") + field
    return data[:at] + struct.pack("<I", value) + data[at + 4 :]


@pytest.mark.parametrize("size", [0, 10, 4_000, 1 << 20, 1 << 30, (1 << 32) - 1])
@pytest.mark.parametrize("field", [16, 20, 24, 42], ids=["checksum", "packed", "unpacked", "offset"])
def test_a_directory_that_lies(field: int, size: int) -> None:
    data = npz(True, a=RNG.normal(size=500))
    with pytest.raises(InputError):
        read_arrays(lying(data, field, size if field != 42 else size | 1), "a.npz")


def test_a_bomb_is_refused_unopened() -> None:
    """A gigabyte of zeros said to be 60 MiB: neither time nor memory is spent on it."""
    bomb = archive({"a.npy": npy(np.zeros(1 << 24))}, zipfile.ZIP_DEFLATED)
    tracemalloc.start()
    start = time.perf_counter()
    for data in (bomb, lying(bomb, 24, len(bomb) * 150)):
        with pytest.raises(InputError):
            read_arrays(data, "a.npz")
    seconds, (_, peak) = time.perf_counter() - start, tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert seconds < 2.0
    assert peak < 100 * len(bomb) + len(bomb) * 160 * 2


@pytest.mark.parametrize(("data", "said"), FALSE_SAFETENSORS.values(), ids=FALSE_SAFETENSORS)
def test_a_safetensors_file_that_is_refused(data: bytes, said: str) -> None:
    with pytest.raises(InputError) as caught:
        read_arrays(data, "a.safetensors")
    assert said in str(caught.value)


def test_many_equal_keys_take_no_time() -> None:
    start = time.perf_counter()
    with pytest.raises(InputError, match="twice"):
        read_arrays(tensors("{" + ",".join(f'"{n}":0' for n in range(90_000)) + ',"5":0}'), "a.safetensors")
    assert time.perf_counter() - start < 2.0


@pytest.mark.parametrize(("name", "said"), [
    ("model.pt", "pickle"), ("a.PTH", "pickle"), ("a.pkl", "pickle"), ("a", "must end"), ("weights.h5", "must end"),
    ("x.npz.exe", "must end")])
def test_other_files_are_not_read(name: str, said: str) -> None:
    with pytest.raises(InputError, match=said):
        read_arrays(npz(a=np.ones(2)), name)


@pytest.mark.parametrize("name", ["a.npz", "a.safetensors"])
def test_mutants_are_read_or_refused_and_nothing_else(name: str) -> None:
    """Bytes changed, cut, doubled and moved: arrays or InputError come out, quickly."""
    rng, whole = np.random.default_rng(1), write_arrays({"a": RNG.normal(size=(3, 4)), "b": np.zeros((2,))}, name)
    start, refused = time.perf_counter(), 0
    for _ in range(3000):
        data = bytearray(whole)
        for _ in range(rng.integers(1, 5)):
            at, kind = int(rng.integers(len(data))), rng.integers(4)
            if kind == 0:
                data[at] = int(rng.integers(256))
            elif kind == 1:
                data[at] ^= 1 << int(rng.integers(8))
            elif kind == 2:
                del data[at : at + int(rng.integers(1, 9))]
            else:
                data[at:at] = data[at : at + int(rng.integers(1, 9))]
        try:
            read_arrays(bytes(data), name)
        except InputError:
            refused += 1
    assert refused > 1500
    assert time.perf_counter() - start < 20
