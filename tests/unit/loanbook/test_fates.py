"""What a database error means: again, find the record, or stop."""

from __future__ import annotations

import asyncpg
import pytest

from loanbook.postgres.fates import RETRYABLE, Fate, fate_of

FATES = {
    Fate.RETRY: (
        ConnectionRefusedError(),
        TimeoutError(),
        asyncpg.InterfaceError("connection is closed"),
        asyncpg.InternalClientError("cannot switch to state 15; another operation (2) is in progress"),
        asyncpg.ConnectionDoesNotExistError(),
        asyncpg.DeadlockDetectedError(),
        asyncpg.LockNotAvailableError(),
        asyncpg.DiskFullError(),
        asyncpg.CrashShutdownError(),
        asyncpg.ReadOnlySQLTransactionError(),
    ),
    Fate.BISECT: (asyncpg.UniqueViolationError(), asyncpg.NumericValueOutOfRangeError(), asyncpg.DataError()),
    Fate.STOP: (asyncpg.UndefinedColumnError(), asyncpg.InsufficientPrivilegeError(), KeyError("code")),
}


@pytest.mark.parametrize(("fate", "error"), [(fate, error) for fate, of in FATES.items() for error in of])
def test_an_error_of_the_database_has_its_fate(fate: Fate, error: Exception) -> None:
    assert fate_of(error) is fate
    assert isinstance(error, RETRYABLE) or fate is Fate.STOP
