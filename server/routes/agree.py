"""Does it agree? Published results beside what the engine computes."""

from __future__ import annotations

from dataclasses import asdict

from fastapi import APIRouter, Request
from pydantic_core import to_json
from starlette.responses import Response

from engine import Config
from engine.published import RESULTS
from server import openapi
from server.answering import answer_get
from server.components import ref
from server.problems import nearest, refuse
from server.queries import Query
from server.routes.pages import page

router = APIRouter(tags=["agree"])
NAME = {"name": "name", "in": "path", "required": True, "schema": {"type": "string", "enum": list(RESULTS)}}
LIST = {"type": "array", "items": ref("About")}
NO_CONFIG = Config(steps=2, batch=1, hidden=1)  # what a published result is computed on is its own


@router.get("/agree", include_in_schema=False)
async def agree(request: Request) -> Response:
    """The page that shows each result with its source; the numbers are asked for by its script."""
    return page(request, "agree.html", results=list(RESULTS.values()))


@router.get("/api/v1/agree", **openapi.listed(LIST))
async def results() -> Response:
    """The published results: name, title, source and claim of each. Nothing is computed."""
    body = to_json([asdict(about) for about in RESULTS.values()])
    return Response(body, media_type="application/json", headers={"cache-control": "no-cache"})


@router.get("/api/v1/agree/{name}", **openapi.reproduced(NAME))
async def one(request: Request) -> Response:
    """One published result, computed anew: claimed and computed numbers, verdict, and a small picture's series."""
    name = request.path_params["name"]
    if name not in RESULTS:
        raise refuse(404, "result", name, "is no published result", nearest(name, list(RESULTS)))
    if request.scope["query_string"]:
        raise refuse(422, "query", "given", "a published result takes no options", f"Ask for /api/v1/agree/{name}.")
    return await answer_get(request, Query("agree", NO_CONFIG, frozenset(), False, name))
