"""The short way from an address to its endpoint.

FastAPI describes the routes. It would also look through them one after the other and solve dependencies, of which there
are none here: an endpoint takes the request and the parts of its address, and returns a response. Found in a table, a
small answer takes half of the time. What is not found here (other addresses and methods) is FastAPI's.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterable, Mapping
from inspect import signature
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

Handler = Callable[[Request, Exception], Awaitable[Response]]
Call = Callable[[Request], Awaitable[Response]]


class Direct:
    """Calls the endpoints of `routes`; `handlers` say what becomes of their errors."""

    def __init__(self, app: ASGIApp, routes: Iterable[Route], handlers: Mapping[Any, Any]) -> None:
        self._app, self._handlers = app, handlers
        self._exact: dict[tuple[str, str], tuple[Route, Call]] = {}
        self._patterns: defaultdict[str, list[tuple[Route, Call]]] = defaultdict(list)  # by method
        for route in routes:
            target = route, _calling(route.endpoint)
            for method in route.methods or ():
                if route.param_convertors:
                    self._patterns[method].append(target)
                else:
                    self._exact.setdefault((method, route.path), target)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        call: Call
        if scope["path"].endswith("\n"):  # which `$` at the end of a route's pattern leaves out, FastAPI's too
            call = _nowhere
        else:
            found = self._find(scope["method"], scope["path"])
            if found is None:
                await self._app(scope, receive, send)
                return
            scope["route"], call, scope["path_params"] = found
        request = Request(scope, receive, send)
        try:
            response = await call(request)
        except Exception as error:
            handler = self._handler(error)
            if handler is None:
                raise
            response = await handler(request, error)
        await response(scope, receive, send)

    def _find(self, method: str, path: str) -> tuple[Route, Call, dict[str, Any]] | None:
        exact = self._exact.get((method, path))
        if exact is not None:
            return *exact, {}
        for route, call in self._patterns.get(method, ()):
            match = route.path_regex.match(path)
            if match is not None:
                parts = match.groupdict().items()
                return route, call, {name: route.param_convertors[name].convert(text) for name, text in parts}
        return None

    def _handler(self, error: Exception) -> Handler | None:
        return next((self._handlers[kind] for kind in type(error).__mro__ if kind in self._handlers), None)


async def _nowhere(request: Request) -> Response:
    raise HTTPException(404)


def _calling(endpoint: Callable[..., Awaitable[Response]]) -> Call:
    """Returns the endpoint as a function of the request, which hands it what it takes."""
    taken = list(signature(endpoint).parameters)
    if not taken:
        return lambda request: endpoint()
    return lambda request: endpoint(request, **{name: request.path_params[name] for name in taken[1:]})
