"""What is read off payments as columns is what their objects say, whatever stands beside them."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.contract.examples import example_event
from ingest.decoding import decode_records
from ingest.numbering import Numbered, decoded
from loanbook.kafka.batches import Partition
from loanbook.topics import LOAN_EVENTS
from tests.feeding import LogRecord

PARTITION = Partition(LOAN_EVENTS, 0)
PAYMENT = "payment.posted.v1"
TYPES = st.sampled_from([PAYMENT] * 9 + ["payment.reversed.v1", "day.closed.v1", "loan.created.v1"])
CHANGES = st.sampled_from(
    [
        ("subject", "L-2"), ("subject", ""), ("subject", "ü" * 200), ("id", "x" * 201), ("id", "é"),
        ("source", "other"), ("source", "core\n"), ("book", "a b"), ("book", " "), ("sequence", 7),
        ("sequence", -1), ("sequence", 2**63), ("type", "no.such.v1"), ("note", "ö" * 3),
        ("time", "2026-03-01T10:00:00Z"), ("time", "2026-03-01T10:00:00.5Z"),
        ("time", "2026-03-01 10:00:00Z"),
        ("time", "2026-03-01T10:00:00.1234567Z"), ("time", "2026-03-01T24:00:00.000000Z"),
        ("time", "2026-02-29T10:00:00.000000Z"), ("time", "2026-03-01T10:00:60.000000Z"),
        ("time", "1899-12-31T10:00:00.000000Z"), ("time", "2200-12-31T23:59:59.999999Z"),
        ("time", "2026-03-01T10:00:00.000000+01:00"), ("time", "2026-03-01T10:00:00.000000"), ("time", 5),
        ("time", "٢026-03-01T10:00:00.00000Z"),
        ("data.currency", "JPY"), ("data.currency", "KWD"), ("data.currency", "eur"), ("data.currency", None),
        ("data.amount", "12"), ("data.amount", "12.345"), ("data.amount", "-1.00"), ("data.amount", 12),
        ("data.amount", "0.00"), ("data.amount", "007.50"), ("data.amount", "1.00,2.00"), ("data.amount", ""),
        ("data.amount", "٣.00"), ("data.amount", "9999999999999.99"), ("data.amount", "10000000000000.00"),
        ("data.effective_date", "0001-01-01"), ("data.effective_date", "2026-02-20"),
        ("data.business_date", "2201-01-01"), ("data.entity_version", 2), ("data.entity_version", 2**31),
        ("data.entity_id", "x" * 201), ("data.entity_id", "a\u0000"), ("data.entity_id", None),
        ("data.entity_id", ""), ("data.channel", "m" * 90), ("data.channel", "ß"), ("data.kind", "odd"),
        ("data.relates_to", [{"kind": "replaces", "id": "y"}]), ("data.relates_to", []),
        ("data.relates_to", None), ("data.portions", {"principal": "1.00"}), ("data.portions", {}),
        ("data.portions", None), ("data.portions", ""), ("data.charge_id", "c1"), ("data.charge_id", ""),
    ]
)  # fmt: skip


def payment(**data: Any) -> dict[str, Any]:
    """A short payment as nearly all are."""
    event: dict[str, Any] = copy.deepcopy(example_event(PAYMENT))
    days = {name: event["data"][name] for name in ("effective_date", "business_date")}
    event["data"] = days | {"currency": "EUR", "amount": "12.34", "entity_id": "p1"} | data
    return event | {"time": "2026-03-01T10:00:00.123456Z"}


@st.composite
def raw_events(draw: st.DrawFn) -> bytes:
    """An event as it should be, mostly a short payment, or with some of it changed."""
    kind = draw(TYPES)
    event = payment() if kind == PAYMENT else copy.deepcopy(example_event(kind))
    for path, value in draw(st.lists(CHANGES, max_size=2)):
        part, name = (event["data"], path[5:]) if path.startswith("data.") else (event, path)
        part[name] = value
    raw = json.dumps(event, ensure_ascii=draw(st.booleans())).encode()
    return raw[:-1] + draw(st.sampled_from([b"}"] * 9 + [b"", b"}\xc3", b'}{"a":1}']))


def logged(raws: list[bytes]) -> list[tuple[Partition, Any]]:
    return [(PARTITION, LogRecord(offset, b"k", raw, 5)) for offset, raw in enumerate(raws)]


def comparable(records: Numbered) -> list[Any]:
    names = [name for name in records.numbers.dtype.names or () if name != "said"]
    said = [records.said[number] if number >= 0 else None for number in records.numbers["said"].tolist()]
    columns = (records.loan_ids, records.numbers[names].tolist(), records.texts, said)
    return [records.named, *zip(*columns, strict=True), *records]


@settings(max_examples=300, deadline=None)
@given(st.lists(raw_events(), max_size=6))
def test_columns_say_what_objects_say(raws: list[bytes]) -> None:
    assert comparable(decode_records(logged(raws))) == comparable(Numbered.of(decoded(logged(raws))))


@pytest.mark.parametrize(
    "time", ["2026-03-01T10:00:00Z", "2026-03-01T10:00:00.123Z", "2026-03-01T11:00:00+01:00"]
)
def test_a_usual_payment_is_no_object_before_it_is_asked_for(time: str) -> None:
    raws = [json.dumps(payment(entity_id=f"p{number}") | {"time": time}).encode() for number in range(3)]
    records = decode_records(logged([*raws, json.dumps(example_event("payment.reversed.v1")).encode()]))
    assert [type(record) is tuple for record in records.records] == [True, True, True, False]
    assert records[1] == decoded(logged(raws))[1]
    assert [type(record) is tuple for record in records.records] == [True, False, True, False]
    assert comparable(records[:2]) == comparable(Numbered.of(decoded(logged(raws)))[:2])


def test_what_is_asked_of_the_last_record_makes_no_object_of_it() -> None:
    records = decode_records(logged([json.dumps(payment()).encode()]))
    assert records.entry(-1) == (5, json.dumps(payment()).encode())
    assert type(records.records[0]) is tuple
