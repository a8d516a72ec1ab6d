"""What the data of an event must satisfy beyond its types, so that every store can take it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache
from operator import attrgetter
from typing import Any

import msgspec
from msgspec import inspect

from loanbook.domain.errors import RejectedEventError
from loanbook.domain.money import Minor, exponent_of

MAX_TEXT_LENGTH = 200
MAX_INTEGER = 2**31 - 1
FIRST_DAY, LAST_DAY = date(1900, 1, 1), date(2200, 12, 31)
CURRENCY_LENGTH = 3
DOUBTS = (RejectedEventError, msgspec.MsgspecError, UnicodeDecodeError, RecursionError)
"""What reading events together raises where each must be looked at by itself."""

_CONTROL = re.compile(r"[\x00-\x1f]")  # PostgreSQL cannot store NUL, and logs break at the others
_CURRENCY_SCHEMA = {"type": "string", "pattern": "^[A-Z]{3}$"}

Getter = Callable[[Any], tuple[Any, ...]]


@dataclass(frozen=True, slots=True)
class Rules:
    """The fields of one class by what is asked of them; names beside their names on the wire."""

    texts: tuple[tuple[str, str], ...]
    whole: tuple[tuple[str, str], ...]
    days: tuple[tuple[str, str], ...]
    parts: tuple[tuple[str, str, Rules], ...]
    amounts: tuple[str, ...]
    needs_currency: bool
    get_days: Getter
    get_whole: Getter

    @property
    def is_flat(self) -> bool:
        """Whether no part has rules of its own."""
        return not self.parts

    @property
    def is_shallow(self) -> bool:
        """Whether parts have no rules but on texts."""
        return not any(inner.days or inner.whole or inner.parts for _, _, inner in self.parts)


@cache
def rules_of(target: type[msgspec.Struct]) -> Rules:
    """The rules of a class, read from the types of its fields."""
    found: dict[str, list[tuple[str, str]]] = {"text": [], "int": [], "date": []}
    parts, amounts = [], []
    needs_currency = False
    for field in msgspec.structs.fields(target):
        kind, part = _kind_of(inspect.type_info(field.type))
        if kind == "amount":
            amounts.append(field.name)
            needs_currency = needs_currency or field.required
        elif kind == "part" and part is not None:
            inner = rules_of(part)
            if inner.amounts:
                amounts.append(field.name)
            if inner.texts or inner.whole or inner.days or inner.parts:
                parts.append((field.name, field.encode_name, inner))
        elif kind in found:
            found[kind].append((field.name, field.encode_name))
    return Rules(
        texts=tuple(found["text"]),
        whole=tuple(found["int"]),
        days=tuple(found["date"]),
        parts=tuple(parts),
        amounts=tuple(amounts),
        needs_currency=needs_currency,
        get_days=_getter([name for name, _ in found["date"]]),
        get_whole=_getter([name for name, _ in found["int"]]),
    )


@cache
def exponent_of_code(currency: str) -> int:
    """Decimal digits of a currency; raises RejectedEventError unless it is three capital letters."""
    if len(currency) != CURRENCY_LENGTH or not (
        currency.isascii() and currency.isalpha() and currency.isupper()
    ):
        reason = f"must be three capital letters (ISO 4217), not {currency[:40]!r}"
        raise RejectedEventError(reason, "data.currency")
    return exponent_of(currency)


def check_data(value: msgspec.Struct, data: bytes) -> None:
    """Check decoded data, of which `data` are the bytes; raises RejectedEventError with the field."""
    rules = rules_of(type(value))
    if rules.amounts and getattr(value, "currency", None) is None:
        _check_currency_is_there(value, rules)
    _check(value, rules, "data", plain=_is_plain_text(data))


def is_plain(field_type: Any) -> bool:  # noqa: ANN401 - any type of a field
    """Whether values of a type go into JSON as they are: texts, numbers, days, kinds."""
    return _kind_of(inspect.type_info(field_type))[0] in {"text", "int", "date", "scalar"}


def check_alike(values: Sequence[msgspec.Struct], contents: Sequence[bytes]) -> None:
    """Check decoded data of one class, column by column; raises RejectedEventError if anything is wrong."""
    rules = rules_of(type(values[0]))
    if not _is_in_range(values, rules):
        raise RejectedEventError("is out of range")
    asked = doubtful_texts(contents)
    if rules.amounts and None in {getattr(value, "currency", None) for value in values}:
        asked.update(place for place, value in enumerate(values) if getattr(value, "currency", None) is None)
    for place in asked if rules.is_shallow else range(len(values)):
        check_data(values[place], contents[place])


def are_plain_names(names: Sequence[str]) -> bool:
    """Whether all names are surely in order: one look at all of them is quicker than one at each."""
    joined = "".join(names)
    is_short = len(joined) <= MAX_TEXT_LENGTH or max(map(len, names)) <= MAX_TEXT_LENGTH
    return is_short and all(names) and " " not in joined and joined.isprintable()


def check_names(names: Sequence[str]) -> None:
    """Raise where one of some ids or names of envelopes has a fault; which one is not said."""
    if not are_plain_names(names) and any(map(name_fault, names)):
        raise RejectedEventError("a name has a fault")


def doubtful_texts(contents: Sequence[bytes]) -> set[int]:
    """Places of JSON in which a string may be too long or hold a control character: seldom any."""
    if max(map(len, contents), default=0) <= MAX_TEXT_LENGTH and b"\\" not in b"".join(contents):
        return set()
    return {place for place, content in enumerate(contents) if not _is_plain_text(content)}


def name_fault(text: str) -> str | None:
    """What is wrong with an id or a name of the envelope, or None."""
    if not text:
        return "must not be empty"
    if text.isprintable() and text[0] != " " != text[-1]:
        return _text_fault(text)
    return _text_fault(text) or "must be printable, with no space at either end"


def with_rules(target: type[msgspec.Struct], schema: dict[str, Any]) -> dict[str, Any]:
    """The JSON Schema of a class, with these rules in it."""
    tight: dict[str, Any] = _tightened(schema)
    rules, own = rules_of(target), tight["$defs"][target.__name__]
    if rules.needs_currency:
        own["properties"]["currency"] = dict(_CURRENCY_SCHEMA)
        own["required"].append("currency")
    elif rules.amounts:
        wires = {field.name: field.encode_name for field in msgspec.structs.fields(target)}
        own["dependentRequired"] = {wires[name]: ["currency"] for name in rules.amounts}
    return tight


def _tightened(part: Any, name: str = "") -> Any:  # noqa: ANN401 - any part of a schema
    if isinstance(part, list):
        return [_tightened(item, name) for item in part]
    if not isinstance(part, dict):
        return part
    free_text = part.get("type") == "string" and not part.keys() & {"format", "pattern", "enum"}
    if free_text:
        return part | (_CURRENCY_SCHEMA if name == "currency" else {"maxLength": MAX_TEXT_LENGTH})
    if part.get("type") == "integer":
        return {"minimum": -MAX_INTEGER, "maximum": MAX_INTEGER} | part
    inherits = {"anyOf", "items"}
    return {key: _tightened(value, name if key in inherits else key) for key, value in part.items()}


def _is_plain_text(data: bytes) -> bool:
    return len(data) <= MAX_TEXT_LENGTH and b"\\" not in data


def _text_fault(text: str) -> str | None:
    if len(text) > MAX_TEXT_LENGTH:
        return f"must have at most {MAX_TEXT_LENGTH} characters"
    return "must not hold control characters" if _CONTROL.search(text) else None


def _check(value: Any, rules: Rules, path: str, *, plain: bool) -> None:  # noqa: ANN401 - any part
    for day in rules.get_days(value):
        if day is not None and not FIRST_DAY <= day <= LAST_DAY:
            reason = f"must lie between {FIRST_DAY} and {LAST_DAY}, not {day}"
            raise RejectedEventError(reason, f"{path}.{_name_of(value, rules.days, day)}")
    for number in rules.get_whole(value):
        if number is not None and not -MAX_INTEGER <= number <= MAX_INTEGER:
            raise RejectedEventError("is out of range", f"{path}.{_name_of(value, rules.whole, number)}")
    if rules.texts and not plain:
        _check_texts(value, rules, path)
    for name, wire, inner in rules.parts:
        part = getattr(value, name)
        if isinstance(part, tuple):
            _check_items(part, inner, f"{path}.{wire}", plain=plain)
        elif part is not None:
            _check(part, inner, f"{path}.{wire}", plain=plain)


def _check_items(items: tuple[Any, ...], rules: Rules, path: str, *, plain: bool) -> None:
    if rules.is_flat and (plain or not rules.texts) and _is_in_range(items, rules):
        return
    for index, item in enumerate(items):
        _check(item, rules, f"{path}[{index}]", plain=plain)


def _is_in_range(items: Sequence[Any], rules: Rules) -> bool:
    # Column by column: days and numbers repeat themselves, and nearly always all is well.
    limits: list[tuple[str, Any, Any]] = [(name, FIRST_DAY, LAST_DAY) for name, _ in rules.days]
    limits += [(name, -MAX_INTEGER, MAX_INTEGER) for name, _ in rules.whole]
    for name, least, most in limits:
        found: set[Any] = set(map(attrgetter(name), items)) - {None}
        if found and not least <= min(found) <= max(found) <= most:
            return False
    return True


def _check_texts(value: Any, rules: Rules, path: str) -> None:  # noqa: ANN401 - any part
    for name, wire in rules.texts:
        found = getattr(value, name)
        for text in found if isinstance(found, tuple) else (found,):
            fault = _text_fault(text) if text is not None else None
            if fault:
                raise RejectedEventError(fault, f"{path}.{wire}")


def _check_currency_is_there(value: msgspec.Struct, rules: Rules) -> None:
    if rules.needs_currency or any(getattr(value, name) for name in rules.amounts):
        raise RejectedEventError("an amount needs its currency", "data.currency")


def _name_of(value: Any, pairs: tuple[tuple[str, str], ...], wrong: object) -> str:  # noqa: ANN401
    return next(wire for name, wire in pairs if getattr(value, name) is wrong)


def _kind_of(info: inspect.Type) -> tuple[str, type[msgspec.Struct] | None]:
    for kind in _members(info):
        if isinstance(kind, inspect.CustomType) and kind.cls is Minor:
            return "amount", None
        if isinstance(kind, inspect.VarTupleType):
            item, part = _kind_of(kind.item_type)
            return (item, part) if item in {"part", "text"} else ("other", None)
        if isinstance(kind, inspect.StructType):
            return "part", kind.cls
        if isinstance(kind, inspect.StrType | inspect.IntType | inspect.DateType):
            names = {inspect.StrType: "text", inspect.IntType: "int", inspect.DateType: "date"}
            return names[type(kind)], None
        if isinstance(kind, inspect.EnumType | inspect.BoolType | inspect.FloatType):
            return "scalar", None
    return "other", None


def _members(info: inspect.Type) -> Iterator[inspect.Type]:
    if isinstance(info, inspect.UnionType):
        yield from info.types
    else:
        yield info


def _getter(names: list[str]) -> Getter:
    if not names:
        return lambda _value: ()
    # Of one name attrgetter gives no tuple; asking for it twice is quicker than wrapping it.
    return attrgetter(*(names if len(names) > 1 else names * 2))
