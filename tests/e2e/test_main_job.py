"""The main job: a payment moves the loan, its score, the API and the board; an alert reaches its receiver."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

import httpx
import pytest
from playwright.async_api import Browser, expect

from loanbook import wire
from loanbook.domain.events import (
    BranchUpdated,
    DayClosed,
    Fact,
    LoanCreated,
    LoanDisbursed,
    PaymentPosted,
    Period,
    SchedulePublished,
)
from loanbook.domain.money import Minor
from tests.e2e.browser import browser, sight
from tests.integration.scoring.receiver import SECRET, Receiver
from tests.stack import Stack

pytestmark = [pytest.mark.integration, pytest.mark.e2e]
__all__ = ["browser"]
BOOK = "first"
OPENED = date(2026, 1, 5)


class Lender:
    """An upstream system that speaks to the gateway."""

    def __init__(self, gateway: str) -> None:
        self._gateway = gateway
        self._sent = 0

    def event(self, fact: object, subject: str) -> bytes:
        """A fact as a CloudEvent."""
        self._sent += 1
        return wire.encode(
            fact,  # type: ignore[arg-type]
            book=BOOK,
            subject=subject,
            source="https://core.example/loans",
            event_id=f"event-{self._sent}",
            recorded_at=datetime.now(UTC),
        )

    async def post(self, *events: bytes) -> None:
        """Send events as one batch; all must be accepted."""
        async with httpx.AsyncClient(timeout=30) as client:
            answer = await client.post(
                f"{self._gateway}/v1/events",
                content=b"[" + b",".join(events) + b"]",
                headers={"content-type": "application/cloudevents-batch+json"},
            )
        assert answer.status_code == httpx.codes.ACCEPTED, answer.text

    async def lend(self, loan_id: str, amount: int, *, branch: str = "Harbour") -> None:
        """Create a loan of three installments and pay it out."""
        third = Minor(amount // 3)
        periods = tuple(
            Period(number=n, due_on=OPENED + timedelta(days=10 * n), principal_minor=third) for n in (1, 2, 3)
        )
        facts: list[Fact] = [
            LoanCreated(**on(OPENED), branch=branch, product="Starter", borrower_id=f"c-{loan_id}"),
            LoanDisbursed(**on(OPENED), amount_minor=Minor(amount)),
            SchedulePublished(**on(OPENED), periods=periods),
        ]
        await self.post(*(self.event(fact, loan_id) for fact in facts))

    async def pay(self, loan_id: str, amount: int, day: date) -> None:
        """Report a payment."""
        await self.post(self.event(PaymentPosted(**on(day), amount_minor=Minor(amount)), loan_id))

    async def close(self, day: date) -> None:
        """Report the end of a business day."""
        await self.post(self.event(DayClosed(business_on=day), BOOK))


def on(day: date) -> dict[str, Any]:
    """The days and the currency of a fact."""
    return {"effective_on": day, "business_on": day, "currency": "EUR"}


@pytest.fixture(scope="module")
async def receiver() -> AsyncIterator[Receiver]:
    async with Receiver().listening() as receiver:
        yield receiver


@pytest.fixture(scope="module")
async def lender(stack: Stack, receiver: Receiver) -> Lender:
    """A running stack with one book, and a lender that sends to it."""
    stack.environment |= {
        "SCORING_WEBHOOK_URL": receiver.url,
        "SCORING_WEBHOOK_SECRET": SECRET,
        "SCORING_WEBHOOK_ALLOW_PRIVATE": "true",
        "INGEST_MERGE_EVERY": "PT1S",
    }
    stack.start("gateway", "ingest", "scoring", "analytics", "refresh")
    opened = stack.command("book", "add", BOOK, "--currency", "EUR", "--opens-on", str(OPENED))
    assert opened.returncode == 0, opened.stderr
    await stack.until(lambda: _status(f"{stack.gateway}/ready"), lambda seen: seen == httpx.codes.OK)
    await stack.until(lambda: _status(f"{stack.analytics}/health"), lambda seen: seen == httpx.codes.OK)
    lender = Lender(stack.gateway)
    await lender.post(lender.event(BranchUpdated(branch="Harbour", region="North"), "Harbour"))
    for number in range(12):
        await lender.lend(f"L-{number}", 30_000)
    return lender


async def test_a_payment_moves_the_loan_and_its_score(stack: Stack, lender: Lender) -> None:
    await stack.until(lambda: stack.get("/v1/loans", book=BOOK), lambda page: len(page["items"]) == 12)
    await lender.pay("L-0", 10_000, OPENED)
    after = await stack.until(
        lambda: stack.get("/v1/loans/L-0", book=BOOK),
        lambda loan: loan["facts"]["paid"]["amount"] == "100.00",
    )
    assert after["facts"]["principal_outstanding"] == {"amount": "200.00", "currency": "EUR"}
    versions = (
        "SELECT s.version = r.state_version FROM core.loan_state s JOIN risk.score r USING (slice, loan_key)"
        " JOIN core.loan l USING (slice, loan_key) WHERE l.loan_id = 'L-0'"
    )
    await stack.until(lambda: stack.value(versions), lambda same: same is True, seconds=10)


@pytest.mark.usefixtures("lender")
async def test_the_worker_merges_what_its_batches_appended(stack: Stack) -> None:
    merged = "SELECT coalesce(sum(loans), 0) FROM core.book_now_merged"
    await stack.until(lambda: stack.value(merged), lambda loans: loans == 12)
    left = "SELECT count(*) FROM core.book_now_unmerged"
    assert await stack.until(lambda: stack.value(left), lambda waiting: waiting == 0) == 0


async def test_a_payment_changes_the_figure_on_the_screen(
    stack: Stack, lender: Lender, browser: Browser
) -> None:
    async with sight(browser) as seen:
        await seen.look_at(f"{stack.analytics}/boards/lp-portfolio?var-book={BOOK}&var-currency=EUR")
        before = await seen.figure("Outstanding principal, EUR")
        await lender.pay("L-1", 10_000, OPENED)
        shown = seen.page.locator(
            ".panel", has=seen.page.get_by_role("heading", name="Outstanding principal, EUR", exact=True)
        ).locator("b")
        await expect(shown).not_to_have_text(before, timeout=15_000)
        assert seen.complaints == []


async def test_an_alert_reaches_its_receiver_signed_and_is_acknowledged(
    stack: Stack, lender: Lender, receiver: Receiver
) -> None:
    for day in range(50):
        await lender.close(OPENED + timedelta(days=day))
    await stack.until_day(BOOK, OPENED + timedelta(days=50))

    async def accepted() -> int:
        return len(receiver.accepted)

    await stack.until(accepted, lambda count: count > 0)
    assert len(set(receiver.ids)) == len(receiver.accepted)
    alerts = await stack.get("/v1/alerts", book=BOOK)
    first = alerts["items"][0]["id"]
    async with httpx.AsyncClient(base_url=stack.analytics) as client:
        done = await client.post(f"/v1/alerts/{first}/acknowledge", json={"by": "Ada", "note": "called"})
    assert done.status_code == httpx.codes.OK, done.text
    episode = await stack.value("SELECT state FROM risk.alert_episode WHERE episode_id = $1", first)
    assert episode == "acknowledged"


async def _status(url: str) -> int:
    async with httpx.AsyncClient() as client:
        return (await client.get(url)).status_code
