"""A share that keeps its numerator and denominator; without a denominator it has no value."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Decimal
from fractions import Fraction
from math import sqrt

_Z_95 = 1.959963984540054


@dataclass(frozen=True, slots=True, kw_only=True)
class Ratio:
    """Amounts in minor units, or counts."""

    numerator: int
    denominator: int

    @property
    def value(self) -> Fraction | None:
        """The exact share; None when there is nothing to divide by."""
        return Fraction(self.numerator, self.denominator) if self.denominator else None

    def rounded(self, digits: int = 6) -> Decimal | None:
        """The share rounded half to even; None when there is nothing to divide by."""
        if not self.denominator:
            return None
        exact = Decimal(self.numerator) / Decimal(self.denominator)
        return exact.quantize(Decimal(1).scaleb(-digits), ROUND_HALF_EVEN)

    def wilson_95(self) -> tuple[float, float] | None:
        """The 95 % interval of a share of counts (Wilson)."""
        n = self.denominator
        if not n:
            return None
        share, z2 = self.numerator / n, _Z_95**2
        middle = (share + z2 / (2 * n)) / (1 + z2 / n)
        half = _Z_95 * sqrt(share * (1 - share) / n + z2 / (4 * n * n)) / (1 + z2 / n)
        return max(0.0, middle - half), min(1.0, middle + half)


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """The same share by amount and by number of loans; one is never shown without the other."""

    amount: Ratio
    count: Ratio
