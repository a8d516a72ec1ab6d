"""Answers of the API about measures, held to the domain's functions over the book's folded loans."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import date, timedelta
from fractions import Fraction
from itertools import pairwise
from typing import Any

from loanbook.domain import portfolio
from loanbook.domain.loan import DelinquencyBucket, Loan
from loanbook.domain.money import divide_half_even
from loanbook.domain.portfolio import Matrix, Outcome, Ratio
from loanbook.domain.portfolio.migration import cohort_of

Answer = dict[str, Any]
At = Callable[[date], list[Loan]]  # every loan paid out, as it stood at a close, as known now
PLACES = {
    "current": "CURRENT",
    "1-30": "DPD_1_30",
    "31-60": "DPD_31_60",
    "61-90": "DPD_61_90",
    "91+": "DPD_91_PLUS",
    "closed": "CLOSED",
    "charged_off": "CHARGED_OFF",
    "written_off": "WRITTEN_OFF",
}
BUCKETS = dict(zip(PLACES, DelinquencyBucket, strict=False))
_SHORT_DAYS = 90
_RELAPSE_DAYS = 90


def shown(ratio: Ratio) -> float | None:
    """A ratio as the API writes it."""
    return None if ratio.value is None else float(ratio.rounded() or 0)


def rounded(exact: Fraction | None) -> float | None:
    """A share or mean to six digits, half to even."""
    return None if exact is None else float(round(exact, 6))


def minor(money: Answer) -> int:
    """Minor units of an amount of the API."""
    return round(float(money["amount"]) * 100)


def days_of(month: Answer) -> dict[str, date]:
    """The period of a month, for the domain's functions."""
    return {name: date.fromisoformat(month[name]) for name in ("first_on", "last_on")}


def each_day(first_on: date, last_on: date) -> list[date]:
    """All days of a period."""
    return [first_on + timedelta(days=number) for number in range((last_on - first_on).days + 1)]


def check_roll_rates(answer: Answer, at: At) -> None:
    """Roll rates and transitions, month by month."""
    for month in answer["months"]:
        opening, closing = (at(date.fromisoformat(month[name])) for name in ("opening_on", "closing_on"))
        by_amount = portfolio.roll_rates(opening, closing)
        by_count = portfolio.transition_matrix(opening, closing)
        for row in month["buckets"]:
            start, opened = PLACES[row["bucket"]], (row["opening_principal"], row["opening_loans"])
            for move in row["to"]:
                place = PLACES[move["place"]]
                _check_move(move, opened, by_amount[start][place], by_count[start][place])


def check_missed_roll_rates(answer: Answer, at: At) -> None:
    """The same between numbers of installments missed."""
    for month in answer["months"]:
        opening, closing = (at(date.fromisoformat(month[name])) for name in ("opening_on", "closing_on"))
        by_amount = portfolio.roll_rates_by_missed(opening, closing)
        by_count = portfolio.roll_rates_by_missed(opening, closing, by_amount=False)
        for row in month["rows"]:
            start, opened = row["missed"], (row["opening"]["principal"], row["opening"]["loans"])
            for move in row["to"]:
                place = move["place"] if move["place"][0].isdigit() else move["place"].upper()
                _check_move(move, opened, by_amount[start][place], by_count[start][place])


def _check_move(move: Answer, opened: tuple[Answer, int], amount: Ratio, count: Ratio) -> None:
    assert (minor(move["principal"]), minor(opened[0]), move["roll_rate"]) == (
        amount.numerator,
        amount.denominator,
        shown(amount),
    )
    assert (move["loans"], opened[1], move["transition"]) == (
        count.numerator,
        count.denominator,
        shown(count),
    )


def check_cures(months: Iterable[Answer], opening_at: At, at: At) -> None:
    """Cures of each bucket; eased, forgiven and written-off loans apart. The opening may be of a part."""
    for month in months:
        opening = opening_at(date.fromisoformat(month["opening_on"]))
        closing = at(date.fromisoformat(month["closing_on"]))
        for bucket in month["buckets"]:
            expected = portfolio.cure_rate(opening, closing, BUCKETS[bucket["bucket"]])
            amount, count = expected.cured.amount, expected.cured.count
            found = [
                (bucket[name]["loans"], minor(bucket[name]["principal"])) for name in ("opening", "cured")
            ]
            assert found == [(count.denominator, amount.denominator), (count.numerator, amount.numerator)]
            assert (bucket["cure_rate_by_count"], bucket["cure_rate"]) == (shown(count), shown(amount))
            apart = {name: bucket[name]["loans"] for name in ("by_restructure", "by_waiver", "written_off")}
            assert apart == {name: getattr(expected, name) for name in apart}


def check_relapses(months: Iterable[Answer], at: At, last_close: date) -> int:
    """Relapses within the 90 days after a month's cures, once they are closed; gives how many there were."""
    relapsed = 0
    for month in months:
        opening, closing = (at(date.fromisoformat(month[name])) for name in ("opening_on", "closing_on"))
        after = date.fromisoformat(month["closing_on"]) + timedelta(days=1)
        watched = each_day(after, after + timedelta(days=_RELAPSE_DAYS - 1))
        closes = [at(day) for day in watched] if watched[-1] <= last_close else None
        for bucket in month["buckets"]:
            if closes is None:
                assert bucket["relapsed"] is None
                continue
            cured = cured_in(opening, closing, BUCKETS[bucket["bucket"]])
            expected, found = portfolio.relapse_rate(cured, closes), bucket["relapsed"]
            assert (found["loans"], found["rate_by_count"]) == (expected.numerator, shown(expected))
            assert found["last_on"] == str(watched[-1])
            relapsed += expected.numerator
    return relapsed


def cured_in(opening: list[Loan], closing: list[Loan], bucket: DelinquencyBucket) -> set[str]:
    """The loans that the domain counts as cured."""
    after = {loan.loan_id: loan for loan in closing}
    return {
        loan.loan_id
        for loan in opening
        if portfolio.cure_rate([loan], [after[loan.loan_id]], bucket).cured.count.numerator
    }


def check_collection(month: Answer, loans: Sequence[Loan]) -> None:
    """Both efficiencies of a month."""
    expected = portfolio.collection_efficiency(loans, **days_of(month))
    assert minor(month["due"]) == expected.current.denominator == expected.total.denominator
    assert (minor(month["collected"]), minor(month["cash"])) == (
        expected.current.numerator,
        expected.total.numerator,
    )
    assert (month["current_efficiency"], month["total_efficiency"]) == (
        shown(expected.current),
        shown(expected.total),
    )


def check_punctuality(month: Answer, loans: Sequence[Loan]) -> None:
    """Outcomes, on-time rates both ways, delays."""
    days = days_of(month)
    found = {Outcome(p["outcome"]): (p["installments"], minor(p["amount"])) for p in month["outcomes"]}
    assert found == portfolio.outcomes(loans, **days)
    on_time = portfolio.on_time_rate(loans, **days)
    assert (month["on_time_rate"], month["decided"]) == (shown(on_time.count), on_time.count.denominator)
    assert month["on_time_rate_by_amount"] == shown(on_time.amount)
    assert minor(month["decided_amount"]) == on_time.amount.denominator
    delay = portfolio.average_delay(loans, **days)
    assert month["delay"] == {
        "met": delay.met,
        "late": delay.late,
        "days": delay.days,
        "mean_days": rounded(delay.mean),
        "mean_days_of_late": rounded(delay.mean_of_late),
    }


def check_resolution(answer: Answer, loans: Sequence[Loan]) -> None:
    """The curve by which late installments were met."""
    assert [point["within_days"] for point in answer["curve"]] == list(range(1, 91))
    for point in answer["curve"]:
        share = portfolio.recovery_of_missed(loans, within_days=point["within_days"], **days_of(answer))
        assert (point["met"], point["late"]) == (share.count.numerator, share.count.denominator)
        assert (minor(point["met_amount"]), minor(point["late_amount"])) == (
            share.amount.numerator,
            share.amount.denominator,
        )
        assert (point["ratio_by_count"], point["ratio"]) == (shown(share.count), shown(share.amount))


def check_write_offs(month: Answer, loans: Sequence[Loan], at: At) -> None:
    """Losses over the average of the month's closes, and recoveries; `at` of the same part."""
    days = days_of(month)
    stood = [portfolio.gross_loan_portfolio(at(day)) for day in each_day(**days)]
    average = divide_half_even(sum(stood), len(stood))
    assert (minor(month["average_portfolio"]), month["closes"], month["days"]) == (
        average,
        len(stood),
        len(stood),
    )
    lost = portfolio.write_off_ratio(loans, **days, average_portfolio=average)
    assert (minor(month["lost"]), month["write_off_ratio"]) == (lost.numerator, shown(lost))
    yearly = Ratio(numerator=lost.numerator * 365, denominator=average * len(stood))
    assert month["annualized_ratio"] == shown(yearly)
    recovery = portfolio.recovery_rate(loans, **days)
    assert (minor(month["written_off"]), minor(month["recovered"]), month["recovery_rate"]) == (
        recovery.denominator,
        recovery.numerator,
        shown(recovery),
    )


def is_short(loan: Loan) -> bool:
    """Whether its cohort is a week."""
    assert loan.disbursed_on is not None
    term = loan.term_days
    if term is None:
        due = [item.due_on for item in loan.installments]
        term = (max(due) - loan.disbursed_on).days if due else None
    return term is not None and term <= _SHORT_DAYS


def cohorts_of(loans: Iterable[Loan]) -> dict[tuple[str, date], list[Loan]]:
    """Loans by the cohort that the API puts them in."""
    found: dict[tuple[str, date], list[Loan]] = {}
    for loan in loans:
        assert loan.disbursed_on is not None
        by_week = is_short(loan)
        key = ("week" if by_week else "month", cohort_of(loan.disbursed_on, by_week=by_week))
        found.setdefault(key, []).append(loan)
    return found


def check_vintages(answer: Answer, loans: Sequence[Loan], close: date) -> None:
    """The curves of all cohorts; null where a cohort is not yet that old."""
    wanted: dict[tuple[str, date], list[portfolio.VintageCell]] = {}
    for unit, by_week in (("month", False), ("week", True)):
        members = [loan for loan in loans if is_short(loan) is by_week]
        ages = max((len(cohort["cells"]) for cohort in answer["cohorts"]), default=1) - 1
        curves = portfolio.vintage_curve(
            members, over_days=answer["over_days"], ages=ages, as_of=close, by_week=by_week
        )
        wanted |= {(unit, start): cells for start, cells in curves.items()}
    assert answer["as_of"] == str(close)
    got = {(c["unit"], date.fromisoformat(c["cohort_on"])): c["cells"] for c in answer["cohorts"]}
    assert got.keys() == wanted.keys()
    for key, cells in wanted.items():
        for age, (cell, mine) in enumerate(zip(cells, got[key], strict=True)):
            found = (mine["loans"], mine["disbursed"] and minor(mine["disbursed"]))
            if cell.loans is None or cell.amount is None:
                assert (*found, mine["ratio"], mine["ratio_by_count"]) == (None,) * 4, (key, age)
                continue
            assert found == (cell.loans.numerator, cell.amount.numerator), (key, age)
            assert (mine["ratio_by_count"], mine["ratio"]) == (shown(cell.loans), shown(cell.amount))


def check_first_payments(part: Answer, loans: Sequence[Loan]) -> Ratio:
    """The first-payment defaults of a part; gives their rate."""
    rate = portfolio.first_payment_default_rate(loans)
    assert (part["defaulted_loans"], part["known_loans"]) == (rate.numerator, rate.denominator), part["name"]
    assert (part["ratio_by_count"], part["loans"]) == (shown(rate), len(loans)), part["name"]
    return rate


def pooled(at: At, month_ends: Sequence[date]) -> Matrix:
    """The transitions between month ends, added up."""
    months = [
        portfolio.transition_matrix(at(opening), at(closing)) for opening, closing in pairwise(month_ends)
    ]
    return {
        bucket: {
            place: Ratio(
                numerator=sum(month[bucket][place].numerator for month in months),
                denominator=sum(month[bucket][place].denominator for month in months),
            )
            for place in months[0][bucket]
        }
        for bucket in months[0]
    }
