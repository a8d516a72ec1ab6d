"""A worker's health, readiness and metrics as a probe sees them."""

from __future__ import annotations

import asyncio
import json

import aiohttp
import pytest
from prometheus_client import CollectorRegistry, Counter

from loanbook.kafka.health import Health, HealthServer

pytestmark = pytest.mark.integration


async def get(port: int, path: str) -> tuple[int, str]:
    async with aiohttp.ClientSession() as session, session.get(f"http://127.0.0.1:{port}{path}") as answer:
        return answer.status, await answer.text()


async def test_health_and_readiness_are_told_apart_with_their_reasons() -> None:
    async def well() -> Health:
        return Health(details={"partitions": 16})

    async def not_ready() -> Health:
        return Health(reasons=("no partition is assigned",))

    async with HealthServer(0, well, ready=not_ready, host="127.0.0.1") as server:
        (health, health_body), (ready, ready_body) = await asyncio.gather(
            get(server.port, "/health"), get(server.port, "/ready")
        )
    assert (health, json.loads(health_body)) == (200, {"status": "ok", "reasons": [], "partitions": 16})
    assert ready == 503
    assert json.loads(ready_body)["reasons"] == ["no partition is assigned"]


async def test_metrics_are_served_in_the_form_prometheus_reads() -> None:
    async def well() -> Health:
        return Health()

    registry = CollectorRegistry()
    Counter("events", "Events read.", registry=registry).inc(3)
    async with HealthServer(0, well, host="127.0.0.1", registry=registry) as server:
        status, body = await get(server.port, "/metrics")
        missing, _ = await get(server.port, "/other")
    assert (status, missing) == (200, 404)
    assert "events_total 3.0" in body
