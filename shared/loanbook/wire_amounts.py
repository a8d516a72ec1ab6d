"""Amounts on the wire: decimal strings, read and written exactly in the digits of their currency."""

from __future__ import annotations

import re
from typing import Any

from loanbook.domain.money import Minor

_MAX_LENGTH = 24  # more digits than any amount has; Decimal reads these without rounding
_AMOUNT = re.compile(r"-?[0-9]+(\.[0-9]+)?")
AMOUNT_SCHEMA = {
    "type": "string",
    "pattern": r"^[0-9]+(\.[0-9]+)?$",
    "maxLength": _MAX_LENGTH,
    "description": "Decimal amount with no more digits than its currency has.",
}


def read_minor(exponent: int, target: type[Any], value: object) -> Minor:
    """Read an amount, as a hook of msgspec; raises ValueError, to which msgspec adds the path."""
    if target is not Minor:
        msg = f"no rule to read {target.__name__}"
        raise NotImplementedError(msg)
    if not isinstance(value, str):
        msg = "an amount is a decimal string"
        raise ValueError(msg)  # noqa: TRY004 - msgspec adds the path to ValueErrors alone
    if exponent == 2 and value[-3:-2] == "." and 3 < len(value) < 17:  # noqa: PLR2004 - "0.00" to 10^15
        digits = value.replace(".", "", 1)
        if digits.isdigit() and digits.isascii():
            return Minor(digits)  # nearly every amount, several times as fast as by Decimal
    if len(value) > _MAX_LENGTH or not _AMOUNT.fullmatch(value):
        msg = f"not a decimal amount: {value[:40]!r}"
        raise ValueError(msg)
    return Minor.parse(value, exponent)


def write_minor(minor: int, exponent: int) -> str:
    """Decimal string of an amount that is not negative, with all digits of its currency."""
    if exponent == 0:
        return str(int(minor))
    unit: int = 10**exponent
    return f"{minor // unit}.{minor % unit:0{exponent}d}"
