"""Which form of an answer a client takes, and whether it has it already. (leaf)"""

from __future__ import annotations

from collections.abc import Sequence

from server.problems import refuse


def qualities(header: str) -> dict[str, float]:
    """Returns the names of an Accept-like header with their qualities; what cannot be read counts as 0."""
    found: dict[str, float] = {}
    for item in header.split(","):
        name, *parameters = (part.strip().lower() for part in item.split(";"))
        given = [p[2:].strip() for p in parameters if p.startswith("q=")]
        if name:
            found[name] = _number(given[0]) if given else 1.0
    return found


def _number(text: str) -> float:
    try:
        return min(1.0, max(0.0, float(text)))
    except ValueError:
        return 0.0


def media_type(accept: str | None, offered: Sequence[str]) -> str:
    """Returns the offered type that the client likes best, the first among equals; raises RefusedError (406)."""
    wanted = qualities(accept or "") or {"*/*": 1.0}

    def liked(media: str) -> float:
        names = (media, media.split("/")[0] + "/*", "*/*")
        return next((wanted[name] for name in names if name in wanted), 0.0)

    best = max(offered, key=liked)
    if liked(best) == 0:
        raise refuse(
            406,
            "Accept",
            accept,
            f"must take one of {', '.join(offered)}",
            f"Send Accept: {offered[0]}, or no Accept at all.",
        )
    return best


def takes_gzip(accept_encoding: str | None) -> bool:
    """Returns whether the client takes gzip."""
    wanted = qualities(accept_encoding or "")
    return wanted.get("gzip", wanted.get("*", 0.0)) > 0


def has_it(if_none_match: str | None, etag: str) -> bool:
    """Returns whether the client's tags name this one (RFC 9110: weak comparison)."""
    tags = [tag.strip().removeprefix("W/") for tag in (if_none_match or "").split(",")]
    return etag in tags or tags == ["*"]
