"""Your own model: recorded traces, read, tested and drawn; and the page that takes them."""

from __future__ import annotations

from fastapi import APIRouter, Request
from starlette.responses import Response

from server import openapi
from server.answering import answer_trace
from server.assets import PLOTLY_URL
from server.routes.pages import page
from server.services import services
from server.settings import MIB
from server.traces.makers import MAKERS

router = APIRouter(tags=["traces"])


@router.get("/model", include_in_schema=False)
async def model(request: Request) -> Response:
    """The page that takes a trace by drag and drop, and shows it."""
    most = services(request).settings.trace_bytes
    return page(request, "model.html", plotly_url=PLOTLY_URL, makers=MAKERS, most=most, most_mib=most // MIB)


@router.post("/api/v1/traces", **openapi.traced())
async def post_trace(request: Request) -> Response:
    """A recorded trace (.npz, see docs/traces.md): what it holds, how far its gradients reach, and the pictures."""
    return await answer_trace(request)
