"""Swagger UI and ReDoc from files of our own: nothing is fetched from elsewhere."""

from __future__ import annotations

from importlib import resources

from fastapi import APIRouter, Response
from fastapi.responses import HTMLResponse

from analytics_api.errors import NotFoundError

router = APIRouter(include_in_schema=False)
_ASSETS = {
    "swagger-ui-bundle.js": ("fastapi_offline", "text/javascript"),
    "swagger-ui.css": ("fastapi_offline", "text/css"),
    "redoc.standalone.js": ("fastapi_offline", "text/javascript"),
    "swagger-start.js": ("analytics_api", "text/javascript"),
}
# ReDoc asks for its maker's logo elsewhere; an empty picture keeps the page to itself.
_LOGO = (
    b"https://cdn.redoc.ly/redoc/logo-mini.svg",
    b"data:image/gif;base64,R0lGODlhAQABAAAAACH5BAEKAAEALAAAAAABAAEAAAICTAEAOw==",
)
_SWAGGER = """<!doctype html>
<html lang="en"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Loanpulse analytics API</title><link rel="icon" href="data:,">
<link rel="stylesheet" href="/docs/assets/swagger-ui.css"></head>
<body><div id="swagger-ui"></div>
<script src="/docs/assets/swagger-ui-bundle.js"></script>
<script src="/docs/assets/swagger-start.js"></script></body></html>
"""
_REDOC = """<!doctype html>
<html lang="en"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Loanpulse analytics API</title><link rel="icon" href="data:,"></head>
<body style="margin:0"><redoc spec-url="/openapi.json"></redoc>
<script src="/docs/assets/redoc.standalone.js"></script></body></html>
"""


@router.get("/docs")
async def swagger_ui() -> HTMLResponse:
    """The API to try out."""
    return HTMLResponse(_SWAGGER)


@router.get("/redoc")
async def redoc() -> HTMLResponse:
    """The API to read."""
    return HTMLResponse(_REDOC)


@router.get("/docs/assets/{name}")
async def documentation_asset(name: str) -> Response:
    """A script or style of the two pages."""
    if name not in _ASSETS:
        raise NotFoundError.of("name", "no such file")
    package, media_type = _ASSETS[name]
    content = resources.files(package).joinpath("static", name).read_bytes().replace(*_LOGO)
    return Response(content, media_type=media_type, headers={"Cache-Control": "public, max-age=86400"})
