"""Before everything but /healthz, where there is a passphrase: a page that asks for it, or a Bearer token of it.

It is never in an address, and never in the log.
"""

from __future__ import annotations

import asyncio
import contextlib
import math
import re
from urllib.parse import parse_qs

from jinja2 import Environment
from starlette.datastructures import MutableHeaders
from starlette.requests import ClientDisconnect, Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from server.bodies import read_typed_body
from server.clients import network
from server.guesses import Guesses
from server.passphrase import COOKIE, LONGEST, Passphrase
from server.problems import RefusedError, refuse
from server.seen import seen
from server.settings import Settings

ENTER = "/enter"
OPEN = "/healthz"  # so that what watches over the server needs no passphrase
FORM = "application/x-www-form-urlencoded"
MOST_BYTES = 16 * 1024
OWN_ADDRESS = re.compile(r"/(?![/\\])[^\\\x00-\x20\x7f]*")
ASKED = "Say the passphrase in a browser, or send it as Authorization: Bearer <passphrase>."


class Door:
    """Lets in those who know the passphrase."""

    def __init__(self, app: ASGIApp, settings: Settings, templates: Environment) -> None:
        self.app, self.settings, self.templates = app, settings, templates
        self.passphrase = Passphrase(settings)
        self.guesses = Guesses()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"] == OPEN:
            await self.app(scope, receive, send)
            return
        request = Request(scope, receive)
        if scope["path"] == ENTER:
            seen(scope).route = ENTER
            with contextlib.suppress(ClientDisconnect):
                await (await self._enter(request))(scope, receive, send)
        elif self.passphrase.entered(request.cookies.get(COOKIE, "")) or self._bears(request):
            await self.app(scope, receive, _for_one_alone(send))
        else:
            await self._asked(request)(scope, receive, send)

    def _bears(self, request: Request) -> bool:
        kind, _, token = request.headers.get("authorization", "").partition(" ")
        return kind.lower() == "bearer" and self._guess(request, _as_sent(token.strip()))

    def _guess(self, request: Request, given: str) -> bool:
        """Returns whether a guess is right; raises RefusedError (429) after too many that were not."""
        whence = network(request.client.host) if request.client else "unknown"
        now = asyncio.get_running_loop().time()
        wait = math.ceil(self.guesses.wait(whence, now))
        if wait:
            limit, remedy = "was guessed wrong too often", f"Try again in {wait} s."
            raise refuse(429, "passphrase", "-", limit, remedy, Retry_After=str(wait))
        right = self.passphrase.fits(given)
        if not right:
            self.guesses.wrong(whence, now)
        return right

    def _asked(self, request: Request) -> Response:
        """Returns the page that asks, to a browser that wants one; else raises RefusedError (401)."""
        if request.method != "GET" or "text/html" not in request.headers.get("accept", ""):
            raise refuse(401, "passphrase", "none", "is asked for by this server", ASKED, WWW_Authenticate="Bearer")
        query = request.scope["query_string"].decode("latin-1")
        return self._page(request.url.path + (f"?{query}" if query else ""))

    async def _enter(self, request: Request) -> Response:
        if request.method != "POST":
            return RedirectResponse("/", 303, {"cache-control": "no-store"})
        _, body = await read_typed_body(request, [FORM], MOST_BYTES, self.settings.body_seconds)
        given, further = _fields(body)
        try:
            if not self._guess(request, given):
                return self._page(further, "That was not the passphrase.")
        except RefusedError as refused:
            return self._page(further, f"Too many wrong ones. {refused.problem.remedy}", 429, refused.headers)
        response = RedirectResponse(further, 303, {"cache-control": "no-store"})
        self.passphrase.remember(response)
        return response

    def _page(
        self, further: str, wrong: str = "", status: int = 401, headers: dict[str, str] | None = None
    ) -> Response:
        body = self.templates.get_template("enter.html").render(further=own(further), wrong=wrong, longest=LONGEST)
        told = {"cache-control": "no-store", "www-authenticate": "Bearer", **(headers or {})}
        return HTMLResponse(body, status, told)


def _as_sent(header: str) -> str:
    """Returns a header's text: some programs send UTF-8, others Latin-1, as which it was read."""
    try:
        return header.encode("latin-1").decode()
    except UnicodeDecodeError:
        return header


def _fields(body: bytes) -> tuple[str, str]:
    """Returns what a form says: the passphrase, and where to go from here."""
    try:
        found = parse_qs(body.decode("ascii"), errors="strict", max_num_fields=8)
    except ValueError:
        raise refuse(400, "body", f"{len(body)} bytes", "must be a form", "Send it from the page.") from None
    return found.get("passphrase", [""])[0], own(found.get("further", ["/"])[0])


def own(address: str) -> str:
    """Returns an address of this server, as it is; for any other one, the first page's."""
    return address if OWN_ADDRESS.fullmatch(address) else "/"


def _for_one_alone(send: Send) -> Send:
    """Returns a `send` that lets no shared cache keep an answer: it would hand it to those outside."""

    async def sending(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            kept = headers.get("cache-control", "private")
            headers["cache-control"] = kept.replace("public", "private")
        await send(message)

    return sending
