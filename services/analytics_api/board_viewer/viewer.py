"""Puts the viewer together from its settings; lives in `app.state.board_viewer`."""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from analytics_api.board_viewer.board_files import Board, read_boards
from analytics_api.board_viewer.queries import FrameSource
from analytics_api.board_viewer.session import Sessions
from analytics_api.board_viewer.static_files import StaticFile, load_static_files
from analytics_api.board_viewer.store import PostgresBoardStore

HOME = "lp-today"


@dataclass(frozen=True, slots=True, kw_only=True)
class BoardViewerSettings:
    """Where the boards are and how they are read; no keys means that nobody needs to sign in."""

    boards_dir: Path
    dsn: str = field(repr=False)
    key_digests: frozenset[str] = field(default=frozenset(), repr=False)  # SHA-256, hex
    session_secret: str | None = field(
        default=None, repr=False
    )  # the same on every replica; None: made at start
    session_lifetime: timedelta = timedelta(hours=12)
    statement_timeout: timedelta = timedelta(seconds=5)
    cache_for: timedelta = timedelta(seconds=1)
    connections_max: int = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class BoardViewer:
    """What the routes work with."""

    boards: dict[str, Board]
    source: FrameSource
    sessions: Sessions
    files: dict[str, StaticFile]
    clock: Callable[[], datetime]


@asynccontextmanager
async def open_board_viewer(settings: BoardViewerSettings) -> AsyncIterator[BoardViewer]:
    """A viewer that lives as long as the app; raises BoardFileError."""
    secret = settings.session_secret or secrets.token_hex(32)
    sessions = Sessions(
        key_digests=settings.key_digests, secret=secret.encode(), lifetime=settings.session_lifetime
    )
    store = await PostgresBoardStore.open(
        settings.dsn,
        statement_timeout=settings.statement_timeout,
        cache_for=settings.cache_for,
        size_max=settings.connections_max,
    )
    try:
        yield BoardViewer(
            boards=read_boards(settings.boards_dir),
            source=store,
            sessions=sessions,
            files=load_static_files(),
            clock=lambda: datetime.now(UTC),
        )
    finally:
        await store.close()
