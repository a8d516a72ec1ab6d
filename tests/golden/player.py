"""Plays a case file: its steps become events, and after each the fold is held to what the case expects."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

from loanbook.domain import events as facts
from loanbook.domain.events import Fact, LoanEvent, Relation, RelationKind
from loanbook.domain.loan import Loan, fold
from loanbook.domain.money import Minor
from tests.golden.expectations import SCHEDULE, Difference, check
from tests.golden.fineract_schedule import Plan, cents, stated_lines, terms_of
from tests.golden.fineract_settings import settings_of

BOOK, SOURCE, CURRENCY = "golden", "case", "EUR"
CREDITS = {
    "goodwill_credit": facts.CreditKind.GOODWILL,
    "merchant_issued_refund": facts.CreditKind.MERCHANT_ISSUED_REFUND,
    "payout_refund": facts.CreditKind.PAYOUT_REFUND,
    "interest_payment_waiver": facts.CreditKind.INTEREST_WAIVER,
}
SILENT = {"close_of_business", "rejected_attempt", "global_config"}
RESCHEDULING = {"reage", "reamortize", "reschedule", "interest_pause"}


@dataclass(kw_only=True)
class Outcome:
    """How a case went."""

    case_id: str
    category: str
    tier: int
    checked: int = 0
    not_checked: list[str] = field(default_factory=list)
    differences: list[Difference] = field(default_factory=list)

    @property
    def verdict(self) -> str:
        """One of passed, failed, not_claimed."""
        if self.differences:
            return "failed"
        return "passed" if self.checked else "not_claimed"


class NotPlayableError(Exception):
    """The case needs something no event of ours can say."""


class Player:
    """One case while it is played."""

    def __init__(self, case: Mapping[str, Any], products: Mapping[str, Any]) -> None:
        self.case = case
        self.product: Mapping[str, Any] = products.get(case["depends_on"].get("product"), {})
        self.rules: dict[str, str] = {}
        self.start_type: str | None = None
        self.events: list[LoanEvent] = []
        self.by_step: dict[int, LoanEvent] = {}
        self.down_payments: dict[int, LoanEvent] = {}
        self.charges: dict[int, tuple[str, date]] = {}
        self.today = date.fromisoformat(case["loan"]["submitted_on"])
        self.plan: Plan | None = None
        self.plans_before: list[list[Any]] = []
        self.version = 0
        self.fed_steps: set[int] = set()
        self.next_due_rule = "next"
        self.outcome = Outcome(case_id=case["id"], category=case["category"], tier=case["tier"])

    def play(self) -> Outcome:
        """Play every step."""
        try:
            for step in self.case["steps"]:
                self.today = _day(step.get("business_date") or step.get("as_of") or step.get("date")) or self.today
                if "op" in step:
                    self._act(step)
                else:
                    self._expect(step)
        except NotPlayableError as error:
            self.outcome.not_checked.append(str(error))
            if not self.outcome.differences:
                self.outcome.checked = 0
        return self.outcome

    def loan(self) -> Loan:
        """The state now."""
        settings = settings_of(self.product, self.case, self.rules)
        return fold(BOOK, self.case["id"], self.events, settings, self.today)

    @property
    def has_interest(self) -> bool:
        return "interest_bearing" in self.case["depends_on"]["requires"]

    def _expect(self, step: Mapping[str, Any]) -> None:
        if step["n"] in self.fed_steps and self.outcome.checked == 0 and step["expect"] in SCHEDULE:
            self.outcome.not_checked.append(f"step {step['n']} is where the schedule was fed from")
            return
        if self.has_interest and not self.fed_steps and step["expect"] not in _FREE_OF_AMOUNTS:
            self.outcome.not_checked.append(f"step {step['n']}: no schedule is stated")
            return
        differences = check(step, self)
        if differences is None:
            self.outcome.not_checked.append(f"step {step['n']}: {step['expect']}")
            return
        self.outcome.checked += 1
        self.outcome.differences += differences

    def _act(self, step: Mapping[str, Any]) -> None:
        op = step["op"]
        if op in SILENT:
            if op == "global_config" and step["key"] == "next-payment-due-date":
                self.next_due_rule = step["value"]
            return
        handler = getattr(self, f"_{op}", None)
        if op in CREDITS:
            kind = CREDITS[op]
            self._tell(step, facts.CreditPosted, amount_minor=_amount(step), kind=kind)
        elif handler is not None:
            handler(step)
        elif op in RESCHEDULING:
            self._rescheduled(step)
        else:
            raise NotPlayableError(f"step {step['n']}: {op}")

    def _tell(
        self, step: Mapping[str, Any], fact_type: type[Fact], /, *, part: int = 0, **fields: Any
    ) -> LoanEvent:
        """Add an event; the entity is the step it stands for."""
        effective_on = fields.pop("effective_on", None) or _day(step.get("date")) or self.today
        fact = fact_type(
            effective_on=effective_on,
            business_on=max(self.today, effective_on),
            currency=CURRENCY,
            entity_id=fields.pop("entity_id", f"{step['n']}.{part}"),
            **fields,
        )
        number = len(self.events) + 1
        event = LoanEvent(
            book=BOOK,
            loan_id=self.case["id"],
            source=SOURCE,
            event_id=f"e{number}",
            recorded_at=datetime.combine(self.today, time(12), UTC) + timedelta(seconds=number),
            sequence=number,
            fact=fact,
        )
        self.events.append(event)
        if part == 0:
            self.by_step[step["n"]] = event
        return event

    def _create_loan(self, step: Mapping[str, Any]) -> None:
        principal = Minor(cents(self.case["loan"]["principal"]))
        self._tell(step, facts.LoanCreated, principal_minor=principal)
        expected_on = _day(self.case["loan"].get("expected_disbursement_on")) or self.today
        self._expect_disbursement(step, expected_on, principal)

    def _expect_disbursement(self, step: Mapping[str, Any], on: date | None, amount: Minor) -> None:
        """The plan of an application, before anything is paid out."""
        plan = Plan(terms=terms_of(self.product, self.case, self.start_type))
        stated = self._stated_after(step)
        if stated is not None:
            self._feed(plan, stated)
        elif on is not None and not self.has_interest:
            plan.disburse(on, amount)
        self._publish(step, plan)

    def _approve(self, step: Mapping[str, Any]) -> None:
        self._tell(step, facts.LoanApproved, amount_minor=_amount(step))
        self._expect_disbursement(step, _day(step.get("expected_disbursement_on")), _amount(step))

    def _undo_approval(self, step: Mapping[str, Any]) -> None:
        self._tell(step, facts.ApprovalUndone)

    def _reject_or_withdraw(self, step: Mapping[str, Any]) -> None:
        self._tell(step, facts.LoanRejected)

    def _disbursement(self, step: Mapping[str, Any]) -> None:
        on, amount = _day(step["date"]) or self.today, _amount(step)
        self._tell(step, facts.LoanDisbursed, amount_minor=amount)
        self._plan_tranche(step, on, amount)
        if self.plan is not None and self._given("auto_down_payment") and self.plan.terms.down_payment_pct:
            wanted = min(self.plan.down_payment_of(amount), self._owed_now(on))
            if wanted:
                payment = {"amount_minor": Minor(wanted), "kind": facts.PaymentKind.DOWN_PAYMENT}
                self.down_payments[step["n"]] = self._tell(step, facts.PaymentPosted, part=2, **payment)

    def _owed_now(self, on: date) -> int:
        """What overpaid money leaves of a down payment."""
        rows = [row for row in self.loan().installments if row.kind == "down_payment" and row.due_on == on]
        return sum(row.outstanding for row in rows)

    def _plan_tranche(self, step: Mapping[str, Any], on: date, amount: int) -> None:
        if self.plan is None:
            self.plan = Plan(terms=terms_of(self.product, self.case, self.start_type))
        self.plans_before.append(list(self.plan.lines))
        stated = self._stated_after(step) or (self._stated_anywhere(step) if self.has_interest else None)
        if stated is not None:
            self._feed(self.plan, stated)
        else:
            self.plan.lines = [_copy(line) for line in self.plan.lines]
            self.plan.disburse(on, amount)
        self._publish(step, self.plan)

    def _stated_after(self, step: Mapping[str, Any]) -> Mapping[str, Any] | None:
        """The schedule a case states right after a step, before anything else happens."""
        for later in self.case["steps"]:
            if later["n"] > step["n"]:
                if "op" in later:
                    return None
                if _states_dues(later):
                    return later
        return None

    def _stated_anywhere(self, step: Mapping[str, Any]) -> Mapping[str, Any] | None:
        """The next schedule a case states, else its first one."""
        stated = [other for other in self.case["steps"] if _states_dues(other)]
        later = [other for other in stated if other["n"] > step["n"]]
        earlier = [other for other in stated if other["n"] in self.fed_steps]
        return earlier[-1] if earlier else (later or stated or [None])[0]

    def _feed(self, plan: Plan, stated: Mapping[str, Any]) -> None:
        self.fed_steps.add(stated["n"])
        plan.lines = stated_lines(stated, has_down_payment=plan.terms.down_payment_pct is not None)

    def _publish(
        self, step: Mapping[str, Any], plan: Plan, kind: facts.ScheduleKind = facts.ScheduleKind.RECALCULATED
    ) -> None:
        if not plan.lines:
            return
        self.version += 1
        kind = facts.ScheduleKind.ORIGINAL if self.version == 1 else kind
        schedule = {"entity_id": "schedule", "entity_version": self.version, "kind": kind}
        self._tell(step, facts.SchedulePublished, part=1, periods=plan.periods(), **schedule)

    def _repayment(self, step: Mapping[str, Any]) -> None:
        amount = _amount(step) if "amount" in step else Minor(self.loan().total_outstanding)
        self._tell(step, facts.PaymentPosted, amount_minor=amount)

    def _credit_balance_refund(self, step: Mapping[str, Any]) -> None:
        self._tell(step, facts.OverpaymentRefunded, amount_minor=_amount(step))

    def _reverse(self, step: Mapping[str, Any]) -> None:
        if step.get("kind") == "undo_last_disbursal":
            self._undo_tranche(step, step["target"])
            return
        target = self.down_payments.get(step["target"]) or self.by_step[step["target"]]
        self._tell(step, facts.PaymentReversed, relates_to=_to(RelationKind.REVERSES, target))

    def _undo_disbursal(self, step: Mapping[str, Any]) -> None:
        self._tell(step, facts.DisbursalUndone, effective_on=self.today)
        for number, target in self.down_payments.items():
            relation = _to(RelationKind.REVERSES, target)
            self._tell(step, facts.PaymentReversed, part=number, relates_to=relation, manual=False)

    def _undo_tranche(self, step: Mapping[str, Any], number: int) -> None:
        """The tranche, what it brought due at once, and the schedule as it was before."""
        relation = _to(RelationKind.REVERSES, self.by_step[number])
        self._tell(step, facts.DisbursalUndone, relates_to=relation, effective_on=self.today)
        if number in self.down_payments:
            relation = _to(RelationKind.REVERSES, self.down_payments[number])
            self._tell(step, facts.PaymentReversed, part=2, relates_to=relation, manual=False)
        for other, event in list(self.by_step.items()):
            is_money = event.fact.REVERSIBLE and other > number
            if is_money and event.fact.effective_on >= self.by_step[number].fact.effective_on:
                relation = _to(RelationKind.REVERSES, event)
                self._tell(step, facts.PaymentReversed, part=100 + other, relates_to=relation, manual=False)
        if self.plan is not None:
            self.plan.lines = self.plans_before.pop()
            self._publish(step, self.plan)

    def _adjust(self, step: Mapping[str, Any]) -> None:
        relation = _to(RelationKind.ADJUSTS, self.by_step[step["target"]])
        if cents(step.get("amount")):
            self._tell(step, facts.PaymentAdjusted, amount_minor=_amount(step), relates_to=relation)
        else:
            self._reverse(step)

    def _chargeback(self, step: Mapping[str, Any]) -> None:
        relation = _to(RelationKind.CHARGEBACK_OF, self.by_step[step["target"]])
        self._tell(step, facts.PaymentChargedBack, amount_minor=_amount(step), relates_to=relation)

    def _add_charge(self, step: Mapping[str, Any]) -> None:
        due_on = _day(step.get("due_date")) or self.today
        charge_id = f"charge-{step['n']}"
        self.charges[step["n"]] = (charge_id, due_on)
        fields: dict[str, Any] = {"charge_id": charge_id, "due_on": due_on, "is_penalty": step["is_penalty"]}
        if "percent" in step:
            fields["percent_bps"] = int(Decimal(step["percent"]) * 100)
            fields["basis"] = _basis(step["calculation"])
        else:
            fields["amount_minor"] = _amount(step)
        self._tell(step, facts.ChargeAdded, name=_charge_name(step), **fields)

    def _waive_charge(self, step: Mapping[str, Any]) -> None:
        charge_id, due_on = self.charges[step["target"]]
        self._tell(step, facts.ChargeWaived, charge_id=charge_id, effective_on=min(due_on, self.today))

    def _undo_waive_charge(self, step: Mapping[str, Any]) -> None:
        waived = self.by_step[step["target"]].fact
        charge_id = getattr(waived, "charge_id", None) or self.charges[step["target"]][0]
        self._tell(step, facts.ChargeWaiverUndone, charge_id=charge_id)

    def _charge_adjustment(self, step: Mapping[str, Any]) -> None:
        kind, charge_id = facts.CreditKind.CHARGE_ADJUSTMENT, self.charges[step["target"]][0]
        amount = _amount(step)
        self._tell(step, facts.CreditPosted, amount_minor=amount, kind=kind, charge_id=charge_id)

    def _charge_off(self, step: Mapping[str, Any]) -> None:
        self._tell(step, facts.LoanChargedOff)

    def _undo_charge_off(self, step: Mapping[str, Any]) -> None:
        self._tell(step, facts.ChargeOffUndone)

    def _write_off(self, step: Mapping[str, Any]) -> None:
        self._tell(step, facts.LoanWrittenOff)

    def _delinquency_pause(self, step: Mapping[str, Any]) -> None:
        self._tell(
            step,
            facts.DelinquencyPaused,
            effective_on=min(self.today, _day(step["start"]) or self.today),
            start_on=_day(step["start"]),
            end_on=_day(step["end"]),
        )

    def _delinquency_resume(self, step: Mapping[str, Any]) -> None:
        self._tell(step, facts.DelinquencyResumed, effective_on=_day(step.get("start")) or self.today)

    def _duplicate_delivery(self, step: Mapping[str, Any]) -> None:
        original = self.by_step[step["of"]]
        again = f"{original.event_id}-again"
        self.events += [original, _renamed(original, again)]

    def _set_product_future_installment_rule(self, step: Mapping[str, Any]) -> None:
        self.rules[step["transaction_type"]] = step["rule"]

    def _set_product_repayment_start_date_type(self, step: Mapping[str, Any]) -> None:
        self.start_type = step["value"]

    def _rescheduled(self, step: Mapping[str, Any]) -> None:
        stated = self._stated_after(step)
        if stated is None or self.plan is None:
            raise NotPlayableError(f"step {step['n']}: {step['op']} without a stated schedule")
        self._feed(self.plan, stated)
        self._publish(step, self.plan, facts.ScheduleKind.RESTRUCTURED)

    def _given(self, name: str) -> bool:
        return bool(self.case["loan"].get(name, self.product.get(name)))


_FREE_OF_AMOUNTS = {"status", "charged_off_on", "transaction_reverted", "transaction_count", "charges"}


def _states_dues(step: Mapping[str, Any]) -> bool:
    return step.get("expect") == "schedule" and "principal_due" in step["columns"]


def _day(text: str | None) -> date | None:
    return date.fromisoformat(text) if text else None


def _amount(step: Mapping[str, Any]) -> Minor:
    return Minor(cents(step["amount"]))


def _to(kind: RelationKind, target: LoanEvent) -> tuple[Relation, ...]:
    return (Relation(kind=kind, id=target.fact.entity_id or target.event_id),)


def _copy(line: Any) -> Any:
    return type(line)(**vars(line))


def _renamed(event: LoanEvent, event_id: str) -> LoanEvent:
    return LoanEvent(**{name: getattr(event, name) for name in event.__struct_fields__} | {"event_id": event_id})


def _basis(calculation: str) -> facts.ChargeBasis:
    return {
        "percent_of_loan_amount_plus_interest": facts.ChargeBasis.AMOUNT_AND_INTEREST,
        "percent_of_interest": facts.ChargeBasis.INTEREST,
    }.get(calculation, facts.ChargeBasis.AMOUNT)


def _charge_name(step: Mapping[str, Any]) -> str:
    return "NSF fee" if step["is_penalty"] else "Snooze fee"
