"""A small HTTP server of a worker: is it well, is it ready, and its metrics."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self

from aiohttp import web
from prometheus_client import CONTENT_TYPE_LATEST, REGISTRY, CollectorRegistry, generate_latest


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    """The state of a worker; without a reason against it, it is well."""

    reasons: tuple[str, ...] = ()
    details: Mapping[str, object] = field(default_factory=dict)

    @property
    def ok(self) -> bool:
        """Whether nothing speaks against it."""
        return not self.reasons


class HealthServer:
    """Serves /health and /ready (200 or 503, with reasons as JSON) and /metrics for Prometheus."""

    def __init__(
        self,
        port: int,
        health: Callable[[], Awaitable[Health]],
        *,
        ready: Callable[[], Awaitable[Health]] | None = None,
        host: str = "0.0.0.0",  # noqa: S104  probes and Prometheus come from other hosts
        registry: CollectorRegistry = REGISTRY,
    ) -> None:
        """Nothing listens here; port 0 takes a free one. Without `ready`, healthy is ready."""
        self.port = port
        self._host = host
        self._health = health
        self._ready = ready or health
        self._registry = registry
        self._runner: web.AppRunner | None = None

    async def start(self) -> None:
        """Listen; OSError when the port is taken."""
        application = web.Application()
        application.add_routes(
            [
                web.get("/health", self._answer_health),
                web.get("/ready", self._answer_ready),
                web.get("/metrics", self._answer_metrics),
            ]
        )
        runner = web.AppRunner(application, access_log=None)
        await runner.setup()
        self._runner = runner
        await web.TCPSite(runner, self._host, self.port).start()
        self.port = runner.addresses[0][1]

    async def stop(self) -> None:
        """Stop listening."""
        runner, self._runner = self._runner, None
        if runner is not None:
            await runner.cleanup()

    async def __aenter__(self) -> Self:
        """Listen."""
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop listening."""
        await self.stop()

    async def _answer_health(self, request: web.Request) -> web.Response:
        del request
        return _response(await self._health())

    async def _answer_ready(self, request: web.Request) -> web.Response:
        del request
        return _response(await self._ready())

    async def _answer_metrics(self, request: web.Request) -> web.Response:
        del request
        return web.Response(
            body=generate_latest(self._registry), headers={"Content-Type": CONTENT_TYPE_LATEST}
        )


def _response(health: Health) -> web.Response:
    status = "ok" if health.ok else "unhealthy"
    body = {"status": status, "reasons": list(health.reasons), **health.details}
    return web.json_response(body, status=200 if health.ok else 503)
