"""The passphrase that everybody is asked for, where there is one; and the cookie of those who gave it."""

from __future__ import annotations

import hashlib
import hmac
from pathlib import Path

from itsdangerous import BadSignature, TimestampSigner
from starlette.responses import Response

from engine.errors import InputError, Problem
from server.cookies import keep
from server.secret import secret_of
from server.settings import Settings

COOKIE = "unrolled_entry"
SHORTEST, LONGEST = 8, 256  # characters
DAYS = 7
LONGEST_FILE = 4096
REMEDY = "Choose another one, or leave it out."


def passphrase_of(settings: Settings) -> str:
    """Returns the passphrase, "" for none. Raises InputError for one that cannot be used; it is never repeated."""
    found = settings.passphrase.get_secret_value()
    if settings.passphrase_file:
        if found:
            raise _wrong("passphrase_file", "given beside a passphrase", "one of the two is enough", "Leave one out.")
        found = _first_line(settings.passphrase_file)
    elif not found:
        return ""
    if not SHORTEST <= len(found) <= LONGEST or not found.isprintable():
        limit = f"must have {SHORTEST} to {LONGEST} printable characters"
        raise _wrong("passphrase", f"{len(found)} characters", limit, REMEDY)
    return found


def _first_line(name: str) -> str:
    try:
        with Path(name).open("rb") as file:
            text = file.read(LONGEST_FILE).decode()
    except OSError as error:
        raise _wrong("passphrase_file", name, error.strerror or "cannot be read", "Name a file to be read.") from None
    except UnicodeDecodeError:
        raise _wrong("passphrase_file", name, "must be text in UTF-8", "Write it anew.") from None
    return text.partition("\n")[0].removesuffix("\r")


def _wrong(field: str, value: str, limit: str, remedy: str) -> InputError:
    return InputError(Problem(field, value, limit, remedy))


class Passphrase:
    """Compares, and signs and reads the cookie. The cookies are worthless when the passphrase changes."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._digest = _digest(passphrase_of(settings))
        self._signer: TimestampSigner | None = None

    def fits(self, given: str) -> bool:
        """Returns whether this is the passphrase; how long that takes says nothing of it."""
        return hmac.compare_digest(_digest(given), self._digest)

    def entered(self, cookie: str) -> bool:
        """Returns whether a cookie is one of ours, and not too old."""
        try:
            self._sign().unsign(cookie, max_age=DAYS * 86_400)
        except BadSignature:
            return False
        return True

    def remember(self, response: Response) -> None:
        """Has the browser keep that it gave the passphrase."""
        keep(response, self._settings, COOKIE, self._sign().sign("entered").decode(), DAYS * 86_400)

    def _sign(self) -> TimestampSigner:
        if self._signer is None:
            salt = b"entry" + self._digest
            self._signer = TimestampSigner(secret_of(self._settings), salt, digest_method=hashlib.sha256)
        return self._signer


def _digest(text: str) -> bytes:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()
