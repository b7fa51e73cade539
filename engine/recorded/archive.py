"""A trace's archive, read from the outside in and in pieces, so that it takes the same memory whatever its size.

As for files of weights (`engine/weights/npz.py`): first how many members the last record counts, then what the
directory says of each, then each member's own header, and numbers only when all of that fits."""

from __future__ import annotations

import math
import re
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from engine.arrays import Array
from engine.errors import InputError, refuse
from engine.recorded import limits
from engine.weights.npz import DIRECTORY, END, LOCAL, NPY_HEADER, STORED, Member, directory_entry

HEADER_BYTES = 4096
LONGEST_NAME_BYTES = 68
MOST_EXTRA = 1024  # of an entry of the directory: zip64 sizes and times, where a writer adds them
KINDS = re.compile(r"[<>|=]?(?:f[248]|[iu][1248]|b1)")


@dataclass(frozen=True)
class Source:
    """A file: its size, and how to read bytes of it, (offset, length) -> bytes."""

    size: int
    read: Callable[[int, int], bytes]


@dataclass(frozen=True)
class Head:
    """What a .npy member says of itself before its numbers."""

    dtype: np.dtype[np.generic]
    fortran: bool
    shape: tuple[int, ...]
    start: int = 0  # where in the member the numbers begin

    @property
    def count(self) -> int:
        return math.prod(self.shape)


def source_of(data: bytes) -> Source:
    """Returns bytes as a source."""
    return Source(len(data), lambda offset, length: data[offset : offset + length])


def members_of(source: Source) -> list[Member]:
    """Returns the members, none of which has been looked at. Raises InputError for what is no plain archive."""
    if not END.size <= source.size <= limits.FILE_BYTES:
        raise bad("file", f"{source.size} bytes", f"must have {END.size} to {limits.FILE_BYTES} bytes",
                  SMALLER if source.size > limits.FILE_BYTES else REMEDY)
    last = source.read(source.size - END.size, END.size)
    if last[:4] != b"PK\5\6":
        raise bad("file", "no end of an archive", "must be a whole zip archive without a comment", _cut(source))
    _, disk, first, here, count, size, offset, comment = END.unpack(last)
    if disk or first or comment or here != count or not 0 < count <= limits.MOST_MEMBERS:
        raise bad("file", f"{count} members", f"must be one archive of 1 to {limits.MOST_MEMBERS} members")
    most = count * (DIRECTORY.size + LONGEST_NAME_BYTES + MOST_EXTRA)
    if size > most or offset + size != source.size - END.size:
        raise bad("file", "a false directory", "must have its directory at its end, and nothing around it")
    return _checked(_entries(source.read(offset, size), count), source.size)


def _cut(source: Source) -> str:
    """Returns the remedy for a file without an end: one that begins as an archive was cut short."""
    whole = source.read(0, 4) == b"PK\3\4"
    return "The file begins as one, so its end is missing: write or copy it again." if whole else REMEDY


def _entries(directory: bytes, count: int) -> list[Member]:
    members, at = [], 0
    for _ in range(count):
        member, at = directory_entry(directory, at, len(directory))
        members.append(member)
    if at != len(directory):
        raise bad("file", "a false directory", "must have as many members as it counts")
    return members


def _checked(members: list[Member], size: int) -> list[Member]:
    names = [member.name for member in members]
    if len(set(names)) != len(names):
        twice = next(name for name in names if names.count(name) > 1)
        raise bad(twice, "given twice", "must have a unique name")
    if sum(member.size for member in members) > limits.TOTAL_BYTES:
        unpacked = sum(member.size for member in members)
        raise bad("file", f"{unpacked} bytes", f"must unpack to {limits.TOTAL_BYTES} bytes at most", SMALLER)
    if sum(member.packed for member in members) > size:
        raise bad("file", "members that overlap", "must have each byte in one member at most")
    for member in members:
        if member.size > limits.MEMBER_BYTES:
            raise bad(member.name, f"{member.size} bytes", f"must unpack to {limits.MEMBER_BYTES} bytes at most",
                      SMALLER)
        free = member.size <= limits.FREE_BYTES or member.name in limits.SPARSE
        if not free and member.size > limits.MOST_RATIO * max(member.packed, 1):
            raise bad(member.name, f"{member.size} bytes in {member.packed}",
                      f"must pack {limits.MOST_RATIO} to 1 at most", "Write it with numpy.savez, unpacked.")
    return members


def pieces(source: Source, member: Member) -> Iterator[bytes]:
    """Yields a member's bytes; raises InputError where they are not those that were declared."""
    start = _start(source, member)
    done, checksum = 0, 0
    for piece in _raw(source, member, start) if member.method == STORED else _inflated(source, member, start):
        done += len(piece)
        if done > member.size:
            raise bad(member.name, f"over {member.size} bytes", "must unpack to the bytes that it declares")
        checksum = zlib.crc32(piece, checksum)
        yield piece
    if done != member.size or checksum != member.crc:
        wrong = f"{done} bytes" if done != member.size else "a false checksum"
        raise bad(member.name, wrong, f"must have the {member.size} bytes declared, with their checksum",
                  DAMAGED)


def _start(source: Source, member: Member) -> int:
    local = source.read(member.offset, LOCAL.size)
    if len(local) < LOCAL.size or local[:4] != b"PK\3\4":
        raise bad(member.name, "a false offset", "must stand where the directory says")
    *_, named, extra = LOCAL.unpack(local)
    name = source.read(member.offset + LOCAL.size, named)
    if name != f"{member.name}.npy".encode():
        raise bad(member.name, "another name inside", "must have the same name in the directory and before its bytes")
    start: int = member.offset + LOCAL.size + named + extra
    if start + member.packed > source.size:
        raise bad(member.name, "past the end", "must stand inside the file")
    return start


def _raw(source: Source, member: Member, start: int) -> Iterator[bytes]:
    if member.packed != member.size:
        raise bad(member.name, f"{member.packed} bytes", f"must have the {member.size} declared: it is not packed")
    for at in range(0, member.packed, limits.CHUNK_BYTES):
        yield source.read(start + at, min(limits.CHUNK_BYTES, member.packed - at))


def _inflated(source: Source, member: Member, start: int) -> Iterator[bytes]:
    """Yields what a packed member unpacks to, never more than a piece at a time."""
    stream = zlib.decompressobj(-15)
    at, waiting = 0, b""
    while not stream.eof:
        if not waiting:
            waiting = source.read(start + at, min(limits.CHUNK_BYTES, member.packed - at))
            at += len(waiting)
        last = not waiting  # nothing more comes in, but something may still come out
        try:
            piece = stream.decompress(waiting, limits.CHUNK_BYTES)
        except zlib.error:
            raise bad(member.name, "damaged", "must be whole", DAMAGED) from None
        waiting = stream.unconsumed_tail
        if piece:
            yield piece
        elif last and not stream.eof:
            raise bad(member.name, "cut short", "must be whole", DAMAGED)
    if stream.unused_data or at != member.packed:
        raise bad(member.name, f"{member.packed} bytes packed", f"must unpack to the {member.size} bytes declared")


def head_of(source: Source, member: Member) -> Head:
    """Returns what a member says of its numbers; at most one piece of it is read."""
    found = b""
    for piece in pieces(source, member):
        found += piece[: HEADER_BYTES + 12]
        if len(found) >= min(HEADER_BYTES + 12, member.size):
            break
    return _head(member, found)


def _head(member: Member, first: bytes) -> Head:
    name = member.name
    if first[:6] != b"\x93NUMPY" or first[6:8] not in (b"\1\0", b"\2\0", b"\3\0"):
        if first[:1] == b"\x80":
            raise bad(name, "a pickle", "is refused unopened: a pickle can run code")
        raise bad(name, "no .npy", "must be an array as numpy.save writes it")
    begin = 10 if first[6] == 1 else 12
    length = int.from_bytes(first[8:begin], "little")
    if length > HEADER_BYTES:
        raise bad(name, f"a header of {length} bytes", f"must have at most {HEADER_BYTES}")
    match = NPY_HEADER.fullmatch(first[begin : begin + length])
    if not match:
        raise bad(name, "its header", "must state descr, fortran_order and shape of plain numbers")
    descr, order, sizes = (part.decode() for part in match.groups())
    if "O" in descr:
        raise bad(name, "a pickle of objects", "is refused unopened: a pickle can run code")
    if not KINDS.fullmatch(descr):
        raise bad(name, f"dtype {descr}", "must be floats of 2 to 8 bytes, integers or booleans")
    shape = tuple(int(size) for size in sizes.replace(" ", "").split(",") if size)
    head = Head(np.dtype(descr), order == "True", shape, begin + length)
    if len(shape) > 4 or head.count * head.dtype.itemsize != member.size - head.start:
        raise bad(name, f"shape {shape}", f"must have at most 4 axes, and the {member.size - head.start} bytes that "
                  "follow its header")
    return head


def numbers(source: Source, member: Member, head: Head) -> Iterator[Array]:
    """Yields a member's numbers in the order of the file, in this machine's byte order."""
    left, skip = b"", head.start
    for piece in pieces(source, member):
        body = left + piece[skip:]
        skip = max(0, skip - len(piece))
        whole = len(body) - len(body) % head.dtype.itemsize
        left = body[whole:]
        if whole:
            yield np.frombuffer(body[:whole], head.dtype).astype(head.dtype.newbyteorder("="), copy=False)


SMALLER = "Record fewer updates, or ask about fewer losses: a tap's updates= and ask=."
DAMAGED = "The file is damaged: write or copy it again."
REMEDY = "Write the file with numpy.savez, as docs/traces.md says."


def bad(field: str, value: object, limit: str, remedy: str = REMEDY) -> InputError:
    """Returns the error for something about a trace file."""
    return refuse(field, value, limit, remedy)
