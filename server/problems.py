"""What the server says when it cannot answer: RFC 9457 problems, short, and never a stack trace."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from difflib import get_close_matches
from http import HTTPStatus

from pydantic_core import to_json
from starlette.responses import Response

from engine.errors import Problem, shorten

MEDIA_TYPE = "application/problem+json"
MOST = 10
LONGEST = 400


class RefusedError(Exception):
    """Raised where a request is refused for another reason than its config; says how to do better."""

    def __init__(self, status: int, problem: Problem, headers: Mapping[str, str] | None = None) -> None:
        self.status, self.problem, self.headers = status, problem, dict(headers or {})
        super().__init__(str(problem))


def refuse(status: int, field: str, value: object, limit: str, remedy: str, **headers: str) -> RefusedError:
    """Returns the refusal for one thing; a long value is shortened. Header names are written with _ for -."""
    text = shorten(value)
    problem = Problem(field, text[1:-1] if isinstance(value, str) and text[-1] == text[0] else text, limit, remedy)
    return RefusedError(status, problem, {name.replace("_", "-"): text for name, text in headers.items()})


def nearest(name: str, known: Sequence[str]) -> str:
    """Returns the remedy for an unknown name: the nearest known one, or all of them."""
    near = get_close_matches(name[:64], known, n=1)
    return f"Did you mean {near[0]}?" if near else f"Use one of: {', '.join(known)}."


def encode(status: int, problems: Sequence[Problem]) -> bytes:
    """Returns the body of a problem: at most MOST items, each text at most LONGEST characters."""
    listed = [{name: text[:LONGEST] for name, text in asdict(problem).items()} for problem in problems[:MOST]]
    detail = " ".join(str(problem) for problem in problems[:1])[: 2 * LONGEST]
    if len(problems) > 1:
        detail += f" (and {len(problems) - 1} more)"
    return to_json(
        {
            "type": "about:blank",
            "title": HTTPStatus(status).phrase,
            "status": status,
            "detail": detail,
            "problems": listed,
        }
    )


def respond(status: int, problems: Sequence[Problem], headers: Mapping[str, str] | None = None) -> Response:
    """Returns the response for these problems. Refusals are not kept by caches."""
    return Response(encode(status, problems), status, {"cache-control": "no-store", **(headers or {})}, MEDIA_TYPE)


def internal() -> Response:
    """Returns the response for a fault of ours; the log has the details."""
    return respond(
        500,
        [
            Problem(
                "server",
                "-",
                "a fault in Unrolled, not in your request",
                "Please report it with the X-Request-ID of this answer.",
            )
        ],
    )
