"""A death at a chosen database statement: before it is sent, or before its answer is heard."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from unittest.mock import patch

from asyncpg.connection import Connection

from loanbook.postgres.fates import RETRYABLE

SPOKEN = ("execute", "executemany", "fetch", "fetchrow", "fetchval", "copy_records_to_table")


class DiedError(Exception):
    """The process is gone at this statement."""


DEATHS = (DiedError, *RETRYABLE)
"""What a caller sees of a connection that died under it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Death:
    """At which statement, counted from 1, and whether the server still hears it."""

    statement: int
    heard: bool


@dataclass(slots=True)
class Spoken:
    """The statements sent so far."""

    statements: list[str] = field(default_factory=list)
    died: bool = False


def lose(connection: Connection) -> None:
    """What a death does to a connection: it is gone, and the server rolls back."""
    connection.terminate()


@contextmanager
def dying_at(death: Death | None, *, die: Callable[[Connection], None] = lose) -> Iterator[Spoken]:
    """Die at that statement of whatever runs inside; without a death the statements are only counted."""
    spoken = Spoken()

    def mortal(speak: Callable[..., Any]) -> Callable[..., Any]:
        async def spoken_once(connection: Connection, *arguments: Any, **named: Any) -> Any:
            spoken.statements.append(str(arguments[0]))
            if death is None or len(spoken.statements) != death.statement:
                return await speak(connection, *arguments, **named)
            spoken.died = True
            if death.heard:
                await speak(connection, *arguments, **named)
            die(connection)
            raise DiedError

        return spoken_once

    patches = [patch.object(Connection, name, mortal(getattr(Connection, name))) for name in SPOKEN]
    for each in patches:
        each.start()
    try:
        yield spoken
    finally:
        for each in patches:
            each.stop()
