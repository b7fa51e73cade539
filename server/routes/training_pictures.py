"""Pictures and report of a training run."""

from __future__ import annotations

from fastapi import APIRouter, Request
from starlette.responses import Response

from server import openapi_training as told
from server.addresses import register
from server.figures.training import MEASURES
from server.negotiation import media_type
from server.problems import refuse
from server.queries import THEMES, choice
from server.services import services
from server.training.asking import read_number
from server.work import BINARY, JSON

register()
router = APIRouter(prefix="/api/v1/training", tags=["training"])
KNOWN = ("seed", "measure", "theme")


@router.get("/{id:run}/figures", **told.figures(tuple(MEASURES), THEMES))
async def figures(request: Request) -> Response:
    """A run's pictures as Plotly figures, each with its sentence and its table; and the verdict so far."""
    here = services(request)
    unknown = [name for name in request.query_params if name not in KNOWN]
    if unknown:
        raise refuse(422, unknown[0][:40], "given", "is unknown here", f"Use {', '.join(KNOWN)}.")
    run = await here.training.get(request.path_params["id"])
    query = request.query_params
    remedy = f"Use one of: {', '.join(map(str, run.lab.all_seeds))}."
    seed = read_number("seed", query.get("seed") or str(run.lab.seed), remedy)
    if seed not in run.lab.all_seeds:
        raise refuse(422, "seed", seed, "is no seed of this run", remedy)
    measure = choice("measure", query.get("measure", "nats"), tuple(MEASURES))
    theme = choice("theme", query["theme"], THEMES) if "theme" in query else ""
    media = media_type(request.headers.get("accept"), (JSON, BINARY))
    body = await here.pictures.answer(run, (seed, measure, theme, media))
    return Response(body, media_type=media, headers={"cache-control": "no-store", "vary": "accept"})


@router.get("/{id:run}/report", **told.report())
async def report(request: Request) -> Response:
    """The report: one HTML file with its pictures in it, which opens from a disk with no network."""
    here = services(request)
    run = await here.training.get(request.path_params["id"])
    body = await here.pictures.report(run)
    name = f'attachment; filename="unrolled-{run.id[:8]}.html"'
    headers = {"cache-control": "no-store", "content-disposition": name}
    return Response(body, media_type="text/html", headers=headers)
