"""Figures: each one a Plotly figure as JSON, its colours resolved for a theme."""

from __future__ import annotations

from dataclasses import replace

from fastapi import APIRouter, Request
from pydantic_core import to_json
from starlette.responses import Response

from server import openapi
from server.answering import answer_get
from server.figures import NAMES, includes_of
from server.problems import nearest, refuse
from server.queries import read_query

router = APIRouter(prefix="/api/v1/figures", tags=["figures"])
NAME = {"name": "name", "in": "path", "required": True, "schema": {"type": "string", "enum": list(NAMES)}}


@router.get("", **openapi.listed({"type": "array", "items": {"type": "string"}}))
async def names() -> Response:
    """The names of the figures."""
    return Response(to_json(list(NAMES)), media_type="application/json", headers={"cache-control": "no-cache"})


@router.get("/{name}", **openapi.asked("figure", (NAME,)))
async def one(request: Request) -> Response:
    """One figure of an analysis, ready for Plotly.newPlot."""
    name = request.path_params["name"]
    if name not in NAMES:
        raise refuse(404, "figure", name, "is no figure", nearest(name, list(NAMES)))
    query = read_query("figure", request.scope["query_string"], name)
    return await answer_get(request, replace(query, include=includes_of(name)))
