"""Rules of the source that `loanpulse conform` plays cases by, each on a case made by hand."""

from __future__ import annotations

from typing import Any

from ingest.conformance.outcome import Outcome
from ingest.conformance.player import Player
from ingest.conformance.reading import completed

PLAIN = {"allocation_strategy": "PENALTIES_FEES_INTEREST_PRINCIPAL_ORDER", "arrears_grace_days": 3}
TABLE = ["date", "type", "amount", "principal", "fees", "penalties", "reverted"]


def lent(*later: dict[str, Any], on: str = "2026-05-01", **terms: Any) -> Outcome:
    """How a loan of 120.00 in two months goes, lent on 1 May, with what is told and expected later."""
    told = {"date": on, "business_date": on}
    first = [{"op": "create_loan", **told}, {"op": "disbursement", "amount": "120.00", **told}]
    loan = {
        "submitted_on": on,
        "principal": "120.00",
        "number_of_repayments": 2,
        "repayment_every": 1,
        "repayment_unit": "MONTHS",
        **terms,
    }
    steps = [{"n": n, **step} for n, step in enumerate([*first, *later], start=1)]
    case = {"id": "by-hand", "category": "rules", "loan": loan, "depends_on": PLAIN, "steps": steps}
    return Player(completed(case, "rules"), {}).play()


def op(name: str, day: str, **fields: Any) -> dict[str, Any]:
    return {"op": name, "business_date": f"2026-{day}", "date": f"2026-{day}", **fields}


def expect(name: str, day: str, **fields: Any) -> dict[str, Any]:
    return {"expect": name, "as_of": f"2026-{day}", **fields}


def passed(outcome: Outcome) -> bool:
    assert not outcome.differences, outcome.line()
    assert not outcome.not_checked, outcome.not_checked
    return outcome.verdict == "passed"


def test_a_charge_adjustment_is_spread_by_the_order_and_not_on_its_charge() -> None:
    penalty = op("add_charge", "05-02", is_penalty=True, due_date="2026-05-04", amount="7.00")
    fee = op("add_charge", "05-02", is_penalty=False, due_date="2026-05-06", amount="9.00")
    rows = [
        ["2026-05-01", "Disbursement", "120.00", "0", "0", "0", "false"],
        ["2026-05-10", "Charge Adjustment", "8.00", "0", "1.00", "7.00", "false"],
    ]
    adjusted = op("charge_adjustment", "05-10", target=4, amount="8.00")
    assert passed(
        lent(penalty, fee, adjusted, expect("transactions", "05-10", exact=True, columns=TABLE, rows=rows))
    )


def test_an_adjusted_repayment_stays_as_reversed_beside_the_new_one() -> None:
    rows = [
        ["2026-05-01", "Disbursement", "120.00", "0", "0", "0", "false"],
        ["2026-05-05", "Repayment", "30.00", "30.00", "0", "0", "true"],
        ["2026-05-05", "Repayment", "33.00", "33.00", "0", "0", "false"],
    ]
    paid = op("repayment", "05-05", amount="30.00")
    adjusted = op("adjust", "05-08", target=3, amount="33.00") | {"date": "2026-05-05"}
    held = expect("transactions", "05-08", exact=True, columns=TABLE, rows=rows)
    assert passed(lent(paid, adjusted, held, expect("total_outstanding", "05-08", value="87.00")))


def test_the_class_moves_at_a_close_of_business_and_stands_still_in_a_pause() -> None:
    close, days = "close_of_business", "delinquent_days"
    assert passed(
        lent(
            op(close, "06-04"),
            expect(
                "installment_delinquency", "06-04", rows=[["RANGE_1", "60.00"]], columns=["range", "amount"]
            ),
            expect("loan_delinquency", "06-08", values={"classification": "NO_DELINQUENCY", days: "4"}),
            op("delinquency_pause", "06-09", start="2026-06-09", end="2026-06-20"),
            op(close, "06-12"),
            expect("loan_delinquency", "06-12", values={"classification": "RANGE_3", days: "5"}),
            op("delinquency_resume", "06-14", start="2026-06-14"),
            op(close, "06-15"),
            expect("loan_delinquency", "06-15", values={"classification": "RANGE_3", days: "6"}),
        )
    )


def test_the_next_payment_is_the_oldest_open_one_unless_the_case_says_otherwise() -> None:
    config = {"op": "global_config", "key": "next-payment-due-date", "value": "next-unpaid-due-date"}
    oldest = {"next_payment_due_date": "2026-06-01", "next_payment_amount": "35.00"}
    coming = {"next_payment_due_date": "2026-07-01", "next_payment_amount": "60.00"}
    nothing = {"next_payment_due_date": "2026-07-02", "next_payment_amount": "0.00"}
    assert passed(
        lent(
            op("repayment", "05-20", amount="25.00"),
            expect("next_payment", "06-11", values=oldest),
            config,
            expect("next_payment", "06-11", values=coming),
            op("repayment", "06-12", amount="95.00"),
            expect("next_payment", "07-02", values=nothing),
            expect("maturity", "07-02", value="2026-06-12"),
        )
    )


def test_an_automatic_down_payment_is_less_by_what_was_overpaid_before() -> None:
    rows = [
        ["2026-05-01", "Disbursement", "120.00", "0", "0", "0", "false"],
        ["2026-05-01", "Down Payment", "30.00", "30.00", "0", "0", "false"],
        ["2026-05-05", "Repayment", "97.00", "97.00", "0", "0", "false"],
        ["2026-05-09", "Disbursement", "40.00", "33.00", "0", "0", "false"],
        ["2026-05-09", "Down Payment", "3.00", "3.00", "0", "0", "false"],
    ]
    terms: dict[str, Any] = {"down_payment": True, "down_payment_pct": "25", "auto_down_payment": True}
    again = op("disbursement", "05-09", amount="40.00")
    overpaid = op("repayment", "05-05", amount="97.00")
    money = ["date", "type", "amount", "reverted"]
    held = expect("transactions", "05-09", exact=True, columns=money, rows=[[*r[:3], r[-1]] for r in rows])
    left = expect("total_outstanding", "05-09", value="30.00")
    assert passed(lent(overpaid, again, held, left, **terms))


def test_installments_in_whole_units_split_what_exact_down_payments_leave_and_round_a_half_up() -> None:
    terms: dict[str, Any] = {"down_payment": True, "down_payment_pct": "50", "auto_down_payment": True}

    def first_after(amount: str, due: str) -> bool:
        tranche = op("disbursement", "05-02", amount=amount)
        values = {"next_payment_due_date": "2026-06-01", "next_payment_amount": due}
        expected = expect("next_payment", "05-02", values=values)
        return passed(lent(tranche, expected, installment_amount_in_multiples_of=1, **terms))

    assert first_after("10.00", "33.00")  # half of 60 + 5.00
    assert first_after("9.00", "32.00")  # half of 60 + 4.50, of which 4.00 were due at once


def test_due_days_that_their_month_has_not_follow_the_products_rule() -> None:
    def first_due(rule: str, day: str) -> bool:
        values = {"next_payment_due_date": day, "next_payment_amount": "60.00"}
        expected = expect("next_payment", "01-31", values=values)
        return passed(lent(expected, on="2026-01-31", month_end_due_date_strategy=rule))

    assert first_due("LAST_DAY_OF_MONTH", "2026-02-28")
    assert first_due("FIRST_DAY_OF_NEXT_MONTH", "2026-03-01")


def test_an_undone_disbursal_leaves_the_loan_as_approved_and_then_as_submitted() -> None:
    undone = {"op": "undo_disbursal", "business_date": "2026-05-02"}
    taken_back = {"op": "undo_approval", "business_date": "2026-05-02"}
    approved = expect("status", "05-02", value="APPROVED")
    submitted = expect("status", "05-02", value="SUBMITTED_AND_PENDING_APPROVAL")
    assert passed(lent(undone, approved, taken_back, submitted))
