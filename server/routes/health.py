"""Whether the server lives, and whether it can compute."""

from __future__ import annotations

from collections.abc import Mapping

from fastapi import APIRouter, Request
from pydantic_core import to_json
from starlette.responses import Response

from server import openapi
from server.metrics import MEDIA_TYPE
from server.problems import refuse
from server.readiness import FINE
from server.services import services
from server.version import RELEASE

router = APIRouter(tags=["health"])
TEXT = {"type": "string"}
LIVES = {"status": TEXT, "version": TEXT}
LOOKED_AT = {name: {**TEXT, "description": f"{FINE}, or what is wrong"} for name in ("compute", "database", "disk")}


def _all_of(properties: Mapping[str, object]) -> dict[str, object]:
    """Returns the schema of an object that has these and nothing else."""
    return {"type": "object", "required": list(properties), "properties": properties, "additionalProperties": False}


@router.get("/healthz", **openapi.listed(_all_of(LIVES)))
async def healthz() -> Response:
    """Answers as long as the front process lives."""
    return _answer({"status": "ok", "version": RELEASE})


@router.get("/readyz", **openapi.listed(
    _all_of({**LIVES, "processes": {"type": "integer"}, **LOOKED_AT}), {503: "No compute process is warm"}
))
async def readyz(request: Request) -> Response:
    """Answers 200 once a compute process is warm, and 503 before, and while the server stops. The body says whether one
    answers, whether the database can be written, and whether the disk has room for a new run: what is stored can be
    read, and analysed, without them."""
    ready = services(request).jobs.ready
    if not ready:
        raise refuse(503, "server", "no compute process", "is not ready", "Try again in a second.", Retry_After="1")
    looked = await services(request).readiness.look()
    return _answer({"status": "ready", "version": RELEASE, "processes": ready, **looked})


@router.get("/metrics", **openapi.plain("text/plain", "Counters in Prometheus' text format"))
async def metrics(request: Request) -> Response:
    """What is counted: requests by route, waiting, computing, refusing, keeping. For Prometheus to scrape."""
    headers = {"cache-control": "no-store", "content-type": MEDIA_TYPE}
    return Response(services(request).metrics.text(), headers=headers)


def _answer(value: dict[str, object]) -> Response:
    return Response(to_json(value), media_type="application/json", headers={"cache-control": "no-store"})
