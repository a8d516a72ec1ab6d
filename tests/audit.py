"""The independent recomputation: ledger = fold = state = roll-ups, or the differences by name."""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import Any

import asyncpg

from ingest.directory import PostgresDirectory
from ingest.flow import product_of
from loanbook.domain.loan import Loan, fold
from loanbook.postgres.ledger import event_from_row

_STATE = (
    ("status", "status"),
    ("bucket", "bucket"),
    ("disbursed_minor", "disbursed"),
    ("scheduled_minor", "scheduled"),
    ("paid_minor", "paid"),
    ("principal_outstanding_minor", "principal_outstanding"),
    ("total_outstanding_minor", "total_outstanding"),
    ("overdue_minor", "overdue"),
    ("past_due_on", "past_due_on"),
)


async def differences(dsn: str) -> list[str]:
    """Every place where the tables differ from a fold of the ledger; empty when all is right."""
    connection = await asyncpg.connect(dsn)
    try:
        async with connection.transaction(isolation="repeatable_read"):
            loans = await folded(connection)
            return [
                *await _state_differences(connection, loans),
                *await _book_differences(connection, loans),
                *await _cash_differences(connection, loans),
            ]
    finally:
        await connection.close()


async def folded(connection: asyncpg.Connection) -> dict[int, Loan]:
    """Every loan folded from its ledger rows at its book's business day, by loan key."""
    directory = PostgresDirectory()
    await directory.load(connection)
    books = {row["book_key"]: row for row in await connection.fetch("SELECT * FROM core.book")}
    sources = directory.source_uris()
    rows = await connection.fetch(
        "SELECT e.*, l.loan_id, l.book_key FROM core.event e JOIN core.loan l USING (slice, loan_key)"
    )
    histories = defaultdict(list)
    facts: dict[int, Any] = {}
    for row in rows:
        book = books[row["book_key"]]
        histories[row["loan_key"]].append(
            event_from_row(row, book["book"], row["loan_id"], sources[row["source_key"]])
        )
        facts[row["loan_key"]] = (book, row["loan_id"])
    return {
        key: fold(
            facts[key][0]["book"],
            facts[key][1],
            events,
            directory.settings(facts[key][0]["book_key"], product_of(events)),
            facts[key][0]["business_on"],
        )
        for key, events in histories.items()
    }


async def _state_differences(connection: asyncpg.Connection, loans: dict[int, Loan]) -> list[str]:
    rows = await connection.fetch("SELECT * FROM core.loan_state")
    stored = {row["loan_key"]: row for row in rows}
    found = [f"loan {key} has no state" for key in loans.keys() - stored.keys()]
    found += [f"state without events: {key}" for key in stored.keys() - loans.keys()]
    for key in loans.keys() & stored.keys():
        found += [
            f"{loans[key].loan_id}.{column}: stored {stored[key][column]}, folded {getattr(loans[key], name)}"
            for column, name in _STATE
            if stored[key][column] != getattr(loans[key], name)
        ]
    return found


async def _book_differences(connection: asyncpg.Connection, loans: dict[int, Loan]) -> list[str]:
    expected: Counter[tuple[str, int, int]] = Counter()
    for loan in loans.values():
        status = 6 if loan.charged_off_on and loan.status == 1 else int(loan.status)
        cell = (loan.branch or "", int(loan.bucket), status)
        for name, value in _measures(loan):
            expected[(name, *cell)] += value  # type: ignore[index]
    rows = await connection.fetch(
        "SELECT coalesce(b.branch, '') AS branch, bucket, status, sum(loans) AS loans, "
        "sum(paid_minor) AS paid, sum(principal_minor) AS principal, "
        "sum(outstanding_minor) AS outstanding, sum(overdue_minor) AS overdue "
        "FROM core.book_now n LEFT JOIN core.branch b USING (branch_key) GROUP BY 1, 2, 3"
    )
    stored: Counter[Any] = Counter()
    for row in rows:
        for name in ("loans", "paid", "principal", "outstanding", "overdue"):
            stored[(name, row["branch"], row["bucket"], row["status"])] += int(row[name])
    return _unequal("book_now", stored, expected)


async def _cash_differences(connection: asyncpg.Connection, loans: dict[int, Loan]) -> list[str]:
    expected: Counter[Any] = Counter()
    for loan in loans.values():
        for day, cash in loan.cash.items():
            for name in ("due", "current", "arrears", "advance"):
                expected[(name, loan.branch or "", day)] += getattr(cash, name)
    rows = await connection.fetch(
        "SELECT coalesce(b.branch, '') AS branch, effective_on, sum(due_minor) AS due, "
        "sum(current_minor) AS current, sum(arrears_minor) AS arrears, sum(advance_minor) AS advance "
        "FROM core.cash_day c LEFT JOIN core.branch b USING (branch_key) GROUP BY 1, 2"
    )
    stored: Counter[Any] = Counter()
    for row in rows:
        for name in ("due", "current", "arrears", "advance"):
            stored[(name, row["branch"], row["effective_on"])] += int(row[name])
    return _unequal("cash_day", stored, expected)


def _measures(loan: Loan) -> tuple[tuple[str, int], ...]:
    return (
        ("loans", 1),
        ("paid", loan.paid),
        ("principal", loan.principal_outstanding),
        ("outstanding", loan.total_outstanding),
        ("overdue", loan.overdue),
    )


def _unequal(table: str, stored: Counter[Any], expected: Counter[Any]) -> list[str]:
    return [
        f"{table} {key}: stored {stored[key]}, folded {expected[key]}"
        for key in stored.keys() | expected.keys()
        if stored[key] != expected[key]
    ]
