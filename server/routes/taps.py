"""The taps, to be copied beside one's own program: each one file that needs nothing of this project."""

from __future__ import annotations

from fastapi import APIRouter, Request
from starlette.responses import Response

from server import paths
from server.negotiation import has_it
from server.problems import nearest, refuse
from server.queries import etag

router = APIRouter(prefix="/taps", include_in_schema=False)
FILES = {name: (paths.TAPS / name).read_bytes() for name in ("torch_tap.py", "keras_tap.py", "jax_tap.py")}


@router.get("/{name}")
async def tap(request: Request, name: str) -> Response:
    """One tap as text, to be saved; a name that is not one of them is never looked for on the disk."""
    if name not in FILES:
        raise refuse(404, "tap", name, "is not here", nearest(name, list(FILES)))
    tag = etag([name, FILES[name].decode()])
    headers = {"etag": tag, "cache-control": "no-cache", "content-disposition": f'attachment; filename="{name}"'}
    if has_it(request.headers.get("if-none-match"), tag):
        return Response(status_code=304, headers=headers)
    return Response(FILES[name], media_type="text/plain; charset=utf-8", headers=headers)
