"""What happens in a case, as events of ours: every step that is no expectation."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from ingest.conformance.case_schedule import cents
from ingest.conformance.planning import NotPlayableError, PlannedCase, day_of
from loanbook.domain import events as facts
from loanbook.domain.events import LoanEvent, Relation, RelationKind
from loanbook.domain.money import Minor

CREDITS = {
    "goodwill_credit": facts.CreditKind.GOODWILL,
    "merchant_issued_refund": facts.CreditKind.MERCHANT_ISSUED_REFUND,
    "payout_refund": facts.CreditKind.PAYOUT_REFUND,
    "interest_payment_waiver": facts.CreditKind.INTEREST_WAIVER,
}
SILENT = {"close_of_business", "rejected_attempt"}  # they say nothing new of the loan
PAUSING = {"delinquency_pause", "delinquency_resume"}
RESCHEDULING = {"reage", "reamortize", "reschedule", "interest_pause"}


class CaseEvents(PlannedCase):
    """A case whose steps become events."""

    def act(self, step: Mapping[str, Any]) -> None:
        """Add the events of a step."""
        op = step["op"]
        if op in SILENT:
            return
        handler = getattr(self, f"_{op}", None)
        if op in CREDITS:
            self._tell(step, facts.CreditPosted, amount_minor=_amount(step), kind=CREDITS[op])
        elif handler is not None:
            handler(step)
        elif op in RESCHEDULING:
            self._rescheduled(step)
        else:
            raise NotPlayableError(f"step {step['n']}: {op}")

    def _create_loan(self, step: Mapping[str, Any]) -> None:
        principal = Minor(cents(self.case["loan"]["principal"]))
        self._tell(step, facts.LoanCreated, principal_minor=principal)
        expected_on = day_of(self.case["loan"].get("expected_disbursement_on")) or self.today
        self._expect_disbursement(step, expected_on, principal)

    def _approve(self, step: Mapping[str, Any]) -> None:
        self._tell(step, facts.LoanApproved, amount_minor=_amount(step))
        self._expect_disbursement(step, day_of(step.get("expected_disbursement_on")), _amount(step))

    def _undo_approval(self, step: Mapping[str, Any]) -> None:
        self._tell(step, facts.ApprovalUndone)

    def _reject_or_withdraw(self, step: Mapping[str, Any]) -> None:
        self._tell(step, facts.LoanRejected)

    def _disbursement(self, step: Mapping[str, Any]) -> None:
        on, amount = day_of(step["date"]) or self.today, _amount(step)
        overpaid = self.loan().overpaid
        self._tell(step, facts.LoanDisbursed, amount_minor=amount)
        self._plan_tranche(step, on, amount)
        if self.plan is not None and self._given("auto_down_payment") and self.plan.terms.down_payment_pct:
            wanted = self.plan.down_payment_of(amount) - overpaid  # overpaid money goes there first
            if wanted > 0:
                payment = {"amount_minor": Minor(wanted), "kind": facts.PaymentKind.DOWN_PAYMENT}
                self.down_payments[step["n"]] = self._tell(step, facts.PaymentPosted, part=2, **payment)

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
            self.plan = self.plans_before.pop()
            self._publish(step, self.plan)

    def _adjust(self, step: Mapping[str, Any]) -> None:
        """The source keeps what it adjusts as a reversed transaction, and posts a new one of its kind."""
        target = self.by_step[step["target"]]
        fact = target.fact
        if not cents(step.get("amount")):
            self._reverse(step)
            return
        if not isinstance(fact, facts.PaymentPosted | facts.CreditPosted):
            raise NotPlayableError(f"step {step['n']}: adjusts what is no money")
        self._tell(step, facts.PaymentReversed, part=1, relates_to=_to(RelationKind.REVERSES, target))
        on = day_of(step.get("date")) or fact.effective_on
        self._tell(step, type(fact), amount_minor=_amount(step), effective_on=on, kind=fact.kind)

    def _chargeback(self, step: Mapping[str, Any]) -> None:
        relation = _to(RelationKind.CHARGEBACK_OF, self.by_step[step["target"]])
        self._tell(step, facts.PaymentChargedBack, amount_minor=_amount(step), relates_to=relation)

    def _add_charge(self, step: Mapping[str, Any]) -> None:
        due_on = day_of(step.get("due_date")) or self.today
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
        """A credit like any other: the source spreads it by its order, and does not look for the charge."""
        amount = _amount(step)
        self._tell(step, facts.CreditPosted, amount_minor=amount, kind=facts.CreditKind.CHARGE_ADJUSTMENT)

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
            effective_on=min(self.today, day_of(step["start"]) or self.today),
            start_on=day_of(step["start"]),
            end_on=day_of(step["end"]),
        )

    def _delinquency_resume(self, step: Mapping[str, Any]) -> None:
        self._tell(step, facts.DelinquencyResumed, effective_on=day_of(step.get("start")) or self.today)

    def _duplicate_delivery(self, step: Mapping[str, Any]) -> None:
        original = self.by_step[step["of"]]
        again = f"{original.event_id}-again"
        self.events += [original, _renamed(original, again)]

    def _global_config(self, step: Mapping[str, Any]) -> None:
        if step["key"] == "next-payment-due-date":
            self.next_due_rule = step["value"]

    def _set_product_future_installment_rule(self, step: Mapping[str, Any]) -> None:
        self.rules[step["transaction_type"]] = step["rule"]

    def _set_product_repayment_start_date_type(self, step: Mapping[str, Any]) -> None:
        self.start_type = step["value"]

    def _given(self, name: str) -> bool:
        return bool(self.case["loan"].get(name, self.product.get(name)))


def _amount(step: Mapping[str, Any]) -> Minor:
    return Minor(cents(step["amount"]))


def _to(kind: RelationKind, target: LoanEvent) -> tuple[Relation, ...]:
    return (Relation(kind=kind, id=target.fact.entity_id or target.event_id),)


def _renamed(event: LoanEvent, event_id: str) -> LoanEvent:
    return LoanEvent(
        **{name: getattr(event, name) for name in event.__struct_fields__} | {"event_id": event_id}
    )


def _basis(calculation: str) -> facts.ChargeBasis:
    return {
        "percent_of_loan_amount_plus_interest": facts.ChargeBasis.AMOUNT_AND_INTEREST,
        "percent_of_interest": facts.ChargeBasis.INTEREST,
    }.get(calculation, facts.ChargeBasis.AMOUNT)


def _charge_name(step: Mapping[str, Any]) -> str:
    return "NSF fee" if step["is_penalty"] else "Snooze fee"
