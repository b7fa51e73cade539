"""The bug museum: its pages, its exhibits as JSON, and the finder."""

from __future__ import annotations

import asyncio
from dataclasses import asdict

from fastapi import APIRouter, Request
from pydantic_core import to_json
from starlette.convertors import Convertor, register_url_convertor
from starlette.responses import Response

from engine import Config
from engine.museum import BUGS
from engine.museum.source import MOST_CHARACTERS
from server import openapi
from server.answering import answer_get
from server.bodies import read_json_body
from server.components import ref
from server.museum import find_in, side_by_side
from server.problems import RefusedError, nearest, refuse
from server.queries import Query
from server.routes.pages import page
from server.services import services


class ExhibitName(Convertor[str]):
    """A name in an address; `find` is none, it is the finder's own."""

    regex = r"(?!find$)[^/]+"

    def convert(self, value: str) -> str:
        return value

    def to_string(self, value: str) -> str:
        return value


register_url_convertor("exhibit", ExhibitName())
router = APIRouter(tags=["museum"])
NAME = {"name": "name", "in": "path", "required": True, "schema": {"type": "string", "enum": list(BUGS)}}
LIST = {"type": "array", "items": ref("Bug")}
NO_CONFIG = Config(steps=2, batch=1, hidden=1)  # what an exhibit is computed on is its own
TITLES = {"pytorch": "PyTorch", "keras": "Keras 3 on TensorFlow", "numpy": "NumPy"}


@router.get("/bugs", include_in_schema=False)
async def bugs(request: Request) -> Response:
    """The page that lists the exhibits and takes a pasted error or loop."""
    return page(request, "museum.html", bugs=list(BUGS.values()), most=MOST_CHARACTERS)


@router.get("/bugs/{name}", include_in_schema=False)
async def bug(request: Request) -> Response:
    """One exhibit; its numbers and pictures are asked for by its script."""
    name = known(request)
    names = list(BUGS)
    here = names.index(name)
    return page(request, "exhibit.html", name, bug=BUGS[name], framework=TITLES[BUGS[name].framework],
                sides=side_by_side(name), before=BUGS[names[here - 1]] if here else None,
                after=BUGS[names[here + 1]] if here + 1 < len(names) else None, number=here + 1, count=len(names))


@router.get("/api/v1/bugs", **openapi.listed(LIST))
async def listed() -> Response:
    """The exhibits: name, title, summary, symptom, error text, remedy, and where people met each. Nothing is
    computed."""
    body = to_json([asdict(bug) for bug in BUGS.values()])
    return Response(body, media_type="application/json", headers={"cache-control": "no-cache"})


@router.post("/api/v1/bugs/find", **openapi.found_in_text())
async def find(request: Request) -> Response:
    """Which exhibits fit a pasted error message, stack trace or loop, and why. The text is read by rules; nothing of
    it is run or kept."""
    limits = services(request).settings
    body = await read_json_body(request, limits)
    found = await asyncio.to_thread(find_in, body, limits.json_depth)
    return Response(to_json(asdict(found)), media_type="application/json", headers={"cache-control": "no-store"})


@router.get("/api/v1/bugs/{name:exhibit}", **openapi.exhibited(NAME))
async def one(request: Request) -> Response:
    """One exhibit, computed: both programs, numbers of both, the two gradient pictures on one scale, the symptom."""
    name = known(request)
    if request.scope["query_string"]:
        raise refuse(422, "query", "given", "an exhibit takes no options", f"Ask for /api/v1/bugs/{name}.")
    return await answer_get(request, Query("museum", NO_CONFIG, frozenset(), False, name))


def known(request: Request) -> str:
    """Returns the exhibit's name in the address, or raises RefusedError (404)."""
    name: str = request.path_params["name"]
    if name not in BUGS:
        raise _unknown(name)
    return name


def _unknown(name: str) -> RefusedError:
    return refuse(404, "bug", name, "is no exhibit", nearest(name, list(BUGS)))
