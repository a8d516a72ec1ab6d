"""A real receiver of webhooks: checks signatures as its users would, and may be down or broken."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web
from standardwebhooks import Webhook

SECRET = "whsec_" + "c2VjcmV0LW9mLXRoZS1yZWNlaXZlci0wMTIzNDU2Nzg5"


@dataclass
class Receiver:
    """What came in, and what is answered."""

    secret: str = SECRET
    port: int = 0
    answers: list[int] = field(default_factory=list)  # statuses for the next calls; then 204
    headers: dict[str, str] = field(default_factory=dict)
    calls: list[tuple[str, int]] = field(default_factory=list)  # id and status, refused ones too
    accepted: list[dict[str, Any]] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"http://localhost:{self.port}/alerts"

    @property
    def ids(self) -> list[str]:
        return [message_id for message_id, _ in self.calls]

    async def take(self, request: web.Request) -> web.Response:
        body = await request.text()
        payload = Webhook(self.secret).verify(body, dict(request.headers))
        status = self.answers.pop(0) if self.answers else 204
        self.calls.append((request.headers["webhook-id"], status))
        if status < 300:
            self.accepted.append(payload)
        return web.Response(status=status, headers=self.headers)

    @asynccontextmanager
    async def listening(self) -> AsyncIterator[Receiver]:
        application = web.Application()
        application.add_routes([web.post("/alerts", self.take)])
        runner = web.AppRunner(application, access_log=None)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", self.port)
        await site.start()
        self.port = runner.addresses[0][1]
        try:
            yield self
        finally:
            await runner.cleanup()
