"""The code beside the picture: a complete program for a config, as text. Nothing is computed, and nothing is run."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from fastapi import APIRouter, Request
from pydantic_core import to_json
from starlette.responses import Response

from server import openapi
from server.code import FRAMEWORKS, Framework, program, read_checked
from server.components import ref
from server.negotiation import has_it, media_type
from server.problems import nearest, refuse
from server.queries import etag, read_query

router = APIRouter(prefix="/api/v1/code", tags=["code"])
PYTHON, JSON = "text/x-python", "application/json"
NAME = {"name": "framework", "in": "path", "required": True, "schema": {"type": "string", "enum": list(FRAMEWORKS)}}
CHECKED = read_checked()


@router.get("", **openapi.listed({"type": "array", "items": ref("Framework")}))
async def frameworks() -> Response:
    """The frameworks that programs are written for, and what each was checked with."""
    body = to_json([_about(framework) for framework in FRAMEWORKS.values()])
    return Response(body, media_type=JSON, headers={"cache-control": "no-cache"})


@router.get("/{framework}", **openapi.asked("code", (NAME,)))
async def one(request: Request) -> Response:
    """A complete program for the config in the query, which prints the numbers of its analysis."""
    name = request.path_params["framework"]
    if name not in FRAMEWORKS:
        raise refuse(404, "framework", name, "has no program", nearest(name, list(FRAMEWORKS)))
    query = read_query("code", request.scope["query_string"])
    written = program(name, query.config)
    media = media_type(request.headers.get("accept"), (PYTHON, JSON))
    body = written.text.encode()
    if media == JSON:
        body = to_json({"program": written.text, "cut_lines": written.cut_lines, **_about(FRAMEWORKS[name])})
    tag = etag([media, body.decode()])
    headers = {"etag": tag, "cache-control": "no-cache", "vary": "accept"}
    if has_it(request.headers.get("if-none-match"), tag):
        return Response(status_code=304, headers=headers)
    return Response(body, media_type=media, headers=headers)


def _about(framework: Framework) -> dict[str, Any]:
    checked = CHECKED[framework.name]
    return {
        **asdict(framework),
        "language": "python",
        "checked_with": [asdict(package) for package in checked.packages],
        "checked": checked.sentence,
    }
