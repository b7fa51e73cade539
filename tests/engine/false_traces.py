"""Files that are no traces, by what is wrong with them, each with what must be said of it."""

from __future__ import annotations

import io
import json
import pickle
import struct
import zipfile
import zlib
from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np

from tests.engine.false_files import HUGE, archive, header, npy
from tests.engine.recorded_traces import LSTM, arrays, meta

T = 12
Arrays = dict[str, np.ndarray]


def fields(**more: Any) -> dict[str, Any]:
    return meta(LSTM, [0, 4, 8], {"style": "window", "k": 4}) | more


def given(**more: Any) -> Arrays:
    cuts = {row: [4, 8] for row in LSTM}
    whole = arrays(LSTM, cuts, T, credit=lambda lag: 0.5**lag)
    return whole | {"state": np.ones((2, T)), "grad": np.ones((2, T))} | more


def members(described: object = None, found: Arrays | None = None, **more: np.ndarray) -> dict[str, bytes]:
    """Returns the members of a good trace, or of one with other JSON and arrays; an array that is None is left out."""
    described = fields() if described is None else described
    text = described if isinstance(described, bytes) else json.dumps(described).encode()
    named = {"meta": np.frombuffer(text, np.uint8), **(given() if found is None else found), **more}
    return {f"{name}.npy": npy(np.asarray(array)) for name, array in named.items()}


def trace(described: object = None, found: Arrays | None = None, **more: np.ndarray) -> bytes:
    return archive(members(described, found, **more))


def without(*names: str) -> bytes:
    return trace(found={name: array for name, array in given().items() if name not in names})


def with_bytes(name: str, content: bytes, method: int = zipfile.ZIP_STORED) -> bytes:
    return archive(members() | {f"{name}.npy": content}, method)


def twice() -> bytes:
    """The same member two times, as zipfile itself would warn of."""
    whole = bytearray(archive(members() | {"grae.npy": npy(np.ones((2, T)))}))
    while (at := whole.find(b"grae.npy")) >= 0:
        whole[at : at + 8] = b"grad.npy"
    return bytes(whole)


def changed(edit: Callable[[bytearray], None], file: bytes | None = None) -> bytes:
    whole = bytearray(trace() if file is None else file)
    edit(whole)
    return bytes(whole)


def at_directory(offset: int, form: str, value: int) -> bytes:
    """A good trace with one number of the directory's first entry replaced."""
    def edit(whole: bytearray) -> None:
        struct.pack_into(form, whole, whole.index(b"PK\1\2") + offset, value)

    return changed(edit)


def at_end(offset: int, form: str, value: int) -> bytes:
    def edit(whole: bytearray) -> None:
        struct.pack_into(form, whole, len(whole) - 22 + offset, value)

    return changed(edit)


def flip(name: bytes, beyond: int, file: bytes | None = None) -> bytes:
    """A good trace with one byte of a member's numbers turned over."""
    def edit(whole: bytearray) -> None:
        whole[whole.index(name) + beyond] ^= 0xFF

    return changed(edit, file)


def packed(change: int, place: Callable[[bytearray, bytes], int], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    """A good trace, one entry of whose directory says so many bytes more or fewer than there are."""
    def edit(whole: bytearray) -> None:
        at = place(whole, b"PK\1\2") + 20
        struct.pack_into("<I", whole, at, struct.unpack_from("<I", whole, at)[0] + change)

    return changed(edit, archive(members(), method))


def no_block() -> bytes:
    """A packed member that begins with a kind of block that there is not."""
    def edit(whole: bytearray) -> None:
        whole[whole.index(b"loss.npy") + 8] = 7

    return changed(edit, archive(members(), zipfile.ZIP_DEFLATED))


def renamed(name: bytes, find: Callable[[bytearray, bytes], int]) -> bytes:
    """A good trace that calls its losses something else, in one of the two places."""
    def edit(whole: bytearray) -> None:
        at = find(whole, b"loss.npy")
        whole[at : at + 8] = name

    return changed(edit)


def bomb(size: int) -> bytes:
    """A packed member of `size` zeros, said truly."""
    out = io.BytesIO()
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    block = packer.compress(bytes(2**20)) + packer.flush(zlib.Z_FULL_FLUSH)  # which can be said again and again
    packed = block * (size >> 20) + b"\3\0"
    name = b"loss.npy"
    local = struct.pack("<4s5H3I2H", b"PK\3\4", 20, 0, 8, 0, 0x21, 0, len(packed), size, len(name), 0)
    out.write(local + name + packed)
    begin = out.tell()
    out.write(struct.pack("<4s6H3I5H2I", b"PK\1\2", 20, 20, 0, 8, 0, 0x21, 0, len(packed), size, len(name), 0, 0, 0, 0,
                          0, 0) + name)
    out.write(struct.pack("<4s4H2IH", b"PK\5\6", 0, 0, 1, 1, out.tell() - begin, begin, 0))
    return out.getvalue()


@cache
def lying_bomb() -> bytes:
    """A packed member that says it is small, and unpacks to 64 MiB."""
    content = npy(np.zeros(8 << 20))
    whole = bytearray(archive({"loss.npy": content}, zipfile.ZIP_DEFLATED))
    struct.pack_into("<I", whole, whole.index(b"PK\1\2") + 24, 1000)
    return bytes(whole)


def deep(levels: int) -> bytes:
    return b'{"format": "unrolled-trace", "declared": ' + b"[" * levels + b"]" * levels + b"}"


def late() -> np.ndarray:
    """connected with a mark after the loss."""
    array = given()["connected"].copy()
    array[0, 3, 7] = 1
    return array


def swapped() -> np.ndarray:
    return np.ascontiguousarray(np.swapaxes(given()["connected"], 1, 2))


OBJECTS = np.array([{"x": 1}], dtype=object)
FALSE: dict[str, tuple[bytes, str]] = {
    "nothing": (b"", "22 to"), "text": (b"hello, this is no archive at all", "whole zip archive"),
    "a pickle": (pickle.dumps({"loss": [1.0] * 40}), "whole zip archive"),
    "cut in half": (trace()[: len(trace()) // 2], "its end is missing"),
    "a byte short": (trace()[:-1], "its end is missing"), "a byte more": (trace() + b"x", "its end is missing"),
    "an end alone": (b"PK\5\6" + bytes(18), "0 members"),
    "a comment": (archive(members(), comment=b"hi"), "without a comment"),
    "junk before": (b"junk" + trace(), "around it"), "no members": (archive({}), "0 members"),
    "129 members": (archive({f"a{n}.npy": b"" for n in range(129)}), "129 members"),
    "a 100,000-member archive": (at_end(8, "<H", 34464), "must be one archive"),
    "two disks": (at_end(4, "<H", 1), "must be one archive"),
    "more counted": (at_end(10, "<H", 7), "must be one archive"),
    "a directory elsewhere": (at_end(16, "<I", 3), "a false directory"),
    "a directory of 4 GiB": (at_end(12, "<I", 2**32 - 1), "a false directory"),
    "an entry less": (
        changed(lambda whole: struct.pack_into("<2H", whole, len(whole) - 14, 3, 3)),
        "a false directory",
    ),
    "a folder above": (archive(members() | {"../a.npy": npy(np.ones(2))}), "names have"),
    "a path from the root": (archive(members() | {"/etc/passwd.npy": npy(np.ones(2))}), "names have"),
    "a drive": (archive(members() | {"C:\\a.npy": npy(np.ones(2))}), "names have"),
    "a folder": (archive(members() | {"a/b.npy": npy(np.ones(2))}), "names have"),
    "a NUL in the name": (renamed(b"lo\0s.npy", bytearray.rindex), "names have"),
    "a long name": (archive(members() | {"x" * 65 + ".npy": b""}), "names have"),
    "a name in Cyrillic": (archive(members() | {"lоss.npy": npy(np.ones(2))}), "names have"),
    "another ending": (archive(members() | {"data.pkl": pickle.dumps([1.0])}), "names have"),
    "a name twice": (twice(), "unique name"),
    "another name inside": (renamed(b"boss.npy", bytearray.index), "another name inside"),
    "bzip2": (archive(members(), zipfile.ZIP_BZIP2), "stored or deflated"),
    "lzma": (archive(members(), zipfile.ZIP_LZMA), "stored or deflated"),
    "encrypted": (at_directory(8, "<H", 1), "not encrypted"),
    "an offset beyond": (at_directory(42, "<I", 2**31), "false offset"),
    "an offset into another": (at_directory(42, "<I", 9), "false offset"),
    "a false checksum": (at_directory(16, "<I", 1), "a false checksum"),
    "a larger size": (at_directory(24, "<I", 9999), "it is not packed"),
    "a member of 4 GiB": (at_directory(24, "<I", 2**32 - 1), "must unpack to"),
    "overlapping members": (at_directory(20, "<I", 2**24), "overlap"),
    "a turned byte": (flip(b"credit.npy", 400), "a false checksum"),
    "a turned byte in meta": (flip(b"meta.npy", 200), "checksum"),
    "a packed byte turned": (flip(b"credit.npy", 30, archive(members(), zipfile.ZIP_DEFLATED)), "damaged"),
    "a bomb of 1 GiB": (bomb(2**30), "must unpack to"), "a bomb of 255 MiB": (bomb(255 * 2**20), "must pack 200 to 1"),
    "a bomb that lies": (lying_bomb(), "bytes"),
    "a member of 257 MiB": (at_directory(24, "<I", 257 << 20), "must unpack to 268435456"),
    "past the end": (packed(600, bytearray.rindex, zipfile.ZIP_STORED), "past the end"),
    "fewer packed bytes": (packed(-9, bytearray.index), "cut short"),
    "more packed bytes": (packed(5, bytearray.index), "must unpack to"),
    "a block of no kind": (no_block(), "'damaged'"),
    "a state of one axis": (trace(state=np.ones(T)), "must have the axes (P rows, T steps)"),
    "losses of two axes": (trace(losses=np.ones((T, 1), int)), "one line of steps"),
    "17 verified": (trace(fields(verified={str(n): 0.1 for n in range(17)})), "at most 16"),
    "verified a list": (trace(fields(verified=[1])), "must be null"),
    "objects": (with_bytes("loss", npy(OBJECTS)), "a pickle of objects"),
    "a pickle in a member": (with_bytes("loss", pickle.dumps([1.0])), "a pickle"),
    "no npy": (with_bytes("loss", b"hello"), "no .npy"), "an empty member": (with_bytes("loss", b""), "no .npy"),
    "code in the header": (with_bytes("loss", header("__import__('os')")), "its header"),
    "deep brackets in the header": (with_bytes("loss", header("(" * 4000)), "its header"),
    "a huge shape": (with_bytes("loss", header(HUGE)), "must have at most 4 axes"),
    "a long header": (with_bytes("loss", header(" " * 5000)), "at most 4096"),
    "fewer bytes than the shape": (with_bytes("loss", npy(np.ones(T))[:-1]), "must have at most 4 axes"),
    "more bytes than the shape": (with_bytes("loss", npy(np.ones(T)) + b"x"), "must have at most 4 axes"),
    "five axes": (trace(states_0=np.ones((1,) * 5)), "4 axes"),
    "text in an array": (trace(loss=np.array(["x"] * T)), "dtype <U1"),
    "complex": (trace(state=np.ones((2, T), complex)), "dtype <c16"),
    "longdouble": (trace(loss=np.ones(T, np.longdouble)), "dtype"),
    "dates": (trace(loss=np.zeros(T, "M8[s]")), "header"),
    "a record": (trace(loss=np.ones(T, [("x", "f8")])), "its header"),
    "no meta": (archive({name: body for name, body in members().items() if name != "meta.npy"}), "meta"),
    "no loss": (without("loss"), "loss"), "an array unknown": (trace(gradd=np.ones(3)), "Did you mean grad?"),
    "meta of floats": (trace(meta=np.ones(9)), "uint8"),
    "meta of two axes": (trace(meta=np.ones((2, 9), np.uint8)), "uint8"),
    "meta of 2 MiB": (trace(b" " * 2**21), "at most 1048576"), "empty meta": (trace(b""), "no JSON"),
    "meta no JSON": (trace(b"{'format': 1}"), "no JSON"), "meta not UTF-8": (trace(b'{"a": "\xff"}'), "no JSON"),
    "meta a list": (trace(b"[]"), "must be a JSON object"), "meta with NaN": (trace(b'{"format": NaN}'), "no JSON"),
    "meta deep": (trace(deep(100_000)), "nested 100001 deep"),
    "a key twice": (trace(b'{"format": 1, "format": 1}'), "twice"),
    "a number of 10,000 digits": (trace(b'{"format": 1' + b"0" * 10_000 + b"}"), "no JSON"),
    "another format": (trace(fields(format="unrolled")), "format"), "version 2": (trace(fields(version=2)), "version"),
    "version true": (trace(fields(version=True)), "version"),
    "an unknown field": (trace(fields(decalred=None)), "declared"),
    "a field missing": (trace({name: value for name, value in fields().items() if name != "windows"}), "windows"),
    "no rows": (trace(fields(rows=[])), "1 to 64"),
    "65 rows": (trace(fields(rows=[f"r{n}" for n in range(65)])), "65 entries"),
    "a row twice": (trace(fields(rows=["h", "h"])), "differ from each other"),
    "a row of numbers": (trace(fields(rows=[1, 2])), "int"),
    "a row with a line's end": (trace(fields(rows=["h\n", "c"])), "printable"),
    "a lone surrogate": (trace(json.dumps(fields(rows=["\ud800", "c"])).encode()), "printable"),
    "a long name in meta": (trace(fields(rows=["h" * 201, "c"])), "201 characters"),
    "other rows than arrays": (trace(fields(rows=["h"])), "P is 1"), "batch 0": (trace(fields(batch=0)), "batch"),
    "batch true": (trace(fields(batch=True)), "batch"),
    "windows from 1": (trace(fields(windows=[1, 4])), "begin with 0"),
    "windows that fall": (trace(fields(windows=[0, 8, 4])), "ascend"),
    "a window too late": (trace(fields(windows=[0, T])), "windows"),
    "a window of half": (trace(fields(windows=[0, 1.5])), "whole number"),
    "no windows": (trace(fields(windows=[])), "windows"),
    "declared nothing known": (trace(fields(declared={"style": "windw"})), "style is one of"),
    "declared a list": (trace(fields(declared={"style": []})), "style is one of"),
    "k = 0": (trace(fields(declared={"style": "window", "k": 0})), "declared.k"),
    "k missing": (trace(fields(declared={"style": "window"})), "declared.k"),
    "k of full": (trace(fields(declared={"style": "full", "k": 3})), "takes no k"),
    "k2 under k1": (trace(fields(declared={"style": "k1k2", "k1": 5, "k2": 3})), "at least k1"),
    "51 notes": (trace(fields(notes=["x"] * 51)), "51 entries"),
    "verified infinite": (trace(b'{"verified": 1e999}'), "format"),
    "verified a word": (trace(fields(verified={"x": "y"})), "finite"),
    "verified 1e999": (trace(json.dumps(fields(verified={"x": 7})).replace("7}", "1e999}").encode()), "finite"),
    "a loss of two axes": (trace(loss=np.ones((T, 1))), "one axis"),
    "no steps": (trace(loss=np.ones(0)), "1 to 1000000"),
    "losses that fall": (trace(losses=np.arange(T)[::-1]), "must ascend"),
    "a loss beyond": (trace(losses=np.arange(1, T + 1)), "must ascend"),
    "a negative loss step": (trace(losses=np.arange(-1, T - 1)), "must ascend"),
    "losses of floats": (trace(losses=np.arange(T) * 1.0), "integers"),
    "connected without losses": (without("losses"), "needs losses"),
    "axes swapped": (trace(connected=swapped()), "Check the order of the axes"),
    "connected 2": (trace(connected=given()["connected"] * 2), "0 to 1"),
    "connected of floats": (trace(connected=given()["connected"] * 1.0), "integers"),
    "connected after the loss": (trace(connected=late()), "nothing flows there"),
    "credit after the loss": (trace(credit=np.ones((2, T, T))), "nothing flows there"),
    "a negative norm": (trace(state=-np.ones((2, T))), "0 or more"),
    "a negative gradient": (trace(grad=-np.ones((2, T))), "0 or more"),
    "a flag of 3": (trace(edge=np.full((2, T), 3)), "0 to 2"),
    "a flag of -1": (trace(value=np.full((2, T), -1)), "0 to 2"),
    "a row less": (trace(state=np.ones((1, T))), "P is 2"),
    "a step more": (trace(state=np.ones((2, T + 1))), "T is 12"),
    "norms of other parameters": (trace(norm_before=np.ones((2, 3))), "Q is 0"),
    "updates that differ": (trace(norm_before=np.ones((2, 0)), memory=np.ones(3)), "U is 2"),
    "a negative norm of an update": (trace(memory=-np.ones(3)), "0 or more"),
    "states of no row": (trace(states_7=np.ones((T, 2, 3))), "counted from 0"),
    "states of another batch": (trace(states_0=np.ones((T, 3, 3))), "B is 2"),
    "4,097 lines": (
        trace(fields(rows=[f"r{n}" for n in range(8)]), {"loss": np.ones(600), "losses": np.arange(600)}),
        "4096",
    ),
    "1,025 losses": (trace(fields(), {"loss": np.ones(2000), "losses": np.arange(1025)}), "1024"),
    "a million and one steps": (trace(fields(), {"loss": np.ones(1_000_001, np.float16)}), "1000000"),
    "16 million cells": (
        trace(fields(rows=[f"r{n}" for n in range(17)]), {"loss": np.ones(1_000_000, np.float16)}),
        "16000000",
    ),
}
