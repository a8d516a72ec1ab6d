"""Fills a database with the book that the boards are tried on, and moves it as a stream would."""

from __future__ import annotations

from pathlib import Path

import asyncpg

BOOK_SQL = Path(__file__).with_name("book.sql")


async def fill_book(dsn: str) -> None:
    """The whole book of book.sql, as the database's owner."""
    connection = await asyncpg.connect(dsn)
    try:
        await connection.execute(BOOK_SQL.read_text(encoding="utf-8"))
    finally:
        await connection.close()


async def tell(dsn: str, sql: str, *arguments: object) -> None:
    """One statement as the owner, for tests that change what a board shows."""
    connection = await asyncpg.connect(dsn)
    try:
        await connection.execute(sql, *arguments)
    finally:
        await connection.close()
