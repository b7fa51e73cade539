"""The pages, and the files they are made of."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import HTMLResponse, Response

from server.assets import IMMUTABLE, PLOTLY_URL, Asset
from server.catalogue import catalogue
from server.code import FRAMEWORKS
from server.negotiation import takes_gzip
from server.problems import refuse
from server.services import services
from server.version import RELEASE

router = APIRouter(include_in_schema=False)


@router.get("/")
async def explore(request: Request) -> Response:
    """The Explore page."""
    return page(request, "explore.html", plotly_url=PLOTLY_URL, catalogue=catalogue(), frameworks=FRAMEWORKS.values())


def page(request: Request, template: str, part: str = "", **context: Any) -> Response:
    """Returns a page made from its template, compressed where the client takes that. It is the same for everybody;
    `part` names which one it is where the template is that of several.

    A browser without a visitor's name gets one: a class behind one address is then as many clients as it has pupils."""
    here = services(request)
    frame = {"version": RELEASE, "static_url": here.assets.static_url, "modules": here.assets.modules}
    made = here.pages.get(template + part, lambda: here.templates.get_template(template).render(frame | context))
    body, headers = made.plain, {"cache-control": "no-cache", "vary": "accept-encoding"}
    if takes_gzip(request.headers.get("accept-encoding")):
        body, headers["content-encoding"] = made.compressed, "gzip"
    response = HTMLResponse(body, headers=headers)
    if here.visitors.known(request) is None:
        here.visitors.remember(response, here.visitors.welcome(request))
    return response


@router.get("/static/{version}/{name:path}")
async def static(request: Request, version: str, name: str) -> Response:
    """One of our own files. An address of another version is answered too, but not kept."""
    folder = services(request).assets.static
    current = version == folder.version
    asset = folder.get(name)
    if asset is None:
        raise missing(request)
    return serve(request, asset, IMMUTABLE if current else "no-cache")


@router.get(PLOTLY_URL)
async def plotly(request: Request) -> Response:
    """Plotly's script, from the installed package."""
    return serve(request, await services(request).assets.plotly(), IMMUTABLE)


@router.get("/favicon.ico")
async def favicon(request: Request) -> Response:
    """The icon that a browser asks for by itself."""
    asset = services(request).assets.static.get("favicon.svg")
    if asset is None:
        raise missing(request)
    return serve(request, asset, "public, max-age=86400")


def serve(request: Request, asset: Asset, cache: str) -> Response:
    """Returns an asset, compressed where the client takes that."""
    headers = {"cache-control": cache, "content-type": asset.content_type}
    if asset.compressed is None:
        return Response(asset.content, headers=headers)
    headers["vary"] = "accept-encoding"
    if not takes_gzip(request.headers.get("accept-encoding")):
        return Response(asset.content, headers=headers)
    return Response(asset.compressed, headers={**headers, "content-encoding": "gzip"})


def missing(request: Request) -> Exception:
    return refuse(404, "address", request.url.path, "is not here", "Start from the page at /.")
