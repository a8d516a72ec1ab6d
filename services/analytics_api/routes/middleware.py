"""Around every request: its metrics, a limit of its body, and the headers that keep browsers careful."""

from __future__ import annotations

import time

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from analytics_api.errors import BodyTooLargeError
from analytics_api.metrics import HTTP_REQUEST_SECONDS, HTTP_REQUESTS, SERVICE
from analytics_api.routes.problems import problem_answer

_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline';"
    " img-src 'self' data:; font-src 'self' data:; connect-src 'self'; worker-src 'self' blob:;"
    " base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Cache-Control": "no-store",
}


class RequestMetrics:
    """Counts and times requests by route template, never by path."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started, status = time.perf_counter(), 500

        async def noted(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, noted)
        finally:
            method = scope["method"] if scope["method"] in _METHODS else "OTHER"
            route = getattr(scope.get("route"), "path", "unmatched")
            HTTP_REQUESTS.labels(SERVICE, method, route, str(status)).inc()
            HTTP_REQUEST_SECONDS.labels(SERVICE, method, route).observe(time.perf_counter() - started)


class SecurityHeaders:
    """Adds what an answer has not set itself."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                keep_careful(MutableHeaders(scope=message))
            await send(message)

        await self._app(scope, receive, guarded)


def keep_careful(headers: MutableHeaders) -> None:
    """Add what keeps browsers careful, where an answer has not said otherwise."""
    for name, value in _HEADERS.items():
        headers.setdefault(name, value)


class BodyLimit:
    """Refuses bodies over a size, whether they say their length or not."""

    def __init__(self, app: ASGIApp, *, bytes_max: int) -> None:
        self._app = app
        self._bytes_max = bytes_max

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = dict(scope["headers"])
        stated = headers.get(b"content-length", b"0")
        too_large = stated.isdigit() and int(stated) > self._bytes_max
        if b"transfer-encoding" in headers and not too_large:
            body = await self._collected(receive)
            too_large = len(body) > self._bytes_max
            receive = _told_again(body, receive)
        if too_large:
            answer = problem_answer(BodyTooLargeError(self._bytes_max), scope["path"])
            await answer(scope, receive, send)
            return
        await self._app(scope, receive, send)

    async def _collected(self, receive: Receive) -> bytes:
        """The body that does not say its length, or a little more than the limit of it."""
        body = b""
        while len(body) <= self._bytes_max:
            message = await receive()
            body += message.get("body", b"")
            if not message.get("more_body"):
                break
        return body


def _told_again(body: bytes, receive: Receive) -> Receive:
    told = False

    async def tell() -> Message:
        nonlocal told
        if told:
            return await receive()
        told = True
        return {"type": "http.request", "body": body, "more_body": False}

    return tell
