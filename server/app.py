"""The application: its routes, its life, and how each error is said."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI, Request
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.responses import Response
from starlette.routing import Match, Route
from starlette.types import ASGIApp, Receive, Scope, Send

from engine.errors import InputError
from server import logs, problems
from server.answering import CLIENT_GONE
from server.assets import Assets
from server.direct import Direct
from server.door import Door
from server.guard import Guard
from server.jobs import Jobs
from server.lag import Lag
from server.metrics import Metrics
from server.openapi import document
from server.pace import Paced
from server.passphrase import passphrase_of
from server.problems import RefusedError
from server.readiness import Readiness
from server.rendered import Pages
from server.rendering import environment
from server.routes import (
    agree,
    analysis,
    catalogue,
    code,
    documentation,
    figures,
    health,
    museum,
    pages,
    taps,
    traces,
    train,
    training,
    training_pictures,
)
from server.services import Services
from server.settings import Settings
from server.store import Writer, open_store
from server.tarpit import Tarpit
from server.traces.receiving import remove_left
from server.training.gauges import TrainingNow
from server.training.pictures import Pictures
from server.training.service import Training
from server.version import RELEASE
from server.visitors import Visitors

ROUTERS = (
    pages.router,
    health.router,
    analysis.router,
    catalogue.router,
    figures.router,
    agree.router,
    museum.router,
    traces.router,
    code.router,
    taps.router,
    train.router,
    training.router,
    training_pictures.router,
    documentation.router,
)
ROUTES = tuple(route for router in ROUTERS for route in router.routes if isinstance(route, Route))


class Application(FastAPI):
    """FastAPI with a layer of ours around it that every HTTP request comes to first."""

    outer: ASGIApp | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or self.outer is None:
            await self.inner(scope, receive, send)
            return
        scope["app"] = self
        await self.outer(scope, receive, send)

    async def inner(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers as FastAPI does."""
        await super().__call__(scope, receive, send)


def create_app(settings: Settings | None = None) -> FastAPI:
    """Returns the application; its compute processes live as long as its lifespan."""
    settings = settings or Settings()

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        shared.assets.start()
        shared.jobs.start()
        lag = Lag(shared.metrics.lag.observe)
        lag.start()
        await asyncio.to_thread(remove_left)
        try:
            yield
        finally:
            await asyncio.gather(
                shared.jobs.stop(), shared.training.stop(), shared.readiness.stop(), lag.stop()
            )
            await shared.assets.stop()

    jobs, writer = Jobs(settings), Writer(lambda: open_store(settings))
    shared = Services(
        settings, Assets(), environment(), Pages(), jobs, Metrics(jobs), Tarpit(),
        Training(settings, writer), Readiness(jobs, writer), Pictures(writer), Visitors(settings),
        asyncio.Semaphore(settings.uploads_at_once), asyncio.Semaphore(settings.traces_at_once),
    )
    shared.metrics.registry.register(TrainingNow(shared.training))
    app = Application(
        title="Unrolled",
        version=RELEASE,
        lifespan=lifespan,
        redirect_slashes=False,
        docs_url=None,
        redoc_url=None,
        openapi_url=None,  # of ours: server/routes/documentation.py
    )
    app.state.services = shared
    for router in ROUTERS:
        app.include_router(router)
    app.openapi = lambda: document(app)  # type: ignore[method-assign]
    app.add_exception_handler(InputError, _input_error)
    app.add_exception_handler(RefusedError, _refused)
    app.add_exception_handler(HTTPException, _http_error)
    app.add_exception_handler(ClientDisconnect, _gone)
    inside: ASGIApp = Direct(app.inner, ROUTES, app.exception_handlers)
    if settings.requests_per_second:
        inside = Paced(inside, settings, shared.visitors, shared.tarpit)
    if passphrase_of(settings):
        inside = Door(inside, settings, shared.templates)
    app.outer = Guard(inside, settings, (shared.metrics.note, logs.note))
    return app


async def _input_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, InputError)
    return problems.respond(422, error.problems)


async def _refused(request: Request, error: Exception) -> Response:
    assert isinstance(error, RefusedError)
    return problems.respond(error.status, [error.problem], error.headers)


async def _http_error(request: Request, error: Exception) -> Response:
    """Says what Starlette itself refuses: an unknown address, or a method that an address does not have."""
    assert isinstance(error, HTTPException)
    if error.status_code == 405:
        allowed = ", ".join(_methods(request))
        refused = problems.refuse(
            405, "method", request.method, f"must be one of {allowed}", "See /api/docs.", Allow=allowed
        )
    elif error.status_code == 404:
        known = [route.path for route in ROUTES if "{" not in route.path]
        refused = problems.refuse(
            404, "address", request.url.path, "is not here", problems.nearest(request.url.path, known)
        )
    else:
        refused = problems.refuse(error.status_code, "request", "-", error.detail, "See /api/docs.")
    return problems.respond(refused.status, [refused.problem], refused.headers)


def _methods(request: Request) -> list[str]:
    """Returns the methods that this address has; HEAD goes with GET."""
    found: set[str] = set()
    for route in ROUTES:
        if route.matches(request.scope)[0] != Match.NONE:
            found |= route.methods or set()
    return sorted(found | ({"HEAD"} if "GET" in found else set()))


async def _gone(request: Request, error: Exception) -> Response:
    """Ends a request whose client has left while it was sending; nobody sees this."""
    return Response(status_code=CLIENT_GONE)
