"""The whole of Loanpulse as processes, on a broker and a database of their own, for tests from end to end."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

import asyncpg
import httpx
import pytest

from embedded.ports import free_port
from loanbook.kafka.commands import create_topics
from tests.parts import Broker, Database, fresh_database

ROOT = Path(__file__).parent.parent
DATA = ROOT.parent / "shared" / "data"
PARTS = {
    "gateway": ("ingest", "gateway"),
    "ingest": ("ingest", "worker"),
    "scoring": ("scoring", "worker"),
    "analytics": ("analytics_api", "serve"),
    "refresh": ("analytics_api", "refresh"),
}


@dataclass
class Stack:
    """Running processes, and how a person or a program meets them."""

    environment: dict[str, str]
    folder: Path
    processes: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    @property
    def dsn(self) -> str:
        """The database."""
        return self.environment["DATABASE_URL"]

    @property
    def gateway(self) -> str:
        """Address of the gateway."""
        return f"http://127.0.0.1:{self.environment['INGEST_GATEWAY_PORT']}"

    @property
    def analytics(self) -> str:
        """Address of the API and the boards."""
        return f"http://127.0.0.1:{self.environment['ANALYTICS_PORT']}"

    def start(self, *parts: str) -> None:
        """Start parts by name."""
        for part in parts:
            with (self.folder / f"{part}.log").open("ab") as log:
                self.processes[part] = subprocess.Popen(
                    [sys.executable, "-m", *PARTS[part]],
                    env=self.environment,
                    cwd=ROOT,
                    stdout=log,
                    stderr=log,
                )

    def stop(self) -> None:
        """Stop all, by force after a while."""
        for process in self.processes.values():
            process.send_signal(signal.SIGTERM)
        for process in self.processes.values():
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()

    def command(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run `loanpulse` with the stack's addresses."""
        return subprocess.run(
            [sys.executable, "-m", "loanbook.cli", *arguments],
            env=self.environment,
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )

    async def get(self, path: str, **parameters: Any) -> Any:
        """JSON of an API answer."""
        async with httpx.AsyncClient(base_url=self.analytics, timeout=30) as client:
            answer = await client.get(path, params=parameters)
            assert answer.status_code == httpx.codes.OK, answer.text
            return answer.json()

    async def value(self, query: str, *values: object) -> Any:
        """One value from the database."""
        connection = await asyncpg.connect(self.dsn)
        try:
            return await connection.fetchval(query, *values)
        finally:
            await connection.close()

    async def until(self, look: Callable[[], Any], wanted: Callable[[Any], bool], seconds: float = 60) -> Any:
        """Look until what is seen is wanted; fails with the logs' ends."""
        deadline = time.monotonic() + seconds
        seen: object = None
        while time.monotonic() < deadline:
            try:
                seen = await look()
            except (httpx.TransportError, AssertionError) as error:
                seen = error
            else:
                if wanted(seen):
                    return seen
            await asyncio.sleep(0.1)
        pytest.fail(f"last seen: {seen}\n{self.logs()}")

    async def until_day(self, book: str, day: date, seconds: float = 240) -> None:
        """Wait until a book stands at a day and its loans have been rolled."""
        await self.until(
            lambda: self.value("SELECT business_on FROM core.book WHERE book = $1", book),
            lambda seen: seen >= day,
            seconds,
        )
        await self.until(
            lambda: self.value("SELECT count(*) FROM core.day_roll WHERE swept_at IS NULL"),
            lambda seen: seen == 0,
        )

    def logs(self) -> str:
        """The last lines of every part."""
        tails = [
            f"--- {log.stem}\n{log.read_text(errors='replace')[-1500:]}"
            for log in sorted(self.folder.glob("*.log"))
        ]
        return "\n".join(tails)


@pytest.fixture(scope="module")
async def stack(
    make_broker: Callable[[], Broker],
    postgres: Database,
    database_template: str,
    tmp_path_factory: pytest.TempPathFactory,
) -> AsyncIterator[Stack]:
    """Topics and an empty database on real parts; a test starts the processes it needs."""
    broker = make_broker()
    await asyncio.to_thread(broker.start)
    await create_topics(broker.bootstrap_servers)
    async with fresh_database(postgres, database_template) as dsn:
        environment = os.environ | {
            "DATABASE_URL": dsn,
            "KAFKA_BOOTSTRAP_SERVERS": broker.bootstrap_servers,
            "INGEST_AUTH": "off",
            "ANALYTICS_AUTH": "off",
            "ANALYTICS_RATE_PER_SECOND": "0",
            "INGEST_GATEWAY_PORT": str(free_port()),
            "ANALYTICS_PORT": str(free_port()),
            "INGEST_WORKER_PORT": "0",
            "SCORING_WORKER_PORT": "0",
        }
        stack = Stack(environment, tmp_path_factory.mktemp("stack"))
        yield stack
        stack.stop()
    broker.stop()
