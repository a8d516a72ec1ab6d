"""Which events of a batch take the short cut."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any

import msgspec
import numpy as np

from ingest.choosing import arrange, choose
from ingest.locked import PLACES, Locked, LockedColumns, Terms
from ingest.numbering import Numbered
from ingest.records import Book, Identity, Record
from ingest.segments import Segment
from ingest.sorting_out import sort_out
from loanbook.domain.events import Fact, LoanEvent, OfficerChanged, PaymentPosted
from loanbook.domain.loan import FOLD_VERSION
from loanbook.domain.money import Minor
from loanbook.kafka.batches import Partition
from loanbook.topics import loan_key_of, slice_of
from loanbook.wire import Received

PARTITION = Partition("events", 0)
LOANS = sorted("ABC", key=lambda name: (slice_of(name), loan_key_of("demo", name)))  # as they are locked
EUR = 1
SHOP = 2  # key of a source
TODAY = date(2026, 3, 20)
LAST = datetime(2026, 3, 10, 9, tzinfo=UTC)  # of every loan's latest event
BOOK = Book(book_key=1, book="demo", business_on=TODAY)
PAYMENT = PaymentPosted(effective_on=TODAY, business_on=TODAY, currency="EUR", amount_minor=Minor(500))


class Directory:
    """Knows one currency; one source has no word on payments."""

    def source_key(self, uri: str) -> int:
        return SHOP if uri == "shop" else 1

    def counts_key(self, book_key: int, type_key: int, source_key: int) -> bool:
        del book_key, type_key
        return source_key != SHOP

    def currency_key(self, code: str | None) -> int:
        return EUR if code == "EUR" else 2


def event(
    number: int, event_id: str, fact: Fact = PAYMENT, *, minute: int = 0, source: str = "core"
) -> Record:
    """An event of loan `number`, recorded on its business day at this minute."""
    recorded_at = datetime.combine(fact.business_on, LAST.timetz()) + timedelta(minutes=minute)
    said = LoanEvent(
        book="demo",
        loan_id=LOANS[number],
        source=source,
        event_id=event_id,
        recorded_at=recorded_at,
        fact=fact,
    )
    return Record(
        partition=PARTITION,
        offset=0,
        logged_at_ms=0,
        key=None,
        raw=None,
        value=Received(event=said, data=b"{}"),
    )


def paid_on(day: date) -> PaymentPosted:
    return msgspec.structs.replace(PAYMENT, effective_on=day, business_on=day)


def lock(number: int, *, is_plain: bool = True, named: Sequence[str] | None = None) -> Locked:
    """A locked loan whose latest event is of LAST."""
    numbers = np.zeros(len(PLACES), np.int64)
    micros = (LAST - datetime(2000, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)
    values: dict[str, Any] = {
        "slice": slice_of(LOANS[number]), "loan_key": loan_key_of("demo", LOANS[number]),
        "is_plain": is_plain, "fold_version": FOLD_VERSION, "currency_key": EUR,
        "last_effective_on": LAST.date().toordinal(), "last_business_on": LAST.date().toordinal(),
        "last_recorded_at": micros,
    }  # fmt: skip
    for name, value in values.items():
        numbers[PLACES[name]] = value
    return Locked(Terms(LOANS[number]), numbers.tobytes(), named_ids=named)


def identity_of(record: Record) -> Identity:
    """What the ledger has an event under."""
    assert isinstance(record.value, Received)
    event = record.value.event
    return loan_key_of(event.book, event.loan_id), event.event_id, Directory().source_key(event.source)


def chosen(
    records: Sequence[Record], *locked: Locked, known: Collection[Identity] = (), doubted: bool = False
) -> tuple[list[str], list[str]]:
    """Ids of the events that take the short cut, and of the others."""
    segment = Segment(
        partition=PARTITION, from_offset=0, next_offset=len(records), records=Numbered.of(records)
    )
    taken, _, _ = sort_out([segment], {"demo": BOOK}, Directory())
    arrivals = arrange(taken, LockedColumns.of(locked))
    short = choose(arrivals, known, doubted=doubted)
    rows = taken.rows(np.flatnonzero(short))
    return [row.event.event_id for row in rows], [row.event.event_id for row in arrivals.but(short)]


def test_payments_in_order_take_the_short_cut_in_the_order_of_their_loans() -> None:
    rows = [event(1, "b", minute=2), event(0, "c", minute=3), event(1, "a", minute=1)]
    assert chosen(rows, lock(0), lock(1)) == (["c", "a", "b"], [])


def test_what_is_no_payment_takes_its_loan_along_and_leaves_the_others() -> None:
    officer = OfficerChanged(effective_on=TODAY, business_on=TODAY, officer="Ann")
    rows = [event(0, "a"), event(0, "b", officer, minute=1), event(1, "c")]
    assert chosen(rows, lock(0), lock(1)) == (["c"], ["a", "b"])


def test_a_loan_that_is_not_plain_goes_the_general_way() -> None:
    assert chosen([event(0, "a"), event(1, "b")], lock(0, is_plain=False), lock(1)) == (["b"], ["a"])


def test_a_backdated_payment_takes_its_loan_along() -> None:
    rows = [event(0, "late", paid_on(date(2026, 3, 9))), event(0, "new")]
    assert chosen(rows, lock(0)) == ([], ["late", "new"])


def test_a_repetition_known_to_the_ledger_does_not_hold_its_loan_up() -> None:
    again = event(0, "again", paid_on(LAST.date()))
    assert chosen([again, event(0, "new")], lock(0), known={identity_of(again)}) == (["new"], ["again"])


def test_a_repetition_within_the_batch_does_not_hold_its_loan_up() -> None:
    rows = [event(0, "a"), event(0, "a"), event(0, "b", minute=1)]
    assert chosen(rows, lock(0)) == (["a", "b"], ["a"])


def test_a_backdated_payment_behind_a_repetition_is_still_backdated() -> None:
    again = event(0, "again", paid_on(date(2026, 3, 7)))
    backdated = event(0, "backdated", paid_on(date(2026, 3, 8)))
    assert chosen([again, backdated], lock(0), known={identity_of(again)}) == ([], ["again", "backdated"])


def test_a_repetition_under_a_later_time_is_found_once_it_is_doubted() -> None:
    again, new = event(0, "again", minute=5), event(0, "new", minute=6)
    assert chosen([again, new], lock(0), known={identity_of(again)}) == (["again", "new"], [])
    assert chosen([again, new], lock(0), known={identity_of(again)}, doubted=True) == (["new"], ["again"])
    rows = [event(0, "a"), event(0, "b", minute=1), event(0, "a", minute=2)]
    assert chosen(rows, lock(0), doubted=True) == (["a", "b"], ["a"])


def test_two_payments_alike_in_order_are_not_told_apart() -> None:
    assert chosen([event(0, "a"), event(0, "b")], lock(0)) == ([], ["a", "b"])


def test_another_currency_or_a_source_without_the_word_goes_the_general_way() -> None:
    dollars = msgspec.structs.replace(PAYMENT, currency="USD")
    rows = [event(0, "a", dollars), event(1, "b", source="shop"), event(2, "c")]
    assert chosen(rows, lock(0), lock(1), lock(2)) == (["c"], ["a", "b"])


def test_what_a_fact_of_the_loan_undoes_goes_the_general_way() -> None:
    rows = [event(0, "undone"), event(1, "a")]
    assert chosen(rows, lock(0, named=["undone"]), lock(1, named=["other"])) == (["a"], ["undone"])


def test_an_empty_batch_has_nothing_to_choose() -> None:
    assert chosen([]) == ([], [])
