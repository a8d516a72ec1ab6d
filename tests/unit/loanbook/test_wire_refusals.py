"""What cannot be taken is refused with the field and the reason."""

from __future__ import annotations

import json
from typing import Any

import pytest

from ingest.contract.examples import example_event
from loanbook import wire
from loanbook.domain.errors import RejectedEventError


def raw_of(event: dict[str, Any]) -> bytes:
    return json.dumps(event).encode()


def a_payment(**data: object) -> dict[str, Any]:
    event = example_event("payment.posted.v1")
    return {**event, "data": {**event["data"], **data}}


def refusal_of(raw: bytes) -> RejectedEventError:
    with pytest.raises(RejectedEventError) as caught:
        wire.decode(raw)
    return caught.value


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        (b"", "truncated"),
        (b"hello", "malformed"),
        (b"[]", "Expected `object`"),
        (b"null", "Expected `object`"),
        (b'{"a":"\\ud800"}', "truncated"),
        (raw_of(a_payment()) + b" {}", "malformed"),
        (b'{"specversion":"1.0","id":"\xff"}', "UTF-8"),
        (b'{"specversion":"1.0","note":"\xff"}', "UTF-8"),
        (b'{"a":' + b"[" * 100_000 + b"]" * 100_000 + b"}", "nested"),
        (raw_of(a_payment(note="x" * 1_048_576)), "over the limit"),
    ],
)
def test_what_is_no_event_at_all_is_refused(raw: bytes, reason: str) -> None:
    error = refusal_of(raw)
    assert reason in error.reason
    assert error.field is None


@pytest.mark.parametrize("name", ["specversion", "id", "source", "type", "subject", "time", "book", "data"])
def test_a_missing_attribute_is_named(name: str) -> None:
    event = a_payment()
    del event[name]
    error = refusal_of(raw_of(event))
    assert error.field == name
    assert "missing" in error.reason


@pytest.mark.parametrize(
    ("attribute", "value", "reason"),
    [
        ("specversion", "0.3", "Invalid enum value"),
        ("id", "", "must not be empty"),
        ("id", 7, "Expected `str`"),
        ("id", "x" * 201, "at most 200"),
        ("id", "a\u0000b", "control characters"),
        ("subject", "L-1\n", "control characters"),
        ("subject", " L-1", "no space at either end"),
        ("subject", "L-1\u00a0", "printable"),
        ("book", "  ", "no space"),
        ("source", "\u200b", "printable"),
        ("time", "yesterday", "Invalid RFC3339"),
        ("time", "2026-03-02T09:00:00", "offset"),
        ("time", "0001-01-01T00:00:00Z", "between 1900"),
        ("sequence", "12", "Expected `int | null`"),
        ("sequence", 2**63, "<="),
        ("type", "payment.posted.v9", "unknown event type"),
        ("type", "nonsense", "unknown event type"),
    ],
)
def test_a_wrong_attribute_is_named_with_the_reason(attribute: str, value: object, reason: str) -> None:
    error = refusal_of(raw_of({**a_payment(), attribute: value}))
    assert error.field == attribute
    assert reason in error.reason


@pytest.mark.parametrize(
    ("field", "value", "reason"),
    [
        ("amount", "-5.00", "must not be negative"),
        ("amount", "5.005", "more than 2 decimals"),
        ("amount", 5.0, "decimal string"),
        ("amount", 500, "decimal string"),
        ("amount", "5,00", "not a decimal amount"),
        ("amount", "1e5", "not a decimal amount"),
        ("amount", "1_000.00", "not a decimal amount"),
        ("amount", " 5.00", "not a decimal amount"),
        ("amount", ".50", "not a decimal amount"),
        ("amount", "5.", "not a decimal amount"),
        ("amount", "\u0665.\u0665\u0660", "not a decimal amount"),
        ("amount", "NaN", "not a decimal amount"),
        ("amount", "", "not a decimal amount"),
        ("amount", "1.0000000000000000000000000000001", "not a decimal amount"),
        ("amount", "10000000000000.00", "out of range"),
        ("currency", "eur", "three capital letters"),
        ("currency", "EURO", "three capital letters"),
        ("currency", "ÄÖÜ", "three capital letters"),
        ("currency", None, "needs its currency"),
        ("effective_date", "2026-13-01", "Invalid RFC3339"),
        ("effective_date", "02.03.2026", "Invalid RFC3339"),
        ("effective_date", "1899-12-31", "between 1900"),
        ("business_date", "9999-12-31", "between 1900"),
        ("entity_version", 2**31, "out of range"),
        ("entity_version", "2", "Expected `int`"),
        ("entity_id", "x" * 201, "at most 200"),
        ("channel", "a\u0000b", "control characters"),
        ("kind", "bribe", "Invalid enum value"),
    ],
)
def test_a_wrong_value_is_named_with_the_reason(field: str, value: object, reason: str) -> None:
    error = refusal_of(raw_of(a_payment(**{field: value})))
    assert error.field == f"data.{field}"
    assert reason in error.reason


@pytest.mark.parametrize("field", ["amount", "effective_date", "business_date"])
def test_a_missing_value_is_named(field: str) -> None:
    event = a_payment()
    del event["data"][field]
    assert refusal_of(raw_of(event)).field == f"data.{field}"


def test_an_amount_without_currency_is_refused() -> None:
    event = a_payment()
    del event["data"]["currency"]
    error = refusal_of(raw_of(event))
    assert (error.field, error.reason) == ("data.currency", "an amount needs its currency")


def test_a_fact_without_amounts_needs_no_currency() -> None:
    event = example_event("payment.reversed.v1")
    del event["data"]["currency"]
    assert isinstance(wire.decode(raw_of(event)), wire.Received)


@pytest.mark.parametrize(
    ("period", "field"),
    [
        ({"due_date": "1800-01-01"}, "data.periods[1].due_date"),
        ({"from_date": "2999-01-01"}, "data.periods[1].from_date"),
        ({"number": 2**40}, "data.periods[1].number"),
    ],
)
def test_the_installment_at_fault_is_named(period: dict[str, Any], field: str) -> None:
    event = example_event("schedule.published.v1")
    good = event["data"]["periods"][0]
    event["data"]["periods"] = [good, {**good, **period}]
    assert refusal_of(raw_of(event)).field == field


def test_three_decimals_in_an_installment_are_refused() -> None:
    event = example_event("schedule.published.v1")
    event["data"]["periods"][0]["interest"] = "1.005"
    error = refusal_of(raw_of(event))
    assert error.field == "data.periods[0].interest"
    assert "more than 2 decimals" in error.reason


def test_a_long_or_broken_name_is_found_in_a_relation() -> None:
    event = example_event("payment.reversed.v1")
    event["data"]["relates_to"] = [{"kind": "reverses", "id": "P-1"}, {"kind": "reverses", "id": "P\u0000"}]
    assert refusal_of(raw_of(event)).field == "data.relates_to[1].id"


@pytest.mark.parametrize("type_name", wire.DATA_TYPES)
@pytest.mark.parametrize("data", [b"null", b"[]", b"7", b'"x"'])
def test_data_that_is_no_object_is_refused_for_every_type(type_name: str, data: bytes) -> None:
    with pytest.raises(RejectedEventError) as caught:
        wire.decode_data(type_name, data)
    assert caught.value.field == "data"


def test_the_reason_never_carries_more_than_a_glimpse_of_the_value() -> None:
    error = refusal_of(raw_of(a_payment(amount="9" * 5_000)))
    assert len(error.reason) < 120
