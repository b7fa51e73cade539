"""Who a visitor is: a random name in a signed cookie, so that a run belongs to whoever started it.

The name says nothing about the person, and nothing is kept of it but beside the runs. The secret that
signs it lies in the data folder, readable by the server's user alone; who deletes it makes all cookies
worthless.
"""

from __future__ import annotations

import hashlib
import logging
import os
import re
import secrets
from pathlib import Path

from itsdangerous import BadSignature, Signer
from starlette.requests import Request
from starlette.responses import Response

from server.clients import network
from server.settings import Settings
from server.store.opening import default_folder

log = logging.getLogger("unrolled")
COOKIE = "unrolled_visitor"
FILE = "secret"
NAME = re.compile(r"[0-9a-f]{32}")
YEAR = 365 * 86_400
SHORTEST = 32  # characters of a secret


class Visitors:
    """Makes and reads the cookies of one server."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._signer: Signer | None = None

    def known(self, request: Request) -> str | None:
        """Returns the visitor's name, or None for one that has no cookie of ours."""
        try:
            name = self._sign().unsign(request.cookies.get(COOKIE, "")).decode()
        except BadSignature:
            return None
        return name if NAME.fullmatch(name) else None

    def client(self, request: Request) -> str:
        """Returns who a request is charged to: the visitor, or without a cookie the network that it comes from."""
        return self.known(request) or f"network {network(request.client.host) if request.client else 'unknown'}"

    def welcome(self, request: Request) -> str:
        """Returns the visitor's name, a new one if need be; `remember` puts it in the answer."""
        return self.known(request) or secrets.token_hex(16)

    def remember(self, response: Response, name: str) -> None:
        """Has the browser keep the name; no script can read it, and no other site sends it with a post."""
        response.set_cookie(
            COOKIE,
            self._sign().sign(name).decode(),
            max_age=YEAR,
            httponly=True,
            samesite="lax",
            secure=self._settings.hsts,
        )

    def _sign(self) -> Signer:
        if self._signer is None:
            folder = Path(self._settings.data) if self._settings.data else default_folder()
            self._signer = Signer(_secret(folder), salt="visitor", digest_method=hashlib.sha256)
        return self._signer


def _secret(folder: Path) -> str:
    """Returns the secret of this folder, made when it is first needed; where it cannot be kept, one for now."""
    path = folder / FILE
    try:
        folder.mkdir(parents=True, mode=0o700, exist_ok=True)
        if not path.exists():
            _write(path, secrets.token_hex(32))
        found = path.read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError) as error:
        log.warning("%s cannot be used (%s): cookies are good until the server ends", path.name, error)
        return secrets.token_hex(32)
    if len(found) >= SHORTEST:
        return found
    path.unlink()  # cut short
    return _secret(folder)


def _write(path: Path, content: str) -> None:
    """Writes the file whole, or not at all: another server may be starting in the same folder."""
    made = path.with_name(f"{path.name}.{secrets.token_hex(4)}")
    with os.fdopen(os.open(made, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(content)
    try:
        os.link(made, path)
    except FileExistsError:
        return
    finally:
        made.unlink()
