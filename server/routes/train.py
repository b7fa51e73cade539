"""The training page: a new run, or one that has an address of its own. The runs themselves are in `training`."""

from __future__ import annotations

from fastapi import APIRouter, Request
from starlette.responses import Response

from server.assets import PLOTLY_URL
from server.lab_catalogue import lab_catalogue
from server.routes.pages import page
from server.services import services

router = APIRouter(include_in_schema=False)


@router.get("/train")
async def train(request: Request) -> Response:
    """The page on which a run is chosen and started. Processes are made ready for it meanwhile."""
    here = services(request)
    here.training.warm()
    answer = page(request, "train.html", plotly_url=PLOTLY_URL, catalogue=lab_catalogue())
    here.visitors.remember(answer, here.visitors.welcome(request))
    return answer


@router.get("/train/{run}")
async def watched(request: Request, run: str) -> Response:
    """The same page, which fetches the run itself; an address without a run says so."""
    return await train(request)
