"""lp-portfolio: how healthy the book is, where it is not, and who should be called first."""

from __future__ import annotations

from grafana.boards import palette, variables
from grafana.boards.board import BoardSpec
from grafana.boards.panels import (
    COUNT,
    EXACT,
    MONEY,
    RATIO,
    Column,
    Panel,
    dashed,
    data_age,
    drill_table,
    fixed,
    kpi,
    leads_to,
    levels,
    ranking,
    stacked_bars,
    trend_of_days,
    unit_of,
    words,
)

TO_BRANCH = leads_to(
    "Only this branch",
    "/d/lp-portfolio?var-book=${book}&var-currency=${currency}&var-branch=${__data.fields.Branch}",
)
TO_LOAN = leads_to("Open the loan", "/d/lp-loan?var-book=${book}&var-loan=${__data.fields.Loan}")


def board() -> BoardSpec:
    """The board."""
    return BoardSpec(
        uid="lp-portfolio",
        title="Portfolio",
        description="How healthy the book is, where it is not, and whom to call first.",
        tags=["portfolio"],
        since="now-24h",
        variables=[*variables.selection(), variables.business_days(30, 90, 180, 365, first=90)],
        panels=[
            *_size_and_lateness(),
            *_collection_and_risk(),
            *_trends(),
            *_lateness_by_bucket(),
            *_branches(),
            *_bands(),
            *_products(),
            *_states(),
            *_whom_first(),
        ],
    )


def _size_and_lateness() -> list[Panel]:
    return [
        kpi(
            "portfolio/outstanding",
            "Outstanding principal, $currency",
            question="How big is the book? Principal of running loans; charged-off ones are left out.",
            unit=MONEY,
            source="reporting.portfolio_day, closes and live",
            steps=palette.MONEY,
            decimals=2,
            sparkline=True,
        ),
        kpi(
            "portfolio/par30",
            "PAR30",
            question=(
                "How much is late? Whole outstanding principal of loans more than 30 days past due ÷ all."
            ),
            unit=RATIO,
            source="reporting.portfolio_day, closes and live",
            steps=palette.PAR30,
            decimals=2,
            sparkline=True,
        ),
        kpi(
            "portfolio/par90",
            "PAR90",
            question="How much is probably lost? The same for more than 90 days past due.",
            unit=RATIO,
            source="reporting.portfolio_day, closes and live",
            steps=palette.PAR90,
            decimals=2,
            sparkline=True,
        ),
    ]


def _collection_and_risk() -> list[Panel]:
    return [
        kpi(
            "portfolio/efficiency",
            "Collection efficiency, 7 days",
            question=(
                "Did we get what was due? All cash of the 7 closed days ÷ what fell due in them; "
                "arrears and prepayments count, so it may pass 100 %."
            ),
            unit=RATIO,
            source="reporting.cash_day_now, live",
            steps=palette.EFFICIENCY,
            decimals=1,
        ),
        kpi(
            "portfolio/high_risk",
            "High-risk loans",
            question="How many loans are in the bands HIGH and CRITICAL?",
            unit=COUNT,
            source="reporting.risk_now, each minute",
        ),
        data_age("portfolio"),
    ]


def _trends() -> list[Panel]:
    return [
        trend_of_days(
            "portfolio/due_and_paid",
            "Due and paid by business day, $currency",
            question="Are payments keeping up with the schedule, and with the same day a month before?",
            unit=MONEY,
            source="reporting.cash_day_now, live",
            series=(
                Column(name="Due", properties=(fixed(palette.GREY),)),
                Column(name="Cash", properties=(fixed(palette.BLUE),)),
                Column(name="Cash a month before", properties=(fixed("#B877D9"), dashed())),
            ),
        ),
        trend_of_days(
            "portfolio/par_trend",
            "PAR30, PAR60 and PAR90 by business day",
            question=(
                "Is the book getting better or worse? Day closes, and the running day as the last point."
            ),
            unit=RATIO,
            source="reporting.portfolio_day, closes and live",
            steps=palette.PAR30,
            series=(
                Column(name="PAR30", properties=(fixed(palette.YELLOW),)),
                Column(name="PAR60", properties=(fixed(palette.ORANGE),)),
                Column(name="PAR90", properties=(fixed(palette.RED),)),
            ),
        ),
    ]


def _lateness_by_bucket() -> list[Panel]:
    return [
        stacked_bars(
            "portfolio/late_by_bucket",
            "Late principal by days past due, $currency",
            question=(
                "Where is the lateness? "
                "Principal of late loans by bucket and product; current loans left out."
            ),
            unit=MONEY,
            source="reporting.portfolio_cells, live",
            x="bucket",
            stack_by="product",
            value="principal",
            height=9,
        ),
    ]


def _branches() -> list[Panel]:
    return [
        drill_table(
            "portfolio/branch_league",
            "Branch league, $currency",
            question=(
                "Which branch needs help? Worst PAR30 first, with its change since the close 7 days ago."
            ),
            unit=COUNT,
            source="reporting.branch_now, portfolio_day and cash_day_now, live; risk_now, each minute",
            columns=(
                Column(name="Branch", properties=(TO_BRANCH,)),
                Column(name="Outstanding", properties=unit_of(EXACT, 0)),
                Column(
                    name="PAR30",
                    properties=(
                        *unit_of(RATIO, 1),
                        ("min", 0),
                        ("max", 0.2),
                        *levels(palette.PAR30, "gauge"),
                    ),
                ),
                Column(name="7 days", properties=(*unit_of(RATIO, 2), *levels(palette.WORSENING))),
                Column(name="Efficiency", properties=(*unit_of(RATIO, 0), *levels(palette.EFFICIENCY))),
            ),
            width=16,
            height=9,
        ),
    ]


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
            source="reporting.portfolio_cells, live",
            columns=(
                Column(name="current", properties=unit_of(RATIO, 1)),
                *(
                    Column(
                        name=bucket,
                        properties=(*unit_of(RATIO, 1), *levels(_heat(color), "color-background")),
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
            source="reporting.portfolio_cells, live",
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


def _heat(color: str) -> tuple[palette.Step, ...]:
    return ((None, "transparent"), (0.02, f"{color}33"), (0.05, f"{color}66"), (0.10, f"{color}B3"))


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
