"""The gateway on a real Kafka: accepted is what lies in the log, and nothing else."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest

from embedded.ports import free_port
from ingest.contract.examples import example_event, wrong_event
from ingest.gateway import create_app
from ingest.gateway_settings import GatewaySettings
from loanbook.kafka.commands import create_topics
from loanbook.topics import BOOK_REFERENCE, BORROWER_PROFILES, LOAN_EVENTS, SLICES, slice_of
from tests.integration.ingest.log import Log, log_of
from tests.parts import Broker

pytestmark = pytest.mark.integration
LINES = "application/x-ndjson"


def a_payment(event_id: str, loan_id: str = "L-1") -> dict[str, Any]:
    return {**example_event("payment.posted.v1"), "id": event_id, "subject": loan_id}


@asynccontextmanager
async def gateway_on(bootstrap_servers: str, **given: object) -> AsyncIterator[httpx.AsyncClient]:
    settings = GatewaySettings.model_validate(
        {"KAFKA_BOOTSTRAP_SERVERS": bootstrap_servers, "auth": "off", **given}
    )
    app = create_app(settings)
    transport = httpx.ASGITransport(app=app)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=transport, base_url="http://gateway", timeout=60) as client,
    ):
        yield client


@pytest.fixture
async def gateway(kafka: Broker) -> AsyncIterator[httpx.AsyncClient]:
    await create_topics(kafka.bootstrap_servers)
    async with gateway_on(kafka.bootstrap_servers) as client:
        yield client


@pytest.fixture
async def log(kafka: Broker, gateway: httpx.AsyncClient) -> AsyncIterator[Log]:  # noqa: ARG001 - makes the topics
    async with log_of(kafka.bootstrap_servers, [LOAN_EVENTS, BORROWER_PROFILES, BOOK_REFERENCE]) as log:
        yield log


async def post(
    gateway: httpx.AsyncClient, body: bytes, media_type: str = "application/json"
) -> httpx.Response:
    return await gateway.post("/v1/events", content=body, headers={"content-type": media_type})


async def test_accepted_events_lie_in_their_loans_partition_as_they_came(
    gateway: httpx.AsyncClient, log: Log
) -> None:
    loans = [f"L-{number}" for number in range(40)]
    single = json.dumps(a_payment("single", loans[0]), indent=1).encode()
    array = [json.dumps(a_payment(f"a-{loan}", loan), indent=2).encode() for loan in loans[1:20]]
    lines = [json.dumps(a_payment(f"l-{loan}", loan)).encode() for loan in loans[20:]]
    assert (await post(gateway, single, "application/cloudevents+json")).status_code == 202
    assert (await post(gateway, b"[" + b",".join(array) + b"]")).status_code == 202
    assert (await post(gateway, b"\n".join(lines), LINES)).status_code == 202
    records = await log.records()
    assert sorted(record.value for record in records) == sorted([single, *array, *lines])
    assert all(record.partition == slice_of(record.key.decode()) for record in records)
    assert {record.key.decode() for record in records} == set(loans)


async def test_only_the_good_events_of_a_mixed_request_are_in_the_log(
    gateway: httpx.AsyncClient, log: Log
) -> None:
    events = [a_payment("good-1"), wrong_event(), {"id": "x"}, a_payment("good-2")]
    answer = await post(gateway, json.dumps(events).encode())
    assert answer.status_code == 207
    statuses = [result["status"] for result in answer.json()["results"]]
    assert statuses == ["accepted", "refused", "refused", "accepted"]
    assert [json.loads(record.value)["id"] for record in await log.records()] == ["good-1", "good-2"]


async def test_the_end_of_a_day_stands_in_every_partition_after_what_was_sent_before(
    gateway: httpx.AsyncClient, log: Log
) -> None:
    before = [a_payment(f"b-{number}", f"L-{number}") for number in range(100)]
    await post(gateway, json.dumps(before).encode())
    await post(gateway, json.dumps(example_event("day.closed.v1")).encode())
    await post(gateway, json.dumps(a_payment("after", "L-1")).encode())
    records = await log.records()
    days = [record for record in records if record.key == b"demo"]
    assert [record.partition for record in days] == list(range(SLICES))
    offsets = {record.partition: record.offset for record in days}
    for record in records:
        event_id = json.loads(record.value)["id"]
        if event_id.startswith("b-"):
            assert record.offset < offsets[record.partition]
        if event_id == "after":
            assert record.offset > offsets[record.partition]


async def test_profiles_and_branches_lie_in_their_own_topics(gateway: httpx.AsyncClient, log: Log) -> None:
    events = [example_event("borrower.profile.v1"), example_event("branch.updated.v1")]
    assert (await post(gateway, json.dumps(events).encode())).status_code == 202
    assert [(record.topic, record.key) for record in await log.records()] == [
        (BOOK_REFERENCE, b"demo\x1fharbor"),
        (BORROWER_PROFILES, b"demo\x1fB-1007"),
    ]


async def test_a_broker_that_answers_makes_it_ready(gateway: httpx.AsyncClient) -> None:
    assert (await gateway.get("/ready")).status_code == 200


async def test_many_senders_at_once_are_all_answered(gateway: httpx.AsyncClient, log: Log) -> None:
    requests = [
        post(gateway, json.dumps([a_payment(f"{n}-{m}", f"L-{m}") for m in range(50)]).encode())
        for n in range(40)
    ]
    answers = await asyncio.gather(*requests)
    assert {answer.status_code for answer in answers} == {202}
    assert len(await log.records()) == 2_000


@pytest.mark.faults
async def test_nothing_is_accepted_that_is_not_durable_while_kafka_dies_and_comes_back(
    broker: Broker,
) -> None:
    await create_topics(broker.bootstrap_servers)
    accepted: set[str] = set()
    async with gateway_on(broker.bootstrap_servers, durable_timeout="PT2S") as gateway:
        await send_until_taken(gateway, "before", accepted)
        await asyncio.to_thread(broker.kill)
        started = time.monotonic()
        assert await send(gateway, "while", accepted) == 503
        assert time.monotonic() - started < 10
        assert (await gateway.get("/ready")).status_code == 503
        assert (await gateway.get("/health")).status_code == 200
        await asyncio.to_thread(broker.start)
        await send_until_taken(gateway, "while", accepted)
        await send_until_taken(gateway, "after", accepted)
    async with log_of(broker.bootstrap_servers, [LOAN_EVENTS]) as log:
        log.starts = dict.fromkeys(log.starts, 0)
        lying = {json.loads(record.value)["id"] for record in await log.records()}
    assert accepted == {f"{word}-{number}" for word in ("before", "while", "after") for number in range(20)}
    assert accepted <= lying


async def send(gateway: httpx.AsyncClient, word: str, accepted: set[str]) -> int:
    """Send twenty events; keeps the ids of those that were accepted."""
    events = [a_payment(f"{word}-{number}", f"L-{number}") for number in range(20)]
    answer = await post(gateway, json.dumps(events).encode())
    results = answer.json()["results"]
    accepted |= {result["id"] for result in results if result["status"] == "accepted"}
    assert answer.status_code == 202 or all(r.get("retry") for r in results if r["status"] == "refused")
    return answer.status_code


async def send_until_taken(gateway: httpx.AsyncClient, word: str, accepted: set[str]) -> None:
    """Send the same twenty again until all are accepted, as a sender does."""
    deadline = time.monotonic() + 60
    while await send(gateway, word, accepted) != 202:
        assert time.monotonic() < deadline
        await asyncio.sleep(0.2)


async def test_it_starts_without_a_broker_and_says_so() -> None:
    async with gateway_on(f"127.0.0.1:{free_port()}", durable_timeout="PT1S") as gateway:
        answer = await post(gateway, json.dumps(a_payment("e")).encode())
    assert answer.status_code == 503
    assert int(answer.headers["retry-after"]) > 0
