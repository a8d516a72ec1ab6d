"""An example of every event type, built from the classes that decode it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime
from typing import Any

import msgspec
from msgspec import inspect

from loanbook import wire
from loanbook.domain.events import Fact, PaymentReversed
from loanbook.domain.money import Minor

BOOK = "demo"
LOAN = "L0001042"
SOURCE = "https://core.example.com/loans"
RECORDED_AT = datetime(2026, 3, 2, 9, 15, 30, tzinfo=UTC)
_DAY, _DUE_DAY = date(2026, 3, 2), date(2026, 4, 1)

# By the name of the field on the wire; a field without a sample shows its own name or 1.
_AMOUNTS = {"amount": 21_250, "principal": 19_750, "interest": 1_500, "disbursed": 500_000, "paid": 85_000}
_TEXTS = {
    "currency": "EUR",
    "entity_id": "T-48211",
    "id": "T-48190",
    "borrower_id": "B-1007",
    "charge_id": "C-311",
    "branch": "harbor",
    "officer": "O-12",
    "product": "personal",
    "channel": "direct_debit",
    "reason": "agreed with the borrower",
    "region": "North",
}
_NUMBERS = {"annual_rate_bps": 990, "term_days": 730, "installments": 24, "birth_year": 1988, "dependents": 2}
_OF_TYPES = {
    "loan.created.v1": {"principal": "5000.00"},
    "loan.disbursed.v1": {"amount": "5000.00"},
    "payment.reversed.v1": {"reason": "returned by the bank"},
}
_LEFT_OUT = {"total", "portions", "paid_before"}  # alternatives to what the example shows
_RELATED = ("revers", "adjust", "undone", "charged_back")


def example_event(type_name: str) -> dict[str, Any]:
    """An event of this type as it goes over the wire."""
    target = wire.DATA_TYPES[type_name]
    data = _example_of(target) | _OF_TYPES.get(type_name, {})
    if issubclass(target, Fact) and not any(word in type_name for word in _RELATED):
        data.pop("relates_to", None)
    return {
        "specversion": "1.0",
        "id": f"{type_name}/48211",
        "source": SOURCE,
        "type": type_name,
        "subject": _subject_of(type_name, data),
        "time": RECORDED_AT.isoformat().replace("+00:00", "Z"),
        "book": BOOK,
        "datacontenttype": "application/json",
        "data": data,
    }


def wrong_event() -> dict[str, Any]:
    """An event that is refused: its amount has three decimals."""
    event = example_event("payment.posted.v1")
    return event | {"data": event["data"] | {"amount": "212.505"}}


def example_reversal() -> dict[str, Any]:
    """The reversal of the example payment, for requests that show several events."""
    return example_event(PaymentReversed.TYPE)


def _subject_of(type_name: str, data: Mapping[str, Any]) -> str:
    if type_name in wire.FACT_TYPES:
        return LOAN
    return str(data.get("borrower_id") or data.get("branch") or BOOK)


def _example_of(target: type[msgspec.Struct]) -> dict[str, Any]:
    fields = msgspec.structs.fields(target)
    shown = [field for field in fields if field.encode_name not in _LEFT_OUT]
    found = {
        field.encode_name: _value_of(inspect.type_info(field.type), field.encode_name) for field in shown
    }
    return {name: value for name, value in found.items() if value is not None}


def _value_of(info: inspect.Type, name: str) -> Any:  # noqa: ANN401 - any JSON value
    if isinstance(info, inspect.UnionType):
        return _value_of(next(kind for kind in info.types if not isinstance(kind, inspect.NoneType)), name)
    if isinstance(info, inspect.VarTupleType):
        return [_value_of(info.item_type, name)]
    if isinstance(info, inspect.StructType):
        return _example_of(info.cls)
    if isinstance(info, inspect.EnumType):
        return next(iter(info.cls)).value
    return _plain_value(info, name)


def _plain_value(info: inspect.Type, name: str) -> Any:  # noqa: ANN401 - any JSON value
    if isinstance(info, inspect.CustomType) and info.cls is Minor:
        return f"{_AMOUNTS.get(name, 0) / 100:.2f}"
    if isinstance(info, inspect.DateType):
        return (_DUE_DAY if name.startswith(("due", "end", "next")) else _DAY).isoformat()
    if isinstance(info, inspect.BoolType):
        return True
    if isinstance(info, inspect.IntType):
        return _NUMBERS.get(name, 1)
    if isinstance(info, inspect.FloatType):
        return 53.55
    return _TEXTS.get(name, name)
