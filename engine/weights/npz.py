"""npz files, read from bytes and written to bytes: a zip archive of .npy members. Nothing is unpickled, ever.

The archive is looked at from the outside in: how many members its last record counts, what its directory says of
each, and only then a member, of which no more is inflated than was declared. So a bomb is refused unopened.
"""

from __future__ import annotations

import math
import re
import struct
import zlib
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from engine.arrays import Array
from engine.errors import InputError, refuse
from engine.weights.naming import label

MOST_MEMBERS = 64
MEMBER_BYTES = 64 << 20
TOTAL_BYTES = 128 << 20
MOST_RATIO = 200
HEADER_BYTES = 4096
MOST_AXES = 4
NAME = re.compile(rb"[A-Za-z0-9_]{1,64}\.npy")
END, DIRECTORY, LOCAL = struct.Struct("<4s4H2IH"), struct.Struct("<4s6H3I5H2I"), struct.Struct("<4s5H3I2H")
STORED, DEFLATED = 0, 8
PLAIN_FLAGS = 0x80E  # how hard it was packed, sizes told later, a name in UTF-8; encryption is not among them
# What numpy writes, and every other writer of .npy: a dict literal of three keys.
NPY_HEADER = re.compile(rb"\{\s*'descr':\s*'([<>|=]?[a-zA-Z][0-9]*)',\s*'fortran_order':\s*(True|False),"
                        rb"\s*'shape':\s*\(([0-9, ]*)\),?\s*\}\s*")


@dataclass(frozen=True)
class Member:
    """What the directory says of a member."""

    name: str
    method: int
    packed: int
    size: int
    crc: int
    offset: int


def read_npz(data: bytes) -> dict[str, Array]:
    """Returns the arrays by name. Raises InputError for what is no plain archive of numbers, before opening it."""
    members = _directory(data)
    if len({member.name for member in members}) != len(members):
        raise _bad("file", "a name given twice", "must have unique names")
    if sum(member.size for member in members) > TOTAL_BYTES:
        raise _bad("file", f"{sum(member.size for member in members)} bytes", f"must unpack to {TOTAL_BYTES} at most")
    if sum(member.packed for member in members) > len(data):
        raise _bad("file", "members that overlap", "must have each byte in one member at most")
    for member in members:
        _require_small(member)
    return {member.name: _array(member.name, _contents(data, member)) for member in members}


def write_npz(arrays: Mapping[str, Array]) -> bytes:
    """Returns an archive, stored, of float64 arrays. In names "/" and "." become "__"; the order is kept."""
    return write_plain({re.sub(r"[./]", "__", name): np.asarray(array, "<f8") for name, array in arrays.items()})


def write_plain(arrays: Mapping[str, Array]) -> bytes:
    """Returns an archive, stored, of arrays in their own types, under their own names; the order is kept."""
    body, directory = b"", b""
    for name, array in arrays.items():
        plain = name.encode() + b".npy"
        if not NAME.fullmatch(plain):
            raise _bad(label(name), "given", "names have 1 to 64 letters, digits, _ . and /")
        content = _npy(np.asarray(array))
        sizes = (zlib.crc32(content), len(content), len(content))
        date = (0, 0x21)  # 1980-01-01: the file is a pure function of the arrays
        directory += DIRECTORY.pack(b"PK\1\2", 20, 20, 0, STORED, *date, *sizes, len(plain), 0, 0, 0, 0, 0,
                                    len(body)) + plain
        body += LOCAL.pack(b"PK\3\4", 20, 0, STORED, *date, *sizes, len(plain), 0) + plain + content
    count = len(arrays)
    return body + directory + END.pack(b"PK\5\6", 0, 0, count, count, len(directory), len(body), 0)


def _npy(array: Array) -> bytes:
    header = f"{{'descr': '{array.dtype.str}', 'fortran_order': False, 'shape': {array.shape}, }}"
    header += " " * (-(len(header) + 11) % 64) + "\n"
    return b"\x93NUMPY\1\0" + struct.pack("<H", len(header)) + header.encode() + array.tobytes()


def _directory(data: bytes) -> list[Member]:
    if len(data) < END.size or len(data) > TOTAL_BYTES or data[-END.size :][:4] != b"PK\5\6":
        raise _bad("file", f"{len(data)} bytes", "must be a zip archive without a comment, as numpy.savez writes it")
    _, disk, first, here, count, size, offset, comment = END.unpack_from(data, len(data) - END.size)
    if disk or first or comment or here != count or not 0 < count <= MOST_MEMBERS:
        raise _bad("file", f"{count} members", f"must be one archive of 1 to {MOST_MEMBERS} members")
    if offset + size != len(data) - END.size:
        raise _bad("file", "a false directory", "must have its directory at its end, and nothing around it")
    members, at = [], offset
    for _ in range(count):
        member, at = directory_entry(data, at, offset + size)
        members.append(member)
    if at != offset + size:
        raise _bad("file", "a false directory", "must have as many members as it counts")
    return members


def directory_entry(data: bytes, at: int, end: int) -> tuple[Member, int]:
    """Returns the directory's entry at `at`, and where the next one stands."""
    if at + DIRECTORY.size > end or data[at : at + 4] != b"PK\1\2":
        raise _bad("file", "a false directory", "must have as many members as it counts")
    (_, _, _, flags, method, _, _, crc, packed, size, named, extra, comment, *_, offset) = DIRECTORY.unpack_from(
        data, at)
    start = at + DIRECTORY.size
    name = data[start : start + named]
    shown = label(name.decode("utf-8", "replace"))
    if not NAME.fullmatch(name):
        raise _bad(shown, "given", "names have 1 to 64 letters, digits and _, then .npy; write / and . as __")
    if flags & ~PLAIN_FLAGS or method not in (STORED, DEFLATED):
        raise _bad(shown, f"method {method}, flags {flags}", "must be stored or deflated, and not encrypted")
    return Member(name[:-4].decode(), method, packed, size, crc, offset), start + named + extra + comment


def _require_small(member: Member) -> None:
    if member.size > MEMBER_BYTES:
        raise _bad(member.name, f"{member.size} bytes", f"must unpack to {MEMBER_BYTES} bytes at most")
    if member.size > MOST_RATIO * max(member.packed, 1):
        raise _bad(member.name, f"{member.size} bytes in {member.packed}", f"must pack {MOST_RATIO} to 1 at most")


def _contents(data: bytes, member: Member) -> bytes:
    """Returns a member's bytes; inflating stops one byte past what was declared."""
    if member.offset + LOCAL.size > len(data) or data[member.offset : member.offset + 4] != b"PK\3\4":
        raise _bad(member.name, "a false offset", "must stand where the directory says")
    *_, named, extra = LOCAL.unpack_from(data, member.offset)
    start = member.offset + LOCAL.size + named + extra
    packed = data[start : start + member.packed]
    content = packed if member.method == STORED else _inflated(member, packed)
    if len(content) != member.size or zlib.crc32(content) != member.crc:
        raise _bad(member.name, f"{len(content)} bytes", f"must have the {member.size} declared, with their checksum")
    return content


def _inflated(member: Member, packed: bytes) -> bytes:
    stream = zlib.decompressobj(-15)
    try:
        content = stream.decompress(packed, member.size + 1)
    except zlib.error:
        raise _bad(member.name, "damaged", "must be whole") from None
    if not stream.eof or stream.unused_data or len(packed) != member.packed:
        raise _bad(member.name, f"{member.packed} bytes packed", f"must unpack to the {member.size} bytes declared")
    return content


def _array(name: str, content: bytes) -> Array:
    """Returns a .npy member's array: kinds f, i, u and b alone, at most 4 axes, exactly the bytes of its shape."""
    if content[:6] != b"\x93NUMPY" or content[6:8] not in (b"\1\0", b"\2\0", b"\3\0"):
        if content[:1] == b"\x80":
            raise _bad(name, "a pickle", "is refused unopened: a pickle can run code")
        raise _bad(name, "no .npy", "must be an array as numpy.save writes it")
    width = 2 if content[6] == 1 else 4
    start = 8 + width
    length = int.from_bytes(content[8:start], "little")
    if length > HEADER_BYTES:
        raise _bad(name, f"a header of {length} bytes", f"must have at most {HEADER_BYTES}")
    match = NPY_HEADER.fullmatch(content[start : start + length])
    if not match:
        raise _bad(name, "its header", "must state descr, fortran_order and shape of plain numbers")
    return _plain(name, match, content[start + length :])


def _plain(name: str, match: re.Match[bytes], body: bytes) -> Array:
    descr, order, sizes = (part.decode() for part in match.groups())
    if "O" in descr:
        raise _bad(name, "a pickle of objects", "is refused unopened: a pickle can run code")
    if not re.fullmatch(r"[<>|=]?(?:f[248]|[iu][1248]|b1)", descr):
        raise _bad(name, f"dtype {descr}", "must be floats of 2 to 8 bytes, integers or booleans")
    shape = tuple(int(size) for size in sizes.replace(" ", "").split(",") if size)
    dtype = np.dtype(descr)
    if len(shape) > MOST_AXES or math.prod(shape) * dtype.itemsize != len(body):
        raise _bad(name, f"shape {shape}, {len(body)} bytes", f"must have at most {MOST_AXES} axes and their bytes")
    array = np.frombuffer(body, dtype).reshape(shape, order="F" if order == "True" else "C")
    return array.astype(dtype.newbyteorder("="))


def _bad(field: str, value: object, limit: str) -> InputError:
    return refuse(field, value, limit, "Write the file with numpy.savez, of plain arrays of numbers.")
