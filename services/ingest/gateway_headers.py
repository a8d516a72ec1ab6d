"""Adds to every answer what browsers must know, and counts the answers to events."""

from __future__ import annotations

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ingest import gateway_metrics as metrics

EVENTS_PATH = "/v1/events"
_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
    "X-Frame-Options": "DENY",
}
_DRAWN_PAGES = {"/docs", "/redoc"}  # these two draw themselves with scripts of our own
_CLOSED_POLICY = "default-src 'none'; frame-ancestors 'none'"
_DRAWN_POLICY = (
    "default-src 'none'; script-src 'self' 'unsafe-inline'; style-src 'self' 'unsafe-inline';"
    " img-src 'self' data:; connect-src 'self'; worker-src blob:; frame-ancestors 'none'"
)


class SecurityHeaders:
    """An ASGI wrapper; lighter than a middleware that builds a response of its own."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on, with headers added to the answer."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        path = str(scope["path"])

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers.update(_HEADERS)
                policy = _DRAWN_POLICY if path in _DRAWN_PAGES else _CLOSED_POLICY
                headers["Content-Security-Policy"] = policy
                if path == EVENTS_PATH:
                    metrics.REQUESTS.labels(status=str(message["status"])).inc()
            await send(message)

        await self._app(scope, receive, send_with_headers)
