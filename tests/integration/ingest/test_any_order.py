"""Any order, any repetition, any cut into batches and any death between: the tables tell the same."""

from __future__ import annotations

import os
from dataclasses import dataclass
from itertools import count
from typing import Any

import pytest
from hypothesis import HealthCheck, given, note, settings
from hypothesis import strategies as st

from loanbook.domain.events import (
    ChargeAdded,
    LoanCreated,
    LoanDisbursed,
    LoanEvent,
    LoanOpenedFromSnapshot,
    OfficerChanged,
    PromiseMade,
    SchedulePublished,
)
from loanbook.domain.money import Minor
from loanbook.domain.settings import ProductSettings
from tests.audit import differences
from tests.builders import Story, on_day, some_periods
from tests.dying import Death
from tests.integration.ingest.lanes import LANES, Workshop
from tests.integration.ingest.test_flow import sent
from tests.unit.loanbook.domain.histories import stories

pytestmark = pytest.mark.integration
EXAMPLES = int(os.environ.get("HISTORIES", "10"))  # a few seconds; thousands are one variable away
OPENING = (LoanCreated, LoanDisbursed, LoanOpenedFromSnapshot, SchedulePublished)
_numbers = count(1)

deaths = st.one_of(st.none(), st.builds(Death, statement=st.integers(1, 40), heard=st.booleans()))
lanes = st.integers(0, LANES - 1)


@dataclass(frozen=True)
class Take:
    """A worker takes so many further events of the log."""

    events: int
    lane: int
    death: Death | None


@dataclass(frozen=True)
class CloseDays:
    """Days end."""

    days: int
    lane: int
    death: Death | None


@dataclass(frozen=True)
class Restate:
    """Past days are told anew."""

    lane: int
    death: Death | None


@dataclass(frozen=True)
class Forget:
    """A worker comes back with an empty cache."""

    lane: int


takes = st.builds(Take, st.integers(0, 8), lanes, deaths)
steps = st.lists(
    st.one_of(
        takes,
        takes,
        takes,
        takes,
        st.builds(CloseDays, st.integers(1, 8), lanes, deaths),
        st.builds(Restate, lanes, deaths),
        st.builds(Forget, lanes),
    ),
    min_size=8,  # one that does nothing is a step too; left to itself the list is nearly always empty
    max_size=12,
)


@dataclass(frozen=True)
class Book:
    """Some loans, their products, and their events in the order in which they come."""

    stories: list[Story]
    arriving: list[LoanEvent]
    opens_on: int
    there: int = 0  # how many of the events have come before the first step

    @property
    def products(self) -> dict[str, ProductSettings]:
        return {_product_of(story): story.settings for story in self.stories}

    def say(self) -> None:
        """Print it, so that a failure can be read."""
        for story in self.stories:
            note(f"{story.loan_id}, {story.settings}")
            for event in sorted(story.events, key=lambda event: event.order):
                note(f"  {event.event_id}: {event.fact}")
        note("arriving: " + " ".join(f"{e.loan_id}/{e.event_id}" for e in self.arriving))


@st.composite
def usual_stories(draw: st.DrawFn) -> Story:
    """The usual loan: oldest first, paid now and then; some returns, promises, officers, fees."""
    due = draw(st.lists(st.integers(1, 100), min_size=1, max_size=4))
    if draw(st.booleans()):
        story = Story().lent(due)
    else:
        story = Story().running(due, paid=draw(st.integers(0, 150)), day=draw(st.sampled_from([0, 1, 40])))
    for day in sorted(draw(st.lists(st.integers(0, 150), min_size=3, max_size=8))):
        paid = story.paid(day, draw(st.integers(1, 150)), entity_id=f"p{len(story.events)}")
        if draw(st.integers(0, 14)) == 14:
            story.reversed(paid, day + draw(st.integers(0, 5)))
        if draw(st.integers(0, 14)) == 14:
            story.tell(PromiseMade, day, promised_on=on_day(day + 5), amount_minor=Minor(50))
        if draw(st.integers(0, 14)) == 14:
            story.tell(OfficerChanged, day, officer=draw(st.sampled_from(["Ada", "Ben"])))
        if draw(st.integers(0, 14)) == 14:
            fee: dict[str, Any] = {"amount_minor": Minor(9), "is_penalty": draw(st.booleans())}
            story.tell(ChargeAdded, day, charge_id=f"c{len(story.events)}", due_on=on_day(day), **fee)
    return story


@st.composite
def usual_books(draw: st.DrawFn) -> Book:
    """Loans that are there already and are paid in order, nearly: what a stream mostly brings."""
    told = _named(draw(st.lists(usual_stories(), min_size=1, max_size=3)))
    events = sorted((event for story in told for event in story.events), key=lambda event: event.order)
    opening = [event for event in events if isinstance(event.fact, OPENING)]
    rest = [event for event in events if event not in opening]
    rest += draw(st.lists(st.sampled_from(events), max_size=2))
    for place in draw(st.lists(st.integers(0, len(rest) - 1), max_size=2)):
        rest.insert(place, rest.pop())
    return Book(told, [*opening, *rest], 150, len(opening))


@st.composite
def unusual_books(draw: st.DrawFn) -> Book:
    """Whatever can happen to loans, in whatever order it comes."""
    told = _named(draw(st.lists(stories(length=6), min_size=1, max_size=3)))
    events = [event for story in told for event in story.events]
    again = draw(st.lists(st.sampled_from(events), max_size=4))
    arriving = draw(st.permutations([*events, *again]))
    return Book(told, arriving, draw(st.sampled_from([0, 40, 100])))


def _named(told: list[Story]) -> list[Story]:
    for number, story in enumerate(told):
        _rename(story, f"L-{number}")
    return told


def _rename(story: Story, loan_id: str) -> None:
    """Give a story its own loan, and a product of its own that says its settings."""
    fields = LoanEvent.__struct_fields__
    story.loan_id = loan_id
    story.events = [
        LoanEvent(**{name: getattr(event, name) for name in fields} | {"loan_id": loan_id})
        for event in story.events
    ]
    product = f"P-{next(_numbers)}"
    story.tell(LoanCreated, 0, product=product, branch="north", event_id="created")


def _product_of(story: Story) -> str:
    (created,) = {e.fact.product for e in story.events if isinstance(e.fact, LoanCreated)}
    assert created is not None
    return created


@settings(
    max_examples=EXAMPLES,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
@given(book=st.one_of(usual_books(), unusual_books()), steps=steps)
async def test_whatever_the_order_the_batches_and_the_deaths_the_tables_tell_the_same(
    workshop: Workshop, book: Book, steps: list[object]
) -> None:
    book.say()
    for step in steps:
        note(f"{step}")
    await play(workshop, book, steps)
    assert await differences(workshop.dsn) == []
    told = await workshop.tables()
    assert told["dead_letter"] == []
    assert told == await folded_once(workshop, book)


async def play(workshop: Workshop, book: Book, steps: list[object]) -> None:
    """Bring the events by these steps, and what is left of them in the end."""
    await workshop.open_book(on_day(book.opens_on), book.products)
    waiting = [sent(event) for event in book.arriving]
    for step in [Take(book.there, 0, None), *steps, Take(len(waiting), 0, None), Restate(0, None)]:
        if isinstance(step, Take):
            workshop.append(waiting[: step.events])
            del waiting[: step.events]
            await workshop.take(workshop.lanes[step.lane], step.death)
        elif isinstance(step, CloseDays):
            await workshop.close_days(workshop.lanes[step.lane], step.days, step.death)
        elif isinstance(step, Restate):
            await workshop.restate(workshop.lanes[step.lane], step.death)
        elif isinstance(step, Forget):
            workshop.lanes[step.lane].forget()


async def folded_once(workshop: Workshop, book: Book) -> dict[str, list[dict[str, object]]]:
    """The tables after all events came in order, at once, on the day on which the others ended."""
    await workshop.open_book(workshop.business_on, book.products)
    once = {sent(event): event for event in book.arriving}
    workshop.append(sorted(once, key=lambda pair: once[pair].order))
    await workshop.take(workshop.lanes[0])
    await workshop.restate(workshop.lanes[0])
    return await workshop.tables()


async def test_a_new_version_of_a_schedule_is_stored_though_its_installments_are_the_same(
    workshop: Workshop,
) -> None:
    story = Story().lent()
    story.planned(some_periods(), version=2)
    _rename(story, "L-0")
    book = Book([story], list(story.events), 0)
    await play(workshop, book, [Take(2, 0, None), Take(1, 0, None)])
    assert await differences(workshop.dsn) == []
