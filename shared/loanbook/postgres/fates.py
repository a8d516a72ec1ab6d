"""What a database error means for the work at hand: try again, find the bad record, or stop."""

from __future__ import annotations

from enum import Enum, auto

import asyncpg

_RETRY_CLASSES = ("08", "40", "53", "55", "57", "58")
_RETRY_STATES = {"25006"}  # read only: a fail-over is under way
_DATA_CLASSES = ("22", "23")


class Fate(Enum):
    """What follows an error."""

    RETRY = auto()  # the database is away or busy: the same again, until it is back
    BISECT = auto()  # one record of the batch does not fit: find it
    STOP = auto()  # code and schema disagree: going on would do harm


LOST = (OSError, TimeoutError, asyncpg.InterfaceError, asyncpg.InternalClientError)
"""A connection that is gone, or going: a dying server's last words leave the driver in no state to speak."""
RETRYABLE = (*LOST, asyncpg.PostgresError)


def fate_of(error: BaseException) -> Fate:
    """Classify an error by its SQLSTATE, or by being a lost connection."""
    if isinstance(error, asyncpg.PostgresError):
        state = error.sqlstate or ""
        if state in _RETRY_STATES or state.startswith(_RETRY_CLASSES):
            return Fate.RETRY
        return Fate.BISECT if state.startswith(_DATA_CLASSES) else Fate.STOP
    if isinstance(error, asyncpg.DataError | ValueError | OverflowError):
        return Fate.BISECT
    return Fate.RETRY if isinstance(error, LOST) else Fate.STOP
