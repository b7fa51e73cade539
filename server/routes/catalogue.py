"""What can be chosen, and the limits."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request
from pydantic_core import to_json
from starlette.responses import Response

from server import openapi, settings
from server.catalogue import catalogue, choices
from server.components import ref
from server.conventions import conventions, reductions
from server.services import services

router = APIRouter(prefix="/api/v1", tags=["catalogue"])
ENTRIES: dict[str, Any] = {"type": "array", "items": {"type": "object"}}


def _answer(value: Any) -> Response:
    return Response(to_json(value), media_type="application/json", headers={"cache-control": "no-cache"})


@router.get("/options", **openapi.listed(ENTRIES))
async def options() -> Response:
    """Every option of a config: its kind, bounds or choices, default, meaning, and when it applies."""
    return _answer(catalogue()["options"])


@router.get("/presets", **openapi.listed(ENTRIES))
async def presets() -> Response:
    """Configs worth a look, each with a name."""
    return _answer(catalogue()["presets"])


@router.get("/questions", **openapi.listed(ENTRIES))
async def questions() -> Response:
    """The questions that bring people here, each with the config that answers it."""
    return _answer(catalogue()["questions"])


@router.get("/cells", **openapi.listed(ENTRIES))
async def cells() -> Response:
    """The recurrent cells."""
    return _answer(choices("cell"))


@router.get("/tasks", **openapi.listed(ENTRIES))
async def tasks() -> Response:
    """What a network can read and predict."""
    return _answer(choices("task"))


@router.get("/styles", **openapi.listed(ENTRIES))
async def styles() -> Response:
    """How the backward pass can be truncated."""
    return _answer(choices("style"))


@router.get("/conventions", **openapi.listed(ENTRIES))
async def all_conventions() -> Response:
    """Whose names, order and layout weights can have: each framework's cells, and every tensor of theirs."""
    return _answer(conventions())


@router.get("/reductions", **openapi.listed(ENTRIES))
async def all_reductions() -> Response:
    """How losses are reduced over time and batch, and the factor to ours; N loss steps, B samples."""
    return _answer(reductions())


@router.get("/limits", **openapi.listed(ref("Limits")))
async def limits(request: Request) -> Response:
    """Every limit in force: its value, unit and meaning."""
    return _answer(settings.limits(services(request).settings))
