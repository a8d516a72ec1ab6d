"""`loanpulse demo`: play a book through Kafka, its history at once, then a business day every few seconds."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import os
from collections.abc import AsyncIterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from ingest.commands.book import ROLE
from ingest.commands.books import save_book, select_book, select_synthetic_sources
from ingest.commands.demo_feeds import SYNTHETIC_BOOK, Feed, Wanted, files_feed, settings_of, synthetic_feed
from ingest.commands.demo_play import Demo
from ingest.commands.demo_watch import Watch
from ingest.commands.sending import open_sink
from loanbook.kafka.settings import KafkaSettings
from loanbook.postgres.pool import Pool, create_pool

_SECONDS_OF_LIVE_DAY, _SECONDS_OF_FILE_DAY = 5.0, 0.5


def main(arguments: list[str]) -> int:
    """Play until interrupted; the next start goes on where this one stopped."""
    parser = _parser()
    chosen = parser.parse_args(arguments)
    if not chosen.database_url or not chosen.bootstrap_servers:
        parser.error("set DATABASE_URL and KAFKA_BOOTSTRAP_SERVERS, as `make demo` does")
    try:
        asyncio.run(_run(chosen))
    except KeyboardInterrupt:
        print("\nstopped; the next start goes on from here")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="loanpulse demo", description=__doc__)
    parser.add_argument("--book", type=Path, metavar="DIR", help="a lender's files instead of a made-up book")
    parser.add_argument("--mapping", help="of the lender's files; else the one named like their folder")
    parser.add_argument("--loans", type=int, help="of the made-up history (10000)")
    parser.add_argument("--months", type=int, help="of the made-up history (18)")
    parser.add_argument("--seed", type=int, help="another seed makes another book (7)")
    parser.add_argument("--seconds-per-day", type=float, help="of a live day (5, of files 0.5)")
    parser.add_argument("--live-days", type=int, metavar="N", help="end after so many live days")
    parser.add_argument("--database-url", default=os.environ.get("DATABASE_URL"))
    parser.add_argument("--bootstrap-servers", default=os.environ.get("KAFKA_BOOTSTRAP_SERVERS"))
    return parser


async def _run(chosen: argparse.Namespace) -> None:
    kafka = KafkaSettings(bootstrap_servers=chosen.bootstrap_servers, client_id="loanpulse-demo")
    async with _pool(chosen.database_url) as pool, open_sink(chosen.bootstrap_servers) as sink:
        feed = await _feed(chosen, pool)
        async with pool.acquire() as connection:
            await save_book(connection, feed.book)
        watch = Watch(pool, kafka, feed.book.book)
        demo = Demo(
            feed=feed,
            sink=sink,
            watch=watch,
            pool=pool,
            boards=os.environ.get("ANALYTICS_URL"),
            live_days_max=chosen.live_days,
        )
        try:
            await demo.play()
        finally:
            await watch.close()


async def _feed(chosen: argparse.Namespace, pool: Pool) -> Feed:
    if chosen.book is not None:
        seconds = chosen.seconds_per_day or _SECONDS_OF_FILE_DAY
        return files_feed(chosen.book, chosen.mapping or chosen.book.resolve().name, seconds)
    stored = await select_book(pool, SYNTHETIC_BOOK)
    wanted = Wanted(loans=chosen.loans, months=chosen.months, seed=chosen.seed)
    settings = settings_of(
        wanted, stored.opened_on if stored else None, await select_synthetic_sources(pool), _today()
    )
    return synthetic_feed(settings, chosen.seconds_per_day or _SECONDS_OF_LIVE_DAY)


@contextlib.asynccontextmanager
async def _pool(database_url: str) -> AsyncIterator[Pool]:
    pool = await create_pool(database_url, ROLE, size_max=2)
    try:
        yield pool
    finally:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(timedelta(seconds=5).total_seconds()):
                await pool.close()


def _today() -> date:
    return datetime.now(UTC).date()
