"""What goes over the wire comes back the same."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any

import msgspec
import pytest

from ingest.contract.examples import example_event
from loanbook import wire
from loanbook.domain.events import (
    BorrowerProfile,
    DayClosed,
    PaymentPosted,
    PaymentReversed,
    Period,
    Portions,
    Relation,
    RelationKind,
    SchedulePublished,
)
from loanbook.domain.money import Minor

DAY = date(2026, 3, 2)
AT = datetime(2026, 3, 2, 9, 15, tzinfo=UTC)
PAYMENT = PaymentPosted(
    effective_on=DAY,
    business_on=DAY,
    currency="EUR",
    entity_id="P-1",
    amount_minor=Minor(12_550),
    portions=Portions(principal_minor=Minor(12_000), interest_minor=Minor(550)),
)
ENVELOPE: dict[str, Any] = {
    "book": "demo",
    "subject": "L-1",
    "source": "core",
    "event_id": "e-1",
    "recorded_at": AT,
}


def test_a_fact_comes_back_with_its_identity() -> None:
    received = wire.decode(wire.encode(PAYMENT, **ENVELOPE, sequence=7))
    assert isinstance(received, wire.Received)
    event = received.event
    assert (event.book, event.loan_id, event.source, event.event_id) == ("demo", "L-1", "core", "e-1")
    assert (event.recorded_at, event.sequence) == (AT, 7)
    assert event.fact == PAYMENT


@pytest.mark.parametrize("type_name", wire.DATA_TYPES)
def test_every_type_survives_being_encoded_again(type_name: str) -> None:
    first = wire.decode_data(type_name, json.dumps(example_event(type_name)["data"]).encode())
    again = json.loads(wire.encode(first, **ENVELOPE))
    assert again["type"] == type_name
    assert wire.decode_data(type_name, json.dumps(again["data"]).encode()) == first


def test_the_ledger_is_given_the_data_byte_for_byte() -> None:
    data = (
        b'{"effective_date":"2026-03-02", "business_date":"2026-03-02",\n'
        b' "amount":"1.50","currency":"EUR", "x":[1, 2]}'
    )
    raw = (
        b'{"specversion":"1.0","id":"e","source":"s","type":"payment.posted.v1","subject":"L","book":"b",'
        b'"time":"2026-03-02T00:00:00Z","data":' + data + b"}"
    )
    received = wire.decode(raw)
    assert isinstance(received, wire.Received)
    assert received.data == data


def test_the_end_of_a_day_and_a_profile_are_no_facts_about_a_loan() -> None:
    closed = wire.decode(wire.encode(DayClosed(business_on=DAY), **ENVELOPE))
    assert closed == wire.ReceivedDayClosed(book="demo", day=DayClosed(business_on=DAY))
    profile = BorrowerProfile(borrower_id="B-1", monthly_income_minor=Minor(320_000), currency="EUR")
    told = wire.decode(wire.encode(profile, **ENVELOPE))
    assert told == wire.ReceivedReference(book="demo", recorded_at=AT, value=profile)


@pytest.mark.parametrize(
    ("currency", "text", "minor"),
    [
        ("EUR", "12.50", 1_250),
        ("EUR", "12.5", 1_250),
        ("EUR", "12", 1_200),
        ("EUR", "0.00", 0),
        ("EUR", "12.5000", 1_250),
        ("EUR", "9999999999999.99", 10**15 - 1),
        ("JPY", "1250", 1_250),
        ("JPY", "1250.00", 1_250),
        ("KWD", "1.234", 1_234),
        ("CLF", "1.2345", 12_345),
    ],
)
def test_an_amount_is_read_in_the_digits_of_its_currency(currency: str, text: str, minor: int) -> None:
    data = {
        **json.loads(json.dumps(example_event("payment.posted.v1")["data"])),
        "currency": currency,
        "amount": text,
    }
    for raw in (json.dumps(data), json.dumps(data, separators=(",", ":"))):
        fact = wire.decode_data("payment.posted.v1", raw.encode())
        assert isinstance(fact, PaymentPosted)
        assert fact.amount_minor == minor


@pytest.mark.parametrize("currency", ["JPY", "KWD", "CLF", "EUR"])
def test_amounts_are_written_with_all_digits_of_their_currency(currency: str) -> None:
    fact = msgspec.structs.replace(PAYMENT, currency=currency)
    received = wire.decode(wire.encode(fact, **ENVELOPE))
    assert isinstance(received, wire.Received)
    assert received.event.fact == fact


def test_a_currency_hidden_behind_an_escape_is_still_the_one_that_counts() -> None:
    data = (
        b'{"effective_date":"2026-03-02","business_date":"2026-03-02","amount":"1250","x":"\\"currency\\":\\"EUR",'
        b'"\\u0063urrency":"JPY"}'
    )
    fact = wire.decode_data("payment.posted.v1", data)
    assert isinstance(fact, PaymentPosted)
    assert fact.amount_minor == 1_250


def test_a_time_with_an_offset_is_sent_in_utc() -> None:
    local = AT.astimezone(timezone(timedelta(hours=5, minutes=30)))
    assert (
        json.loads(wire.encode(PAYMENT, **{**ENVELOPE, "recorded_at": local}))["time"]
        == "2026-03-02T09:15:00Z"
    )


def test_what_says_nothing_is_not_sent() -> None:
    period = Period(number=1, due_on=DAY, total_minor=Minor(5_750))
    schedule = SchedulePublished(effective_on=DAY, business_on=DAY, currency="EUR", periods=(period,))
    data = json.loads(wire.encode(schedule, **ENVELOPE))["data"]
    assert data["periods"] == [{"number": 1, "due_date": "2026-03-02", "total": "57.50"}]
    assert "entity_id" not in data


def test_a_relation_is_kept() -> None:
    undone = Relation(kind=RelationKind.REVERSES, id="P-1")
    reversal = PaymentReversed(effective_on=DAY, business_on=DAY, relates_to=(undone,), reason="no funds")
    received = wire.decode(wire.encode(reversal, **ENVELOPE))
    assert isinstance(received, wire.Received)
    assert received.event.fact == reversal


def test_unknown_fields_are_no_fault() -> None:
    event = example_event("payment.posted.v1")
    event["traceparent"] = "00-1-2-03"
    event["data"]["teller"] = {"desk": 4}
    assert isinstance(wire.decode(json.dumps(event).encode()), wire.Received)


def test_a_notice_comes_back() -> None:
    notice = wire.LoansChanged(book="demo", slice=3, loan_keys=(-5, 2**62), committed_at=AT)
    assert wire.decode_notice(wire.encode_notice(notice)) == notice
