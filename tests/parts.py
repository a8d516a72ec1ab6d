"""The real Kafka and PostgreSQL that tests run on: given, in containers, or embedded."""

from __future__ import annotations

import os
import shutil
import tempfile
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Protocol

import asyncpg
import pytest
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from embedded.kafka import KafkaBroker
from embedded.leftovers import claim_folder, remove_abandoned
from embedded.postgres import PostgresServer
from loanbook.postgres.migrate import migrate

ROLES = Path(__file__).parent.parent / "infra" / "postgres" / "roles.sql"
# Two cores and many small databases: little memory; fsync stays on, a crash must lose nothing.
SMALL_POSTGRES = {"shared_buffers": "256MB", "max_wal_size": "1GB"}
DOCKER_SOCKETS = (Path("/var/run/docker.sock"), Path.home() / ".docker" / "run" / "docker.sock")
SMALL_JAVA = ("-Xms128m", "-Xmx384m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1")


class Broker(Protocol):
    """A Kafka that a test may kill and start again."""

    @property
    def bootstrap_servers(self) -> str: ...
    def start(self) -> object: ...
    def stop(self) -> None: ...
    def kill(self) -> None: ...


class Database(Protocol):
    """A PostgreSQL server that a test may kill and start again."""

    def dsn(self, database: str = ...) -> str: ...
    def start(self) -> object: ...
    def stop(self) -> None: ...
    def kill(self) -> None: ...


TopicMaker = Callable[..., Awaitable[dict[str, str]]]


class GivenBroker:
    """The Kafka of KAFKA_BOOTSTRAP_SERVERS, which is not ours to kill."""

    def __init__(self, bootstrap_servers: str) -> None:
        self.bootstrap_servers = bootstrap_servers

    def start(self) -> object:
        return self

    def stop(self) -> None:
        """Leave it running."""

    def kill(self) -> None:
        pytest.skip("KAFKA_BOOTSTRAP_SERVERS names a Kafka that is not ours to kill")


class GivenDatabase:
    """The server of DATABASE_URL, which is not ours to kill."""

    def __init__(self, url: str) -> None:
        self._url = url

    def dsn(self, database: str = "postgres") -> str:
        address, _, query = self._url.partition("?")
        return f"{address.rsplit('/', 1)[0]}/{database}" + (f"?{query}" if query else "")

    def start(self) -> object:
        return self

    def stop(self) -> None:
        """Leave it running."""

    def kill(self) -> None:
        pytest.skip("DATABASE_URL names a PostgreSQL that is not ours to kill")


def docker_answers() -> bool:
    """Whether a Docker engine is there and really answers."""
    if not os.environ.get("DOCKER_HOST") and not any(socket.exists() for socket in DOCKER_SOCKETS):
        return False
    from tests.containers import engine_answers  # noqa: PLC0415  slow to import, seldom needed

    return engine_answers()


def _kind(variable: str, config: pytest.Config) -> str:
    if os.environ.get(variable):
        return f"given by {variable}"
    return "in a container" if config.stash[DOCKER] else "embedded"


DOCKER = pytest.StashKey[bool]()


def pytest_configure(config: pytest.Config) -> None:
    """Look for a Docker engine once a session."""
    config.stash[DOCKER] = docker_answers()


def pytest_report_header(config: pytest.Config) -> str:
    """Say which parts the tests run on."""
    kafka, postgres = _kind("KAFKA_BOOTSTRAP_SERVERS", config), _kind("DATABASE_URL", config)
    return f"parts: Kafka {kafka}, PostgreSQL {postgres}"


@pytest.fixture(scope="session")
def parts_folder() -> Iterator[Path]:
    """A folder that the server's user can reach, removed at the end; those of killed sessions go first."""
    base = Path(tempfile.gettempdir())
    remove_abandoned(base, "loanpulse-tests-")
    folder = Path(tempfile.mkdtemp(prefix="loanpulse-tests-", dir=base))
    folder.chmod(0o755)
    claim_folder(folder)
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def make_broker(pytestconfig: pytest.Config, parts_folder: Path) -> Callable[[], Broker]:
    """A maker of brokers of the kind this session runs on."""

    def make() -> Broker:
        given = os.environ.get("KAFKA_BOOTSTRAP_SERVERS")
        if given:
            return GivenBroker(given)
        if pytestconfig.stash[DOCKER]:
            from tests.containers import ContainerBroker  # noqa: PLC0415  slow to import, seldom needed

            return ContainerBroker()
        return KafkaBroker(parts_folder / f"kafka-{uuid.uuid4().hex[:8]}", java_options=SMALL_JAVA)

    return make


@pytest.fixture(scope="session")
def kafka(make_broker: Callable[[], Broker]) -> Iterator[Broker]:
    """The broker that all tests share."""
    shared = make_broker()
    shared.start()
    yield shared
    shared.stop()


@pytest.fixture
def broker(make_broker: Callable[[], Broker]) -> Iterator[Broker]:
    """A broker of the test's own, to be killed at will."""
    own = make_broker()
    own.start()
    yield own
    own.stop()


@pytest.fixture(scope="session")
def postgres(pytestconfig: pytest.Config, parts_folder: Path) -> Iterator[Database]:
    """The database server that all tests share; killing it takes other tests' connections along."""
    given = os.environ.get("DATABASE_URL")
    server: Database
    if given:
        server = GivenDatabase(given)
    elif pytestconfig.stash[DOCKER]:
        from tests.containers import ContainerDatabase  # noqa: PLC0415  slow to import, seldom needed

        server = ContainerDatabase()
    else:
        server = PostgresServer(parts_folder / "postgres", settings=SMALL_POSTGRES)
    server.start()
    yield server
    server.stop()


@pytest.fixture(scope="session")
async def database_template(postgres: Database) -> AsyncIterator[str]:
    """The name of a database with roles and migrations in it, made once and copied for each test."""
    name = f"loanpulse_template_{uuid.uuid4().hex[:12]}"
    await _execute(postgres.dsn(), f"CREATE DATABASE {name}")
    await _execute(postgres.dsn(name), ROLES.read_text(encoding="utf-8"))
    await migrate(postgres.dsn(name))
    yield name
    await _execute(postgres.dsn(), f"DROP DATABASE {name} WITH (FORCE)")


@asynccontextmanager
async def fresh_database(postgres: Database, template: str) -> AsyncIterator[str]:
    """The DSN of a migrated database that is dropped at the end."""
    name = f"loanpulse_{uuid.uuid4().hex[:12]}"
    await _execute(postgres.dsn(), f"CREATE DATABASE {name} TEMPLATE {template}")
    yield postgres.dsn(name)
    await _execute(postgres.dsn(), f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
async def database(postgres: Database, database_template: str) -> AsyncIterator[str]:
    """The DSN of a fresh, migrated database of the test's own."""
    async with fresh_database(postgres, database_template) as dsn:
        yield dsn


@pytest.fixture
async def empty_database(postgres: Database) -> AsyncIterator[str]:
    """The DSN of a database with nothing in it."""
    name = f"empty_{uuid.uuid4().hex[:12]}"
    await _execute(postgres.dsn(), f"CREATE DATABASE {name}")
    yield postgres.dsn(name)
    await _execute(postgres.dsn(), f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
async def fresh_kafka_topics(kafka: Broker) -> AsyncIterator[TopicMaker]:
    """Makes topics with a suffix of their own and drops them at the end.

    `names = await fresh_kafka_topics("loan.events.v1", partitions=4)` gives {"loan.events.v1": real name}.
    """
    made: list[str] = []

    async def make(*names: str, partitions: int = 16, config: dict[str, str] | None = None) -> dict[str, str]:
        suffix = uuid.uuid4().hex[:8]
        real = {name: f"{name}.{suffix}" for name in names}
        await create_topics(kafka.bootstrap_servers, dict.fromkeys(real.values(), partitions), **config or {})
        made.extend(real.values())
        return real

    yield make
    if made:
        async with _admin(kafka.bootstrap_servers) as admin:
            await admin.delete_topics(made)


@asynccontextmanager
async def _admin(bootstrap_servers: str) -> AsyncIterator[AIOKafkaAdminClient]:
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap_servers)
    await admin.start()
    try:
        yield admin
    finally:
        await admin.close()


async def create_topics(bootstrap_servers: str, partitions: dict[str, int], **config: str) -> None:
    """Make topics, each with its number of partitions, under exactly these names."""
    topics = [NewTopic(name, count, 1, topic_configs=config) for name, count in partitions.items()]
    async with _admin(bootstrap_servers) as admin:
        answer = await admin.create_topics(topics)
    refused = [(name, message) for name, code, message in answer.topic_errors if code]
    if refused:
        msg = f"topics were not made: {refused}"
        raise RuntimeError(msg)


async def _execute(dsn: str, sql: str) -> None:
    connection = await asyncpg.connect(dsn)
    try:
        await connection.execute(sql)
    finally:
        await connection.close()
