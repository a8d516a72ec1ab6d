"""The events of a case so far and the plan they follow: fed where the case states one, else inferred."""

from __future__ import annotations

from collections.abc import Mapping
from copy import deepcopy
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from ingest.conformance.case_schedule import Plan, stated_lines, terms_of
from ingest.conformance.case_settings import settings_of
from loanbook.domain import events as facts
from loanbook.domain.events import Fact, LoanEvent
from loanbook.domain.loan import Loan, fold
from loanbook.domain.money import Minor
from loanbook.domain.settings import ProductSettings

BOOK, SOURCE, CURRENCY = "golden", "case", "EUR"


class NotPlayableError(Exception):
    """The case needs something no event of ours can say."""


class PlannedCase:
    """The events of one case so far, and the plan they follow."""

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
        self.plans_before: list[Plan] = []
        self.version = 0
        self.fed_steps: set[int] = set()
        self.next_due_rule = "earliest-unpaid-date"
        self.classed: Loan | None = None  # the state that the source's class was last set from; none: today's

    def settings(self) -> ProductSettings:
        """The product's settings now."""
        return settings_of(self.product, self.case, self.rules)

    def loan(self) -> Loan:
        """The state now."""
        return self.loan_on(self.today)

    def loan_on(self, day: date) -> Loan:
        """The state at the close of a day, from what has been told by now."""
        return fold(BOOK, self.case["id"], self.events, self.settings(), day)

    @property
    def has_interest(self) -> bool:
        """Whether its dues cannot be inferred."""
        return "interest_bearing" in self.case["depends_on"]["requires"]

    def _tell(
        self,
        step: Mapping[str, Any],
        fact_type: type[Fact],
        /,
        *,
        part: int = 0,
        **fields: Any,  # noqa: ANN401 - of any fact
    ) -> LoanEvent:
        """Add an event; the entity is the step it stands for."""
        effective_on = fields.pop("effective_on", None) or day_of(step.get("date")) or self.today
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

    def _expect_disbursement(self, step: Mapping[str, Any], on: date | None, amount: Minor) -> None:
        """The plan of an application, before anything is paid out."""
        plan = self._empty_plan()
        stated = self._stated_after(step)
        if stated is not None:
            self._feed(plan, stated)
        elif on is not None and not self.has_interest:
            plan.disburse(on, amount)
        self._publish(step, plan)

    def _empty_plan(self) -> Plan:
        terms = terms_of(self.product, self.case, self.start_type)
        if terms.down_payment_pct is None and "down_payment" in self.case["depends_on"]["requires"]:
            raise NotPlayableError("it has down payments, and neither case nor product says how large")
        return Plan(terms=terms)

    def _plan_tranche(self, step: Mapping[str, Any], on: date, amount: int) -> None:
        if self.plan is None:
            self.plan = self._empty_plan()
        self.plans_before.append(deepcopy(self.plan))
        stated = self._stated_after(step) or (self._stated_anywhere(step) if self.has_interest else None)
        if stated is not None:
            self._feed(self.plan, stated)
        else:
            self.plan.disburse(on, amount)
        self._publish(step, self.plan)

    def _stated_after(self, step: Mapping[str, Any]) -> Mapping[str, Any] | None:
        """The schedule a case states right after a step, before anything else happens."""
        after: list[Mapping[str, Any]] = [s for s in self.case["steps"] if s["n"] > step["n"]]
        for later in after:
            if "op" in later:
                return None
            if _states_dues(later):
                return later
        return None

    def _stated_anywhere(self, step: Mapping[str, Any]) -> Mapping[str, Any] | None:
        """The next schedule a case states, else its first one."""
        stated: list[Mapping[str, Any]] = [s for s in self.case["steps"] if _states_dues(s)]
        later = [other for other in stated if other["n"] > step["n"]]
        earlier = [other for other in stated if other["n"] in self.fed_steps]
        candidates = earlier[-1:] or later or stated
        return candidates[0] if candidates else None

    def _feed(self, plan: Plan, stated: Mapping[str, Any]) -> None:
        self.fed_steps.add(stated["n"])
        plan.feed(stated_lines(stated, has_down_payment=plan.terms.down_payment_pct is not None))

    def _publish(
        self, step: Mapping[str, Any], plan: Plan, kind: facts.ScheduleKind = facts.ScheduleKind.RECALCULATED
    ) -> None:
        if not plan.lines:
            return
        self.version += 1
        kind = facts.ScheduleKind.ORIGINAL if self.version == 1 else kind
        schedule = {"entity_id": "schedule", "entity_version": self.version, "kind": kind}
        self._tell(step, facts.SchedulePublished, part=1, periods=plan.periods(), **schedule)

    def _rescheduled(self, step: Mapping[str, Any]) -> None:
        stated = self._stated_after(step)
        if stated is None or self.plan is None:
            raise NotPlayableError(f"step {step['n']}: {step['op']} without a stated schedule")
        self._feed(self.plan, stated)
        self._publish(step, self.plan, facts.ScheduleKind.RESTRUCTURED)


def _states_dues(step: Mapping[str, Any]) -> bool:
    return step.get("expect") == "schedule" and "principal_due" in step["columns"]


def day_of(text: str | None) -> date | None:
    """A day of a case."""
    return date.fromisoformat(text) if text else None
