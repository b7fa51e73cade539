"""Files of weights that are not what they say, by what is wrong with them, each with what must be said of it."""

from __future__ import annotations

import io
import json
import pickle
import struct
import zipfile

import numpy as np


def npz(compressed: bool = False, **arrays: np.ndarray) -> bytes:
    file = io.BytesIO()
    (np.savez_compressed if compressed else np.savez)(file, **arrays)
    return file.getvalue()


def archive(members: dict[str, bytes], method: int = zipfile.ZIP_STORED, comment: bytes = b"") -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", method) as out:
        out.comment = comment
        for name, content in members.items():
            out.writestr(name, content)
    return file.getvalue()


def npy(array: np.ndarray, version: tuple[int, int] = (1, 0)) -> bytes:
    file = io.BytesIO()
    np.lib.format.write_array(file, array, version=version)
    return file.getvalue()


def header(text: str, body: bytes = b"") -> bytes:
    return b"\x93NUMPY\1\0" + struct.pack("<H", len(text)) + text.encode() + body


def tensors(header: object, body: bytes = b"") -> bytes:
    text = (header if isinstance(header, str) else json.dumps(header)).encode()
    return struct.pack("<Q", len(text)) + text + body


def entry(kind: object, shape: object, begin: object, end: object) -> dict[str, object]:
    return {"dtype": kind, "shape": shape, "data_offsets": [begin, end]}


HUGE = "{'descr': '<f8', 'fortran_order': False, 'shape': (" + "9" * 3900 + ",), }"
FALSE_NPZ: dict[str, tuple[bytes, str]] = {
    "objects": (npz(a=np.array([{"x": 1}], dtype=object)), "a pickle"),
    "a pickle in a member": (archive({"a.npy": pickle.dumps([1.0])}), "a pickle"),
    "a pickle by its name": (archive({"data.pkl": pickle.dumps([1.0])}), "names have"),
    "a folder above": (archive({"../a.npy": npy(np.ones(2))}), "names have"),
    "a path from the root": (archive({"/a.npy": npy(np.ones(2))}), "names have"),
    "a folder": (archive({"a/b.npy": npy(np.ones(2))}), "as __"),
    "a long name": (archive({"x" * 65 + ".npy": b""}), "names have"),
    "many members": (archive({f"a{n}.npy": b"" for n in range(65)}), "65 members"),
    "no members": (archive({}), "0 members"),
    "zeros packed": (archive({"a.npy": npy(np.zeros(100_000))}, zipfile.ZIP_DEFLATED), "must pack"),
    "bzip2": (archive({"a.npy": npy(np.ones(2))}, zipfile.ZIP_BZIP2), "deflated"),
    "lzma": (archive({"a.npy": npy(np.ones(2))}, zipfile.ZIP_LZMA), "deflated"),
    "a comment": (archive({"a.npy": npy(np.ones(2))}, comment=b"PK"), "zip archive"),
    "junk before": (b"junk" + archive({"a.npy": npy(np.ones(2))}), "around it"),
    "a byte less": (archive({"a.npy": npy(np.ones(2))[:-1]}), "their bytes"),
    "a byte more": (archive({"a.npy": npy(np.ones(2)) + b"x"}), "their bytes"),
    "text": (archive({"a.npy": npy(np.array(["x"]))}), "dtype <U1"),
    "complex": (archive({"a.npy": npy(np.ones(2, complex))}), "dtype <c16"),
    "a record": (archive({"a.npy": npy(np.ones(2, [("x", "f8")]))}), "its header"),
    "five axes": (archive({"a.npy": npy(np.ones((1,) * 5))}), "4 axes"),
    "no npy": (archive({"a.npy": b"hello"}), "no .npy"),
    "an empty member": (archive({"a.npy": b""}), "no .npy"),
    "a key more": (archive({"a.npy": header("{'descr': '<f8', 'fortran_order': False, 'shape': (2,), 'x': 1}")}),
                   "its header"),
    "code": (archive({"a.npy": header("__import__('os')")}), "its header"),
    "deep brackets": (archive({"a.npy": header("(" * 4000)}), "its header"),
    "a huge size": (archive({"a.npy": header(HUGE)}), "4 axes"),
    "a long header": (archive({"a.npy": header(" " * 5000)}), "at most 4096"),
    "NaN": (archive({"a.npy": npy(np.array([1.0, np.nan]))}), "not finite"),
    "nothing": (b"", "zip archive"), "an ending alone": (b"PK\5\6", "zip archive"),
}

FALSE_SAFETENSORS: dict[str, tuple[bytes, str]] = {
    "nothing": (b"", "8 to"), "a length alone": (struct.pack("<Q", 2), "stand in the file"),
    "a header of 2 MiB": (struct.pack("<Q", 2 << 20) + b" " * (3 << 20), "at most"),
    "half an object": (tensors("{"), "no JSON"), "a list": (tensors("[]"), "JSON object"),
    "deep brackets": (tensors("[" * 100_000), "no JSON"), "no tensors": (tensors("{}"), "0 tensors"),
    "a huge number": (tensors('{"a": 1' + "0" * 5000 + "}"), "no JSON"),
    "NaN in JSON": (tensors('{"a": NaN}'), "no JSON"),
    "not UTF-8": (struct.pack("<Q", 4) + b"{\xff\xfe}", "no JSON"),
    "a key twice": (tensors('{"a": {}, "a": {}}'), "twice"),
    "false metadata": (tensors('{"__metadata__": 1}'), "__metadata__"),
    "65 tensors": (tensors({f"a{n}": entry("F32", [0], 0, 0) for n in range(65)}), "65 tensors"),
    "past the end": (tensors({"a": entry("F32", [2], 0, 8)}, b"1234"), "inside the file"),
    "a gap": (tensors({"a": entry("F32", [1], 4, 8)}, b"12345678"), "follow each other"),
    "an overlap": (tensors({"a": entry("F32", [1], 0, 4), "b": entry("F32", [1], 2, 6)}, b"123456"), "follow each"),
    "a byte left over": (tensors({"a": entry("F32", [1], 0, 4)}, b"12345"), "all 5 bytes"),
    "no entry": (tensors({"a": 1}), "nothing else"),
    "a key more": (tensors({"a": {**entry("F32", [1], 0, 4), "x": 1}}, b"1234"), "nothing else"),
    "another shape": (tensors({"a": entry("F32", [2], 0, 4)}, b"1234"), "8 bytes for its shape"),
    "a negative size": (tensors({"a": entry("F32", [-1], 0, 4)}, b"1234"), "whole numbers"),
    "a broken size": (tensors({"a": entry("F32", [1.0], 0, 4)}, b"1234"), "whole numbers"),
    "a truth for a size": (tensors({"a": entry("F32", [True], 0, 4)}, b"1234"), "whole numbers"),
    "five axes": (tensors({"a": entry("F32", [1] * 5, 0, 4)}, b"1234"), "4 whole numbers"),
    "backwards": (tensors({"a": entry("F32", [1], 4, 0)}, b"1234"), "rising"),
    "far beyond": (tensors({"a": entry("F32", [1], 0, 1 << 50)}, b"1234"), "rising"),
    "an unknown dtype": (tensors({"a": entry("F33", [1], 0, 4)}, b"1234"), "must be one of F64"),
    "a list for a dtype": (tensors({"a": entry(["F32"], [1], 0, 4)}, b"1234"), "must be one of F64"),
    "infinity": (tensors({"a": entry("F32", [1], 0, 4)}, struct.pack("<f", float("inf"))), "not finite"),
}
