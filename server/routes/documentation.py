"""The API's documentation page, with no script from another host."""

from __future__ import annotations

import base64
import hashlib
import re

from fastapi import APIRouter, Request
from fastapi.openapi.docs import get_swagger_ui_html
from pydantic_core import to_json
from starlette.responses import HTMLResponse, Response

from server.guard import content_security_policy
from server.problems import refuse
from server.routes.pages import serve
from server.services import services

router = APIRouter(include_in_schema=False)
DOCUMENT = "/api/v1/openapi.json"
FOLDER = "/vendor/api-docs"
SCRIPT = re.compile(r"<script>(.*?)</script>", re.DOTALL)


@router.get(DOCUMENT)
async def document(request: Request) -> Response:
    """The API's description, for programs."""
    body = to_json(request.app.openapi())
    return Response(body, media_type="application/json", headers={"cache-control": "no-cache"})


@router.get("/api/docs")
async def documentation(request: Request) -> Response:
    """Swagger's page. Its one inline script is allowed by its hash, on this page only."""
    page = get_swagger_ui_html(
        openapi_url=DOCUMENT,
        title="Unrolled: the API",
        swagger_js_url=f"{FOLDER}/swagger-ui-bundle.js",
        swagger_css_url=f"{FOLDER}/swagger-ui.css",
        swagger_favicon_url="/favicon.ico",
        swagger_ui_parameters={"defaultModelsExpandDepth": 0, "tryItOutEnabled": True},
    )
    text = bytes(page.body).decode()
    hashes = "".join(f" 'sha256-{_digest(script)}'" for script in SCRIPT.findall(text))
    policy = content_security_policy(services(request).settings, script=hashes)
    return HTMLResponse(text, headers={"content-security-policy": policy, "cache-control": "no-cache"})


@router.get(FOLDER + "/{name}")
async def file(request: Request, name: str) -> Response:
    """A file of Swagger's page, from the installed package."""
    folder = services(request).assets.api_docs
    asset = folder.get(name)
    if asset is None:
        raise refuse(404, "address", request.url.path, "is not here", "See /api/docs.")
    return serve(request, asset, "public, max-age=86400")


def _digest(script: str) -> str:
    return base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
