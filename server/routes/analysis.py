"""Analyses, certificates and estimates: a GET is a pure function of its query; a POST also takes arrays."""

from __future__ import annotations

from dataclasses import asdict, replace

from fastapi import APIRouter, Request
from pydantic_core import to_json
from starlette.responses import Response

import engine
from engine.cost import MOST_STEPS
from server import openapi, settings
from server.answering import answer_get, answer_long, answer_post, answer_upload, read_post
from server.queries import Query, read_query
from server.services import services
from server.work import check_affordable

router = APIRouter(prefix="/api/v1", tags=["analysis"])


@router.get("/analysis", **openapi.asked("analysis"))
async def get_analysis(request: Request) -> Response:
    """One config, analysed: norms, credit, costs, carry-over, words and certificates."""
    return await answer_get(request, read_query("analysis", request.scope["query_string"]))


@router.post("/analysis", **openapi.posted("analysis"))
async def post_analysis(request: Request) -> Response:
    """The same, of a JSON body, which may hold your own weights, data and initial state."""
    return await answer_post(request, "analysis")


@router.get("/certificate", **openapi.asked("certificate"))
async def get_certificate(request: Request) -> Response:
    """The certificates alone: the displayed gradients against complex-step derivatives."""
    return await answer_get(request, read_query("certificate", request.scope["query_string"]))


@router.post("/certificate", **openapi.posted("certificate"))
async def post_certificate(request: Request) -> Response:
    """The same, of a JSON body."""
    return await answer_post(request, "certificate")


@router.get("/long", **openapi.asked("long"))
async def get_long(request: Request) -> Response:
    """A long sequence at a glance: every step, binned, what truncation costs over all of it, and certificates."""
    return await answer_get(request, read_query("long", request.scope["query_string"]))


@router.post("/long", **openapi.posted("long"))
async def post_long(request: Request) -> Response:
    """The same, of a JSON body: a whole book, your own weights."""
    return await answer_long(request, "long")


@router.get("/closeup", **openapi.asked("closeup"))
async def get_closeup(request: Request) -> Response:
    """Some steps of a long sequence as an analysis shows them, with the gradients that reach them from later losses."""
    return await answer_get(request, read_query("closeup", request.scope["query_string"]))


@router.post("/closeup", **openapi.posted("closeup"))
async def post_closeup(request: Request) -> Response:
    """The same, of a JSON body."""
    return await answer_long(request, "closeup")


@router.get("/credit", **openapi.asked("credit"))
async def get_credit(request: Request) -> Response:
    """The credit matrix alone, which may take longer than all the rest of an analysis."""
    return await answer_get(request, read_query("credit", request.scope["query_string"]))


@router.post("/credit", **openapi.posted("credit"))
async def post_credit(request: Request) -> Response:
    """The same, of a JSON body."""
    return await answer_post(request, "credit")


@router.get("/estimate", **openapi.asked("estimate"))
async def get_estimate(request: Request) -> Response:
    """What an analysis would cost, and whether it is within the limits; nothing is computed."""
    return _estimate(request, read_query("estimate", request.scope["query_string"]))


@router.post("/estimate", **openapi.posted("estimate"))
async def post_estimate(request: Request) -> Response:
    """The same, of a JSON body."""
    return _estimate(request, await read_post(request, "estimate"))


@router.post("/weights", **openapi.uploaded())
async def post_weights(request: Request) -> Response:
    """A file of weights, .npz or .safetensors, as the engine's blocks: ready to be posted to /api/v1/analysis."""
    return await answer_upload(request)


def _estimate(request: Request, query: Query) -> Response:
    limits, long = services(request).settings, query.config.steps > MOST_STEPS
    cost = engine.estimate_long(query.config, False) if long else engine.estimate(query.config, query.include)
    refused: list[dict[str, str]] = []
    try:
        if long:
            check_affordable(replace(query, kind="long", certificate=False), limits.long_seconds)
        else:
            check_affordable(query, limits.analysis_seconds)
    except engine.InputError as error:
        refused = [asdict(problem) for problem in error.problems]
    body = {
        **asdict(cost),
        "affordable": not refused,
        "problems": refused,
        "limits": settings.limits(services(request).settings),
    }
    return Response(to_json(body), media_type="application/json", headers={"cache-control": "no-cache"})
