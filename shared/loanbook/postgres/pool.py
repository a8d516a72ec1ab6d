"""Connections under a role, so that grants bind whatever login is used."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import asyncpg

Connection = asyncpg.Connection
Pool = asyncpg.Pool


async def connect(dsn: str, role: str | None = None) -> asyncpg.Connection:
    """One connection that acts as `role`."""
    return await asyncpg.connect(dsn, server_settings=_settings(role))


async def create_pool(
    dsn: str,
    role: str,
    *,
    size_max: int = 10,
    init: Callable[[asyncpg.Connection], Awaitable[None]] | None = None,
) -> asyncpg.Pool:
    """A pool whose connections act as `role`; `init` runs once on each new connection."""
    settings = _settings(role)
    return await asyncpg.create_pool(dsn, min_size=1, max_size=size_max, server_settings=settings, init=init)


def _settings(role: str | None) -> dict[str, str]:
    settings = {"application_name": f"loanpulse-{role or 'owner'}", "timezone": "UTC"}
    return settings | ({"role": role} if role else {})
