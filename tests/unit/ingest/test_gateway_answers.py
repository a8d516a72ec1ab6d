"""The gateway's answers, event by event; Kafka is a fake that does as it is told."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import AsyncIterator, Iterable, Sequence
from typing import Any

import httpx
import pytest

from ingest.contract.examples import example_event, wrong_event
from ingest.gateway import create_app
from ingest.gateway_settings import GatewaySettings
from loanbook.domain.errors import RetryableError
from loanbook.kafka.producer import OutgoingRecord
from loanbook.topics import BOOK_REFERENCE, BORROWER_PROFILES, LOAN_EVENTS

KEY, BOOK_KEY = "open sesame", "only for one book"


def digest_of(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()


class FakeKafka:
    """Keeps what it is sent; `refuses` says which records it does not confirm."""

    def __init__(self) -> None:
        self.records: list[OutgoingRecord] = []
        self.is_away = False
        self.loses: set[int] = set()  # places in a call

    async def send_many(self, records: Iterable[OutgoingRecord]) -> Sequence[object]:
        given = list(records)
        lost = set(range(len(given))) if self.is_away else self.loses
        self.records += [record for place, record in enumerate(given) if place not in lost]
        return [RetryableError("away") if place in lost else "there" for place in range(len(given))]


def settings_with(**given: object) -> GatewaySettings:
    return GatewaySettings.model_validate({"KAFKA_BOOTSTRAP_SERVERS": "127.0.0.1:1", "auth": "off", **given})


class Door:
    """A gateway to post to, and the Kafka behind it."""

    def __init__(self, settings: GatewaySettings) -> None:
        app = create_app(settings)
        self.kafka = FakeKafka()
        app.state.gateway.producer = self.kafka
        transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
        self.client = httpx.AsyncClient(transport=transport, base_url="http://gateway")

    async def post(
        self, content: bytes | AsyncIterator[bytes], media_type: str = "application/json", **headers: str
    ) -> httpx.Response:
        return await self.client.post(
            "/v1/events", content=content, headers={"content-type": media_type, **headers}
        )

    async def post_events(self, *events: dict[str, Any], **headers: str) -> httpx.Response:
        return await self.post(json.dumps(events).encode(), **headers)


@pytest.fixture
def door() -> Door:
    return Door(settings_with())


def a_payment(event_id: str = "e-1", **attributes: object) -> dict[str, Any]:
    return {**example_event("payment.posted.v1"), "id": event_id, **attributes}


async def test_a_single_event_is_accepted_and_sent_as_it_came(door: Door) -> None:
    raw = json.dumps(a_payment(), indent=2).encode()
    answer = await door.post(raw, "application/cloudevents+json; charset=utf-8")
    assert answer.status_code == 202
    assert answer.json() == {
        "accepted": 1,
        "refused": 0,
        "results": [{"index": 0, "id": "e-1", "status": "accepted"}],
    }
    (record,) = door.kafka.records
    assert (record.topic, record.key, record.value, record.partition) == (LOAN_EVENTS, b"L0001042", raw, None)


@pytest.mark.parametrize("media_type", ["application/json", "application/cloudevents-batch+json"])
async def test_each_element_of_an_array_keeps_its_bytes(door: Door, media_type: str) -> None:
    raws = [json.dumps(a_payment("a"), indent=1).encode(), json.dumps(a_payment("b")).encode()]
    answer = await door.post(b" [" + b" ,\n".join(raws) + b"]\n", media_type)
    assert [result["id"] for result in answer.json()["results"]] == ["a", "b"]
    assert [record.value for record in door.kafka.records] == raws


@pytest.mark.parametrize("media_type", ["application/x-ndjson", "application/ndjson", "application/jsonl"])
async def test_each_line_keeps_its_bytes_and_blank_lines_do_not_count(door: Door, media_type: str) -> None:
    raws = [json.dumps(a_payment("a")).encode(), json.dumps(a_payment("b")).encode()]
    answer = await door.post(b"\n\r\n".join(raws) + b"\n\n", media_type)
    assert answer.status_code == 202
    assert [(result["index"], result["id"]) for result in answer.json()["results"]] == [(0, "a"), (1, "b")]
    assert [record.value for record in door.kafka.records] == raws


async def test_good_events_are_taken_beside_refused_ones(door: Door) -> None:
    answer = await door.post_events(a_payment("a"), wrong_event(), a_payment("c"))
    assert answer.status_code == 207
    body = answer.json()
    assert (body["accepted"], body["refused"]) == (2, 1)
    assert body["results"][1] == {
        "index": 1,
        "id": "payment.posted.v1/48211",
        "status": "refused",
        "field": "data.amount",
        "reason": "more than 2 decimals: '212.505'",
    }
    assert len(door.kafka.records) == 2
    assert "retry-after" not in answer.headers


async def test_a_line_that_is_no_json_is_refused_alone(door: Door) -> None:
    answer = await door.post(b"nonsense\n" + json.dumps(a_payment()).encode(), "application/x-ndjson")
    assert answer.status_code == 207
    assert [result["status"] for result in answer.json()["results"]] == ["refused", "accepted"]


async def test_a_request_of_which_nothing_can_be_taken_is_no_success(door: Door) -> None:
    answer = await door.post(json.dumps(wrong_event()).encode())
    assert answer.status_code == 400
    assert answer.headers["content-type"] == "application/problem+json"
    body = answer.json()
    assert body["detail"] == "event 0: data.amount: more than 2 decimals: '212.505'"
    assert (body["status"], body["results"][0]["field"]) == (400, "data.amount")


@pytest.mark.parametrize("body", [b"", b"hello", b"[", b'{"a":1', b'[{"a":1},]', b"[" * 100_000])
async def test_what_is_not_json_at_all_is_a_malformed_request(door: Door, body: bytes) -> None:
    answer = await door.post(body)
    assert answer.status_code == 422
    assert answer.json()["title"] == "The request cannot be read"


@pytest.mark.parametrize(
    ("body", "media_type"), [(b"[]", "application/json"), (b"\n \n", "application/x-ndjson")]
)
async def test_a_request_without_events_is_malformed(door: Door, body: bytes, media_type: str) -> None:
    assert (await door.post(body, media_type)).status_code == 422


async def test_other_media_types_and_encodings_are_turned_away(door: Door) -> None:
    assert (await door.post(b"{}", "text/plain")).status_code == 415
    squeezed = await door.post(b"\x1f\x8b", "application/json", **{"content-encoding": "gzip"})
    assert squeezed.status_code == 415
    assert "gzip" in squeezed.json()["detail"]


async def test_a_body_over_the_limit_is_not_read_to_its_end(door: Door) -> None:
    read = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal read
        for _ in range(1_000):
            read += 65_536
            yield b"x" * 65_536

    answer = await door.post(endless(), "application/json")
    assert answer.status_code == 413
    assert read <= 20 * 65_536


async def test_an_announced_body_over_the_limit_is_not_read_at_all(door: Door) -> None:
    answer = await door.post(b"x" * 1_048_577)
    assert answer.status_code == 413
    assert "1048577 bytes" in answer.json()["detail"]


async def test_too_many_events_are_refused_as_a_whole() -> None:
    door = Door(settings_with(events_max=2))
    answer = await door.post_events(a_payment("a"), a_payment("b"), a_payment("c"))
    assert answer.status_code == 413
    assert door.kafka.records == []


async def test_the_end_of_a_day_goes_into_every_partition(door: Door) -> None:
    answer = await door.post_events(example_event("day.closed.v1"))
    assert answer.status_code == 202
    assert [record.partition for record in door.kafka.records] == list(range(16))
    assert len({(record.topic, record.value) for record in door.kafka.records}) == 1


async def test_the_end_of_a_day_is_not_accepted_before_every_partition_has_it(door: Door) -> None:
    door.kafka.loses = {11}
    answer = await door.post_events(example_event("day.closed.v1"))
    assert answer.status_code == 503
    assert answer.json()["results"][0]["retry"] is True


async def test_profiles_and_branches_go_to_their_compacted_topics(door: Door) -> None:
    await door.post_events(example_event("borrower.profile.v1"), example_event("branch.updated.v1"))
    assert [(record.topic, record.key) for record in door.kafka.records] == [
        (BORROWER_PROFILES, b"demo\x1fB-1007"),
        (BOOK_REFERENCE, b"demo\x1fharbor"),
    ]


async def test_nothing_is_accepted_while_kafka_is_away(door: Door) -> None:
    door.kafka.is_away = True
    answer = await door.post_events(a_payment("a"), wrong_event())
    assert answer.status_code == 503
    assert answer.headers["retry-after"] == "5"
    body = answer.json()
    assert (body["accepted"], [result.get("retry", False) for result in body["results"]]) == (
        0,
        [True, False],
    )


async def test_what_was_not_confirmed_is_told_apart_from_what_was(door: Door) -> None:
    door.kafka.loses = {1}
    answer = await door.post_events(a_payment("a"), a_payment("b"), a_payment("c"))
    assert answer.status_code == 207
    assert answer.headers["retry-after"] == "5"
    assert [result["status"] for result in answer.json()["results"]] == ["accepted", "refused", "accepted"]
    assert answer.json()["results"][1]["retry"] is True


async def test_only_known_books_are_taken_where_they_are_listed() -> None:
    door = Door(settings_with(books="demo, other"))
    answer = await door.post_events(a_payment("a"), a_payment("b", book="elsewhere"))
    assert [result.get("reason") for result in answer.json()["results"]] == [None, "no such book"]
    assert answer.json()["results"][1]["field"] == "book"


@pytest.fixture
def guarded() -> Door:
    return Door(settings_with(auth="keys", api_keys=f"{digest_of(KEY)}, {digest_of(BOOK_KEY)}@demo"))


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"x-api-key": "guess"},
        {"authorization": "Bearer guess"},
        {"authorization": f"Basic {KEY}"},
        {"authorization": "Bearer "},
        {"x-api-key": digest_of(KEY)},
    ],
)
async def test_nobody_sends_without_a_known_key(guarded: Door, headers: dict[str, str]) -> None:
    answer = await guarded.post(b"not even json", **headers)
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"] == "Bearer"
    assert guarded.kafka.records == []


@pytest.mark.parametrize(
    "headers", [{"x-api-key": KEY}, {"authorization": f"Bearer {KEY}"}, {"authorization": f"bearer {KEY}"}]
)
async def test_a_known_key_opens(guarded: Door, headers: dict[str, str]) -> None:
    assert (await guarded.post_events(a_payment(), **headers)).status_code == 202


async def test_a_key_for_one_book_writes_no_other(guarded: Door) -> None:
    own, foreign = a_payment("a"), a_payment("b", book="other")
    both = await guarded.post_events(own, foreign, **{"x-api-key": BOOK_KEY})
    assert [result["status"] for result in both.json()["results"]] == ["accepted", "refused"]
    alone = await guarded.post_events(foreign, **{"x-api-key": BOOK_KEY})
    assert alone.status_code == 403
    assert len(guarded.kafka.records) == 1


async def test_a_key_that_is_too_fast_is_told_when_to_come_back() -> None:
    door = Door(settings_with(events_per_second_max=2, events_max=3))
    assert (await door.post_events(*[a_payment(str(n)) for n in range(3)])).status_code == 202
    answer = await door.post_events(a_payment("d"), a_payment("e"))
    assert answer.status_code == 429
    assert answer.headers["retry-after"] == "1"
    assert len(door.kafka.records) == 3


async def test_every_answer_carries_security_headers(door: Door) -> None:
    for path in ("/health", "/v1/events", "/nowhere", "/docs", "/redoc"):
        answer = await door.client.get(path)
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert "default-src 'none'" in answer.headers["content-security-policy"]


@pytest.mark.parametrize("page", ["/docs", "/redoc"])
async def test_the_documentation_is_drawn_without_another_host(door: Door, page: str) -> None:
    text = (await door.client.get(page)).text
    named = re.findall(r'(?:src|href)="([^"]+)"', text)
    assert any(name.endswith(".js") for name in named)
    for name in named:
        assert (await door.client.get(name)).status_code == 200


async def test_errors_are_problems_everywhere(door: Door) -> None:
    for path, status in (("/nowhere", 404), ("/v1/events", 405)):
        answer = await door.client.get(path)
        assert answer.status_code == status
        assert answer.headers["content-type"] == "application/problem+json"


async def test_a_failure_of_ours_promises_nothing(door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    async def fail(_records: object) -> Sequence[object]:
        raise ZeroDivisionError

    monkeypatch.setattr(door.kafka, "send_many", fail)
    answer = await door.post_events(a_payment())
    assert answer.status_code == 500
    assert answer.headers["content-type"] == "application/problem+json"


async def test_it_is_alive_but_not_ready_without_a_broker(door: Door) -> None:
    assert (await door.client.get("/health")).status_code == 200
    assert (await door.client.get("/ready")).status_code == 503


async def test_it_counts_by_reason(door: Door) -> None:
    await door.post_events(a_payment(), wrong_event())
    metrics = (await door.client.get("/metrics")).text
    assert 'loanpulse_gateway_events_refused_total{reason="data"}' in metrics
    assert "loanpulse_gateway_events_accepted_total" in metrics
    assert 'loanpulse_gateway_requests_total{status="207"}' in metrics


async def test_the_openapi_document_shows_examples_that_hold(door: Door) -> None:
    document = (await door.client.get("/openapi.json")).json()
    content = document["paths"]["/v1/events"]["post"]["requestBody"]["content"]
    assert set(document["paths"]["/v1/events"]["post"]["responses"]) >= {
        "202",
        "207",
        "400",
        "401",
        "413",
        "503",
    }
    payment = content["application/cloudevents+json"]["examples"]["payment"]["value"]
    assert (await door.post_events(payment)).status_code == 202
    assert (
        await door.post_events(*content["application/cloudevents-batch+json"]["example"])
    ).status_code == 202


async def test_the_contract_is_at_hand(door: Door) -> None:
    assert (await door.client.get("/v1/contract")).json()["asyncapi"] == "3.0.0"
