"""Messages reach a real receiver once accepted, signed, under one id, in order, for a day."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import asyncpg
import httpx
import pytest

from loanbook.domain.errors import RetryableError
from loanbook.kafka.producer import OutgoingRecord
from loanbook.topics import RISK_ALERTS
from scoring.flow import Policy, score_loans
from scoring.sender import Sender
from scoring.store import PostgresScoreStore, Units
from scoring.webhook import DeliveryError, Endpoint, WebhookClient
from tests.integration.scoring.conftest import ScoreAll
from tests.integration.scoring.desk import Desk, LoanRow
from tests.integration.scoring.receiver import SECRET, Receiver

pytestmark = pytest.mark.integration
MakeSender = Callable[..., Sender]


class FakeTopic:
    """A topic that may be away."""

    def __init__(self) -> None:
        self.records: list[OutgoingRecord] = []
        self.away = False

    async def send_many(self, records: Sequence[OutgoingRecord]) -> Sequence[object]:
        if self.away:
            return [RetryableError("no broker") for _ in records]
        self.records.extend(records)
        return [object() for _ in records]


@pytest.fixture
async def client() -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(timeout=5, trust_env=False) as opened:
        yield opened


@pytest.fixture
def topic() -> FakeTopic:
    return FakeTopic()


@pytest.fixture
def make_sender(pool: asyncpg.Pool, client: httpx.AsyncClient, topic: FakeTopic) -> MakeSender:
    def make(receiver: Receiver, *, secrets: Sequence[str] = (SECRET,), allow_private: bool = True) -> Sender:
        endpoint = Endpoint(url=receiver.url, secrets=secrets, allow_private=allow_private)
        webhook = WebhookClient(endpoint, client)
        return Sender(
            pool=pool, producer=topic, webhook=webhook, clock=lambda: datetime.now(UTC), jitter=lambda: 0.0
        )

    return make


async def an_alert(desk: Desk, score: ScoreAll) -> LoanRow:
    loan = LoanRow(loan_id="L1", late=31)
    await desk.put(loan)
    await score(loan)
    return loan


async def test_a_receiver_verifies_what_it_is_sent(
    desk: Desk, score: ScoreAll, make_sender: MakeSender
) -> None:
    await an_alert(desk, score)
    async with Receiver().listening() as receiver:
        assert await make_sender(receiver).send_due() == 1
        assert await make_sender(receiver).send_due() == 0
    (payload,) = receiver.accepted
    assert (payload["type"], payload["data"]["days_past_due"]) == ("alert.opened", 31)
    (row,) = await desk.deliveries()
    assert (str(row["delivery_id"]), row["attempts"]) == (receiver.ids[0], 1)
    assert row["delivered_at"] is not None


async def test_a_receiver_that_was_down_gets_the_message_when_it_is_up(
    desk: Desk, score: ScoreAll, make_sender: MakeSender
) -> None:
    await an_alert(desk, score)
    receiver = Receiver()
    async with receiver.listening():
        pass  # its port is known, and nobody listens any more
    sender = make_sender(receiver)
    await sender.send_due()
    (row,) = await desk.deliveries()
    assert row["delivered_at"] is None
    assert "ConnectError" in row["last_error"]
    async with receiver.listening():
        await sender.send_due()
    assert len(receiver.accepted) == 1


async def test_every_attempt_carries_the_same_id(
    desk: Desk, score: ScoreAll, make_sender: MakeSender
) -> None:
    await an_alert(desk, score)
    async with Receiver(answers=[500, 503]).listening() as receiver:
        sender = make_sender(receiver)
        for _ in range(3):
            await sender.send_due()
    assert [status for _, status in receiver.calls] == [500, 503, 204]
    assert len(set(receiver.ids)) == 1


async def test_a_redirect_is_not_followed(desk: Desk, score: ScoreAll, make_sender: MakeSender) -> None:
    await an_alert(desk, score)
    async with Receiver(answers=[307]).listening() as receiver:
        receiver.headers = {"Location": "/elsewhere"}
        await make_sender(receiver).send_due()
    (row,) = await desk.deliveries()
    assert (row["delivered_at"], row["last_error"]) == (None, "answered 307")


async def test_the_wait_a_receiver_asks_for_is_kept(
    desk: Desk, score: ScoreAll, make_sender: MakeSender
) -> None:
    await an_alert(desk, score)
    async with Receiver(answers=[429], headers={"Retry-After": "120"}).listening() as receiver:
        await make_sender(receiver).send_due()
    wait = await desk.connection.fetchval("SELECT next_attempt_at - now() FROM risk.delivery")
    assert timedelta(seconds=110) < wait <= timedelta(seconds=120)


async def test_a_receiver_that_is_gone_ends_the_message(
    desk: Desk, score: ScoreAll, make_sender: MakeSender
) -> None:
    await an_alert(desk, score)
    async with Receiver(answers=[410]).listening() as receiver:
        await make_sender(receiver).send_due()
    (row,) = await desk.deliveries()
    assert row["dead_at"] is not None


async def test_a_message_is_given_up_after_a_day(
    desk: Desk, score: ScoreAll, make_sender: MakeSender
) -> None:
    await an_alert(desk, score)
    await desk.connection.execute("UPDATE risk.delivery SET due_at = now() - interval '25 hours'")
    async with Receiver(answers=[500]).listening() as receiver:
        await make_sender(receiver).send_due()
        await make_sender(receiver).send_due()
    (row,) = await desk.deliveries()
    assert (row["attempts"], row["dead_at"] is not None) == (1, True)


async def test_the_end_of_an_episode_never_overtakes_its_beginning(
    desk: Desk, score: ScoreAll, make_sender: MakeSender
) -> None:
    loan = await an_alert(desk, score)
    await desk.put(replace(loan, status=3, late=0, was_late=31, met_late_on=loan.as_of, version=2))
    await score(loan)
    async with Receiver(answers=[500]).listening() as receiver:
        sender = make_sender(receiver)
        for _ in range(3):
            await sender.send_due()
    assert [payload["type"] for payload in receiver.accepted] == ["alert.opened", "alert.resolved"]


async def test_both_secrets_sign_while_receivers_change_over(
    desk: Desk, score: ScoreAll, make_sender: MakeSender
) -> None:
    await an_alert(desk, score)
    newer = "whsec_" + "bmV3ZXItc2VjcmV0LW9mLXRoZS1yZWNlaXZlci0wMTIz"
    async with Receiver().listening() as receiver:  # still knows the older one
        await make_sender(receiver, secrets=[newer, SECRET]).send_due()
    assert len(receiver.accepted) == 1


async def test_two_senders_side_by_side_send_each_message_once(
    desk: Desk, store: PostgresScoreStore, policy: Policy, make_sender: MakeSender
) -> None:
    loans = [LoanRow(loan_id=f"S{n}", late=31) for n in range(60)]
    await desk.put(*loans)
    await score_loans({loan.key: loan.slice for loan in loans}, store, policy)
    async with Receiver().listening() as receiver:
        one, two = make_sender(receiver), make_sender(receiver)
        await asyncio.gather(one.send_due(), two.send_due(), one.send_due(), two.send_due())
    assert len(receiver.ids) == len(set(receiver.ids)) == 60


async def test_a_private_address_is_refused_unless_allowed(client: httpx.AsyncClient) -> None:
    async with Receiver().listening() as receiver:
        for host in ("localhost", "127.0.0.1", "[::1]"):
            url = f"https://{host}:{receiver.port}/alerts"
            webhook = WebhookClient(Endpoint(url=url, secrets=[SECRET]), client)
            with pytest.raises(DeliveryError, match="private address"):
                await webhook.send("id", "{}", datetime.now(UTC))
    assert receiver.calls == []


async def test_plain_http_is_refused_unless_private_addresses_are_allowed(client: httpx.AsyncClient) -> None:
    webhook = WebhookClient(Endpoint(url="http://example.com/", secrets=[SECRET]), client)
    with pytest.raises(DeliveryError, match="https"):
        await webhook.send("id", "{}", datetime.now(UTC))


async def test_the_topic_hears_of_an_episode_when_its_broker_is_back(
    desk: Desk, units: Units, policy: Policy, topic: FakeTopic
) -> None:
    loan = LoanRow(loan_id="L1", late=31)
    await desk.put(loan)
    await score_loans({loan.key: loan.slice}, PostgresScoreStore(units, [RISK_ALERTS]), policy)
    sender = Sender(
        pool=units.pool, producer=topic, webhook=None, clock=lambda: datetime.now(UTC), jitter=lambda: 0.0
    )
    topic.away = True
    await sender.send_due()
    assert (await desk.deliveries())[0]["last_error"] == "no broker"
    topic.away = False
    await sender.send_due()
    (record,) = topic.records
    assert (record.topic, record.key, record.partition) == (RISK_ALERTS, b"L1", loan.slice)
    assert b'"type":"risk.alert.opened.v1"' in (record.value or b"")
