"""Files of weights, as bytes: the format is chosen by the name's ending, and the name is used for nothing else."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from engine.arrays import Array
from engine.errors import refuse
from engine.weights.naming import label
from engine.weights.npz import read_npz, write_npz
from engine.weights.safetensors import read_safetensors, write_safetensors

READERS: dict[str, Callable[[bytes], dict[str, Array]]] = {".npz": read_npz, ".safetensors": read_safetensors}
WRITERS: dict[str, Callable[[Mapping[str, Array]], bytes]] = {".npz": write_npz, ".safetensors": write_safetensors}
CAN_RUN_CODE = (".pt", ".pth", ".bin", ".pkl", ".pickle", ".ckpt", ".joblib", ".npy")


def read_arrays(data: bytes, name: str) -> dict[str, Array]:
    """Returns a file's arrays by their names in it, all finite, for `import_weights`.

    Raises InputError for another kind of file, one that is not what it says, or a number that is not finite."""
    arrays = READERS[_ending(name)](data)
    for key, array in arrays.items():
        if not np.isfinite(array).all():
            raise refuse(label(key), "a value that is not finite", "must be finite", "Replace NaN and infinity.")
    return arrays


def write_arrays(arrays: Mapping[str, Array], name: str) -> bytes:
    """Returns the file's bytes, float64: an npz with "__" for the "/" and "." of names, or a safetensors file."""
    return WRITERS[_ending(name)](arrays)


def _ending(name: str) -> str:
    ending = next((known for known in READERS if name.lower().endswith(known)), "")
    if ending:
        return ending
    if name.lower().endswith(CAN_RUN_CODE):
        raise refuse("file", label(name), "may hold a pickle, which can run code, so it is not read",
                     "Save it with safetensors.numpy.save_file or numpy.savez.")
    raise refuse("file", label(name), "must end in .npz or .safetensors", "Save the tensors in one of these formats.")
