"""Errors of the database as the API tells them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import asyncpg

from analytics_api.errors import QueryTooSlowError, StoreAwayError
from loanbook.postgres.fates import RETRYABLE, Fate, fate_of


@contextmanager
def translated() -> Iterator[None]:
    """Raise StoreAwayError for a database that is away or busy, QueryTooSlowError for a cancelled query."""
    try:
        yield
    except asyncpg.QueryCanceledError as error:
        raise QueryTooSlowError from error
    except RETRYABLE as error:
        if fate_of(error) is Fate.RETRY or isinstance(error, asyncpg.InvalidCatalogNameError):
            raise StoreAwayError from error
        raise
