"""Each bound of an npz file is where it is said to be: what is just inside is read, what is just outside is not."""

from __future__ import annotations

import io
import struct
import zipfile
import zlib

import numpy as np
import pytest

from engine import InputError
from engine.weights import npz
from engine.weights.npz import Member, read_npz, write_plain
from tests.engine.false_files import archive, npy

ONE = {"a": np.arange(3.0)}
PACKED, UNPACKED = 20, 24  # where an entry of the directory has its sizes
MIB = 1 << 20


def claimed(entries: list[tuple[int, int]]) -> bytes:
    """Returns an archive whose directory says so many bytes, packed and unpacked, of its members."""
    data = bytearray(write_plain({f"a{n}": np.zeros(1) for n in range(len(entries))}))
    at = data.index(b"PK\1\2")
    for packed, size in entries:
        struct.pack_into("<2I", data, at + PACKED, packed, size)
        at = data.find(b"PK\1\2", at + 1)
    return bytes(data)


def refusal(data: bytes) -> str:
    with pytest.raises(InputError) as caught:
        read_npz(data)
    return str(caught.value)


def test_what_all_members_may_unpack_to() -> None:
    assert "must pack" in refusal(claimed([(8, 64 * MIB), (8, 64 * MIB)]))
    assert f"must unpack to {128 * MIB} at most" in refusal(claimed([(8, 64 * MIB), (8, 64 * MIB), (8, 1)]))


def test_members_may_not_have_more_bytes_than_the_file() -> None:
    length = len(claimed([(8, 8), (8, 8)]))
    assert "overlap" not in refusal(claimed([(length - 8, 8), (8, 8)]))
    assert "overlap" in refusal(claimed([(length - 8, 8), (9, 8)]))


@pytest.mark.parametrize(("packed", "size", "said"), [
    (64 * MIB, 64 * MIB, ""), (64 * MIB, 64 * MIB + 1, f"must unpack to {64 * MIB} bytes"),
    (1, 200, ""), (1, 201, "must pack 200 to 1"), (7, 1400, ""), (7, 1401, "must pack 200 to 1"),
    (0, 200, ""), (0, 201, "must pack 200 to 1")])  # fmt: skip
def test_what_a_member_may_unpack_to(packed: int, size: int, said: str) -> None:
    member = Member("a", 8, packed, size, 0, 0)
    if said:
        with pytest.raises(InputError, match=said):
            npz._require_small(member)
    else:
        npz._require_small(member)


def test_as_many_members_as_there_may_be() -> None:
    assert len(read_npz(write_plain({f"a{n}": np.zeros(1) for n in range(64)}))) == 64


def test_as_long_a_header_as_there_may_be() -> None:
    def padded(length: int) -> bytes:
        text = "{'descr': '|u1', 'fortran_order': False, 'shape': (1,), }"
        return archive({"a.npy": b"\x93NUMPY\1\0" + struct.pack("<H", length) + text.ljust(length).encode() + b"\7"})

    assert read_npz(padded(4096))["a"].tolist() == [7]
    assert "at most 4096" in refusal(padded(4097))


@pytest.mark.parametrize("flags", [1, 1 << 6, 1 << 13, 0x10, 0x1000])
def test_what_is_encrypted_or_more_is_refused(flags: int) -> None:
    data = bytearray(write_plain(ONE))
    struct.pack_into("<H", data, data.index(b"PK\1\2") + 8, flags)
    assert "not encrypted" in refusal(bytes(data))


@pytest.mark.parametrize("flags", [2, 4, 8, 0x800, 0x80E])
def test_flags_that_say_nothing_of_the_content_are_fine(flags: int) -> None:
    data = bytearray(write_plain(ONE))
    struct.pack_into("<H", data, data.index(b"PK\1\2") + 8, flags)
    assert read_npz(bytes(data))["a"].tolist() == [0, 1, 2]


@pytest.mark.parametrize("field", [4, 6, 8, 10, 20])
def test_an_ending_that_counts_falsely(field: int) -> None:
    """Disks, members on this one and in all, and a comment that is not there."""
    data = bytearray(write_plain(ONE))
    at = len(data) - 22 + field
    struct.pack_into("<H", data, at, struct.unpack_from("<H", data, at)[0] + 1)
    assert "must be one archive" in refusal(bytes(data))


@pytest.mark.parametrize("field", [12, 16])
def test_a_directory_of_another_place_or_size(field: int) -> None:
    """Also where the two errors of an ending make up for each other."""
    data = bytearray(write_plain(ONE))
    for at, more in ((field, 1), (28 - field, -1)):
        struct.pack_into("<I", data, len(data) - 22 + at, struct.unpack_from("<I", data, len(data) - 22 + at)[0] + more)
    assert "a false directory" in refusal(bytes(data))


def test_a_directory_with_bytes_left_over() -> None:
    data = write_plain(ONE)
    ending = bytearray(data[-22:])
    struct.pack_into("<I", ending, 12, struct.unpack_from("<I", ending, 12)[0] + 5)
    assert "as many members as it counts" in refusal(data[:-22] + b"extra" + ending)


@pytest.mark.parametrize("cut", [1, 5, 46])
def test_a_directory_that_ends_within_an_entry(cut: int) -> None:
    data = write_plain(ONE)
    with pytest.raises(InputError, match="a false directory"):
        npz.directory_entry(data, data.index(b"PK\1\2"), data.index(b"PK\1\2") + 46 - cut)
    npz.directory_entry(data, data.index(b"PK\1\2"), data.index(b"PK\1\2") + 46)


def test_a_signature_is_looked_at_in_the_directory_and_before_each_member() -> None:
    data = write_plain(ONE)
    assert "a false directory" in refusal(data.replace(b"PK\1\2", b"PK\1\3"))
    assert "a false offset" in refusal(data.replace(b"PK\3\4", b"PK\3\5"))


def test_an_offset_of_which_too_little_is_left() -> None:
    """A member's own head must be within the file; one that ends with it has no content."""
    head = struct.Struct("<4s5H3I2H").pack(b"PK\3\4", *[0] * 10)
    member = Member("a", 0, 0, 0, zlib.crc32(b""), 10)
    assert npz._contents(b"x" * 10 + head, member) == b""
    with pytest.raises(InputError, match="a false offset"):
        npz._contents(b"x" * 10 + head[:-1], member)


def test_comments_and_extra_fields_of_members_are_passed_over() -> None:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as out:
        for name in ("a.npy", "b.npy"):
            about = zipfile.ZipInfo(name)
            about.extra, about.comment = struct.pack("<2H3s", 0x9999, 3, b"abc"), b"a comment of some length"
            out.writestr(about, npy(np.full(2, float(len(name)))))
    assert {name: found.tolist() for name, found in read_npz(file.getvalue()).items()} == {"a": [5, 5], "b": [5, 5]}


def test_what_is_packed_must_end_where_it_is_said_to() -> None:
    whole = zlib.compress(b"x" * 40)[2:-4]
    for packed in (whole + b"more", b"\xff" * 20, whole[:-2]):
        with pytest.raises(InputError, match="must"):
            npz._inflated(Member("a", 8, len(packed), 40, 0, 0), packed)
    assert npz._inflated(Member("a", 8, len(whole), 40, 0, 0), whole) == b"x" * 40
    with pytest.raises(InputError, match="bytes packed"):  # cut off by the end of the file
        npz._inflated(Member("a", 8, len(whole) + 1, 40, 0, 0), whole)


@pytest.mark.parametrize("head", [b"\x93NUMPX\1\0", b"\x93NUMPY\4\0", b"\x93NUMPY\1\1", b"\x93NUMPY\0\0"])
def test_other_beginnings_of_a_member(head: bytes) -> None:
    whole = npy(np.ones(2))
    assert "no .npy" in refusal(archive({"a.npy": head + whole[8:]}))


@pytest.mark.parametrize("name", ["", "a b", "x" * 65, "a.b", "ä"])
def test_a_name_that_could_not_be_read_again_is_not_written(name: str) -> None:
    with pytest.raises(InputError, match="1 to 64 letters"):
        write_plain({name: np.zeros(1)})
    assert list(read_npz(write_plain({"x" * 64: np.zeros(1)}))) == ["x" * 64]


def test_what_is_written_byte_by_byte() -> None:
    """No clock, no machine, nothing besides: zip 2.0, stored, 1980-01-01; the numbers begin at multiples of 64."""
    data = write_plain({"a": np.zeros((2, 3)), "long_name": np.ones(12)})
    with zipfile.ZipFile(io.BytesIO(data)) as file:
        assert file.testzip() is None
        entries = file.infolist()
    for entry in entries:
        assert (entry.create_version, entry.create_system, entry.extract_version) == (20, 0, 20)
        assert (entry.flag_bits, entry.compress_type, entry.date_time) == (0, 0, (1980, 1, 1, 0, 0, 0))
        assert (entry.volume, entry.internal_attr, entry.external_attr) == (0, 0, 0)
        assert (entry.extra, entry.comment) == (b"", b"")
        size, length = entry.file_size, len(entry.filename)
        head = struct.pack("<4s5H3I2H", b"PK\3\4", 20, 0, 0, 0, 33, entry.CRC, size, size, length, 0)
        assert data[entry.header_offset :].startswith(head + entry.filename.encode() + b"\x93NUMPY\1\0")
        start = entry.header_offset + 30 + length
        width = struct.unpack_from("<H", data, start + 8)[0]
        assert (10 + width) % 64 == 0
        assert width < 128
        assert data[start + 9 + width : start + 10 + width] == b"\n"
    assert data[-22:] == struct.pack("<4s4H2IH", b"PK\5\6", 0, 0, 2, 2, 2 * 46 + 5 + 13, data.index(b"PK\1\2"), 0)
