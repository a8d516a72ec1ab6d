"""What may differ from product to product, as data: allocation orders, tolerance, grace, thresholds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from enum import IntEnum, StrEnum

from loanbook.domain.errors import InvalidSettingsError


class Component(IntEnum):
    """Part of a debt; the number is its place in the fold's lists."""

    PRINCIPAL = 0
    INTEREST = 1
    FEE = 2
    PENALTY = 3


class Timing(IntEnum):
    """An installment's due day against the day of a transaction, never against today."""

    PAST_DUE = 0
    DUE = 1
    IN_ADVANCE = 2


class Processing(StrEnum):
    """Which comes first: all components of one installment, or one component of all installments."""

    HORIZONTAL = "horizontal"
    VERTICAL = "vertical"


class FutureRule(StrEnum):
    """Where money goes that is left when nothing is due."""

    NEXT = "next"
    LAST = "last"
    NEXT_LAST = "next_last"  # the running installment, then the last one
    REAMORTIZE = "reamortize"  # in equal parts over all that are left


Step = tuple[Timing, Component]
STEP_NAMES: dict[str, Step] = {
    f"{timing.name}_{component.name}".lower(): (timing, component)
    for timing in Timing
    for component in Component
}
_EDGE_COUNT = 3  # the buckets are a closed set
USUAL_COMPONENTS = (Component.PENALTY, Component.FEE, Component.INTEREST, Component.PRINCIPAL)
USUAL_STEPS: tuple[Step, ...] = tuple((timing, part) for timing in Timing for part in USUAL_COMPONENTS)


@dataclass(frozen=True, slots=True, kw_only=True)
class AllocationOrder:
    """How one kind of transaction is spread over the debt: twelve steps, and a rule for early money."""

    steps: tuple[Step, ...] = USUAL_STEPS
    future_rule: FutureRule = FutureRule.NEXT
    processing: Processing = Processing.HORIZONTAL
    charges_due_on_their_own: bool = False  # early money first pays charges whose own day has come

    def __post_init__(self) -> None:
        if sorted(self.steps) != sorted(STEP_NAMES.values()):
            missing = sorted(name for name, step in STEP_NAMES.items() if step not in self.steps)
            raise InvalidSettingsError("order", f"must name each step once; missing: {', '.join(missing)}")


@dataclass(frozen=True, slots=True, kw_only=True)
class ProductSettings:
    """Settings of one product; days past due and overdue amounts do not depend on them, classes do."""

    allocation: AllocationOrder = AllocationOrder()
    allocation_by_kind: Mapping[str, AllocationOrder] = field(default_factory=dict)
    chargeback_order: tuple[Component, ...] = (Component.PRINCIPAL,)
    carries_payments_over: bool = False  # a new schedule keeps them on its rows; else all is replayed on it
    charges_first: bool = True  # a charge counts before the money of its day; else as they were booked
    grace_days: int = 0  # of the class, taken off once for the loan
    tolerance_minor: int = 0  # what is left of an installment up to this makes nobody late in class
    pause_counts: bool = False  # True: days of a pause count for the class
    bucket_edges: tuple[int, int, int] = (30, 60, 90)  # a bucket holds the days strictly over its edge
    missed_after_days: int = 30
    short_term_days: int = 90  # terms up to this are short
    first_payment_default_days: int = 30
    first_payment_default_days_short: int = 7
    first_payment_missed_days: int = 3
    first_payment_missed_days_short: int = 1
    default_after_days: int = 90
    charged_off_in_par: bool = False
    restructured_in_par: bool = False

    def allocation_for(self, kind: str) -> AllocationOrder:
        """The order for one kind of transaction (`repayment`, `goodwill`, ...)."""
        return self.allocation_by_kind.get(kind, self.allocation)

    @classmethod
    def from_json(cls, data: Mapping[str, object]) -> ProductSettings:
        """Read a product's settings; raises InvalidSettingsError naming the setting."""
        known = {item.name for item in fields(cls)}
        unknown = sorted(set(data) - known)
        if unknown:
            raise InvalidSettingsError(unknown[0], f"unknown; known are {', '.join(sorted(known))}")
        return cls(**{name: _READERS.get(name, _plain)(name, value) for name, value in data.items()})  # type: ignore[arg-type]


def _plain(name: str, value: object) -> object:
    """A day count, an amount in minor units or a switch, as its default says."""
    default = ProductSettings.__dataclass_fields__[name].default
    if type(value) is not type(default):
        raise InvalidSettingsError(name, f"must be of type {type(default).__name__}, not {value!r}")
    if isinstance(value, int) and value < 0:
        raise InvalidSettingsError(name, f"must not be negative: {value}")
    return value


def _order(name: str, value: object) -> AllocationOrder:
    known = {"order", "future_rule", "processing", "charges_due_on_their_own"}
    if not isinstance(value, Mapping) or not set(value) <= known:
        raise InvalidSettingsError(name, f"must be an object of {', '.join(sorted(known))}")
    try:
        return AllocationOrder(
            steps=tuple(STEP_NAMES[step] for step in value["order"]) if "order" in value else USUAL_STEPS,
            future_rule=FutureRule(value.get("future_rule", FutureRule.NEXT)),
            processing=Processing(value.get("processing", Processing.HORIZONTAL)),
            charges_due_on_their_own=value.get("charges_due_on_their_own", False) is True,
        )
    except KeyError as error:
        raise InvalidSettingsError(f"{name}.order", f"unknown step {error.args[0]!r}") from error
    except (TypeError, ValueError) as error:
        raise InvalidSettingsError(name, str(error)) from error
    except InvalidSettingsError as error:
        raise InvalidSettingsError(f"{name}.{error.field}", error.reason) from error


def _orders(name: str, value: object) -> dict[str, AllocationOrder]:
    if not isinstance(value, Mapping):
        raise InvalidSettingsError(name, "must be an object: kind of transaction to order")
    return {str(kind): _order(f"{name}.{kind}", order) for kind, order in value.items()}


def _components(name: str, value: object) -> tuple[Component, ...]:
    if not isinstance(value, list | tuple) or not value:
        raise InvalidSettingsError(name, "must be a list of components")
    try:
        return tuple(Component[str(part).upper()] for part in value)
    except KeyError as error:
        raise InvalidSettingsError(name, f"unknown component {error.args[0]!r}") from error


def _edges(name: str, value: object) -> tuple[int, ...]:
    edges = tuple(value) if isinstance(value, list | tuple) else ()
    whole = len(edges) == _EDGE_COUNT and all(type(edge) is int for edge in edges)
    if not whole or sorted(set(edges)) != list(edges) or edges[0] < 1:
        raise InvalidSettingsError(name, f"must be {_EDGE_COUNT} rising numbers of days, from 1")
    return edges


_READERS = {
    "allocation": _order,
    "allocation_by_kind": _orders,
    "chargeback_order": _components,
    "bucket_edges": _edges,
}
