"""Strategies for loan histories that can be read: each is a story, told by day and in small amounts."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from loanbook.domain import events as facts
from loanbook.domain.events import Relation, RelationKind
from loanbook.domain.money import Minor
from tests.builders import CURRENCY, Story, on_day, portions, some_periods
from tests.unit.loanbook.domain.products import changed, product_settings, replanned

LAST_DAY = 150
days = st.integers(0, LAST_DAY)
amounts = st.integers(1, 150)
MONEY = (
    "paid",
    "paid",
    "paid",
    "credited",
    "reversed",
    "adjusted",
    "charged_back",
    "refunded",
    "recovered",
)
DECISIONS = ("charged_off", "written_off", "undone", "paused", "resumed", "closed", "moved", "restructured")
CHARGES = ("charged", "charged", "waived", "changed", "deleted", "unwaived")


@st.composite
def stories(draw: st.DrawFn, *, length: int = 8) -> Story:
    """A loan's life: lent, then a handful of things that happen to it, in no order of booking."""
    story = Story(settings=draw(product_settings()))
    _begin(draw, story)
    for kind in draw(st.lists(st.sampled_from((*MONEY, *MONEY, *CHARGES, *DECISIONS)), max_size=length)):
        _TELL[kind](draw, story)
    for event in draw(st.lists(st.sampled_from(story.events), max_size=2)):
        _say_again(draw, story, event)
    return story


def _begin(draw: st.DrawFn, story: Story) -> None:
    amounts_due = draw(st.lists(st.integers(0, 100), min_size=1, max_size=4))
    every = draw(st.sampled_from([7, 30]))
    first = draw(st.sampled_from([every, every, 0]))
    periods = some_periods(amounts_due, every_days=every, first_day=first)
    style = draw(st.sampled_from(["principal", "principal", "components", "totals"]))
    if style == "components":
        interest, fee = Minor(draw(st.integers(0, 9))), Minor(draw(st.integers(0, 3)))
        periods = tuple(changed(period, interest_minor=interest, fee_minor=fee) for period in periods)
    if style == "totals":
        periods = tuple(
            changed(period, principal_minor=None, total_minor=Minor((period.principal_minor or 0) + 2))
            for period in periods
        )
    if draw(st.integers(0, 9)) == 0:
        story.tell(
            facts.LoanOpenedFromSnapshot,
            draw(st.integers(0, 40)),
            disbursed_on=on_day(0),
            disbursed_minor=Minor(sum(amounts_due)),
            paid_minor=Minor(draw(amounts)),
            periods=periods,
        )
        return
    story.tell(facts.LoanDisbursed, 0, amount_minor=Minor(sum(amounts_due)), entity_id="payout")
    story.planned(periods, day=draw(st.sampled_from([0, 0, 0, 3])))
    for version in range(2, 2 + draw(st.sampled_from([0, 0, 0, 0, 1, 1, 2]))):
        kind = draw(st.sampled_from(list(facts.ScheduleKind)[1:]))
        story.planned(replanned(draw, periods), day=draw(st.integers(1, 90)), version=version, kind=kind)


def _booking(draw: st.DrawFn, day: int) -> dict[str, int]:
    """Booked on its day, or late."""
    return {"booked": day + draw(st.sampled_from([0, 0, 0, 5]))}


def _money_ids(story: Story) -> list[str]:
    return [event.event_id for event in story.events if event.fact.REVERSIBLE] or ["nothing"]


def _pick(draw: st.DrawFn, story: Story, kind: RelationKind) -> tuple[Relation, ...]:
    return (Relation(kind=kind, id=draw(st.sampled_from([*_money_ids(story), "unknown"]))),)


def _paid(draw: st.DrawFn, story: Story) -> None:
    day, amount = draw(days), draw(amounts)
    version = draw(st.sampled_from([1] * 9 + [2]))  # 2: the payment before it, corrected
    fields: dict[str, Any] = {
        "portions": _split(draw, amount),
        "entity_id": f"p{len(story.events) + 1 - version}",
        "entity_version": version,
        "currency": draw(st.sampled_from([CURRENCY] * 19 + ["USD"])),
    }
    if draw(st.integers(0, 9)) == 0:
        fields |= {"charge_id": _about_charge(draw, story), "kind": facts.PaymentKind.CHARGE_PAYMENT}
    story.paid(day, amount, **fields, **_booking(draw, day))


def _split(draw: st.DrawFn, amount: int) -> facts.Portions | None:
    """Upstream's own split, now and then; it may say more than came."""
    if draw(st.integers(0, 4)):
        return None
    interest, penalty = draw(st.integers(0, amount)), draw(st.sampled_from([0, 0, 2]))
    return portions(principal=amount - interest, interest=interest, penalty=penalty)


def _credited(draw: st.DrawFn, story: Story) -> None:
    kinds = [facts.CreditKind.GOODWILL, facts.CreditKind.PAYOUT_REFUND, facts.CreditKind.CHARGE_ADJUSTMENT]
    kind = draw(st.sampled_from(kinds))
    about: dict[str, Any] = {"charge_id": _about_charge(draw, story)} if kind is kinds[-1] else {}
    story.tell(facts.CreditPosted, draw(days), amount_minor=Minor(draw(amounts)), kind=kind, **about)


def _reversed(draw: st.DrawFn, story: Story) -> None:
    relation = _pick(draw, story, RelationKind.REVERSES)
    story.tell(facts.PaymentReversed, draw(days), relates_to=relation, manual=draw(st.booleans()))


def _adjusted(draw: st.DrawFn, story: Story) -> None:
    relation = _pick(draw, story, RelationKind.ADJUSTS)
    story.tell(facts.PaymentAdjusted, draw(days), amount_minor=Minor(draw(amounts)), relates_to=relation)


def _charged_back(draw: st.DrawFn, story: Story) -> None:
    relation, amount = _pick(draw, story, RelationKind.CHARGEBACK_OF), draw(amounts)
    story.tell(
        facts.PaymentChargedBack,
        draw(days),
        amount_minor=Minor(amount),
        relates_to=relation,
        portions=_split(draw, amount),
    )


def _refunded(draw: st.DrawFn, story: Story) -> None:
    story.tell(facts.OverpaymentRefunded, draw(days), amount_minor=Minor(draw(amounts)))


def _recovered(draw: st.DrawFn, story: Story) -> None:
    story.tell(facts.RecoveryPosted, draw(days), amount_minor=Minor(draw(amounts)))


def _charge_ids(story: Story) -> list[str]:
    added = [event.fact for event in story.events if isinstance(event.fact, facts.ChargeAdded)]
    return [fact.charge_id for fact in added]


def _charged(draw: st.DrawFn, story: Story) -> None:
    size: dict[str, Any] = {"amount_minor": Minor(draw(st.integers(0, 20)))}
    if draw(st.integers(0, 3)) == 0:
        size = {"percent_bps": 550, "basis": draw(st.sampled_from(facts.ChargeBasis))}
    day, due_day = draw(days), draw(st.one_of(st.none(), days))
    story.tell(
        facts.ChargeAdded,
        day,
        charge_id=f"c{len(story.events)}",
        due_on=None if due_day is None else on_day(due_day),
        is_penalty=draw(st.booleans()),
        **size,
    )


def _about_charge(draw: st.DrawFn, story: Story) -> str:
    return draw(st.sampled_from([*_charge_ids(story), "no such charge"]))


def _waived(draw: st.DrawFn, story: Story) -> None:
    size = draw(st.one_of(st.none(), st.integers(1, 20).map(Minor)))
    story.tell(facts.ChargeWaived, draw(days), charge_id=_about_charge(draw, story), amount_minor=size)


def _changed_charge(draw: st.DrawFn, story: Story) -> None:
    size = Minor(draw(st.integers(0, 20)))
    due_day = draw(st.one_of(st.none(), days))
    story.tell(
        facts.ChargeUpdated,
        draw(days),
        charge_id=_about_charge(draw, story),
        amount_minor=size,
        due_on=None if due_day is None else on_day(due_day),
    )


def _deleted(draw: st.DrawFn, story: Story) -> None:
    story.tell(facts.ChargeDeleted, draw(days), charge_id=_about_charge(draw, story))


def _unwaived(draw: st.DrawFn, story: Story) -> None:
    story.tell(facts.ChargeWaiverUndone, draw(days), charge_id=_about_charge(draw, story))


def _charged_off(draw: st.DrawFn, story: Story) -> None:
    story.tell(facts.LoanChargedOff, draw(days))


def _written_off(draw: st.DrawFn, story: Story) -> None:
    story.tell(facts.LoanWrittenOff, draw(days))


def _undone(draw: st.DrawFn, story: Story) -> None:
    undoing = (facts.ChargeOffUndone, facts.WriteOffUndone, facts.RestructureUndone, facts.DisbursalUndone)
    story.tell(draw(st.sampled_from(undoing)), draw(days))


def _paused(draw: st.DrawFn, story: Story) -> None:
    day = draw(days)
    end_on = on_day(day + draw(st.integers(0, 60)))
    story.tell(facts.DelinquencyPaused, max(0, day - 3), start_on=on_day(day), end_on=end_on)


def _resumed(draw: st.DrawFn, story: Story) -> None:
    story.tell(facts.DelinquencyResumed, draw(days))


def _closed(draw: st.DrawFn, story: Story) -> None:
    story.tell(facts.LoanClosed, draw(days))


def _moved(draw: st.DrawFn, story: Story) -> None:
    story.tell(facts.BranchMoved, draw(days), branch=draw(st.sampled_from(["north", "south"])))


def _restructured(draw: st.DrawFn, story: Story) -> None:
    story.tell(facts.LoanRestructured, draw(days), kind=draw(st.sampled_from(facts.RestructureKind)))


def _say_again(draw: st.DrawFn, story: Story, event: facts.LoanEvent) -> None:
    """The same delivery again, or the same fact under a new id."""
    values = {name: getattr(event, name) for name in event.__struct_fields__}
    if event.fact.entity_id is not None and draw(st.booleans()):
        values["event_id"] = f"{event.event_id}-again"
    story.events.append(facts.LoanEvent(**values))


_TELL = {
    "paid": _paid,
    "credited": _credited,
    "reversed": _reversed,
    "adjusted": _adjusted,
    "charged_back": _charged_back,
    "refunded": _refunded,
    "recovered": _recovered,
    "charged": _charged,
    "waived": _waived,
    "changed": _changed_charge,
    "deleted": _deleted,
    "unwaived": _unwaived,
    "charged_off": _charged_off,
    "written_off": _written_off,
    "undone": _undone,
    "paused": _paused,
    "resumed": _resumed,
    "closed": _closed,
    "moved": _moved,
    "restructured": _restructured,
}
