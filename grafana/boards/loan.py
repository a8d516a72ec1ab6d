"""lp-loan: one loan's story: facts, plan against payments, score and reasons, alerts, and every event."""

from __future__ import annotations

from grafana.boards import palette, variables
from grafana.boards.board import BoardSpec
from grafana.boards.panels import (
    COUNT,
    DAYS,
    EXACT,
    Column,
    Panel,
    data_age,
    drill_table,
    fixed,
    kpi,
    levels,
    trend_of_days,
    unit_of,
    words,
)
from grafana.boards.today import SEVERITIES

STATES = {
    "paid": palette.GREEN,
    "paid late": palette.YELLOW,
    "due": palette.BLUE,
    "overdue, partial": palette.ORANGE,
    "overdue": palette.RED,
}
# Points of the risk score: what raises it is bad, what lowers it good.
POINTS: tuple[palette.Step, ...] = (
    (None, palette.GREEN),
    (0, palette.TEXT),
    (1, palette.YELLOW),
    (10, palette.ORANGE),
)


def board() -> BoardSpec:
    """The board."""
    return BoardSpec(
        uid="lp-loan",
        title="Loan",
        description="One loan's story. Without an id: the loan with the highest expected loss.",
        tags=["loan"],
        since="now-24h",
        variables=[variables.book(), variables.loan(), variables.currency_of_loan()],
        panels=[
            *_identity(),
            *_lateness(),
            *_debt_and_risk(),
            *_story(),
            *_score(),
            *_installments(),
            *_alerts(),
            *_events(),
        ],
    )


def _identity() -> list[Panel]:
    source = "reporting.loan_now, live"
    return [
        data_age("loan", width=3),
        kpi("loan/loan", "Loan", question="Which loan is this?", unit="string", source=source, text=True),
        kpi(
            "loan/bucket",
            "Bucket",
            question="How late is it: current, or days past due; or has it ended?",
            unit="string",
            source=source,
            text=True,
            mappings=palette.named_colors(palette.BUCKETS),
            width=3,
        ),
    ]


def _lateness() -> list[Panel]:
    source = "reporting.loan_now, live"
    return [
        kpi(
            "loan/days_past_due",
            "Days past due",
            question="Since how many days is the oldest unpaid installment due? The due day itself is 0.",
            unit=DAYS,
            source=source,
            steps=palette.DPD,
            width=3,
        ),
        kpi(
            "loan/outstanding",
            "Outstanding, $currency",
            question="What is left to pay, all components?",
            unit=EXACT,
            source=source,
            steps=palette.MONEY,
            decimals=2,
        ),
    ]


def _debt_and_risk() -> list[Panel]:
    source = "reporting.loan_now, live"
    return [
        kpi(
            "loan/overdue",
            "Overdue, $currency",
            question="How much should have been paid already?",
            unit=EXACT,
            source=source,
            steps=palette.ANY_IS_WATCH,
            decimals=2,
            width=3,
        ),
        kpi(
            "loan/risk",
            "Risk band and score",
            question="How risky is it? The band, and the score from 0 to 100, where high is bad.",
            unit="string",
            source=source,
            text=True,
            mappings=palette.leading_word_colors(palette.BANDS),
        ),
    ]


def _story() -> list[Panel]:
    return [
        drill_table(
            "loan/facts",
            "Facts",
            question="What must I know before I call?",
            unit=COUNT,
            source="reporting.loan_now, live",
            columns=(),
            width=8,
            height=12,
        ),
        trend_of_days(
            "loan/planned_and_paid",
            "Planned and paid, summed up, $currency",
            question=(
                "Does the borrower keep to the plan? "
                "Both curves sum up; payments that were returned are left out."
            ),
            unit=EXACT,
            source="reporting.loan_curve, live",
            stepped=True,
            series=(
                Column(name="Planned", properties=(fixed(palette.GREY),)),
                Column(name="Paid", properties=(fixed(palette.BLUE),)),
            ),
            width=16,
            height=12,
        ),
    ]


def _score() -> list[Panel]:
    return [
        trend_of_days(
            "loan/score_line",
            "Risk score over time",
            question=(
                "How did the risk move? A point when the band or the probability changed, and at month ends."
            ),
            unit=COUNT,
            source="reporting.loan_scores, live",
            stepped=True,
            steps=palette.RISK_SCORE,
            series=(Column(name="Risk score", properties=(fixed(palette.BLUE), ("min", 0), ("max", 100))),),
        ),
        drill_table(
            "loan/reasons",
            "Why this score",
            question=(
                "What makes the score what it is, and what moved it last? "
                "Points add up from the reference loan."
            ),
            unit=COUNT,
            source="reporting.loan_reasons, live",
            columns=(Column(name="Points", properties=levels(POINTS)),),
            width=12,
            height=8,
            empty="Nothing raises the score",
        ),
    ]


def _installments() -> list[Panel]:
    return [
        drill_table(
            "loan/installments",
            "Installments, $currency",
            question="What was due when, and what became of it?",
            unit=COUNT,
            source="reporting.installments, live",
            columns=(
                *(Column(name=name, properties=unit_of(EXACT, 2)) for name in ("Due", "Paid", "Left")),
                Column(name="State", properties=words(STATES)),
                Column(name="Days late", properties=levels(palette.DPD)),
            ),
            width=14,
            height=12,
        ),
    ]


def _alerts() -> list[Panel]:
    return [
        drill_table(
            "loan/alerts",
            "Alerts of this loan",
            question="When did it raise a hand, and how did that end?",
            unit=COUNT,
            source="reporting.alerts, live",
            columns=(Column(name="Severity", properties=words(SEVERITIES)),),
            width=10,
            height=12,
            empty="This loan never raised an alert",
        ),
    ]


def _events() -> list[Panel]:
    return [
        drill_table(
            "loan/events",
            "Every event, as it came",
            question=(
                "What happened, and when did we know? Events that do not count are kept, with the reason."
            ),
            unit=COUNT,
            source="reporting.loan_events, live",
            columns=(Column(name="Amount", properties=unit_of(EXACT, 2)),),
            height=9,
        ),
    ]
