"""Events decoded together are what they are one by one, whatever stands beside them."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.contract.examples import example_event
from loanbook import wire
from loanbook.domain.errors import RejectedEventError
from loanbook.wire_batch import Decoded, decode_many

TYPES = st.sampled_from(["payment.posted.v1", *wire.DATA_TYPES])
# Of the envelope and of the data: what is at the border of being taken.
CHANGES = st.sampled_from(
    [
        ("subject", "L 1"), ("subject", " L1"), ("subject", ""), ("subject", "ü" * 200), ("id", "x" * 201),
        ("source", "core\n"), ("book", "a b"), ("time", "2026-03-01T10:00:00"), ("type", "no.such.v1"),
        ("time", "1850-03-01T10:00:00Z"), ("sequence", 2**63), ("note", "ö" * 3), ("data.note", "x" * 300),
        ("data.currency", "JPY"), ("data.currency", "KWD"), ("data.currency", "eur"), ("data.currency", None),
        ("data.amount", "12"), ("data.amount", "12.345"), ("data.amount", "-1.00"), ("data.amount", 12),
        ("data.effective_date", "0001-01-01"), ("data.business_date", "2201-01-01"),
        ("data.entity_version", 2**31), ("data.entity_id", "x" * 201), ("data.entity_id", "a\u0000"),
        ("data.relates_to", [{"kind": "replaces", "id": "y" * 201}]),
    ]
)  # fmt: skip


@st.composite
def raw_events(draw: st.DrawFn) -> bytes:
    """An event as it should be, or with some of it changed."""
    event: dict[str, Any] = copy.deepcopy(example_event(draw(TYPES)))
    for path, value in draw(st.lists(CHANGES, max_size=2)):
        part, name = (event["data"], path[5:]) if path.startswith("data.") else (event, path)
        part[name] = value
    raw = json.dumps(event, ensure_ascii=draw(st.booleans())).encode()
    return raw[:-1] + draw(st.sampled_from([b"}", b"}", b"}", b"", b"}\xc3", b'}{"a":1}']))


def one_by_one(raws: list[bytes]) -> list[Decoded]:
    found: list[Decoded] = []
    for raw in raws:
        try:
            found.append(wire.decode(raw))
        except RejectedEventError as error:
            found.append(error)
    return found


def comparable(decoded: list[Decoded]) -> list[object]:
    return [(d.reason, d.field) if isinstance(d, RejectedEventError) else d for d in decoded]


@settings(max_examples=400, deadline=None)
@given(st.lists(raw_events(), max_size=6))
def test_together_is_as_one_by_one(raws: list[bytes]) -> None:
    assert comparable(decode_many(raws)) == comparable(one_by_one(raws))


@pytest.mark.parametrize("currency", ["EUR", "JPY", "KWD"])
def test_amounts_are_read_in_the_digits_of_their_currency(currency: str) -> None:
    amounts = {"EUR": "12.34", "JPY": "1234", "KWD": "1.234"}
    event = example_event("payment.posted.v1")
    event["data"] |= {"currency": currency, "amount": amounts[currency]}
    received = decode_many([json.dumps(event).encode()] * 3)
    assert [one.event.fact.cash for one in received if isinstance(one, wire.Received)] == [1234] * 3


def test_nothing_gives_nothing() -> None:
    assert decode_many([]) == []
