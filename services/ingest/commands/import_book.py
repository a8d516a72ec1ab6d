"""`loanpulse import`: send a lender's CSV files as events; bad rows are listed, repeating doubles nothing."""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
import time
from collections import Counter
from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from ingest.commands.book import ROLE
from ingest.commands.books import select_book
from ingest.commands.csv_rows import BadRow
from ingest.commands.import_events import read_events
from ingest.commands.import_rows import ImportEvent
from ingest.commands.mapping import Mapping, load_mapping
from ingest.commands.replaying import every_day, replay
from ingest.commands.sending import Refusal, SendingError, Sink, open_sink
from loanbook.postgres.pool import connect

_BAD_ROWS_SHOWN = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """How the events are sent: which days are closed, how untidily, how fast."""

    close_days: Sequence[date]
    seconds_per_day: float = 0.0
    duplicate_every: int = 0
    late_share: float = 0.0
    shuffle: bool = False
    seed: int = 0


def main(arguments: list[str]) -> int:
    """Read the files, send the events, show what was bad; exit code 1 when something was."""
    parser = _parser()
    chosen = parser.parse_args(arguments)
    target: str = (
        chosen.to if chosen.to not in {None, "kafka"} else os.environ.get("KAFKA_BOOTSTRAP_SERVERS", "")
    )
    if not target and not chosen.dry_run:
        parser.error("set KAFKA_BOOTSTRAP_SERVERS or give --to with a gateway's URL")
    mapping = load_mapping(chosen.mapping)
    found = read_events(chosen.folder, mapping, chosen.book)
    events = [event for event in found.events if chosen.until is None or event.on <= chosen.until]
    refused: list[Refusal] = []
    if not chosen.dry_run:
        close_days = _close_days(chosen.close_days, events)
        pace = Pace(
            close_days=close_days,
            seconds_per_day=chosen.speed,
            duplicate_every=chosen.duplicate_every,
            late_share=chosen.late_share,
            shuffle=chosen.shuffle,
            seed=chosen.seed,
        )
        refused = asyncio.run(
            _send(open_sink(target, api_key=chosen.api_key), chosen.book, mapping, events, pace)
        )
    _show(events, found.bad_rows, refused, sent=not chosen.dry_run)
    return 1 if found.bad_rows or refused else 0


async def send_events(
    sink: Sink, book: str, mapping: Mapping, events: Sequence[ImportEvent], pace: Pace
) -> list[Refusal]:
    """Send events day by day at a pace; returns what was refused."""
    refused: list[Refusal] = []
    days = replay(
        events,
        close_days=pace.close_days,
        duplicate_every=pace.duplicate_every,
        late_share=pace.late_share,
        shuffle=pace.shuffle,
        seed=pace.seed,
    )
    for day in days:
        started = time.monotonic()
        refused += await sink.send(day.events)
        if day.closes_on is not None:
            await sink.close_day(book, mapping.source, day.closes_on)
        if pace.seconds_per_day:
            await asyncio.sleep(max(0.0, started + pace.seconds_per_day - time.monotonic()))
    return refused


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="loanpulse import", description=__doc__)
    parser.add_argument("folder", type=Path, metavar="DIR", help="the folder with the files")
    parser.add_argument("--mapping", required=True, help="a known mapping's name or a .toml file")
    parser.add_argument("--book", required=True, help="the book the loans belong to (`loanpulse book add`)")
    parser.add_argument("--to", metavar="URL|kafka", help="a gateway, or Kafka itself (the default)")
    parser.add_argument("--api-key", default=os.environ.get("INGEST_API_KEY"), help="for the gateway")
    parser.add_argument(
        "--until", type=date.fromisoformat, metavar="DATE", help="leave out what counts later"
    )
    parser.add_argument(
        "--close-days", metavar="DATE[,DATE]|daily", help="end these business days in the log"
    )
    parser.add_argument("--speed", type=float, default=0.0, metavar="SECONDS", help="for each business day")
    parser.add_argument(
        "--duplicate-every", type=int, default=0, metavar="N", help="send every n-th event twice"
    )
    parser.add_argument(
        "--late-share", type=float, default=0.0, metavar="SHARE", help="send these days later"
    )
    parser.add_argument("--shuffle", action="store_true", help="any order between two closings")
    parser.add_argument("--seed", type=int, default=0, help="of the disorder")
    parser.add_argument("--dry-run", action="store_true", help="only read the files and list bad rows")
    return parser


def _close_days(text: str | None, events: Sequence[ImportEvent]) -> list[date]:
    if not text:
        return []
    if text == "daily":
        return every_day(events)
    try:
        return [date.fromisoformat(part.strip()) for part in text.split(",") if part.strip()]
    except ValueError as error:
        raise SendingError(f"--close-days: {error}") from error


async def _send(
    sink: AbstractAsyncContextManager[Sink],
    book: str,
    mapping: Mapping,
    events: Sequence[ImportEvent],
    pace: Pace,
) -> list[Refusal]:
    await _require_book(book, events)
    async with sink as opened:
        return await send_events(opened, book, mapping, events, pace)


async def _require_book(book: str, events: Sequence[ImportEvent]) -> None:
    # Without a database at hand the worker tells: events of an unknown book are dead letters.
    database_url = os.environ.get("DATABASE_URL")
    if not database_url:
        return
    connection = await connect(database_url, ROLE)
    try:
        stored = await select_book(connection, book)
    finally:
        await connection.close()
    if stored is None:
        first = events[0].on if events else "DATE"
        hint = f"loanpulse book add {book} --currency CODE --opens-on {first}"
        raise SendingError(f"no book {book!r}: make it with `{hint}`")


def _show(
    events: Sequence[ImportEvent], bad_rows: Sequence[BadRow], refused: Sequence[Refusal], *, sent: bool
) -> None:
    for bad in bad_rows[:_BAD_ROWS_SHOWN]:
        where = f", column {bad.column}" if bad.column else ""
        print(f"{bad.file}, line {bad.line}{where}: {bad.reason}", file=sys.stderr)
    if len(bad_rows) > _BAD_ROWS_SHOWN:
        print(f"... and {len(bad_rows) - _BAD_ROWS_SHOWN} more", file=sys.stderr)
    for refusal in refused[:_BAD_ROWS_SHOWN]:
        print(f"refused: {refusal.reason}", file=sys.stderr)
    topics = Counter(event.topic for event in events)
    print(f"{'events sent' if sent else 'events read':<24}{len(events):>10}")
    for topic, count in sorted(topics.items()):
        print(f"  {topic:<22}{count:>10}")
    if events:
        print(f"{'days':<24}{events[0].on} to {events[-1].on}")
    print(f"{'bad rows':<24}{len(bad_rows):>10}")
    print(f"{'refused':<24}{len(refused):>10}")
