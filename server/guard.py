"""The outermost layer, pure ASGI: request limits, host names, security headers, and no stack trace, ever."""

from __future__ import annotations

import ipaddress
import logging
import secrets
from collections.abc import Callable, Sequence
from itertools import count

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from server import problems
from server.problems import RefusedError, refuse
from server.seen import KEY, Seen
from server.settings import LOOPBACK, Settings

log = logging.getLogger("unrolled")
LOOKED_AT = frozenset({b"host", b"sec-fetch-site", b"origin"})
CSP = (
    "default-src 'none'; script-src 'self'{script}; style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; "
    "connect-src 'self'; font-src 'self'; base-uri 'none'; form-action 'self'; "
    "frame-ancestors {ancestors}; object-src 'none'"
)


def content_security_policy(settings: Settings, script: str = "") -> str:
    """Returns the policy; `script` adds sources (hashes of inline scripts) for one page."""
    return CSP.format(script=script, ancestors=settings.frame_ancestors)


def security_headers(settings: Settings) -> dict[str, str]:
    """Returns the headers that every response carries (a response may set a header of its own instead)."""
    headers = {
        "content-security-policy": content_security_policy(settings),
        "x-content-type-options": "nosniff",
        "referrer-policy": "no-referrer",
        "cross-origin-opener-policy": "same-origin",
        "cross-origin-resource-policy": "same-origin",
        "permissions-policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    }
    return headers | ({"strict-transport-security": "max-age=31536000"} if settings.hsts else {})


class Guard:
    """Wraps the whole application. HEAD is answered as GET is, without the body."""

    def __init__(self, app: ASGIApp, settings: Settings, notes: Sequence[Callable[[Seen], None]] = ()) -> None:
        self.app, self.settings, self.notes = app, settings, notes
        self.headers = [(name.encode(), value.encode("latin-1")) for name, value in security_headers(settings).items()]
        self._ids = count(secrets.randbits(62))  # one after the other, from a place that no two servers share

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        seen = Seen(f"{next(self._ids):016x}", scope["method"])
        reply = _Reply(send, self.headers, seen)
        scope = {**scope, KEY: seen, "method": "GET" if reply.head else scope["method"]}
        try:
            await self._answer(scope, receive, reply)
        finally:
            route = scope.get("route")
            seen.route = getattr(route, "path", seen.route)
            for note in self.notes:
                note(seen)

    async def _answer(self, scope: Scope, receive: Receive, reply: _Reply) -> None:
        try:
            check(scope, self.settings)
            await self.app(scope, receive, reply.send)
        except RefusedError as refused:
            await problems.respond(refused.status, [refused.problem], refused.headers)(scope, receive, reply.send)
        except Exception:
            log.exception("request %s failed", reply.seen.id)
            if reply.started:
                raise
            await problems.internal()(scope, receive, reply.send)


class _Reply:
    """Sends one response, with the headers that it lacks."""

    def __init__(self, send: Send, headers: Sequence[tuple[bytes, bytes]], seen: Seen) -> None:
        self._send, self._headers, self.seen = send, headers, seen
        self.head, self.started = seen.method == "HEAD", False

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.started, self.seen.status = True, message["status"]
            own = {name for name, _ in message["headers"]}
            lacking = [header for header in self._headers if header[0] not in own]
            identity = (b"x-request-id", self.seen.id.encode())
            message = {**message, "headers": [*message["headers"], *lacking, identity]}
        elif self.head and message["type"] == "http.response.body":
            message = {**message, "body": b""}
        await self._send(message)


def check(scope: Scope, settings: Settings) -> None:
    """Raises RefusedError for a request that is too big, for another host, or sent by another site's page."""
    length = len(scope.get("raw_path") or scope["path"].encode()) + 1 + len(scope["query_string"])
    if length > settings.url_bytes:
        raise refuse(
            414,
            "address",
            f"{length} bytes",
            f"must have at most {settings.url_bytes} bytes",
            "Send a long text or series by POST, as JSON.",
        )
    total, headers, hosts = 0, {}, 0
    for name, value in scope["headers"]:
        total += len(name) + len(value) + 4
        if name in LOOKED_AT:
            headers[name] = value.decode("latin-1")
            hosts += name == b"host"
    if total > settings.header_bytes or len(scope["headers"]) > settings.header_count:
        raise refuse(
            431,
            "headers",
            f"{len(scope['headers'])} headers, {total} bytes",
            f"must be at most {settings.header_count} headers of {settings.header_bytes} bytes together",
            "Send fewer or shorter headers.",
        )
    if hosts > 1 or not host_allowed(headers.get(b"host", ""), settings):
        raise refuse(
            400,
            "Host",
            headers.get(b"host", ""),
            "is not a name of this server",
            "Use the address that the server printed, or start it with UNROLLED_ALLOWED_HOSTS=<name>.",
        )
    if scope["method"] not in ("GET", "OPTIONS"):
        check_origin(headers)


def check_origin(headers: dict[bytes, str]) -> None:
    """Raises RefusedError (403) for a request that another site's page sent: by Sec-Fetch-Site, or where a browser is
    too old to send that, by an Origin of another host (as Go's CrossOriginProtection does). Programs send neither."""
    site, origin = headers.get(b"sec-fetch-site"), headers.get(b"origin")
    if site is not None:
        if site not in ("same-origin", "none"):
            raise refuse(403, "Sec-Fetch-Site", site, "must be same-origin", "Other sites' pages may not post here.")
    elif origin is not None and origin.partition("://")[2].lower() != headers.get(b"host", "").lower():
        raise refuse(403, "Origin", origin, "must be this server", "Other sites' pages may not post here.")


def host_allowed(host: str, settings: Settings) -> bool:
    """Returns whether a Host header names this server.

    An attack by DNS rebinding needs a name, so plain addresses are fine once the server listens to others."""
    name, port = host.rsplit(":", 1) if ":" in host and not host.endswith("]") else (host, "")
    name = name.lower()
    if port and not (port.isascii() and port.isdigit()):  # localhost:80@evil.example would lead to another
        return False
    if name in LOOPBACK or name in settings.allowed_hosts or "*" in settings.allowed_hosts:
        return True
    if not settings.for_all:
        return False
    return name == settings.host.lower() or _is_address(name.strip("[]"))


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True
