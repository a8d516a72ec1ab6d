"""Generated books told day by day through the ingest flow, and the same events for the domain's functions."""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import UTC, date, datetime

import httpx

from analytics_api.refresh import RefreshPlan, refresh_once
from analytics_api.store import PostgresMartStore
from loanbook.domain import events as facts
from loanbook.domain.events import LoanEvent
from loanbook.domain.loan import Loan, fold
from loanbook.domain.money import Minor
from loanbook.domain.settings import ProductSettings
from tests.builders import DAY_0, Story, on_day, portions, some_periods
from tests.feeding import encoded, opened_feed

NOW = datetime(2026, 3, 1, 12, 30, 20, tzinfo=UTC)
REFRESHED_AFTER = (50, 99, 100, 140)
FORGIVEN = 2  # the kind of story whose last debt is waived
DAYS = 170  # closed one by one: 1 January to 18 June 2024


@dataclass(frozen=True)
class Told:
    """A generated book: the API on it, and its events."""

    client: httpx.AsyncClient
    events: list[LoanEvent]

    def at(self, day: date, *, branch: str | None = None) -> list[Loan]:
        """Every loan (of a branch) folded from nothing at a close, as known now."""
        by_loan: dict[str, list[LoanEvent]] = {}
        for event in self.events:
            by_loan.setdefault(event.loan_id, []).append(event)
        loans = [fold("demo", name, told, ProductSettings(), day) for name, told in by_loan.items()]
        return [loan for loan in loans if loan.disbursed_on is not None and branch in {None, loan.branch}]


def some_stories(chance: random.Random, count: int = 48) -> list[Story]:
    """Loans that are paid in every way, eased, forgiven, lost, recovered and moved."""
    return [_story(chance, number) for number in range(count)]


def _story(chance: random.Random, number: int) -> Story:
    story = Story(loan_id=f"L-{number}")
    story.tell(
        facts.LoanCreated, 0, branch=f"B{number % 3}", product=f"P{number % 2}", borrower_id=f"b-{number % 9}"
    )
    amounts = tuple(chance.randint(80, 400) * 10 for _ in range(5))
    every_days = chance.choice([20, 30])
    is_forgiven = number % 12 == FORGIVEN
    story.lent(amounts, every_days=20 if is_forgiven else every_days)
    if is_forgiven:
        for place, amount in enumerate(amounts, start=1):
            story.paid(20 * place, amount)
    else:
        _pay(story, chance, amounts, every_days, chance.choice([0, 0, 0, 4, 12, 40]))
    _disturb(story, chance, number)
    return story


def _pay(story: Story, chance: random.Random, amounts: tuple[int, ...], every_days: int, late: int) -> None:
    """Most installments about `late` days after they are due; some early, in parts, returned."""
    for place, amount in enumerate(amounts, start=1):
        day = max(1, every_days * place + late + chance.choice([-6, 0, 0, 0, 2, 9, 35]))
        if chance.random() < 0.12 or day >= DAYS - 12:
            continue
        if chance.random() < 0.25:
            part = amount // 3
            story.paid(day, part)
            story.paid(min(day + 20, DAYS - 12), amount - part)
        elif chance.random() < 0.3:
            story.paid(day, amount, portions=portions(principal=amount))
        else:
            payment = story.paid(day, amount + chance.choice([0, 0, 500]))
            if chance.random() < 0.1:
                story.reversed(payment, day + 3)


def _disturb(story: Story, chance: random.Random, number: int) -> None:
    kind, day = number % 12, chance.randint(65, 110)
    if kind == 1:
        story.tell(facts.CreditPosted, day, amount_minor=Minor(900), kind=facts.CreditKind.GOODWILL)
    elif kind == FORGIVEN:  # late by a fee alone, which is waived
        story.tell(facts.ChargeAdded, 105, charge_id="fee", amount_minor=Minor(250), due_on=on_day(110))
        story.tell(facts.ChargeWaived, 139, charge_id="fee")
    elif kind == 3:
        story.tell(facts.LoanRestructured, day, kind=facts.RestructureKind.RE_AGED)
        story.planned(some_periods((3000, 3000), first_day=day + 25), day=day, version=2)
    elif kind == 4:
        payment = story.paid(33, 700)
        relates_to = (facts.Relation(kind=facts.RelationKind.CHARGEBACK_OF, id=payment),)
        story.tell(facts.PaymentChargedBack, day, amount_minor=Minor(700), relates_to=relates_to)
    elif kind == 5:
        story.tell(facts.LoanWrittenOff, day)
        story.paid(day + 20, 800)
        story.tell(facts.RecoveryPosted, day + 30, amount_minor=Minor(333))
    elif kind == 6:
        story.tell(facts.LoanChargedOff, day, amount_minor=Minor(1234) if number > 20 else None)
        story.paid(day + 9, 400)
    elif kind == 7:
        story.tell(facts.LoanChargedOff, day)
        story.tell(facts.LoanWrittenOff, day + 15)
    elif kind == 8:
        story.tell(facts.LoanWrittenOff, day)
        story.tell(facts.WriteOffUndone, day + 10)
    elif kind == 9:
        story.tell(facts.BranchMoved, day, branch="B2")
        story.paid(day + 5, 20_000)


async def fill(dsn: str, events: list[LoanEvent]) -> None:
    """Send each event on its day, some payments days late, and close the days one by one.

    The tables are made now and then on the way, so that what comes later changes them.
    """
    async with opened_feed(dsn, DAY_0) as feed:
        for day, messages in enumerate(_by_day(events)):
            await feed.send(messages)
            await feed.close_day(on_day(day))
            if day in REFRESHED_AFTER:
                await refresh(dsn)
        await feed.restate()
        await refresh(dsn)


async def refresh(dsn: str) -> None:
    """Make the tables that follow the closes; closed days are summed some dozens at a time."""
    marts = await PostgresMartStore.open(dsn)
    try:
        for _ in range(1 + DAYS // 60):
            await refresh_once(marts, RefreshPlan(), lambda: NOW)
    finally:
        await marts.close()


def _by_day(events: list[LoanEvent]) -> list[list[tuple[str, bytes]]]:
    arrivals: list[list[tuple[str, bytes]]] = [[] for _ in range(DAYS)]
    for place, event in enumerate(events):
        late = (0, 0, 0, 6)[place % 4] if event.fact.TYPE == "payment.posted.v1" else 0
        day = min((event.fact.business_on - DAY_0).days + late, DAYS - 1)
        arrivals[day].append(
            encoded(event.loan_id, event.fact, event_id=event.event_id, recorded_at=event.recorded_at)
        )
    return arrivals
