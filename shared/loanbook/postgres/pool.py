"""Connections under a role, so that grants bind whatever login is used."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from types import MappingProxyType

import asyncpg

Connection = asyncpg.Connection
Pool = asyncpg.Pool


async def connect(dsn: str, role: str | None = None) -> asyncpg.Connection:
    """One connection that acts as `role`."""
    return await asyncpg.connect(dsn, server_settings=_settings(role))


async def create_pool(  # noqa: PLR0913 - each with a default of its own
    dsn: str,
    role: str,
    *,
    size_max: int = 10,
    init: Callable[[asyncpg.Connection], Awaitable[None]] | None = None,
    keep_session: bool = False,
    settings: Mapping[str, str] = MappingProxyType({}),
) -> asyncpg.Pool:
    """A pool whose connections act as `role` under these settings; `init` runs once on each new one.

    With `keep_session` a connection comes back as it is, without a round trip to clean it.
    """
    return await asyncpg.create_pool(
        dsn,
        min_size=1,
        max_size=size_max,
        server_settings=_settings(role) | dict(settings),
        init=init,
        reset=_keep if keep_session else None,
    )


async def _keep(_connection: asyncpg.Connection) -> None:
    """Clean nothing: every transaction cleans up behind itself."""


def _settings(role: str | None) -> dict[str, str]:
    settings = {"application_name": f"loanpulse-{role or 'owner'}", "timezone": "UTC"}
    return settings | ({"role": role} if role else {})
