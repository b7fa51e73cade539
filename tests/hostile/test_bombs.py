"""Bombs: little is sent, much would come of it. Each is refused soon, and the front process does not grow."""

from __future__ import annotations

import os
import re
import socket
import struct
import time
import zipfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from server.bodies import QUIET_SECONDS
from tests.engine.false_files import archive, npy, tensors
from tests.engine.false_traces import bomb, deep, lying_bomb, trace
from tests.server.live import PROC, Live, live
from tests.server.training_client import within

MIB = 2**20
BODY_SECONDS = 1  # that a body may take, for these tests
SECONDS, MOST_BYTES, TRIES = 0.05, 10 * MIB, 3
SENT_BYTES = 8 * MIB  # of those that would send for ever
JSON, NPZ = "application/json", "application/x-npz"


@pytest.fixture(scope="module")
def server() -> Iterator[Live]:
    with live(workers=1, light_workers=0, body_seconds=BODY_SECONDS) as running:
        running.get("/api/v1/estimate")
        post("/api/v1/weights", NPZ, b"PK")(running)
        yield running


Attack = Callable[[Live], tuple[int, float]]


def post(path: str, media: str, body: bytes, *more: str) -> Attack:
    lines = [f"POST {path} HTTP/1.1", "Host: localhost", f"Content-Type: {media}", "Connection: close", *more]
    return sent("\r\n".join([*lines, f"Content-Length: {len(body)}", "", ""]).encode() + body)


def sent(request: bytes, again: bytes = b"") -> Attack:
    """Sends a request, and what would go on for ever until the server has had enough of it."""

    def attack(server: Live) -> tuple[int, float]:
        with socket.create_connection(("127.0.0.1", server.port), timeout=20) as connection:
            try:
                connection.sendall(request)
                for _ in range(SENT_BYTES // len(again) if again else 0):
                    connection.sendall(again)
            except OSError:
                pass  # it was closed meanwhile: the answer may be there all the same
            begun = time.perf_counter()
            try:
                answer = connection.recv(65536)
            except ConnectionResetError:
                answer = b""
            seconds = time.perf_counter() - begun
        status = re.match(rb"HTTP/1\.1 (\d+)", answer)
        return int(status[1]) if status else 0, seconds

    return attack


def gzipped(count: int) -> bytes:
    """So many MiB of zeros, the packed one said again and again: to pack them all would take seconds."""
    packer, check = zlib.compressobj(9, zlib.DEFLATED, -15), 0
    block = packer.compress(bytes(MIB)) + packer.flush(zlib.Z_FULL_FLUSH)
    for _ in range(count):
        check = zlib.crc32(bytes(MIB), check)
    return b"\x1f\x8b\x08" + bytes(7) + block * count + b"\3\0" + struct.pack("<2I", check, count * MIB)


def members(count: int) -> bytes:
    """An archive of so many empty members, made by hand: zipfile would take a second."""
    local = struct.pack("<4s5H3I2H", b"PK\3\4", 20, 0, 0, 0, 0x21, 0, 0, 0, 1, 0) + b"a"
    entry = struct.pack("<4s6H3I5H2I", b"PK\1\2", 20, 20, 0, 0, 0, 0x21, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0) + b"a"
    end = struct.pack("<4s4H2IH", b"PK\5\6", 0, 0, count, count, len(entry) * count, len(local), 0)
    return local + entry * count + end


def shape(*sizes: int) -> bytes:
    """A .npy whose header promises much and which holds nothing."""
    text = f"{{'descr': '<f8', 'fortran_order': False, 'shape': {sizes}, }}".ljust(117) + "\n"
    return archive({"a.npy": b"\x93NUMPY\1\0" + struct.pack("<H", len(text)) + text.encode()})


GET = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n"
TO_ANALYSIS = b"POST /api/v1/analysis HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
CHUNKS = TO_ANALYSIS + b"Transfer-Encoding: chunked\r\n\r\n"
WEIGHTS, TRACES, ANALYSIS = "/api/v1/weights", "/api/v1/traces", "/api/v1/analysis"
# What may still be coming: nobody reads an answer while sending, and a body has its time.
WAITED_FOR = {"a body that is declared as 2**63": QUIET_SECONDS, "a body without an end": QUIET_SECONDS,
              "chunks of one byte": BODY_SECONDS}  # fmt: skip
BOMBS: dict[str, tuple[Attack, set[int]]] = {
    "npz of 1 GiB": (post(WEIGHTS, NPZ, bomb(2**30)), {422}),
    "npz of 4 GiB less a MiB": (post(WEIGHTS, NPZ, bomb(2**32 - MIB)), {422}),
    "npz of zeros, well packed": (
        post(WEIGHTS, NPZ, archive({"a.npy": npy(np.zeros(MIB))}, zipfile.ZIP_DEFLATED)), {422}),
    "npz that lies of its size": (post(WEIGHTS, NPZ, lying_bomb()), {422}),
    "npz of 65,535 members": (post(WEIGHTS, NPZ, members(65_535)), {422}),
    "npz of 2**60 numbers": (post(WEIGHTS, NPZ, shape(2**60)), {422}),
    "npz of 2**20 by 2**20 by 2**20": (post(WEIGHTS, NPZ, shape(2**20, 2**20, 2**20)), {422}),
    "safetensors with a header of 2**62": (post(WEIGHTS, NPZ[:-3] + "octet-stream", struct.pack("<Q", 2**62) + b"{}"),
                                           {415, 422}),
    "safetensors of 2**50 bytes": (
        post(WEIGHTS, "application/vnd.safetensors",
             tensors({"a": {"dtype": "F64", "shape": [2**47], "data_offsets": [0, 2**50]}})), {422}),
    "safetensors nested deep": (post(WEIGHTS, "application/vnd.safetensors", tensors("[" * 500_000)), {422}),
    "trace of 1 GiB": (post(TRACES, NPZ, bomb(2**30)), {422}),
    "trace that lies of its size": (post(TRACES, NPZ, lying_bomb()), {422}),
    "trace of 65,535 members": (post(TRACES, NPZ, members(65_535)), {422}),
    "trace nested deep": (post(TRACES, NPZ, trace(deep(100_000))), {422}),
    "gzip of 1 GiB": (post(ANALYSIS, JSON, gzipped(1024), "Content-Encoding: gzip"), {415}),
    "deflate": (post(ANALYSIS, JSON, zlib.compress(bytes(64 * MIB)), "Content-Encoding: deflate"), {415}),
    "two encodings": (post(ANALYSIS, JSON, b"{}", "Content-Encoding: identity, gzip"), {415}),
    "JSON nested deep": (post(ANALYSIS, JSON, b"[" * 500_000), {400}),
    "JSON of many digits": (post(ANALYSIS, JSON, b'{"config":{"seed":' + b"9" * 1_500_000 + b"}}"), {400, 422}),
    "a list of 500 kB that is wrong": (post(ANALYSIS, JSON, b'{"include":[' + b'"x",' * 125_000 + b'"x"]}'), {422}),
    "150,000 names": (post(ANALYSIS, JSON, b"{" + b",".join(b'"%d":0' % n for n in range(150_000)) + b"}"), {400}),
    "a body that is declared as 2**63": (sent(TO_ANALYSIS + b"Content-Length: 9223372036854775808\r\n\r\n"), {413}),
    "a body without an end": (sent(CHUNKS, b"10000\r\n" + b" " * 65536 + b"\r\n"), {413, 0}),
    "chunks of one byte": (sent(CHUNKS, b"1\r\n \r\n" * 10_000), {400, 408, 413, 0}),
    "a chunk's extension": (sent(CHUNKS + b"1;", b"a" * 65536), {400, 0}),
    "a trailer without an end": (sent(CHUNKS + b"0\r\n", b"x: " + b"a" * 65536 + b"\r\n"), {400, 0}),
    "a header without an end": (sent(GET + b"X: ", b"a" * 65536), {431, 0}),
    "headers without an end": (sent(GET, b"a: b\r\n" * 10_000), {431, 0}),
    "an address without an end": (sent(b"GET /", b"a" * 65536), {414, 0}),
    "a method without an end": (sent(b"", b"A" * 65536), {400, 414, 0}),
    "line ends without an end": (sent(b"", b"\r\n" * 32_768), {400, 408, 414, 431, 0}),
    "64 kB of parameters": (sent(GET.replace(b"/healthz", b"/api/v1/analysis?" + b"a=1&" * 16_000) + b"\r\n"), {414}),
    "2,000 parameters": (sent(GET.replace(b"/healthz", b"/api/v1/analysis?" + b"a=1&" * 2_000) + b"\r\n"), {400}),
    "an Accept of 16 kB": (sent(GET.replace(b"/healthz", b"/api/v1/analysis?k=0") + b"Accept: " + b"a/b;q=0.1," * 1_500
                                + b"\r\n\r\n"), {406, 422}),
    "16 kB of cookies": (sent(GET + b"Cookie: " + b"a=b; " * 3_000 + b"\r\n\r\n"), {200, 431}),
    "16 kB of ranges": (sent(GET + b"Range: bytes=" + b"0-1," * 3_000 + b"\r\n\r\n"), {200, 431}),
}  # fmt: skip


@pytest.mark.parametrize("name", BOMBS)
def test_a_bomb(server: Live, name: str) -> None:
    attack, statuses = BOMBS[name]
    with grown(server) as bytes_more:
        tries = [attack(server) for _ in range(1 if name in WAITED_FOR else TRIES)]
        more = bytes_more()
    assert {status for status, _ in tries} <= statuses
    assert min(seconds for _, seconds in tries) < within(SECONDS) + WAITED_FOR.get(name, 0)
    assert more <= MOST_BYTES
    assert server.get("/healthz")[0] == 200


class grown:  # noqa: N801
    """Yields a function: by how many bytes the front process has grown at most since."""

    def __init__(self, server: Live) -> None:
        self.folder = Path(f"/proc/{server.process.pid}")

    def __enter__(self) -> Callable[[], int]:
        if not PROC.is_dir():
            return lambda: 0
        (self.folder / "clear_refs").write_text("5")  # the peak begins anew
        before = self._peak()
        return lambda: self._peak() - before

    def __exit__(self, *_: object) -> None:
        pass

    def _peak(self) -> int:
        return int(re.findall(r"VmHWM:\s+(\d+) kB", (self.folder / "status").read_text())[0]) * 1024


def test_the_peak_is_seen(server: Live) -> None:
    """What is measured grows when something is held: a file of weights of 8 MB."""
    with grown(server) as bytes_more:
        status, _ = post(WEIGHTS, NPZ, os.urandom(8 * MIB - 1))(server)
        assert status == 422
        assert bytes_more() > MIB or not PROC.is_dir()
