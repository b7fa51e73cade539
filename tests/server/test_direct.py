"""The short way to an endpoint finds what FastAPI would find, and leaves the rest to it."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Match, Route
from starlette.testclient import TestClient

from server.app import ROUTES
from server.direct import Direct

ADDRESSES = {  # what may stand for a part of an address
    "id": "A" * 22, "run": "A" * 22, "name": "norms", "version": "v", "lane": "0.0", "tokens": "5",
}  # fmt: skip


def filled(route: Route) -> str:
    """Returns an address that the route is for."""
    path = route.path
    for name in route.param_convertors:
        for form in (f"{{{name}}}", f"{{{name}:path}}", f"{{{name}:run}}"):
            path = path.replace(form, ADDRESSES.get(name, "x"))
    return path


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: f"{min(route.methods)} {route.path}")
def test_every_route_is_found_as_the_first_that_matches(route: Route) -> None:
    direct = Direct(lambda scope, receive, send: None, ROUTES, {})  # type: ignore[arg-type, return-value]
    path, method = filled(route), min(route.methods or ())
    scope: Any = {"type": "http", "method": method, "path": path, "headers": []}
    first = next(other for other in ROUTES if other.matches(scope)[0] is Match.FULL)
    found = direct._find(method, path)
    assert found is not None
    assert found[0] is first
    assert found[2] == first.matches(scope)[1]["path_params"]


def test_an_error_is_said_by_the_handler_of_its_kind_or_its_parents() -> None:
    async def broken(request: Request) -> Response:
        raise KeyError("a part")

    async def said(request: Request, error: Exception) -> Response:
        return Response(f"{type(error).__name__}", 404)

    async def rest(scope: Any, receive: Any, send: Any) -> None:
        await Response("FastAPI's")(scope, receive, send)

    routes = [Route("/broken", broken)]
    client = TestClient(Direct(rest, routes, {LookupError: said}))
    assert (client.get("/broken").status_code, client.get("/broken").text) == (404, "KeyError")
    assert client.get("/elsewhere").text == "FastAPI's"
    assert client.post("/broken").text == "FastAPI's"
    with pytest.raises(KeyError):
        TestClient(Direct(rest, routes, {OSError: said})).get("/broken")


def test_an_endpoint_may_take_nothing() -> None:
    async def alone() -> Response:
        return Response("here")

    async def rest(scope: Any, receive: Any, send: Any) -> None:
        raise AssertionError

    assert asyncio.iscoroutinefunction(alone)
    assert TestClient(Direct(rest, [Route("/alone", alone)], {})).get("/alone").text == "here"
