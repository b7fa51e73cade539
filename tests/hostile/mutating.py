"""Mutants of what a parser reads: bytes turned, cut out, doubled and put in, numbers and words replaced. (leaf)"""

from __future__ import annotations

import random
import re
from collections.abc import Callable

NUMBER = re.compile(rb"-?\d+(?:\.\d+)?")
NUMBERS = [b"0", b"-1", b"1e999", b"-1e999", b"nan", b"1_000", b"0x10", b"9" * 30, b"0." + b"1" * 30, b"1e-400", b"-0",
           b"+1", "\u0661\u0662".encode(), b"65536", b"2147483648", b"18446744073709551616", b"", b" ", b"1.0", b"true"]
BYTES = [b"\0", b"\xff", b"\x80", b"\n", b'"', b"\\", b"{", b"[", b"}", b"]", b",", b":", b"=", b"&", b"%", b"%00",
         b"'", b"(", b")", b"PK\1\2", b"PK\3\4", b"PK\5\6", b"\x93NUMPY", b"\xff\xff\xff\xff", b"\0\0\0\0",
         b"\0\0\0\x80", b"__metadata__", b"\xed\xa0\x80", b"\\ud800"]  # fmt: skip
Change = Callable[[bytes, random.Random], bytes]


def _turned(data: bytes, rng: random.Random) -> bytes:
    at = rng.randrange(len(data))
    return data[:at] + bytes([data[at] ^ 1 << rng.randrange(8)]) + data[at + 1 :]


def _cut(data: bytes, rng: random.Random) -> bytes:
    at = rng.randrange(len(data))
    return data[:at] + data[at + rng.choice([1, 1, 2, 4, 8, 100]) :]


def _ended(data: bytes, rng: random.Random) -> bytes:
    return data[: rng.randrange(len(data))]


def _doubled(data: bytes, rng: random.Random) -> bytes:
    at, length = rng.randrange(len(data)), rng.choice([1, 4, 16, 64])
    return data[: at + length] + data[at:]


def _put_in(data: bytes, rng: random.Random) -> bytes:
    at = rng.randrange(len(data) + 1)
    return data[:at] + rng.choice(BYTES) + data[at:]


def _put_over(data: bytes, rng: random.Random) -> bytes:
    at, piece = rng.randrange(len(data)), rng.choice(BYTES)
    return data[:at] + piece + data[at + len(piece) :]


def _near_the_end(data: bytes, rng: random.Random) -> bytes:
    """What an archive says of itself stands at its end."""
    at = max(0, len(data) - 1 - rng.randrange(200))
    return data[:at] + bytes([rng.choice([0, 1, 0x7F, 0xFF, rng.randrange(256)])]) + data[at + 1 :]


def _near_the_start(data: bytes, rng: random.Random) -> bytes:
    at = rng.randrange(min(16, len(data)))
    return data[:at] + bytes([rng.choice([0, 1, 0x7F, 0xFF, rng.randrange(256)])]) + data[at + 1 :]


def _another_number(data: bytes, rng: random.Random) -> bytes:
    found = list(NUMBER.finditer(data[:20_000]))
    if not found:
        return _turned(data, rng)
    match = rng.choice(found)
    return data[: match.start()] + rng.choice(NUMBERS) + data[match.end() :]


def _swapped(data: bytes, rng: random.Random) -> bytes:
    first, second, third = sorted(rng.randrange(len(data) + 1) for _ in range(3))
    return data[:first] + data[second:third] + data[first:second] + data[third:]


CHANGES: tuple[Change, ...] = (
    _turned, _cut, _ended, _doubled, _put_in, _put_over, _near_the_end, _near_the_start, _another_number, _swapped,
)  # fmt: skip


def mutant(data: bytes, rng: random.Random) -> bytes:
    """Returns the data with one to four things changed."""
    for _ in range(rng.choice([1, 1, 1, 2, 3, 4])):
        if data:
            data = rng.choice(CHANGES)(data, rng)
    return data
