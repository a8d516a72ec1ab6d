"""Every query of scoring fits the schema, under the role that runs it."""

from __future__ import annotations

from pathlib import Path

import asyncpg
import pytest

import scoring

pytestmark = pytest.mark.integration
QUERIES = sorted((Path(scoring.__file__).parent / "sql").glob("*.sql"))


@pytest.mark.parametrize("query", QUERIES, ids=lambda path: path.stem)
async def test_a_query_prepares_under_the_role_of_the_worker(query: Path, pool: asyncpg.Pool) -> None:
    text = query.read_text(encoding="utf-8")
    assert text.startswith("-- ")
    async with pool.acquire() as connection:
        statement = await connection.prepare(text)
        assert statement.get_parameters() is not None


async def test_the_worker_may_not_write_what_ingest_owns(pool: asyncpg.Pool) -> None:
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await pool.execute("UPDATE core.book SET replaying = true")
