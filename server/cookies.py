"""How a browser is told to keep something: no script can read it, and no other site sends it with a post."""

from __future__ import annotations

from starlette.responses import Response

from server.settings import Settings


def keep(response: Response, settings: Settings, name: str, value: str, seconds: int) -> None:
    """Adds a cookie to a response.

    A page that is embedded by another site gets its cookies only with SameSite=None, which browsers take over HTTPS
    alone. Partitioned cookies are kept apart for each site that embeds, so that none of them can use another's."""
    embedded = settings.hsts and settings.frame_ancestors not in ("'none'", "'self'")
    kind = "SameSite=None; Partitioned" if embedded else "SameSite=Lax"
    secure = "; Secure" if settings.hsts else ""
    response.headers.append("set-cookie", f"{name}={value}; HttpOnly; Max-Age={seconds}; Path=/; {kind}{secure}")
