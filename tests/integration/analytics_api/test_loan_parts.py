"""What one loan's answer shows of its installments, charges and pauses, live and at a past day."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest

from loanbook.domain import events as facts
from loanbook.domain.events import Relation, RelationKind
from loanbook.domain.money import Minor
from tests.builders import DAY_0, Story, on_day, some_periods
from tests.feeding import opened_feed
from tests.integration.analytics_api.conftest import api_on, ask, execute, wired

pytestmark = pytest.mark.integration
TODAY = 80
NOTHING = {
    name: {"amount": "0.00", "currency": "EUR"} for name in ("principal", "interest", "fee", "penalty")
}


def eur(amount: str) -> dict[str, str]:
    return {"amount": amount, "currency": "EUR"}


def a_story() -> Story:
    """Paid early and late, charged and half waived, charged back, paused over the last days."""
    story = Story(loan_id="L-1")
    story.tell(facts.LoanDisbursed, 0, amount_minor=Minor(30_000))
    story.planned(
        facts.Period(
            number=p.number,
            from_on=on_day(30 * p.number - 30),
            due_on=p.due_on,
            principal_minor=p.principal_minor,
        )
        for p in some_periods((10_000, 10_000, 10_000))
    )
    story.paid(10, 4_000)
    story.paid(45, 6_300, entity_id="late")
    story.tell(
        facts.ChargeAdded, 40, charge_id="c-1", name="Reminder", amount_minor=Minor(500), due_on=on_day(50)
    )
    story.tell(facts.ChargeWaived, 50, charge_id="c-1", amount_minor=Minor(200))
    relation = Relation(kind=RelationKind.CHARGEBACK_OF, id="late")
    story.tell(facts.PaymentChargedBack, 65, amount_minor=Minor(1_000), relates_to=(relation,))
    story.tell(facts.DelinquencyPaused, 70, end_on=on_day(90))
    return story


@pytest.fixture
async def book(database: str) -> AsyncIterator[str]:
    async with opened_feed(database, on_day(0)) as feed:
        await feed.close_day(on_day(TODAY - 1))
        await feed.send(wired([a_story()]))
        yield database


async def loan(book: str, **query: Any) -> Any:
    async with api_on(book) as client:
        return await ask(client, "/v1/loans/L-1", **query)


async def test_an_installment_shows_its_period_and_what_came_early_and_late(book: str) -> None:
    first, second, third = (await loan(book))["installments"]
    assert (first["from_on"], first["due_on"]) == (str(DAY_0), str(on_day(30)))
    assert (first["paid_in_advance"], first["paid_late"]) == (eur("40.00"), eur("60.00"))
    assert (second["paid_in_advance"], second["paid_late"]) == (eur("3.00"), eur("0.00"))
    assert first["added_back"] == second["added_back"] == NOTHING
    assert third["added_back"] == NOTHING | {"principal": eur("10.00")}
    assert third["due"] == eur("110.00")


async def test_a_charge_shows_what_was_paid_and_waived_of_it(book: str) -> None:
    (charge,) = (await loan(book))["charges"]
    assert charge == {
        "charge_id": "c-1",
        "name": "Reminder",
        "is_penalty": False,
        "due_on": str(on_day(50)),
        "amount": eur("5.00"),
        "paid": eur("3.00"),
        "waived": eur("2.00"),
        "outstanding": eur("0.00"),
    }


async def test_days_of_a_pause_do_not_count_for_the_class(book: str) -> None:
    shown = await loan(book)
    assert shown["pauses"] == [{"start_on": str(on_day(70)), "end_on": str(on_day(90))}]
    assert (shown["facts"]["days_past_due"], shown["facts"]["delinquent_days"]) == (20, 10)


async def test_a_past_day_shows_the_same_parts_as_they_stood(book: str) -> None:
    shown = await loan(book, as_of=on_day(42))
    assert [charge["outstanding"] for charge in shown["charges"]] == [eur("5.00")]
    assert (shown["pauses"], shown["facts"]["delinquent_days"]) == ([], 12)
    assert shown["installments"][0]["paid_in_advance"] == eur("40.00")


async def test_a_quarantined_loan_shows_no_parts(book: str) -> None:
    await execute(book, "UPDATE core.loan_state SET quarantine = 'ZeroDivisionError: x'")
    shown = await loan(book)
    assert (shown["charges"], shown["pauses"], shown["facts"]["delinquent_days"]) == ([], [], None)
