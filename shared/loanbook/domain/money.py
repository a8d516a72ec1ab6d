"""Money: integer minor units of a named currency; a float cannot enter."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal, InvalidOperation

# Decimal digits of the currencies that do not have two (ISO 4217).
EXPONENTS = {
    **dict.fromkeys(("BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG", "RWF"), 0),
    **dict.fromkeys(("UGX", "UYI", "VND", "VUV", "XAF", "XOF", "XPF"), 0),
    **dict.fromkeys(("BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"), 3),
    **dict.fromkeys(("CLF", "UYW"), 4),
}
AMOUNT_LIMIT_MINOR = 10**15  # sums over ten million loans stay inside a signed 64-bit integer


def exponent_of(currency: str) -> int:
    """Number of decimal digits of a currency."""
    return EXPONENTS.get(currency, 2)


class Minor(int):
    """An amount in minor units; on the wire a decimal string such as "12.50"."""

    __slots__ = ()

    @classmethod
    def parse(cls, text: str, exponent: int) -> Minor:
        """Read a decimal string exactly; raises ValueError when it does not fit the currency."""
        try:
            scaled = Decimal(text).scaleb(exponent)
        except InvalidOperation:
            msg = f"not a decimal amount: {text[:40]!r}"
            raise ValueError(msg) from None
        if not scaled.is_finite() or scaled != scaled.to_integral_value():
            msg = f"more than {exponent} decimals: {text[:40]!r}"
            raise ValueError(msg)
        if scaled < 0:
            msg = f"must not be negative: {text[:40]!r}"
            raise ValueError(msg)
        if scaled >= AMOUNT_LIMIT_MINOR:
            msg = f"amount out of range: {text[:40]!r}"
            raise ValueError(msg)
        return cls(scaled)


def format_minor(minor: int, currency: str) -> str:
    """Decimal string of an amount, with all digits of its currency."""
    exponent = exponent_of(currency)
    if not exponent:
        return str(int(minor))
    digits = str(abs(minor)).zfill(exponent + 1)
    return f"{'-' if minor < 0 else ''}{digits[:-exponent]}.{digits[-exponent:]}"


def divide_half_even(numerator: int, denominator: int) -> int:
    """Integer quotient rounded half to even; both may be of any size."""
    quotient, rest = divmod(numerator, denominator)
    twice = 2 * rest
    if twice > denominator or (twice == denominator and quotient % 2):
        return quotient + 1
    return quotient


@dataclass(frozen=True, slots=True, kw_only=True)
class Money:
    """An amount in minor units together with its currency."""

    minor: int
    currency: str

    def __post_init__(self) -> None:
        if isinstance(self.minor, bool) or not isinstance(self.minor, int):
            msg = f"minor units are whole numbers, not {type(self.minor).__name__}"
            raise TypeError(msg)

    def __add__(self, other: Money) -> Money:
        if other.currency != self.currency:
            msg = f"cannot add {other.currency} to {self.currency}"
            raise ValueError(msg)
        return Money(minor=self.minor + other.minor, currency=self.currency)

    def __str__(self) -> str:
        return f"{format_minor(self.minor, self.currency)} {self.currency}"
