"""`loanpulse positions`: how far each partition is applied; let one go on, or accept a gap in its log."""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ingest.commands.database import add_database, database_url, insert_audit, table
from ingest.store import ROLE
from loanbook.domain.errors import LoanbookError, RetryableError
from loanbook.kafka.batches import Partition
from loanbook.kafka.log_reader import LogReader, cluster_id
from loanbook.kafka.settings import KafkaSettings
from loanbook.postgres.load_sql import load_sql
from loanbook.postgres.pool import Connection, connect

_HERE = "ingest.commands"
_COLUMNS = (
    "partition", "position", "log_start", "log_end", "lag", "caught_up", "owner", "received", "taken",
    "duplicates", "dead", "other", "stopped",
)  # fmt: skip


class PositionError(LoanbookError):
    """A position cannot be changed as asked."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Gap:
    """Where a partition shall go on, who says so and why."""

    partition: Partition
    to: int
    by: str
    why: str


def main(arguments: list[str]) -> int:
    """Run `positions list`, `resume` or `accept-gap`."""
    parser = _parser()
    chosen = parser.parse_args(arguments)
    verb = chosen.verb or "list"
    run = {"list": _list, "resume": _resume, "accept-gap": _accept_gap}[verb]
    print(asyncio.run(_connected(database_url(parser, chosen), run, chosen)))
    return 0


async def list_positions(connection: Connection, kafka: KafkaSettings | None) -> list[dict[str, Any]]:
    """Every stored position, beside the range of its log where Kafka answers."""
    rows = [dict(row) for row in await connection.fetch(load_sql(_HERE, "list_positions"))]
    ranges = await _ranges(kafka, rows) if kafka else {}
    for row in rows:
        start, end = ranges.get((row["cluster_id"], row["topic"], row["partition"]), (None, None))
        row |= {"log_start": start, "log_end": end}
        row["lag"] = None if end is None else end - row["next_offset"]
    return rows


async def resume(connection: Connection, partition: Partition, by: str) -> str:
    """Let a partition go on that the breaker had stopped; gives the reason it was stopped for."""
    async with connection.transaction():
        sql = load_sql(_HERE, "resume_position")
        rows = await connection.fetch(sql, partition.topic, partition.partition)
        if not rows:
            raise PositionError(f"{partition} is not stopped")
        for row in rows:
            details = {"topic": partition.topic, "partition": partition.partition, **dict(row)}
            await insert_audit(connection, by, "position_resumed", details)
    return str(rows[0]["paused_reason"])


async def accept_gap(connection: Connection, kafka: KafkaSettings, gap: Gap) -> int:
    """Move a position to an offset of its log; gives where it stood. Raises PositionError."""
    cluster, partition = await cluster_id(kafka), gap.partition
    start, end = await _range_of(kafka, partition)
    if not start <= gap.to <= end:
        raise PositionError(f"{partition}: {gap.to} is outside the log ({start} to {end})")
    async with connection.transaction():
        sql = load_sql(_HERE, "move_position")
        row = await connection.fetchrow(sql, cluster, partition.topic, partition.partition, gap.to)
        if row is None:
            raise PositionError(f"{partition} has no stored position in this Kafka: it starts at {start}")
        details = {
            "cluster_id": cluster,
            "topic": partition.topic,
            "partition": partition.partition,
            "from": row["stood_at"],
            "to": gap.to,
            "log": [start, end],
            "paused_reason": row["paused_reason"],
            "why": gap.why,
        }
        await insert_audit(connection, gap.by, "gap_accepted", details)
    stood_at: int = row["stood_at"]
    return stood_at


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="loanpulse positions", description=__doc__)
    add_database(parser)
    parser.add_argument("--bootstrap-servers", default=os.environ.get("KAFKA_BOOTSTRAP_SERVERS"))
    verbs = parser.add_subparsers(dest="verb")
    listing = verbs.add_parser("list", help="position, range of the log, lag, owner, why it is stopped")
    listing.add_argument("--json", action="store_true")
    going_on = verbs.add_parser("resume", help="let a partition go on that was stopped for its dead letters")
    gap = verbs.add_parser("accept-gap", help="go on at another offset, whatever events lie between")
    for verb in (going_on, gap):
        verb.add_argument("topic")
        verb.add_argument("partition", type=int)
        verb.add_argument("--by", required=True, metavar="NAME", help="who does it, for the audit")
    gap.add_argument("--to", required=True, type=int, metavar="OFFSET")
    gap.add_argument("--why", required=True, metavar="TEXT")
    return parser


async def _connected(dsn: str, run: Any, chosen: argparse.Namespace) -> str:  # noqa: ANN401
    connection = await connect(dsn, ROLE)
    try:
        text: str = await run(connection, chosen)
        return text
    finally:
        await connection.close()


async def _list(connection: Connection, chosen: argparse.Namespace) -> str:
    rows = await list_positions(connection, _kafka(chosen))
    if getattr(chosen, "json", False):
        return json.dumps(rows, default=str)
    return table(_COLUMNS, [_shown(row) for row in rows])


async def _resume(connection: Connection, chosen: argparse.Namespace) -> str:
    partition = Partition(chosen.topic, chosen.partition)
    reason = await resume(connection, partition, chosen.by)
    return f"{partition} goes on; it was stopped: {reason}"


async def _accept_gap(connection: Connection, chosen: argparse.Namespace) -> str:
    kafka = _kafka(chosen)
    if kafka is None:
        raise PositionError("set KAFKA_BOOTSTRAP_SERVERS or give --bootstrap-servers")
    partition = Partition(chosen.topic, chosen.partition)
    gap = Gap(partition=partition, to=chosen.to, by=chosen.by, why=chosen.why)
    stood_at = await accept_gap(connection, kafka, gap)
    return f"{partition} goes on at {chosen.to}; it stood at {stood_at}. Start the worker if it had ended."


async def _ranges(
    kafka: KafkaSettings, rows: Sequence[dict[str, Any]]
) -> dict[tuple[str, str, int], tuple[int, int]]:
    reader = LogReader(kafka)
    try:
        cluster = await cluster_id(kafka)
        names = [(row["topic"], row["partition"]) for row in rows if row["cluster_id"] == cluster]
        return {(cluster, *name): await reader.log_range(Partition(*name)) for name in names}
    except RetryableError as error:
        print(f"without the logs: {error}", file=sys.stderr)
        return {}
    finally:
        await reader.close()


async def _range_of(kafka: KafkaSettings, partition: Partition) -> tuple[int, int]:
    reader = LogReader(kafka)
    try:
        return await reader.log_range(partition)
    finally:
        await reader.close()


def _kafka(chosen: argparse.Namespace) -> KafkaSettings | None:
    servers = chosen.bootstrap_servers
    return KafkaSettings(bootstrap_servers=servers, client_id="loanpulse-positions") if servers else None


def _shown(row: dict[str, Any]) -> dict[str, Any]:
    age = row["caught_up_age_s"]
    return row | {
        "partition": f"{row['topic']} {row['partition']}",
        "position": row["next_offset"],
        "caught_up": "never" if age is None else f"{age:.0f} s ago",
        "stopped": row["paused_reason"],
    }


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
