"""lp-measures: how loans pay, move, age and are lost, month by month."""

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
    data_age,
    drill_table,
    fixed,
    kpi,
    levels,
    stacked_bars,
    trend_of_days,
    unit_of,
)

TALLIES = "reporting.tally_month, once a close"
MOVES = "reporting.roll_month, once a close"
CURES = "reporting.cure_month, once a close"
STAGES = "reporting.stage_now, each minute"
OUTCOMES = {
    "on time": palette.GREEN,
    "late": palette.YELLOW,
    "missed": palette.RED,
    "open": palette.GREY,
}
AGES = tuple(str(age) for age in range(1, 13))


def board() -> BoardSpec:
    """The board."""
    return BoardSpec(
        uid="lp-measures",
        title="Measures",
        description="How loans pay, move between classes, age and are lost, month by month.",
        tags=["measures"],
        since="now-24h",
        variables=variables.selection(),
        panels=[*_last_month(), *_paying(), *_moving(), *_aging(), *_losing()],
    )


def _last_month() -> list[Panel]:
    return [
        kpi(
            "measures/efficiency",
            "Collected of what was due",
            question="Of what fell due in the last whole month, how much was paid by its end, or before?",
            unit=RATIO,
            source=TALLIES,
            steps=palette.EFFICIENCY,
            decimals=1,
        ),
        kpi(
            "measures/on_time",
            "Paid on time",
            question="How punctual was the last whole month? Installments met by their day ÷ all decided.",
            unit=RATIO,
            source=TALLIES,
            decimals=1,
        ),
        kpi(
            "measures/newly_late",
            "Current to late",
            question="Of the principal that was current a month end ago, how much was late at the next one?",
            unit=RATIO,
            source=MOVES,
            decimals=1,
        ),
        kpi(
            "measures/cured",
            "Cured",
            question="Of the loans late a month end ago, how many were current or repaid at the next?",
            unit=RATIO,
            source=CURES,
            decimals=1,
        ),
        kpi(
            "measures/provision",
            "Set aside, $currency",
            question="What is put aside for losses? Each loan's principal times the rate of its bucket.",
            unit=MONEY,
            source=STAGES,
            steps=palette.MONEY,
            decimals=2,
        ),
        data_age("measures"),
    ]


def _paying() -> list[Panel]:
    return [
        trend_of_days(
            "measures/collection",
            "Collection efficiency by month",
            question=(
                "Do we get what is due? Paid of what fell due in the month, by its end; "
                "and all its cash, arrears and prepayments too, which may pass 100 %. Whole months."
            ),
            unit=RATIO,
            source=TALLIES,
            steps=palette.EFFICIENCY,
            series=(
                Column(name="Of what was due", properties=(fixed(palette.BLUE),)),
                Column(name="All cash", properties=(fixed(palette.GREY),)),
            ),
        ),
        stacked_bars(
            "measures/outcomes",
            "How installments went, by month they were due",
            question="Are customers punctual? Late: up to 30 days; missed: longer; open: not yet missed.",
            unit=COUNT,
            source=TALLIES,
            x="Month",
            series=[Column(name=name, properties=(fixed(color),)) for name, color in OUTCOMES.items()],
            width=12,
        ),
    ]


def _moving() -> list[Panel]:
    return [
        drill_table(
            "measures/roll_rates",
            "Roll rates of the last whole month, $currency",
            question=(
                "Where did each bucket's principal go between two month ends, restated? "
                "A row adds up to 100 %; lost is charged off or written off."
            ),
            unit=RATIO,
            source=MOVES,
            columns=(
                Column(name="Loans", properties=unit_of(COUNT)),
                Column(name="Opening", properties=unit_of(EXACT, 0)),
                *(_share(name, color) for name, color in palette.BUCKETS.items()),
                _share("closed", palette.BLUE),
                _share("lost", palette.RED),
            ),
            width=14,
            height=7,
        ),
        drill_table(
            "measures/cures",
            "What became of late loans in that month",
            question=(
                "Who came back? Cured: at 0 days past due, or repaid, by money. Eased by new terms, "
                "forgiven and written off stand apart. The API also tells who fell behind again."
            ),
            unit=COUNT,
            source=CURES,
            columns=(
                Column(name="Cured", properties=unit_of(RATIO, 1)),
                Column(name="By amount", properties=unit_of(RATIO, 1)),
            ),
            width=10,
            height=7,
        ),
    ]


def _aging() -> list[Panel]:
    return [
        drill_table(
            "measures/vintages",
            "Ever more than 30 days past due, by month of disbursement and months since",
            question=(
                "Is new business worse than old? Share of a cohort's loans, by count; "
                "empty until its last loan is that old. Cohorts of longer terms only: short ones go by week."
            ),
            unit=RATIO,
            source="reporting.vintage_cohort and vintage_late, once a close",
            columns=(
                Column(name="Loans", properties=unit_of(COUNT)),
                *(_share(age, palette.ORANGE) for age in AGES),
            ),
            height=10,
            empty="",
        ),
    ]


def _losing() -> list[Panel]:
    return [
        drill_table(
            "measures/stages",
            "IFRS 9 stages, $currency",
            question=(
                "How much is impaired? 3: 90 or more days past due. 2: over 30, or terms ever eased. "
                "1: the rest. An estimate from days alone, no accounting figure."
            ),
            unit=EXACT,
            source=STAGES,
            columns=(
                Column(name="Stage", properties=unit_of("string")),
                Column(name="Share", properties=unit_of(RATIO, 1)),
                *(
                    Column(name=name, properties=unit_of(EXACT, 0))
                    for name in ("Principal", "Exposure", "Set aside")
                ),
            ),
            width=11,
            height=6,
        ),
        drill_table(
            "measures/losses",
            "Losses and what came back, $currency",
            question=(
                "What was lost in a month, and what of it came back? Lost: charged off, else written off. "
                "Recovered: since, of what was written off then."
            ),
            unit=EXACT,
            source=TALLIES,
            columns=(
                Column(name="Recovery rate", properties=unit_of(RATIO, 1)),
                *(
                    Column(name=name, properties=unit_of(EXACT, 0))
                    for name in ("Lost", "Written off", "Recovered since")
                ),
            ),
            width=13,
            height=6,
            empty="Nothing was lost",
        ),
    ]


def _share(name: str, color: str) -> Column:
    return Column(
        name=name, properties=(*unit_of(RATIO, 1), *levels(palette.heat(color), "color-background"))
    )
