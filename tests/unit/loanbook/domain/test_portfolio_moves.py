"""Moves by installments missed and relapses against tables worked out by hand."""

from __future__ import annotations

import pytest

from loanbook.domain import events as facts
from loanbook.domain import portfolio
from loanbook.domain.portfolio import Ratio
from tests.builders import Story, on_day


@pytest.mark.parametrize(("day", "missed"), [(20, 0), (21, 1), (40, 1), (41, 2), (60, 2), (61, 3), (200, 3)])
def test_an_installment_is_missed_from_the_day_after_it_was_due(day: int, missed: int) -> None:
    story = Story().lent((100, 100, 100), every_days=20)
    assert portfolio.installments_missed(story.at(day)) == missed


def test_paying_the_oldest_of_three_missed_leaves_two() -> None:
    story = Story().lent((100, 100, 100), every_days=20)
    story.paid(65, 100)
    assert portfolio.installments_missed(story.at(64)) == 3
    assert portfolio.installments_missed(story.at(65)) == 2
    story.paid(66, 199)  # a part is not the whole: the last one stays missed
    assert portfolio.installments_missed(story.at(66)) == 1


def test_rows_on_which_nothing_is_due_are_never_missed() -> None:
    story = Story().lent((100, 0, 100), every_days=20)
    assert portfolio.installments_missed(story.at(61)) == 2


def test_roll_rates_by_missed_weigh_by_the_opening_principal_and_rows_sum_to_one() -> None:
    # Dues of 100 on days 20, 40, 60. A pays nothing; B pays all on day 50; C pays the first on day 45.
    a, b, c = (Story(loan_id=name).lent((100, 100, 100), every_days=20) for name in "abc")
    b.paid(50, 300)
    c.paid(45, 100)
    d = Story(loan_id="d").lent((100,), every_days=90)  # owes nothing yet
    opening = [story.at(41) for story in (a, b, c, d)]
    closing = [story.at(61) for story in (a, b, c, d)]
    by_amount = portfolio.roll_rates_by_missed(opening, closing)
    assert {end: ratio for end, ratio in by_amount["2"].items() if ratio.numerator} == {
        "3": Ratio(numerator=300, denominator=900),
        "CLOSED": Ratio(numerator=300, denominator=900),
        "2": Ratio(numerator=300, denominator=900),
    }
    assert by_amount["0"]["0"] == Ratio(numerator=100, denominator=100)
    assert by_amount["4+"]["4+"].value is None
    by_count = portfolio.roll_rates_by_missed(opening, closing, by_amount=False)
    assert by_count["2"]["3"] == Ratio(numerator=1, denominator=3)


def test_lost_loans_and_four_or_more_missed_have_places_of_their_own() -> None:
    late = Story(loan_id="late").lent((100,) * 6, every_days=20)
    lost = Story(loan_id="lost").lent((100,) * 6, every_days=20)
    lost.tell(facts.LoanWrittenOff, 110)
    stories = (late, lost)
    rates = portfolio.roll_rates_by_missed([s.at(101) for s in stories], [s.at(130) for s in stories])
    assert rates["4+"]["4+"] == rates["4+"]["WRITTEN_OFF"] == Ratio(numerator=600, denominator=1200)


def test_a_cured_loan_relapses_when_it_is_more_than_thirty_days_late_at_a_close_within_ninety() -> None:
    again, well = (Story(loan_id=name).lent((100, 100), every_days=20) for name in ("again", "well"))
    for story in (again, well):
        story.paid(35, 100)  # both cured on day 35; the second falls due on day 40
    well.paid(70, 100)
    ninety = [[story.at(day) for story in (again, well)] for day in range(36, 126)]
    assert on_day(40) == ninety[10][0].past_due_on
    assert portfolio.relapse_rate({"again", "well"}, ninety) == Ratio(numerator=1, denominator=2)
    assert portfolio.relapse_rate({"well"}, ninety, over_days=29) == Ratio(numerator=0, denominator=1)
    assert portfolio.relapse_rate({"well"}, ninety, over_days=28) == Ratio(numerator=1, denominator=1)
    assert portfolio.relapse_rate(set(), ninety).value is None
