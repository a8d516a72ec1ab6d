"""What a made-up book is like: its size, its branches and products, and how its borrowers pay."""

from __future__ import annotations

from calendar import monthrange
from dataclasses import dataclass
from datetime import date
from enum import StrEnum


@dataclass(frozen=True, slots=True, kw_only=True)
class SyntheticBranch:
    """A branch; `weight` is its share of new loans, `risk` multiplies the bad payers among them."""

    branch: str
    name: str
    region: str
    manager: str
    latitude: float
    longitude: float
    weight: float
    risk: float


@dataclass(frozen=True, slots=True, kw_only=True)
class SyntheticProduct:
    """A product: its rate, its terms in months, the amounts it is given for in whole currency units."""

    product: str
    annual_rate_bps: int
    terms: tuple[int, ...]
    principal_from: int
    principal_to: int
    weight: float


class Payer(StrEnum):
    """How a borrower pays."""

    PREPAYER = "prepayer"
    PUNCTUAL = "punctual"
    SLOPPY = "sloppy"
    DETERIORATING = "deteriorating"
    FIRST_PAYMENT_DEFAULTER = "first_payment_defaulter"


PAYER_SHARES = {
    Payer.PREPAYER: 0.085,
    Payer.PUNCTUAL: 0.45,
    Payer.SLOPPY: 0.18,
    Payer.DETERIORATING: 0.25,
    Payer.FIRST_PAYMENT_DEFAULTER: 0.035,
}
BAD_PAYERS = (Payer.DETERIORATING, Payer.FIRST_PAYMENT_DEFAULTER)

BRANCHES = (
    SyntheticBranch(
        branch="harbor",
        name="Harbor",
        region="North",
        manager="Ida Brandt",
        latitude=53.54,
        longitude=9.98,
        weight=1.6,
        risk=1.0,
    ),
    SyntheticBranch(
        branch="lakeside",
        name="Lakeside",
        region="North",
        manager="Jonas Feld",
        latitude=53.62,
        longitude=11.41,
        weight=0.8,
        risk=0.7,
    ),
    SyntheticBranch(
        branch="dunes",
        name="Dunes",
        region="North",
        manager="Marte Olsen",
        latitude=54.31,
        longitude=10.13,
        weight=0.6,
        risk=0.8,
    ),
    SyntheticBranch(
        branch="old-town",
        name="Old Town",
        region="Center",
        manager="Pavel Novak",
        latitude=50.11,
        longitude=8.68,
        weight=1.8,
        risk=0.9,
    ),
    SyntheticBranch(
        branch="mill-street",
        name="Mill Street",
        region="Center",
        manager="Sofia Marin",
        latitude=51.31,
        longitude=9.49,
        weight=1.0,
        risk=1.1,
    ),
    SyntheticBranch(
        branch="east-gate",
        name="East Gate",
        region="Center",
        manager="Tarek Aziz",
        latitude=51.34,
        longitude=12.37,
        weight=0.9,
        risk=1.9,
    ),
    SyntheticBranch(
        branch="vineyard",
        name="Vineyard",
        region="South",
        manager="Clara Rossi",
        latitude=48.78,
        longitude=9.18,
        weight=1.2,
        risk=0.6,
    ),
    SyntheticBranch(
        branch="mountain-pass",
        name="Mountain Pass",
        region="South",
        manager="Luca Steiner",
        latitude=47.55,
        longitude=10.75,
        weight=0.5,
        risk=1.3,
    ),
)
PRODUCTS = (
    SyntheticProduct(
        product="personal",
        annual_rate_bps=990,
        terms=(12, 18, 24, 36),
        principal_from=2_000,
        principal_to=15_000,
        weight=0.5,
    ),
    SyntheticProduct(
        product="car",
        annual_rate_bps=590,
        terms=(24, 30, 36),
        principal_from=6_000,
        principal_to=25_000,
        weight=0.2,
    ),
    SyntheticProduct(
        product="education",
        annual_rate_bps=450,
        terms=(24, 36),
        principal_from=3_000,
        principal_to=12_000,
        weight=0.12,
    ),
    SyntheticProduct(
        product="small-business",
        annual_rate_bps=1_490,
        terms=(12, 18, 24),
        principal_from=1_000,
        principal_to=20_000,
        weight=0.18,
    ),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class SyntheticSettings:
    """Size and time of a made-up book; the history ends the day before `live_from`."""

    starts_on: date
    seed: int = 7
    loans: int = 10_000
    months: int = 18
    book: str = "demo"
    currency: str = "EUR"

    @property
    def live_from(self) -> date:
        """The first day after the history."""
        return add_months(self.starts_on, self.months)

    @property
    def source(self) -> str:
        """The source of the events; it holds what the book was made from, so that it can be told apart."""
        return f"urn:loanpulse:synthetic:seed={self.seed};loans={self.loans};months={self.months}"


def add_months(day: date, months: int) -> date:
    """The same day of a later or earlier month, or its last day."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))
