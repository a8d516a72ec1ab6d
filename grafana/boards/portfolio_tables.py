"""The tables of lp-portfolio: bands, products, states, closes, and whom to call first."""

from __future__ import annotations

from grafana.boards import palette
from grafana.boards.panels import (
    COUNT,
    EXACT,
    RATIO,
    Column,
    Panel,
    drill_table,
    fixed,
    leads_to,
    levels,
    ranking,
    unit_of,
    words,
)

TO_BRANCH = leads_to(
    "Only this branch",
    "/d/lp-portfolio?var-book=${book}&var-currency=${currency}&var-branch=${__data.fields.Branch}",
)
TO_LOAN = leads_to("Open the loan", "/d/lp-loan?var-book=${book}&var-loan=${__data.fields.Loan}")


def tables() -> list[Panel]:
    """What stands below the branch league."""
    return [*_bands(), *_products(), *_states(), *_closes(), *_whom_first()]


def _bands() -> list[Panel]:
    return [
        ranking(
            "portfolio/risk_bands",
            "Loans by risk band",
            question="How is the risk spread? Loans by the band of their risk score.",
            unit=COUNT,
            source="reporting.risk_now, each minute",
            colors=palette.BANDS,
            width=6,
            height=6,
        ),
    ]


def _products() -> list[Panel]:
    return [
        drill_table(
            "portfolio/product_matrix",
            "Principal by product and days past due",
            question="Which product is late, and how late? Shares of each product's outstanding principal.",
            unit=RATIO,
            source="reporting.portfolio_part, live",
            columns=(
                Column(name="current", properties=unit_of(RATIO, 1)),
                *(
                    Column(
                        name=bucket,
                        properties=(*unit_of(RATIO, 1), *levels(palette.heat(color), "color-background")),
                    )
                    for bucket, color in list(palette.BUCKETS.items())[1:]
                ),
            ),
            width=8,
            height=6,
        ),
    ]


def _states() -> list[Panel]:
    return [
        drill_table(
            "portfolio/loan_states",
            "Where loans stand, $currency",
            question="How many loans run, are late, in default, repaid or lost: by count and by amount?",
            unit=COUNT,
            source="reporting.portfolio_part, live",
            columns=(
                Column(
                    name="Share",
                    properties=(*unit_of(RATIO, 1), ("min", 0), ("max", 1), *levels(palette.MONEY, "gauge")),
                ),
                Column(name="Disbursed", properties=unit_of(EXACT, 0)),
                Column(name="Outstanding", properties=unit_of(EXACT, 0)),
            ),
            width=10,
            height=6,
        ),
    ]


def _closes() -> list[Panel]:
    return [
        drill_table(
            "portfolio/closes",
            "Day closes, $currency, the latest first",
            question="With what did each day close, as known now, and was it told anew since?",
            unit=COUNT,
            source="reporting.portfolio_days, closes and live",
            columns=(
                Column(name="Outstanding", properties=unit_of(EXACT, 2)),
                Column(name="Overdue", properties=unit_of(EXACT, 2)),
                Column(name="PAR30", properties=(*unit_of(RATIO, 2), *levels(palette.PAR30))),
                Column(
                    name="Told anew",
                    properties=(fixed(palette.BLUE), ("custom.cellOptions", {"type": "color-text"})),
                ),
            ),
            width=24,
            height=8,
        ),
    ]


def _whom_first() -> list[Panel]:
    return [
        drill_table(
            "portfolio/worst_loans",
            "Whom to call first, $currency",
            question=(
                "Which loans are likely to cost most? HIGH and CRITICAL, by expected loss (an estimate)."
            ),
            unit=COUNT,
            source="reporting.worst_loans, live",
            columns=(
                Column(name="Band", properties=words(palette.BANDS)),
                Column(name="Loan", properties=(TO_LOAN,)),
                Column(name="Branch", properties=(TO_BRANCH,)),
                Column(
                    name="Risk score",
                    properties=(("min", 0), ("max", 100), *levels(palette.RISK_SCORE, "gauge")),
                ),
                Column(name="Expected loss", properties=unit_of(EXACT, 2)),
                Column(name="Exposure", properties=unit_of(EXACT, 2)),
                Column(name="Overdue", properties=unit_of(EXACT, 2)),
                Column(name="DPD", properties=levels(palette.DPD)),
            ),
            height=10,
            empty="No loan is in the bands HIGH and CRITICAL",
        ),
    ]
