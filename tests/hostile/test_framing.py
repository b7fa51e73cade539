"""Where a request ends: what can be read in two ways is refused, by a problem, and nothing after it is a request.

Proxies and servers that differ about the end of a request can be played against each other (request smuggling)."""

from __future__ import annotations

import contextlib
import json
import re
import socket
import time
import urllib.request
from collections.abc import Iterator

import pytest

from scripts.nginx import front
from tests.server.live import Live, live
from tests.server.training_client import within

LIMIT = 1.0  # seconds for a head, and for a body
LINES = b"Host: localhost\r\nContent-Type: application/json\r\n"
POST = b"POST /api/v1/estimate HTTP/1.1\r\n" + LINES
CHUNKED = POST + b"Transfer-Encoding: chunked\r\n\r\n"
BODY = b'{"config":{}}'
WHOLE = b"d\r\n" + BODY + b"\r\n0\r\n\r\n"
AFTER = b"GET /smuggled HTTP/1.1\r\nHost: localhost\r\n\r\n"
LAST = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
MUCH = b"y" * 2**20

SIZES = [b"zz", b"-d", b"+d", b"0xd", b"0_d", b" d", b"d ", b"", b"1000000000000000d", b"fffffffffffffffff", b"d\0",
         b"\xef\xbc\x91", b"d;a=" + MUCH]  # fmt: skip
BAD_CHUNKS = {
    **{f"size {size[:20]!r}": CHUNKED + size + b"\r\n" + BODY + b"\r\n0\r\n\r\n" for size in SIZES},
    "longer than its size": CHUNKED + b"d\r\n" + BODY + b"xx\r\n0\r\n\r\n",
    "shorter than its size": CHUNKED + b"e\r\n" + BODY + b"\r\n0\r\n\r\n",
    "size, LF": CHUNKED + b"d\n" + BODY + b"\r\n0\r\n\r\n",
    "content, LF": CHUNKED + b"d\r\n" + BODY + b"\n0\r\n\r\n",
    "content, CR": CHUNKED + b"d\r\n" + BODY + b"\r0\r\n\r\n",
    "extension, LF": CHUNKED + b"d;a\n" + BODY + b"\r\n0\r\n\r\n",
    "a large trailer": CHUNKED + WHOLE[:-2] + b"X: " + MUCH + b"\r\n\r\n",
    "many trailers": CHUNKED + WHOLE[:-2] + b"X: y\r\n" * 2**17 + b"\r\n",
    "a length as a trailer": CHUNKED + WHOLE[:-2] + b"Content-Length: 50\r\n\r\n",
    "single bytes with extensions": CHUNKED + b"1;an-extension-of-some-length\r\n{\r\n" * 2**14,
}
LENGTHS = [b"13\r\nContent-Length: 14", b"13\r\nContent-Length: 13", b"13, 13", b"+13", b"0xd", b"1 3", b"-13", b"",
           b"18446744073709551629", b"\xef\xbc\x91\xef\xbc\x93", b"13\n", b"\r\n 13"]  # fmt: skip
CODINGS = [b"xchunked", b"identity", b"chunked, identity", b"identity, chunked", b"gzip, chunked", b"chunked, chunked",
           b"chunked\r\nTransfer-Encoding: chunked", b"chunked\r\nTransfer-Encoding: x", b"\x0bchunked", b'"chunked"',
           b"x\r\nTransfer-Encoding: chunked", b"chunked\0", b"chunked;q=1", b"", b"\r\n chunked",
           b"chunked\r\nContent-Length: 5", b"chunked\nX: y"]  # fmt: skip
NO_PATH = [b"CONNECT localhost:80", b"GET http://localhost", b"GET http://localhost?x", b"GET http://"]
BAD_HEADS = {
    **{f"length {text!r}": POST + b"Content-Length: " + text + b"\r\n\r\n" + BODY for text in LENGTHS},
    **{f"coding {text!r}": POST + b"Transfer-Encoding: " + text + b"\r\n\r\n" + WHOLE for text in CODINGS},
    "CL.TE": POST + b"Content-Length: 18\r\nTransfer-Encoding: chunked\r\n\r\n" + WHOLE,
    "a length, and a space": POST + b"Content-Length : 13\r\n\r\n" + BODY,
    "a coding, and a space": POST + b"Transfer-Encoding : chunked\r\n\r\n" + WHOLE,
    "a coding, folded": POST + b"X: a\r\n Transfer-Encoding: chunked\r\n\r\n" + WHOLE,
    "a header, and a space": LAST.replace(b"Connection:", b"X : y\r\nConnection:"),
    "a header, folded": LAST.replace(b"Connection:", b"X: a\r\n b\r\nConnection:"),
    "another host in the address": LAST.replace(b"/healthz", b"http://evil.example/healthz"),
    "a user in the address": LAST.replace(b"/healthz", b"http://localhost@evil.example/healthz"),
    "two hosts": LAST.replace(b"Connection:", b"Host: evil.example\r\nConnection:"),
    "two hosts, ours last": LAST.replace(b"Host:", b"Host: evil.example\r\nHost:"),
    "a space in the address": LAST.replace(b"/healthz", b"/a b"),
    **{f"no path: {line!r}": line + b" HTTP/1.1\r\n" + LINES + b"\r\n" for line in NO_PATH},
    "LF": POST.replace(b"\r\n", b"\n") + b"Content-Length: 13\n\n" + BODY,
    "CR": POST + b"X: a\rContent-Length: 3\r\nContent-Length: 13\r\n\r\n" + BODY,
}  # fmt: skip
# May be fine, and is another request to nobody.
FINE = {
    "in chunks": CHUNKED + WHOLE,
    "zeros": CHUNKED + b"0" * 30 + WHOLE,
    "an extension": CHUNKED + b"d;a=b\r\n" + BODY + b"\r\n0;c\r\n\r\n",
    "a trailer": CHUNKED + WHOLE[:-2] + b"X: y\r\n\r\n",
    "a tab": POST + b"Transfer-Encoding:\tchunked\r\n\r\n" + WHOLE,
    "another name": POST + b"Transfer_Encoding: chunked\r\nContent-Length: 13\r\n\r\n" + BODY,
    "a request in a body": POST + b"Content-Length: %d\r\n\r\n" % len(AFTER) + AFTER,
    "a body of GET": LAST.replace(b"close\r\n", b"keep-alive\r\nContent-Length: %d\r\n" % len(AFTER)) + AFTER,
    "a body of GET in chunks": LAST.replace(b"Connection: close", b"Transfer-Encoding: chunked")
    + b"%x\r\n%s\r\n0\r\n\r\n" % (len(AFTER), AFTER),
    "a whole address": LAST.replace(b"/healthz", b"HTTP://LOCALHOST/healthz"),
    "an upgrade": b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: upgrade\r\nUpgrade: h2c\r\n\r\n",
    "HTTP/1.0": POST.replace(b"1.1", b"1.0") + b"Connection: keep-alive\r\nTransfer-Encoding: chunked\r\n\r\n" + WHOLE,
}  # fmt: skip


@pytest.fixture(scope="module")
def server() -> Iterator[Live]:
    limits = {"header_seconds": LIMIT, "body_seconds": LIMIT}
    with live(workers=1, light_workers=0, trusted_proxies="127.0.0.1", **limits) as found:
        yield found


@pytest.fixture(scope="module")
def address(server: Live) -> Iterator[tuple[str, int]]:
    with front(server.port) as found:
        yield "127.0.0.1", int(found.rpartition(":")[2])


def answers(port: int, *pieces: bytes, seconds: float = 10) -> bytes:
    """Returns all that comes back until the other side closes, with some time between the pieces that are sent."""
    found = b""
    with socket.create_connection(("127.0.0.1", port), timeout=seconds) as connection:
        with contextlib.suppress(ConnectionError):  # it was closed meanwhile: the answer may be there all the same
            for piece in pieces:
                connection.sendall(piece)
                time.sleep(0.02 if len(pieces) > 1 else 0)
        with contextlib.suppress(ConnectionResetError):
            while part := connection.recv(65536):
                found += part
    return found


def statuses(found: bytes) -> list[int]:
    return [int(status) for status in re.findall(rb"HTTP/1\.1 (\d{3}) ", found)]


@pytest.mark.parametrize("request_", [*BAD_CHUNKS.values(), *BAD_HEADS.values()], ids=[*BAD_CHUNKS, *BAD_HEADS])
def test_what_has_no_clear_end_is_refused_and_is_the_last(server: Live, request_: bytes) -> None:
    found = answers(server.port, request_ + AFTER + LAST)
    assert statuses(found) == [400]
    head, _, body = found.partition(b"\r\n\r\n")
    assert b"content-type: application/problem+json" in head
    assert b"connection: close" in head
    assert json.loads(body)["problems"][0]["remedy"]
    assert b"config" not in found
    assert b"yyyy" not in found


def test_a_whole_address_of_this_host_is_served(server: Live) -> None:
    assert statuses(answers(server.port, FINE["a whole address"])) == [200]


def test_a_body_that_breaks_off_later_is_refused_too(server: Live) -> None:
    assert statuses(answers(server.port, CHUNKED, b"d\r\n" + BODY, b"\r\n", b"zz\r\n", AFTER)) == [400]


@pytest.mark.parametrize("pieces", [1, 2])
@pytest.mark.parametrize("trailer", [b"Host: evil.example", b"Content-Type: text/plain", b"Origin: http://evil.example",
                                     b"Content-Encoding: gzip"])  # fmt: skip
def test_what_follows_a_body_is_none_of_its_headers(server: Live, trailer: bytes, pieces: int) -> None:
    first, rest = CHUNKED + WHOLE[:-2], trailer + b"\r\n\r\n" + LAST
    assert statuses(answers(server.port, *([first, rest] if pieces == 2 else [first + rest]))) == [200, 200]


def test_chunks_of_one_byte_are_read(server: Live) -> None:
    text = b'{"config":{"steps":7}}' + b" " * 20_000
    small = b"".join(b"1\r\n%c\r\n" % letter for letter in text)
    found = answers(server.port, CHUNKED + small + b"0\r\n\r\n" + LAST)
    assert statuses(found) == [200, 200]


def test_an_answer_that_is_due_comes_before_the_connection_is_closed_for_what_follows(server: Live) -> None:
    found = answers(server.port, CHUNKED + WHOLE + b"\x16\x03 garbage\r\n\r\n" + AFTER)
    assert statuses(found) == [200]
    assert b"connection: close" in found


@pytest.mark.parametrize("line", NO_PATH)
def test_an_answer_that_is_due_comes_before_the_connection_is_closed_for_a_request_without_a_path(
    server: Live, line: bytes
) -> None:
    found = answers(server.port, CHUNKED + WHOLE + line + b" HTTP/1.1\r\n" + LINES + b"\r\n" + AFTER)
    assert statuses(found) == [200]
    assert b"connection: close" in found


def test_a_broken_body_of_a_later_request_is_no_answer_to_an_earlier_one(server: Live) -> None:
    found = answers(server.port, CHUNKED + WHOLE + CHUNKED + b"zz\r\n" + AFTER)
    assert statuses(found) in ([], [200], [200, 400])  # in the last case the first was answered before


@pytest.mark.parametrize("letters", [b"x", b"1\r\nx\r\n"], ids=["length", "chunks"])
def test_a_body_that_has_been_answered_has_an_end(server: Live, letters: bytes) -> None:
    """It would hold a connection for ever otherwise, among those that nobody counts."""
    framing = b"Content-Length: 100000\r\n\r\n" if letters == b"x" else b"Transfer-Encoding: chunked\r\n\r\n"
    check_closed(server, POST.replace(b"/api/v1/estimate", b"/nothing") + framing, letters, [404])


def test_empty_lines_between_requests_have_an_end(server: Live) -> None:
    check_closed(server, CHUNKED + WHOLE, b"\r\n", [200, 408])


def test_trailers_after_an_answer_have_an_end(server: Live) -> None:
    with socket.create_connection(("127.0.0.1", server.port), timeout=within(10)) as connection:
        connection.sendall(CHUNKED.replace(b"/api/v1/estimate", b"/nothing"))
        found = connection.recv(65536)
        with pytest.raises(ConnectionError):  # noqa: PT012  each may be the one that fails
            connection.sendall(b"0\r\n")
            for _ in range(64):
                connection.sendall(b"X: " + MUCH)
    assert statuses(found) == [404]


def check_closed(server: Live, request: bytes, letters: bytes, expected: list[int]) -> None:
    """Sends a little again and again, and sees that the connection is closed in time."""
    found, end = b"", time.monotonic() + within(5 * LIMIT)
    with socket.create_connection(("127.0.0.1", server.port), timeout=0.1) as connection:
        connection.sendall(request)
        with contextlib.suppress(ConnectionError):
            while True:
                assert time.monotonic() < end, "it is still open"
                with contextlib.suppress(TimeoutError):
                    part = connection.recv(65536)
                    found += part
                    if not part:
                        break
                connection.sendall(letters)
    assert statuses(found) == expected


def counted(server: Live) -> int:
    """Returns how many requests the server has read, without this one."""
    with urllib.request.urlopen(f"http://127.0.0.1:{server.port}/metrics", timeout=10) as answer:
        lines = answer.read().decode().splitlines()
    counts = [float(line.split()[-1]) for line in lines if line.startswith("unrolled_requests_total{")]
    return int(sum(counts))


@pytest.mark.parametrize("request_", [*BAD_CHUNKS.values(), *BAD_HEADS.values(), *FINE.values()],
                         ids=[*BAD_CHUNKS, *BAD_HEADS, *FINE])  # fmt: skip
def test_nginx_and_the_server_read_the_same_requests(server: Live, address: tuple[str, int], request_: bytes) -> None:
    """As many as nginx hands over, and passes the answers of; and whoever comes next gets an answer of their own."""
    before = counted(server)
    found = answers(address[1], request_ + LAST)
    handed = found.lower().count(b"\r\nx-request-id: ")
    assert counted(server) - before - 1 == handed
    assert b"/smuggled" not in found
    own = answers(address[1], LAST)
    assert (statuses(own), own.lower().count(b"\r\nx-request-id: ")) == ([200], 1)
