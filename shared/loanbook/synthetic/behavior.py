"""How borrowers pay: for each kind of payer, when which amounts come in."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from random import Random
from typing import NamedTuple

from loanbook.synthetic.schedules import Due
from loanbook.synthetic.settings import Payer

_PUNCTUAL_DAYS = (-3, -1, 0, 0, 0, 0, 0, 0, 0, 1, 2)
_SLIDE_DAYS = (6, 14, 24)


class Pay(NamedTuple):
    """Cash on a day, in minor units."""

    on: date
    amount_minor: int


@dataclass(slots=True)
class PaymentPlan:
    """What a borrower will pay; `stopped_on` is the oldest due day that stays unpaid for good."""

    pays: list[Pay] = field(default_factory=list)
    stopped_on: date | None = None

    def pay(self, due: Due, days: int) -> None:
        """Pay an installment some days after its due day, or before it."""
        self.pays.append(Pay(due.due_on + timedelta(days=days), due.total_minor))


def plan_payments(payer: Payer, dues: Sequence[Due], chance: Random) -> PaymentPlan:
    """The payments of a loan's whole life."""
    plan = PaymentPlan()
    if payer is Payer.PREPAYER:
        _prepay(plan, dues, chance)
    elif payer is Payer.PUNCTUAL:
        for due in dues:
            plan.pay(due, chance.choice(_PUNCTUAL_DAYS))
    elif payer is Payer.SLOPPY:
        _pay_sloppily(plan, dues, chance)
    elif payer is Payer.DETERIORATING:
        _deteriorate(plan, dues, chance)
    else:
        _miss_the_first(plan, dues, chance)
    return plan


def _prepay(plan: PaymentPlan, dues: Sequence[Due], chance: Random) -> None:
    settles_at = chance.randrange(3, len(dues)) if chance.random() < 0.45 else len(dues)  # noqa: PLR2004
    ahead = 0
    for number, due in enumerate(dues[:settles_at]):
        if number < ahead:
            continue
        several = min(chance.choice((1, 1, 1, 1, 1, 1, 1, 2, 3)), settles_at - number)
        ahead = number + several
        total = sum(other.total_minor for other in dues[number:ahead])
        plan.pays.append(Pay(due.due_on - timedelta(days=chance.randrange(6)), total))
    rest = sum(due.total_minor for due in dues[settles_at:])
    if rest:
        plan.pays.append(Pay(dues[settles_at].due_on - timedelta(days=chance.randrange(15)), rest))


def _pay_sloppily(plan: PaymentPlan, dues: Sequence[Due], chance: Random) -> None:
    for due in dues:
        skips = chance.random() < 0.06  # noqa: PLR2004 - seldom a whole month
        plan.pay(due, int(chance.triangular(-1, 16, 3)) + (chance.randrange(24, 36) if skips else 0))


def _deteriorate(plan: PaymentPlan, dues: Sequence[Due], chance: Random) -> None:
    onset = chance.randrange(2, max(3, min(len(dues) - 3, 11)))
    for due in dues[:onset]:
        plan.pay(due, chance.choice(_PUNCTUAL_DAYS))
    slide = dues[onset : onset + len(_SLIDE_DAYS)]
    for due, days in zip(slide, _SLIDE_DAYS, strict=False):
        plan.pay(due, days + chance.randrange(4))
    rest = dues[onset + len(slide) :]
    if not rest:
        return
    part = rest[0].total_minor * chance.randrange(30, 70) // 100
    plan.pays.append(Pay(rest[0].due_on + timedelta(days=chance.randrange(10, 25)), part))
    if chance.random() < 0.4:  # noqa: PLR2004 - these find back
        _catch_up(plan, rest, rest[0].due_on + timedelta(days=chance.randrange(35, 100)), chance, paid=part)
    else:
        plan.stopped_on = rest[0].due_on


def _miss_the_first(plan: PaymentPlan, dues: Sequence[Due], chance: Random) -> None:
    if chance.random() < 0.4:  # noqa: PLR2004 - these find back
        _catch_up(plan, dues, dues[0].due_on + timedelta(days=chance.randrange(35, 75)), chance, paid=0)
    else:
        plan.stopped_on = dues[0].due_on


def _catch_up(plan: PaymentPlan, dues: Sequence[Due], on: date, chance: Random, *, paid: int) -> None:
    owed = [due for due in dues if due.due_on <= on]
    plan.pays.append(Pay(on, sum(due.total_minor for due in owed) - paid))
    _pay_sloppily(plan, dues[len(owed) :], chance)
