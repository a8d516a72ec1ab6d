"""The plain way, to compare with: a stock Faust agent, one event = one transaction.

It keeps a ledger, the loan's state, its installments, a roll-up and an outbox, as anybody would write it
at first; it knows payments and reversals, and keeps no history, no past days and no cash by day.
Another agent only counts: what it reaches tells the class of the machine.
Environment: DATABASE_URL, KAFKA_BOOTSTRAP_SERVERS, PLAIN_GROUP, PLAIN_DAY, PLAIN_FOLDER, and PLAIN_COUNTS, 1
or 0.
"""

from __future__ import annotations

import json
import os
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import asyncpg
import faust

TOPIC = "loan.events.v1"
TABLES = """
CREATE TABLE event (
    loan_id text, event_id text, source text, type text, amount_minor bigint, effective_on date,
    business_on date, recorded_at timestamptz, entity_id text, detail jsonb,
    PRIMARY KEY (loan_id, event_id, source));
CREATE TABLE loan (
    loan_id text PRIMARY KEY, branch text, paid_minor bigint, outstanding_minor bigint, overdue_minor bigint,
    past_due_on date, next_due_on date, bucket int, last_payment_on date, version bigint)
    WITH (fillfactor = 70);
CREATE TABLE installment (
    loan_id text, number int, due_on date, due_minor bigint, paid_minor bigint, met_on date,
    PRIMARY KEY (loan_id, number)) WITH (fillfactor = 85);
CREATE TABLE book_now (
    branch text, bucket int, loans bigint, paid_minor bigint, outstanding_minor bigint, overdue_minor bigint,
    PRIMARY KEY (branch, bucket)) WITH (fillfactor = 70);
CREATE TABLE outbox (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, loan_id text, at timestamptz);
CREATE TABLE counted (events bigint);
"""
_COUNT_EVERY = 5_000
_LEDGER = """
INSERT INTO event VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) ON CONFLICT DO NOTHING RETURNING true
"""
_STATE = """
UPDATE loan SET paid_minor = $2, outstanding_minor = $3, overdue_minor = $4, past_due_on = $5,
    next_due_on = $6, bucket = $7, last_payment_on = $8, version = version + 1
WHERE loan_id = $1
"""
_CELL = """
INSERT INTO book_now AS b VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (branch, bucket) DO UPDATE
SET loans = b.loans + excluded.loans, paid_minor = b.paid_minor + excluded.paid_minor,
    outstanding_minor = b.outstanding_minor + excluded.outstanding_minor,
    overdue_minor = b.overdue_minor + excluded.overdue_minor
"""
_EDGES = (0, 30, 60, 90)


async def apply(connection: asyncpg.Connection, event: dict[str, Any], today: date) -> None:
    """Write one event and what it does to its loan, in one transaction."""
    data, loan_id = event["data"], event["subject"]
    amount = int(Decimal(data.get("amount", "0")) * 100)
    effective_on = date.fromisoformat(data["effective_date"])
    async with connection.transaction():
        is_new = await connection.fetchval(
            _LEDGER, loan_id, event["id"], event["source"], event["type"], amount, effective_on,
            date.fromisoformat(data["business_date"]), datetime.fromisoformat(event["time"]),
            data.get("entity_id"), json.dumps(data),
        )  # fmt: skip
        if not is_new:
            return
        loan = await connection.fetchrow("SELECT * FROM loan WHERE loan_id = $1 FOR UPDATE", loan_id)
        if event["type"] == "payment.posted.v1":
            await pay(connection, loan_id, amount, effective_on)
            await save(connection, loan, loan["paid_minor"] + amount, today)
        elif event["type"] == "payment.reversed.v1":
            taken = await connection.fetchval(
                "SELECT amount_minor FROM event WHERE loan_id = $1 AND entity_id = $2",
                loan_id, data["relates_to"][0]["id"],
            )  # fmt: skip
            await unpay(connection, loan_id, taken or 0)
            await save(connection, loan, loan["paid_minor"] - (taken or 0), today)


async def pay(connection: asyncpg.Connection, loan_id: str, amount: int, on: date) -> None:
    """Settle the oldest installments first."""
    rows = await connection.fetch(
        "SELECT number, due_minor, paid_minor FROM installment WHERE loan_id = $1 AND met_on IS NULL"
        " ORDER BY number FOR UPDATE",
        loan_id,
    )
    for row in rows:
        if not amount:
            break
        part = min(amount, row["due_minor"] - row["paid_minor"])
        amount -= part
        paid = row["paid_minor"] + part
        await connection.execute(
            "UPDATE installment SET paid_minor = $3, met_on = $4 WHERE loan_id = $1 AND number = $2",
            loan_id, row["number"], paid, on if paid == row["due_minor"] else None,
        )  # fmt: skip


async def unpay(connection: asyncpg.Connection, loan_id: str, amount: int) -> None:
    """Take a payment off the installments paid last."""
    rows = await connection.fetch(
        "SELECT number, paid_minor FROM installment WHERE loan_id = $1 AND paid_minor > 0"
        " ORDER BY number DESC FOR UPDATE",
        loan_id,
    )
    for row in rows:
        if not amount:
            break
        part = min(amount, row["paid_minor"])
        amount -= part
        await connection.execute(
            "UPDATE installment SET paid_minor = paid_minor - $3, met_on = NULL"
            " WHERE loan_id = $1 AND number = $2",
            loan_id, row["number"], part,
        )  # fmt: skip


async def save(connection: asyncpg.Connection, loan: asyncpg.Record, paid: int, today: date) -> None:
    """Write the loan's figures and the roll-up's difference, and leave word."""
    left = await connection.fetch(
        "SELECT due_on, due_minor - paid_minor AS left FROM installment"
        " WHERE loan_id = $1 AND met_on IS NULL ORDER BY number",
        loan["loan_id"],
    )
    late = [row for row in left if row["due_on"] < today]
    coming = [row["due_on"] for row in left if row["due_on"] >= today]
    past_due_on = late[0]["due_on"] if late else None
    days = (today - past_due_on).days if past_due_on else 0
    bucket = sum(days > edge for edge in _EDGES)
    outstanding, overdue = sum(row["left"] for row in left), sum(row["left"] for row in late)
    await connection.execute(
        _STATE, loan["loan_id"], paid, outstanding, overdue, past_due_on,
        coming[0] if coming else None, bucket, today,
    )  # fmt: skip
    before = (loan["paid_minor"], loan["outstanding_minor"], loan["overdue_minor"])
    await connection.execute(_CELL, loan["branch"], loan["bucket"], -1, *(-value for value in before))
    await connection.execute(_CELL, loan["branch"], bucket, 1, paid, outstanding, overdue)
    await connection.execute("INSERT INTO outbox (loan_id, at) VALUES ($1, now())", loan["loan_id"])


def make_app() -> faust.App:
    """A Faust app as its own guide has it."""
    app = faust.App(
        os.environ["PLAIN_GROUP"],
        broker=f"kafka://{os.environ['KAFKA_BOOTSTRAP_SERVERS']}",
        datadir=os.environ["PLAIN_FOLDER"],
        topic_allow_declare=False,
        topic_disable_leader=True,
        web_enabled=False,
    )
    topic = app.topic(TOPIC, value_serializer="json")
    today = date.fromisoformat(os.environ["PLAIN_DAY"])

    async def run(stream: Any) -> None:
        connection = await asyncpg.connect(os.environ["DATABASE_URL"])
        async for event in stream:
            await apply(connection, event, today)

    async def count(stream: Any) -> None:
        connection, seen = await asyncpg.connect(os.environ["DATABASE_URL"]), 0
        async for _ in stream:
            seen += 1
            if seen % _COUNT_EVERY == 0:
                await connection.execute("INSERT INTO counted VALUES ($1)", _COUNT_EVERY)

    app.agent(topic)(count if os.environ["PLAIN_COUNTS"] == "1" else run)
    return app


if __name__ == "__main__":
    make_app().main()
