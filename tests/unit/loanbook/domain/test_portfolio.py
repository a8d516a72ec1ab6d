"""Portfolio measures against tables worked out by hand."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest

from loanbook.domain import events as facts
from loanbook.domain import portfolio
from loanbook.domain.loan import DelinquencyBucket, Loan, LoanStatus
from loanbook.domain.money import Minor
from loanbook.domain.portfolio import LossAssumptions, Outcome, Ratio
from tests.builders import Story, a_loan, on_day

CURRENT, DPD_1_30, DPD_31_60 = tuple(DelinquencyBucket)[:3]


def book(*loans: Loan) -> list[Loan]:
    return [replace(loan, loan_id=f"L-{number}") for number, loan in enumerate(loans)]


def owing(principal: int, days_past_due: int = 0, **fields: Any) -> Loan:
    return a_loan(days_past_due, principal_outstanding=principal, total_outstanding=principal, **fields)


def test_par_takes_the_whole_principal_of_loans_strictly_over_the_days() -> None:
    loans = book(owing(500), owing(300, 30), owing(150, 31), owing(50, 91))
    par = portfolio.portfolio_at_risk(loans, over_days=30)
    assert (par.amount.numerator, par.amount.denominator, par.amount.rounded()) == (
        200,
        1000,
        Decimal("0.200000"),
    )
    assert (par.count.numerator, par.count.denominator) == (2, 4)
    assert portfolio.portfolio_at_risk(loans, over_days=90).amount.numerator == 50
    assert portfolio.portfolio_at_risk(loans, over_days=0).amount.numerator == 500


def test_closed_overpaid_and_written_off_loans_are_in_no_portfolio() -> None:
    loans = book(
        owing(500),
        owing(0, status=LoanStatus.CLOSED),
        owing(0, status=LoanStatus.OVERPAID),
        owing(0, status=LoanStatus.WRITTEN_OFF),
        owing(0, status=LoanStatus.PENDING),
    )
    assert portfolio.gross_loan_portfolio(loans) == 500
    assert portfolio.portfolio_at_risk(loans).count.denominator == 1


def test_charged_off_loans_are_in_the_portfolio_only_when_asked_for() -> None:
    loans = book(owing(500), owing(100, 120, charged_off_on=on_day(50)))
    assert portfolio.gross_loan_portfolio(loans) == 500
    assert portfolio.gross_loan_portfolio(loans, charged_off=True) == 600
    assert portfolio.portfolio_at_risk(loans).amount.numerator == 0
    assert portfolio.portfolio_at_risk(loans, charged_off=True).amount.numerator == 100
    assert portfolio.non_performing_ratio(loans) == Ratio(numerator=100, denominator=600)


def test_a_restructured_loan_is_at_risk_by_setting() -> None:
    loans = book(owing(500), owing(100, restructured_on=on_day(40)))
    assert portfolio.portfolio_at_risk(loans).amount.numerator == 0
    assert portfolio.portfolio_at_risk(loans, restructured=True).amount.numerator == 100


def test_the_arrears_rate_counts_what_is_overdue_and_is_not_par() -> None:
    loans = book(owing(500), owing(500, 40, overdue_principal=80))
    assert portfolio.arrears_rate(loans).rounded() == Decimal("0.080000")
    assert portfolio.portfolio_at_risk(loans).amount.rounded() == Decimal("0.500000")


def test_the_buckets_sum_to_the_portfolio_and_stale_loans_stand_apart() -> None:
    loans = book(owing(500), owing(300, 30), owing(150, 31), owing(50))
    split = portfolio.bucket_split(loans, stale={"L-3"})
    assert {name: part.principal for name, part in split.items() if part.loans} == {
        CURRENT: 500,
        DPD_1_30: 300,
        DPD_31_60: 150,
        portfolio.STALE: 50,
    }
    assert sum(part.principal for part in split.values()) == portfolio.gross_loan_portfolio(loans)


def test_two_currencies_are_never_added() -> None:
    with pytest.raises(ValueError, match="EUR, KES"):
        portfolio.gross_loan_portfolio(book(owing(500), owing(500, currency="KES")))


def test_a_share_of_nothing_has_no_value() -> None:
    nothing = portfolio.portfolio_at_risk([])
    assert (nothing.amount.value, nothing.amount.rounded(), nothing.count.wilson_95()) == (None, None, None)


def test_the_default_rate_counts_loans_that_ever_defaulted() -> None:
    loans = book(owing(100), owing(100, 91), owing(100, max_dpd=95), owing(0, charged_off_on=on_day(9)))
    rate = portfolio.default_rate(loans)
    assert (rate.numerator, rate.denominator) == (3, 4)
    low, high = rate.wilson_95() or (0, 0)
    assert (round(low, 3), round(high, 3)) == (0.301, 0.954)
    assert portfolio.default_rate(loans, min_age_days=101).denominator == 0


def test_concentration_shows_the_largest_and_the_sum_of_squares() -> None:
    loans = book(owing(600, branch="a"), owing(300, branch="b"), owing(100, branch="b"))
    assert portfolio.top_share(loans, count=1, key=lambda loan: loan.branch).rounded(2) == Decimal("0.60")
    assert portfolio.herfindahl(loans, key=lambda loan: loan.branch) == Fraction(52, 100)
    assert portfolio.herfindahl([], key=lambda loan: loan.branch) is None


def collected() -> list[Loan]:
    """Three loans of 100 due on days 30, 60, 90, as of day 100.

    A pays each on its day; B prepaid two on day 20 and then nothing; C paid the first on day 55 and
    was forgiven 50 of the second.
    """
    a, b, c = (Story(loan_id=name).lent() for name in "abc")
    for day in (30, 60, 90):
        a.paid(day, 100)
    b.paid(20, 200)
    c.paid(55, 100)
    c.tell(facts.CreditPosted, 61, amount_minor=Minor(50), kind=facts.CreditKind.GOODWILL)
    return [a.at(100), b.at(100), c.at(100)]


def test_current_efficiency_counts_cash_whenever_it_came_for_what_fell_due() -> None:
    loans = collected()
    may = portfolio.collection_efficiency(loans, first_on=on_day(31), last_on=on_day(60))
    assert may.current == Ratio(numerator=200, denominator=300)  # a 100, b prepaid 100, c nothing
    assert may.total == Ratio(numerator=200, denominator=300)  # a 100 on day 60, c 100 on day 55
    first = portfolio.collection_efficiency(loans, first_on=on_day(1), last_on=on_day(30))
    assert first.current == Ratio(numerator=200, denominator=300)
    assert first.total == Ratio(numerator=300, denominator=300)
    whole = portfolio.collection_efficiency(loans, first_on=on_day(1), last_on=on_day(100))
    assert whole.current == Ratio(numerator=600, denominator=900)


def test_efficiency_of_days_without_dues_has_no_value() -> None:
    quiet = portfolio.collection_efficiency(collected(), first_on=on_day(31), last_on=on_day(40))
    assert quiet.current.value is quiet.total.value is None


def test_a_chargeback_is_taken_off_the_cash_of_its_own_day() -> None:
    story = Story().lent()
    first = story.paid(30, 100)
    relates_to = (facts.Relation(kind=facts.RelationKind.CHARGEBACK_OF, id=first),)
    story.tell(facts.PaymentChargedBack, 60, amount_minor=Minor(100), relates_to=relates_to)
    loans = [story.at(100)]
    assert (
        portfolio.collection_efficiency(loans, first_on=on_day(1), last_on=on_day(30)).total.numerator == 100
    )
    assert (
        portfolio.collection_efficiency(loans, first_on=on_day(31), last_on=on_day(60)).total.numerator
        == -100
    )


def test_outcomes_are_judged_thirty_days_after_the_due_day_and_stay() -> None:
    story = Story().lent((100, 100, 100, 100))
    story.paid(30, 100)
    story.paid(75, 100)
    story.paid(125, 100)  # the third, due on day 90, 35 days late
    loans = [story.at(130)]
    found = portfolio.outcomes(loans, first_on=on_day(1), last_on=on_day(130))
    assert found == {
        Outcome.ON_TIME: (1, 100),
        Outcome.LATE: (1, 100),
        Outcome.MISSED: (1, 100),
        Outcome.OPEN: (1, 100),
    }
    rate = portfolio.on_time_rate(loans, first_on=on_day(1), last_on=on_day(130))
    assert rate.count == Ratio(numerator=1, denominator=3)


@pytest.mark.parametrize(
    ("as_of", "outcome"), [(30, None), (31, Outcome.OPEN), (60, Outcome.OPEN), (61, Outcome.MISSED)]
)
def test_an_unmet_installment_is_open_until_thirty_days_have_passed(
    as_of: int, outcome: Outcome | None
) -> None:
    loan = Story().lent().at(as_of)
    assert portfolio.outcome_of(loan.installments[0], loan.as_of) is outcome


def test_the_average_delay_is_given_over_all_and_over_the_late_alone() -> None:
    delay = portfolio.average_delay(collected(), first_on=on_day(1), last_on=on_day(100))
    # Met: a on its three days, b twice on day 20, c's first 25 days late.
    assert (delay.days, delay.met, delay.late) == (25, 6, 1)
    assert (delay.mean, delay.mean_of_late) == (Fraction(25, 6), Fraction(25))


def test_recovery_of_missed_asks_only_installments_old_enough() -> None:
    loans = collected()
    # Late by a day or more: b's third (due 90); c's first (met 25 days late), second and third (due 60, 90).
    within_30, within_7 = (portfolio.recovery_of_missed(loans, within_days=days) for days in (30, 7))
    assert within_30.count == Ratio(numerator=1, denominator=2)
    assert within_7.count == Ratio(numerator=0, denominator=4)
    # Only c's first and second are due between the days 1 and 70.
    early = portfolio.recovery_of_missed(loans, within_days=30, first_on=on_day(1), last_on=on_day(59))
    assert early.count == Ratio(numerator=1, denominator=1)
    assert early.amount.value == 1


def test_the_first_payment_default_rate_waits_until_it_can_know() -> None:
    story = Story().lent((100, 100, 100, 100))
    assert portfolio.first_payment_default_rate([story.at(60)]) == Ratio(numerator=0, denominator=0)
    assert portfolio.first_payment_default_rate([story.at(61)]) == Ratio(numerator=1, denominator=1)


def test_roll_rates_weigh_by_the_opening_principal_and_rows_sum_to_one() -> None:
    opening = book(owing(600, 10), owing(300, 20), owing(100, 5), owing(400))
    closing = book(owing(600, 40), owing(0, status=LoanStatus.CLOSED), owing(90), owing(300, 3))
    newcomer = replace(owing(999), loan_id="new")
    rates = portfolio.roll_rates(opening, [*closing, newcomer])
    late = rates["DPD_1_30"]
    assert {place: ratio.rounded(1) for place, ratio in late.items() if ratio.numerator} == {
        "DPD_31_60": Decimal("0.6"),
        "CLOSED": Decimal("0.3"),
        "CURRENT": Decimal("0.1"),
    }
    assert sum((ratio.value or 0) for ratio in late.values()) == 1
    assert rates["CURRENT"]["DPD_1_30"].value == 1
    assert rates["DPD_91_PLUS"]["CURRENT"].value is None
    by_count = portfolio.transition_matrix(opening, closing)
    assert by_count["DPD_1_30"]["CURRENT"] == Ratio(numerator=1, denominator=3)


def test_a_cure_is_money_and_not_a_restructure_a_waiver_or_a_write_off() -> None:
    opening = book(*(owing(100, 40) for _ in range(6)))
    closing = book(
        owing(90),
        owing(0, status=LoanStatus.CLOSED),
        owing(100, 70),
        owing(100, restructures=1, restructured_on=on_day(60)),
        owing(0, status=LoanStatus.WRITTEN_OFF),
        _waived(),
    )
    cure = portfolio.cure_rate(opening, closing, DPD_31_60)
    assert cure.cured.count == Ratio(numerator=2, denominator=6)
    assert cure.cured.amount == Ratio(numerator=200, denominator=600)
    assert (cure.by_restructure, cure.by_waiver, cure.written_off) == (1, 1, 1)


def _waived() -> Loan:
    story = Story().lent((100,))
    story.tell(facts.ChargeAdded, 5, charge_id="fee", amount_minor=Minor(10), due_on=on_day(20))
    story.tell(facts.ChargeWaived, 25, charge_id="fee")
    return replace(story.at(26), principal_outstanding=100)


def test_a_vintage_shows_what_was_ever_late_and_only_at_ages_all_have_reached() -> None:
    story = Story(loan_id="late").lent((100, 100))  # lent on 1 January
    story.paid(65, 200)  # its first installment, due on day 30, was 34 days past due at the close of day 64
    good = Story(loan_id="good").lent((300,), first_day=30)
    good.paid(30, 300)
    loans = [story.at(120), good.at(120)]
    curve = portfolio.vintage_curve(loans, over_days=30, ages=5, as_of=on_day(120))[date(2024, 1, 1)]
    shares = [None if cell.loans is None else cell.loans.rounded(2) for cell in curve]
    assert shares == [Decimal("0.00")] * 2 + [Decimal("0.00"), Decimal("0.50"), None, None]
    assert curve[3].amount == Ratio(numerator=200, denominator=500)


def test_the_first_day_over_is_the_close_at_which_the_days_pass_the_threshold() -> None:
    story = Story().lent((100,))
    assert portfolio.first_day_over(story.at(60), 30) is None
    assert portfolio.first_day_over(story.at(61), 30) == on_day(61)
    story.paid(61, 100)
    assert portfolio.first_day_over(story.at(90), 30) is None


def test_write_offs_and_recoveries_belong_to_the_period_of_the_write_off() -> None:
    loans = book(
        owing(0, status=LoanStatus.WRITTEN_OFF, written_off_on=on_day(10), written_off=300, recovered=60),
        owing(0, status=LoanStatus.WRITTEN_OFF, written_off_on=on_day(90), written_off=500),
        owing(200, charged_off_on=on_day(20), charged_off=200),
    )
    ratio = portfolio.write_off_ratio(loans, first_on=on_day(1), last_on=on_day(31), average_portfolio=5000)
    assert ratio.rounded(2) == Decimal("0.10")
    recovery = portfolio.recovery_rate(loans, first_on=on_day(1), last_on=on_day(31))
    assert recovery == Ratio(numerator=60, denominator=300)


def test_provisions_are_rounded_once_a_loan_and_cover_the_risk() -> None:
    loans = book(owing(1000), owing(333, 10), owing(500, 45))
    rates = dict.fromkeys(DelinquencyBucket, 10_000) | {CURRENT: 100, DPD_1_30: 1000, DPD_31_60: 5000}
    assert portfolio.provision(loans, rates) == 10 + 33 + 250
    assert portfolio.risk_coverage(loans, 293) == Ratio(numerator=293, denominator=500)


@pytest.mark.parametrize(("days", "stage"), [(0, 1), (30, 1), (31, 2), (89, 2), (90, 3)])
def test_the_stage_follows_the_days(days: int, stage: int) -> None:
    assert portfolio.ifrs9_stage(owing(100, days)) == stage


def test_an_eased_or_watched_loan_is_in_stage_two_and_a_lost_one_in_three() -> None:
    assert portfolio.ifrs9_stage(owing(100, restructured_on=on_day(1))) == 2
    assert portfolio.ifrs9_stage(owing(100), is_watched=True) == 2
    assert portfolio.ifrs9_stage(owing(100, charged_off_on=on_day(1))) == 3


def assumptions() -> LossAssumptions:
    """Each month a tenth of the current loans fall into 1-30, and half of those into default."""
    tenth = {"CURRENT": Ratio(numerator=9, denominator=10), "DPD_1_30": Ratio(numerator=1, denominator=10)}
    half = {"CURRENT": Ratio(numerator=1, denominator=2), "DPD_91_PLUS": Ratio(numerator=1, denominator=2)}
    return LossAssumptions(monthly={"CURRENT": tenth, "DPD_1_30": half}, loss_given_default=Fraction(1, 2))


def test_default_probabilities_follow_from_powers_of_the_matrix() -> None:
    marginal = portfolio.marginal_default_probabilities(CURRENT, assumptions(), 3)
    assert marginal == [Fraction(0), Fraction(1, 20), Fraction(9, 200)]
    assert portfolio.marginal_default_probabilities(DelinquencyBucket.DPD_91_PLUS, assumptions(), 2) == [0, 0]


def test_expected_loss_by_stage() -> None:
    story = Story().lent((600, 600))  # due on days 30 and 60: two months ahead
    loan = story.at(1)
    stage_1 = portfolio.expected_credit_loss(loan, assumptions())
    assert (stage_1.stage, stage_1.exposure, stage_1.default_probability) == (1, 1200, Fraction(1, 20))
    assert stage_1.amount == 30  # 1,200 x 1/20 x 1/2
    stage_2 = portfolio.expected_credit_loss(loan, assumptions(), stage=2)
    assert stage_2.amount == 15  # in the second month 600 are left
    assert portfolio.expected_credit_loss(loan, assumptions(), stage=3).amount == 600


def test_the_exposure_holds_overdue_interest_and_no_interest_that_is_not_due() -> None:
    period = facts.Period(number=1, due_on=on_day(30), principal_minor=Minor(100), interest_minor=Minor(8))
    story = Story()
    story.tell(facts.LoanDisbursed, 0, amount_minor=Minor(100))
    story.planned((period,))
    assert portfolio.exposure_at_default(story.at(20)) == 100
    assert portfolio.exposure_at_default(story.at(40)) == 108
