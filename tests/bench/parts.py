"""The real Kafka and PostgreSQL of a benchmark, its prepared databases, and workers started on them."""

from __future__ import annotations

import asyncio
import fcntl
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType

import asyncpg
from aiokafka import AIOKafkaConsumer, TopicPartition

from embedded.kafka import KafkaBroker
from embedded.postgres import PostgresServer
from embedded.state import state_folder
from loanbook.kafka.commands import create_topics
from loanbook.kafka.log_reader import cluster_id
from loanbook.kafka.settings import KafkaSettings
from loanbook.postgres.migrate import migrate
from loanbook.topics import LOAN_EVENTS, SLICES

ROOT = Path(__file__).parent.parent.parent
_ROLES = ROOT / "infra" / "postgres" / "roles.sql"
_STOP_S = 30
RUN_DATABASE = "run"
_SETTINGS = {"track_commit_timestamp": "on"}  # latencies are taken from it; else the stack's own


class BenchError(Exception):
    """What was measured cannot be trusted, or could not be measured."""


@dataclass(slots=True, kw_only=True)
class Parts:
    """Running parts; a database is made, copied and dropped by name."""

    broker: KafkaBroker
    server: PostgresServer
    folder: Path
    cluster: str = ""
    group: str = ""  # a new one for each copy of a database: no member of an earlier run is waited for
    workers: list[subprocess.Popen[bytes]] = field(default_factory=list)

    @property
    def servers(self) -> str:
        """Kafka's address."""
        return self.broker.bootstrap_servers

    def dsn(self, database: str = RUN_DATABASE) -> str:
        """The address of a database."""
        return self.server.dsn(database)

    async def execute(self, sql: str, database: str = "postgres") -> None:
        """Run a statement in a connection of its own."""
        connection = await asyncpg.connect(self.dsn(database))
        try:
            await connection.execute(sql)
        finally:
            await connection.close()

    async def databases(self) -> set[str]:
        """The databases there are."""
        connection = await asyncpg.connect(self.dsn("postgres"))
        try:
            return {row["datname"] for row in await connection.fetch("SELECT datname FROM pg_database")}
        finally:
            await connection.close()

    async def drop(self, name: str) -> None:
        """Remove a database, if it is there."""
        await self.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")

    async def make_database(self, name: str) -> None:
        """An empty database with roles and migrations."""
        await self.drop(name)
        await self.execute(f"CREATE DATABASE {name}")
        await self.execute(_ROLES.read_text(encoding="utf-8"), name)
        await migrate(self.dsn(name))

    async def copy_database(
        self, template: str, ends: Sequence[int] | None = None, name: str = RUN_DATABASE
    ) -> str:
        """A copy of a prepared database, its positions at these ends of the log; returns its address."""
        self.group = uuid.uuid4().hex[:8]
        await self.drop(name)
        await self.execute(f"CREATE DATABASE {name} TEMPLATE {template} STRATEGY FILE_COPY")
        connection = await asyncpg.connect(self.dsn(name))
        try:
            await connection.execute("DELETE FROM core.stream_position")
            await connection.executemany(
                "INSERT INTO core.stream_position (cluster_id, topic, partition, slice, next_offset)"
                " VALUES ($1, $2, $3, $3, $4)",
                [(self.cluster, LOAN_EVENTS, number, end) for number, end in enumerate(ends or ())],
            )
            await connection.execute("CREATE EXTENSION IF NOT EXISTS pg_stat_statements")
            await connection.execute("CHECKPOINT")
        finally:
            await connection.close()
        return self.dsn(name)

    async def log_ends(self) -> list[int]:
        """Where the log of each partition of the events ends."""
        consumer = AIOKafkaConsumer(bootstrap_servers=self.servers)
        await consumer.start()
        try:
            wanted = [TopicPartition(LOAN_EVENTS, number) for number in range(SLICES)]
            ends = await consumer.end_offsets(wanted)
            return [ends[partition] for partition in wanted]
        finally:
            await consumer.stop()

    def environment(self, database: str = RUN_DATABASE) -> dict[str, str]:
        """What a part of the product is started with; the caller's own settings stay."""
        return os.environ | {
            "DATABASE_URL": self.dsn(database),
            "KAFKA_BOOTSTRAP_SERVERS": self.servers,
            "INGEST_WORKER_PORT": "0",
            "INGEST_GROUP": f"bench-ingest-{self.group}",
            "SCORING_WORKER_PORT": "0",
            "SCORING_GROUP": f"bench-scoring-{self.group}",
        }

    def start(
        self,
        *command: str,
        count: int = 1,
        database: str = RUN_DATABASE,
        environment: Mapping[str, str] = MappingProxyType({}),
    ) -> list[subprocess.Popen[bytes]]:
        """Start so many processes of a part, as `python -m ingest worker`, in one group."""
        log_path = self.folder / f"{command[0]}.log"
        with log_path.open("ab") as log:
            started = [
                subprocess.Popen(
                    [sys.executable, "-m", *command],
                    env={**self.environment(database), **environment},
                    cwd=ROOT,
                    stdout=log,
                    stderr=log,
                )
                for _ in range(count)
            ]
        self.workers += started
        return started

    def stop_workers(self) -> None:
        """End all started processes in order; one that does not end in time is killed."""
        for process in self.workers:
            process.send_signal(signal.SIGTERM)
        for process in self.workers:
            try:
                process.wait(_STOP_S)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        self.workers.clear()

    def check_alive(self) -> None:
        """Raise BenchError with the log's end when a started process has died."""
        dead = [process for process in self.workers if process.poll() is not None]
        if dead:
            logs = "\n".join(path.read_text(errors="replace")[-2_000:] for path in self.folder.glob("*.log"))
            raise BenchError(f"a worker ended with {dead[0].returncode}\n{logs}")


@contextmanager
def started_parts() -> Iterator[Parts]:
    """Kafka in a new folder and PostgreSQL in a kept one, whose prepared databases are used again."""
    base = state_folder() / "bench"
    base.mkdir(parents=True, exist_ok=True)
    with (base / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise BenchError(f"another benchmark runs in {base}") from error
        folder = Path(tempfile.mkdtemp(prefix="run-", dir=base))
        broker, server = KafkaBroker(folder / "kafka"), PostgresServer(base / "postgres", settings=_SETTINGS)
        parts = Parts(broker=broker, server=server, folder=folder)
        try:
            server.start()
            broker.start()
            asyncio.run(_make_ready(parts))
            yield parts
        finally:
            parts.stop_workers()
            broker.stop()
            server.stop()
            shutil.rmtree(folder, ignore_errors=True)


async def _make_ready(parts: Parts) -> None:
    await create_topics(parts.servers)
    parts.cluster = await cluster_id(KafkaSettings(bootstrap_servers=parts.servers))
