"""Pathway: repetitions grouped away, ledger and sums kept as snapshots."""

from __future__ import annotations

import json
import os
import resource
import time
from urllib.parse import urlsplit

import pathway as pw


class Event(pw.Schema):  # type: ignore[misc]
    """The fields that are read."""

    event: str  # `id` is the name of a row's own key
    type: str
    subject: str
    source: str
    time: str
    amount: str = pw.column_definition(default_value="0")
    effective_date: str


_PATHS = {"event": "/id", "amount": "/data/amount", "effective_date": "/data/effective_date"}


def main() -> None:
    """Read the topic to its present end."""
    kafka = {"bootstrap.servers": os.environ["KAFKA_BOOTSTRAP_SERVERS"], "group.id": "pathway"}
    kafka["auto.offset.reset"] = "earliest"
    events = pw.io.kafka.read(
        kafka, os.environ["TOPIC"], schema=Event, format="json", json_field_paths=_PATHS, mode="static"
    )
    ledger = events.groupby(pw.this.subject, pw.this.event).reduce(
        loan_id=pw.this.subject,
        event_id=pw.this.event,
        source=pw.reducers.any(pw.this.source),
        type=pw.reducers.any(pw.this.type),
        recorded_at=pw.reducers.any(pw.this.time),
        effective_on=pw.reducers.any(pw.this.effective_date),
        amount=pw.reducers.any(pw.this.amount),
    )
    paid = ledger.filter(pw.this.type == "payment.posted.v1").with_columns(
        amount_minor=pw.this.amount.str.replace(".", "").str.parse_int()
    )
    sums = paid.groupby(pw.this.loan_id).reduce(
        loan_id=pw.this.loan_id,
        paid_minor=pw.reducers.sum(pw.this.amount_minor),
        payments=pw.reducers.count(),
    )
    for table, name, key in (
        (ledger, "pathway_ledger", [ledger.loan_id, ledger.event_id]),
        (sums, "pathway_sum", [sums.loan_id]),
    ):
        pw.io.postgres.write(
            table,
            _postgres(),
            name,
            init_mode="create_if_not_exists",
            output_table_type="snapshot",
            primary_key=key,
        )
    started = time.perf_counter()
    pw.run(monitoring_level=pw.MonitoringLevel.NONE)
    used = resource.getrusage(resource.RUSAGE_SELF)
    said = {"events": int(os.environ["EVENTS"]), "seconds": time.perf_counter() - started}
    print(json.dumps(said | {"cpu_seconds": used.ru_utime + used.ru_stime}), flush=True)


def _postgres() -> dict[str, str]:
    parts = urlsplit(os.environ["DATABASE_URL"])
    return {
        "host": parts.hostname or "",
        "port": str(parts.port),
        "dbname": parts.path.lstrip("/"),
        "user": parts.username or "",
        "password": parts.password or "",
    }


if __name__ == "__main__":
    main()
