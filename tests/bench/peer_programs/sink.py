"""Ledger and sums in Postgres, as the peers share them: one COPY and one statement a batch.

Environment: DATABASE_URL, KAFKA_BOOTSTRAP_SERVERS, TOPIC, EVENTS (how many there are), BATCH.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterable, Mapping
from typing import NamedTuple

import orjson
import psycopg

_STAGE = "CREATE TEMP TABLE stage (LIKE ledger) ON COMMIT DELETE ROWS"
_APPLY = """
WITH fresh AS (
    INSERT INTO ledger SELECT * FROM stage ON CONFLICT DO NOTHING
    RETURNING loan_id, type, amount_minor, effective_on
), paid AS (
    SELECT loan_id, sum(amount_minor)::bigint AS amount, count(*) AS payments, max(effective_on) AS last_on
    FROM fresh WHERE type = 'payment.posted.v1' GROUP BY 1
)
UPDATE loan_sum s SET paid_minor = s.paid_minor + p.amount, payments = s.payments + p.payments,
    last_on = greatest(s.last_on, p.last_on)
FROM paid p WHERE p.loan_id = s.loan_id
"""
_MOVE = "UPDATE position SET next_offset = %s WHERE partition = %s"


class Sink:
    """One connection that writes batches, each in one transaction."""

    def __init__(self) -> None:
        self._connection = psycopg.connect(os.environ["DATABASE_URL"])
        self._connection.execute(_STAGE)
        for setting in (
            "enable_hashjoin",
            "enable_mergejoin",
            "enable_seqscan",
        ):  # the stage has no statistics
            self._connection.execute(f"SET {setting} = off")
        self._connection.commit()

    def write(self, values: Iterable[bytes], positions: Mapping[int, int] | None = None) -> None:
        """Write events, and how far the partitions are read."""
        with self._connection.transaction(), self._connection.cursor() as cursor:
            with cursor.copy("COPY stage FROM STDIN") as copy:
                copy.write("".join(map(_line, values)))
            cursor.execute(_APPLY)
            if positions:
                cursor.executemany(_MOVE, [(offset, number) for number, offset in positions.items()])


class Clock:
    """Runs from the first event until the last is committed."""

    def __init__(self) -> None:
        self._started = (0.0, 0.0)

    def start(self) -> None:
        """At the first event; later calls do nothing."""
        if not self._started[0]:
            self._started = (time.perf_counter(), time.process_time())

    def say(self, events: int) -> None:
        """What the run took, as one line of JSON."""
        seconds = time.perf_counter() - self._started[0]
        cpu = time.process_time() - self._started[1]
        print(json.dumps({"events": events, "seconds": seconds, "cpu_seconds": cpu}), flush=True)


class Settings(NamedTuple):
    """What a peer is told."""

    servers: str
    topic: str
    events: int
    batch: int


def settings() -> Settings:
    """The environment's."""
    return Settings(
        os.environ["KAFKA_BOOTSTRAP_SERVERS"],
        os.environ["TOPIC"],
        int(os.environ["EVENTS"]),
        int(os.environ["BATCH"]),
    )


def _line(value: bytes) -> str:
    event = orjson.loads(value)
    data = event["data"]
    amount = data.get("amount")
    minor = r"\N" if amount is None else amount.replace(".", "")
    detail = orjson.dumps(data).decode().replace("\\", r"\\")
    return (
        f"{event['subject']}\t{event['id']}\t{event['source']}\t{event['type']}\t{minor}\t"
        f"{data['effective_date']}\t{event['time']}\t{detail}\n"
    )
