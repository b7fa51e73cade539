"""The application: its routes, its life, and how each error is said."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI, Request
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.routing import Match, Route

from engine.errors import InputError
from server import problems
from server.assets import Assets
from server.guard import Guard
from server.problems import Refused
from server.rendering import environment
from server.routes import pages
from server.services import Services
from server.settings import Settings
from server.version import RELEASE


def create_app(settings: Settings | None = None) -> FastAPI:
    """Returns the application; its compute processes live as long as its lifespan."""
    settings = settings or Settings()

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        assets.start()
        yield
        await assets.stop()

    assets = Assets()
    app = FastAPI(title="Unrolled", version=RELEASE, lifespan=lifespan, redirect_slashes=False,
                  docs_url=None, redoc_url=None, openapi_url="/api/v1/openapi.json")
    app.state.services = Services(settings, assets, environment())
    app.include_router(pages.router)
    app.add_exception_handler(InputError, _input_error)
    app.add_exception_handler(Refused, _refused)
    app.add_exception_handler(HTTPException, _http_error)
    app.add_middleware(Guard, settings=settings)
    return app


async def _input_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, InputError)
    return problems.respond(422, error.problems)


async def _refused(request: Request, error: Exception) -> Response:
    assert isinstance(error, Refused)
    return problems.respond(error.status, [error.problem], error.headers)


async def _http_error(request: Request, error: Exception) -> Response:
    """Says what Starlette itself refuses: an unknown address, or a method that an address does not have."""
    assert isinstance(error, HTTPException)
    if error.status_code == 405:
        allowed = ", ".join(_methods(request))
        refused = problems.refuse(405, "method", request.method, f"must be one of {allowed}",
                                  "See /api/docs.", Allow=allowed)
    elif error.status_code == 404:
        known = [route.path for route in request.app.routes if isinstance(route, Route) and "{" not in route.path]
        refused = problems.refuse(404, "address", request.url.path, "is not here", problems.nearest(request.url.path, known))
    else:
        refused = problems.refuse(error.status_code, "request", "-", error.detail, "See /api/docs.")
    return problems.respond(refused.status, [refused.problem], refused.headers)


def _methods(request: Request) -> list[str]:
    """Returns the methods that this address has; HEAD goes with GET."""
    found: set[str] = set()
    for route in request.app.routes:
        if isinstance(route, Route) and route.matches(request.scope)[0] != Match.NONE:
            found |= route.methods or set()
    return sorted(found | ({"HEAD"} if "GET" in found else set()))
