"""Who a visitor is: a random name in a signed cookie, so that a run belongs to whoever started it.

The name says nothing about the person, and nothing is kept of it but beside the runs.
"""

from __future__ import annotations

import hashlib
import re
import secrets
from functools import lru_cache

from itsdangerous import BadSignature, Signer
from starlette.requests import Request
from starlette.responses import Response

from server.clients import Client, network
from server.cookies import keep
from server.secret import secret_of
from server.settings import Settings

COOKIE = "unrolled_visitor"
NAME = re.compile(r"[0-9a-f]{32}")
YEAR = 365 * 86_400
LONGEST, REMEMBERED = 128, 4096  # characters of a cookie of ours; cookies whose signature need not be looked at again


class Visitors:
    """Makes and reads the cookies of one server."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._signer: Signer | None = None
        self._named = lru_cache(REMEMBERED)(self._read)

    def known(self, request: Request) -> str | None:
        """Returns the visitor's name, or None for one that has no cookie of ours."""
        signed = request.cookies.get(COOKIE, "")
        return self._named(signed) if len(signed) < LONGEST else None

    def _read(self, signed: str) -> str | None:
        try:
            name = self._sign().unsign(signed).decode()
        except BadSignature:
            return None
        return name if NAME.fullmatch(name) else None

    def client(self, request: Request) -> Client:
        """Returns who a request is charged to: the visitor, or without a cookie the network that it comes from."""
        whence = network(request.client.host) if request.client else "unknown"
        return Client(self.known(request) or f"network {whence}", whence)

    def welcome(self, request: Request) -> str:
        """Returns the visitor's name, a new one if need be; `remember` puts it in the answer."""
        return self.known(request) or secrets.token_hex(16)

    def remember(self, response: Response, name: str) -> None:
        """Has the browser keep the name; no script can read it, and no other site sends it with a post."""
        keep(response, self._settings, COOKIE, self._sign().sign(name).decode(), YEAR)

    def _sign(self) -> Signer:
        if self._signer is None:
            self._signer = Signer(secret_of(self._settings), salt="visitor", digest_method=hashlib.sha256)
        return self._signer
