"""What every fact about a loan has: its days, its currency, its identity and what it relates to."""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum
from typing import ClassVar

import msgspec

from loanbook.domain.money import Minor


def wire_name(name: str) -> str:
    """JSON name of a field: days end in _date, amounts drop their unit."""
    if name.endswith("_on"):
        return f"{name[:-3]}_date"
    return name.removesuffix("_minor")


class Value(msgspec.Struct, frozen=True, kw_only=True, gc=False, rename=wire_name):
    """Base of the parts that facts are made of."""


class RelationKind(StrEnum):
    """How a fact relates to an earlier one."""

    REVERSES = "reverses"
    REPLACES = "replaces"
    CHARGEBACK_OF = "chargeback_of"
    ADJUSTS = "adjusts"
    REPLAYED_FROM = "replayed_from"


class Relation(Value, frozen=True, kw_only=True):
    """Names an earlier fact by its entity_id (or event id where it had no entity)."""

    kind: RelationKind
    id: str


class Portions(Value, frozen=True, kw_only=True):
    """How upstream itself split a transaction over the components of the debt."""

    principal_minor: Minor = msgspec.field(default_factory=Minor)
    interest_minor: Minor = msgspec.field(default_factory=Minor)
    fee_minor: Minor = msgspec.field(default_factory=Minor)
    penalty_minor: Minor = msgspec.field(default_factory=Minor)
    overpayment_minor: Minor = msgspec.field(default_factory=Minor)


class Fact(Value, frozen=True, kw_only=True):
    """Base of every fact about one loan."""

    TYPE: ClassVar[str]
    MOVES_DEBT: ClassVar[bool] = False  # it needs a disbursed loan with a schedule to count
    REVERSIBLE: ClassVar[bool] = False  # payment.reversed may name it
    UNDOES: ClassVar[bool] = False  # what it names no longer counts, from its day on
    ATTRIBUTES_ONLY: ClassVar[bool] = False  # it says who or where, never how much

    effective_on: date  # the day it counts from
    business_on: date  # upstream's business day when it was booked
    currency: str | None = None
    entity_id: str | None = None  # upstream's id of the transaction, charge or schedule
    entity_version: int = 1
    relates_to: tuple[Relation, ...] = ()

    @property
    def cash(self) -> int:
        """The cash it brings, in minor units; 0 where it brings none."""
        return 0

    @property
    def originals(self) -> tuple[str, ...]:
        """Ids of what it undoes or changes; its own entity where it names none."""
        named = tuple(relation.id for relation in self.relates_to)
        return named or ((self.entity_id,) if self.entity_id else ())


class LoanEvent(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A fact with its identity: the unit the ledger keeps and the fold reads."""

    book: str
    loan_id: str
    source: str
    event_id: str
    recorded_at: datetime  # upstream's clock, aware UTC
    sequence: int | None = None
    known_on: date | None = None  # our business day on receipt; set from the ledger
    fact: Fact

    @property
    def order(self) -> tuple[date, date, int, datetime, str, int, str]:
        """Place in the loan's history; the same whatever the order of arrival."""
        fact = self.fact
        return (
            fact.effective_on,
            fact.business_on,
            self.sequence or 0,
            self.recorded_at,
            fact.entity_id or "",
            fact.entity_version,
            self.event_id,
        )
