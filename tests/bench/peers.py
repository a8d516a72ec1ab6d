"""What others reach on the same events, broker and Postgres, who keep less: a ledger and a sum a loan.

Each is a program of `peer_programs` in an environment of its own; one that does not install is left out, with
the reason. A peer's clock runs from its first event to its last commit, and its tables are held to the
traffic before its rate counts.
"""

from __future__ import annotations

import asyncio
import json
import os
from dataclasses import dataclass
from pathlib import Path

import asyncpg
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from loanbook.topics import SLICES
from tests.bench.environments import environment
from tests.bench.log import fill
from tests.bench.parts import BenchError
from tests.bench.session import Session

SECTION = "peers"
DATABASE = "peer"
TOPIC = "bench.peers"
_PROGRAMS = Path(__file__).parent / "peer_programs"
_BATCH = 10_000
_SETTLE_S = 3.0  # until the topic's partitions have their leaders
_SINK = ("psycopg[binary]==3.3.2", "orjson==3.13.0")


@dataclass(frozen=True, slots=True, kw_only=True)
class Peer:
    """A program, what it needs, and the tables it leaves."""

    name: str
    program: str
    packages: tuple[str, ...]
    ledger: str = "ledger"
    sums: str = "loan_sum"


PEERS = (
    Peer(
        name="confluent-kafka 2.16.1, by hand",
        program="confluent_loop.py",
        packages=("confluent-kafka==2.16.1", *_SINK),
    ),
    Peer(name="Quix Streams 3.28.1", program="quix_app.py", packages=("quixstreams==3.28.1", *_SINK)),
    Peer(
        name="Bytewax 0.21.1",
        program="bytewax_flow.py",
        packages=("bytewax==0.21.1", "confluent-kafka==2.16.1", *_SINK),
    ),
    Peer(
        name="Pathway 0.33.0",
        program="pathway_tables.py",
        packages=("pathway==0.33.0",),
        ledger="pathway_ledger",
        sums="pathway_sum",
    ),
)


async def measure(session: Session) -> None:
    """Let each peer read the session's traffic from a topic of its own, several times."""
    topic = f"{TOPIC}.{session.spec.loans}"
    await _make_topic(session, topic)
    for peer in PEERS:
        try:
            python = await asyncio.to_thread(environment, peer.program.removesuffix(".py"), *peer.packages)
        except BenchError as error:
            print(f"  {peer.name} is left out: {error}", flush=True)
            session.report.details[f"left out: {peer.name}"] = str(error)
            continue
        said = [await _run(session, peer, python, topic) for _ in range(session.runs)]
        _report(session, peer, said)


async def _run(session: Session, peer: Peer, python: Path, topic: str) -> dict[str, float]:
    await _make_database(session)
    told = {
        "DATABASE_URL": session.parts.dsn(DATABASE),
        "KAFKA_BOOTSTRAP_SERVERS": session.parts.servers,
        "TOPIC": topic,
        "EVENTS": str(len(session.content.events)),
        "BATCH": str(_BATCH),
        "PYTHONPATH": "",
    }
    process = await asyncio.create_subprocess_exec(
        str(python),
        str(_PROGRAMS / peer.program),
        env=os.environ | told,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        cwd=session.parts.folder,
    )
    said, complaint = await process.communicate()
    if process.returncode:
        raise BenchError(f"{peer.name} ended with {process.returncode}: {complaint.decode()[-2_000:]}")
    await _check(session, peer)
    result: dict[str, float] = json.loads(said.splitlines()[-1])
    return result


async def _check(session: Session, peer: Peer) -> None:
    connection = await asyncpg.connect(session.parts.dsn(DATABASE))
    try:
        rows = await connection.fetchval(f"SELECT count(*) FROM {peer.ledger}")
        paid = await connection.fetchval(f"SELECT sum(paid_minor)::bigint FROM {peer.sums}")
    finally:
        await connection.close()
    if (rows, paid) != (session.content.distinct, session.content.posted_minor):
        raise BenchError(f"{peer.name} has {rows:,} rows and {paid:,}, which is not what was sent")


async def _make_topic(session: Session, topic: str) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=session.parts.servers)
    await admin.start()
    try:
        await admin.create_topics([NewTopic(topic, SLICES, 1)])
    finally:
        await admin.close()
    await asyncio.sleep(_SETTLE_S)
    await fill(session.parts.servers, session.content.events, topic)


async def _make_database(session: Session) -> None:
    parts = session.parts
    await parts.drop(DATABASE)
    await parts.execute(f"CREATE DATABASE {DATABASE}")
    connection = await asyncpg.connect(parts.dsn(DATABASE))
    try:
        await connection.execute((_PROGRAMS / "tables.sql").read_text(encoding="utf-8"))
        await connection.copy_records_to_table(
            "loan_sum", records=((loan.loan_id, 0, 0, None) for loan in session.loans)
        )
        await connection.copy_records_to_table("position", records=((n, 0) for n in range(SLICES)))
        await connection.execute("VACUUM (FREEZE, ANALYZE)")
        await connection.execute("CHECKPOINT")
    finally:
        await connection.close()


def _report(session: Session, peer: Peer, said: list[dict[str, float]]) -> None:
    add, find = session.report.add, session.report.find
    add(
        SECTION, f"{peer.name}: CPU, worker", "us/event", [s["cpu_seconds"] / s["events"] * 1e6 for s in said]
    )
    rate = add(SECTION, f"{peer.name}: stream", "events/s", [s["events"] / s["seconds"] for s in said])
    for name in ("1 worker: stream", "2 workers: stream"):
        if (stream := find("rate", name)) is not None:
            add(SECTION, f"{name}, of {peer.name}", "times", [stream.median / rate.median])
