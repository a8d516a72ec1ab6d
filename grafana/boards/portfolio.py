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
    dots,
    drill_table,
    fixed,
    kpi,
    levels,
    stacked_bars,
    trend_of_days,
    unit_of,
)
from grafana.boards.portfolio_tables import TO_BRANCH, tables


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
            *tables(),
        ],
    )


def _size_and_lateness() -> list[Panel]:
    return [
        kpi(
            "portfolio/outstanding",
            "Outstanding principal, $currency",
            question="How big is the book? Principal of running loans; charged-off ones are left out.",
            unit=MONEY,
            source="reporting.portfolio_days, closes and live",
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
            source="reporting.portfolio_days, closes and live",
            steps=palette.PAR30,
            decimals=2,
            sparkline=True,
        ),
        kpi(
            "portfolio/par90",
            "PAR90",
            question="How much is probably lost? The same for more than 90 days past due.",
            unit=RATIO,
            source="reporting.portfolio_days, closes and live",
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
            source="reporting.cash_days, live",
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
            source="reporting.cash_days, live",
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
                "Is the book getting better or worse? Day closes as known now, the running day last. "
                "A dot marks a day told anew after its close."
            ),
            unit=RATIO,
            source="reporting.portfolio_days, closes and live",
            steps=palette.PAR30,
            series=(
                Column(name="PAR30", properties=(fixed(palette.YELLOW),)),
                Column(name="PAR60", properties=(fixed(palette.ORANGE),)),
                Column(name="PAR90", properties=(fixed(palette.RED),)),
                Column(name="Told anew", properties=(fixed(palette.BLUE), *dots())),
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
            source="reporting.portfolio_part, live",
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
            source="reporting.portfolio_days and cash_days, live; risk_now, each minute",
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
