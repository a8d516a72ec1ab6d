"""lp-today, the home board: what a lender's people look at all day."""

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
    leads_to,
    levels,
    live,
    stacked_bars,
    unit_of,
    words,
)

PORTFOLIO = "/d/lp-portfolio?var-book=${book}&var-currency=${currency}"
TO_BRANCH = leads_to("Open the branch", PORTFOLIO + "&var-branch=${__data.fields.Branch}")
TO_LOAN = leads_to("Open the loan", "/d/lp-loan?var-book=${book}&var-loan=${__data.fields.Loan}")
SEVERITIES = {"INFO": palette.GREY, "WATCH": palette.YELLOW, "HIGH": palette.ORANGE, "CRITICAL": palette.RED}


def board() -> BoardSpec:
    """The board."""
    return BoardSpec(
        uid="lp-today",
        title="Today",
        description="What is due, what came in, what needs a hand today.",
        tags=["operations"],
        since="now-1h",
        variables=variables.selection(),
        panels=[
            *_the_day(),
            *_the_book(),
            *_lateness(),
            *_cash_to_place(),
            *_stream(),
            *_pictures(),
            *_branches(),
            *_alerts(),
        ],
    )


def _the_day() -> list[Panel]:
    return [
        data_age("today"),
        kpi(
            "today/business_day",
            "Business day",
            question="Which day of the book is running, and is it closing?",
            unit="string",
            source="reporting.day_roll_now, live",
            text=True,
        ),
        kpi(
            "today/due_today",
            "Due today, $currency",
            question="How much falls due today, as scheduled?",
            unit=MONEY,
            source="reporting.cash_days, live",
            steps=palette.MONEY,
        ),
        kpi(
            "today/collected_today",
            "Collected of it, $currency",
            question=(
                "How much of today's installments is paid so far, prepayments included? "
                "No colour: the day runs."
            ),
            unit=MONEY,
            source="reporting.cash_days, live",
            steps=palette.MONEY,
        ),
    ]


def _the_book() -> list[Panel]:
    return [
        kpi(
            "today/outstanding",
            "Outstanding principal, $currency",
            question="How big is the book? The line shows the last 30 day closes and the running day.",
            unit=MONEY,
            source="reporting.portfolio_days, closes and live",
            steps=palette.MONEY,
            decimals=2,
            sparkline=True,
            link=("Open the portfolio", PORTFOLIO),
        ),
        kpi(
            "today/par30",
            "PAR30",
            question=(
                "How much is late? Whole outstanding principal of loans more than 30 days past due ÷ all."
            ),
            unit=RATIO,
            source="reporting.portfolio_days, closes and live",
            steps=palette.PAR30,
            decimals=2,
            sparkline=True,
            link=("Open the portfolio", PORTFOLIO),
        ),
    ]


def _lateness() -> list[Panel]:
    return [
        kpi(
            "today/newly_missed",
            "Missed yesterday",
            question="How many installments of the last closed day were not met in time?",
            unit=COUNT,
            source="reporting.cash_days, live",
        ),
        kpi(
            "today/rolled_past_30",
            "Rolled past 30 days",
            question="How many loans passed 30 days past due with this business day?",
            unit=COUNT,
            source="reporting.past_due_now, each minute",
            steps=palette.ANY_IS_HIGH,
        ),
    ]


def _cash_to_place() -> list[Panel]:
    return [
        kpi(
            "today/unapplied_cash",
            "Unapplied cash, $currency",
            question="How much was paid that counts nowhere yet (loan unknown, wrong currency, dated ahead)?",
            unit=MONEY,
            source="reporting.unapplied_now, live",
            steps=palette.ANY_IS_WATCH,
        ),
        kpi(
            "today/returned_today",
            "Returned today, $currency",
            question="How much of what was paid came back today?",
            unit=MONEY,
            source="reporting.returned_today, live",
            steps=palette.ANY_IS_WATCH,
        ),
    ]


def _stream() -> list[Panel]:
    return [
        kpi(
            "today/unacknowledged_alerts",
            "Alerts to acknowledge",
            question="How many alerts has nobody taken? INFO and those opened with history are left out.",
            unit=COUNT,
            source="reporting.open_alerts, live; ranked each minute",
            steps=palette.ANY_IS_HIGH,
        ),
        kpi(
            "today/payments_per_minute",
            "Payments a minute",
            question=(
                "Is the stream alive? Payments taken in, minute by minute; "
                "the last full or running minute counts."
            ),
            unit=COUNT,
            source="reporting.cash_minute_now, live",
            steps=palette.MONEY,
            sparkline=True,
            time_series=True,
        ),
    ]


def _pictures() -> list[Panel]:
    return [
        stacked_bars(
            "today/due_and_cash",
            "Due and paid, 14 business days, $currency",
            question=(
                "Does the money come in as planned? "
                "Due that day, what of it was paid by its close, and all cash."
            ),
            unit=MONEY,
            source="reporting.cash_days, live",
            x="day",
            series=(
                Column(name="Due", properties=(fixed(palette.GREY),)),
                Column(name="Collected in time", properties=(fixed(palette.GREEN),)),
                Column(name="All cash", properties=(fixed(palette.BLUE),)),
            ),
            width=12,
        ),
        live(
            "today/cash_coming_in",
            "Cash coming in, $currency a minute",
            question="What is coming in right now, by the minute we took it in?",
            unit=MONEY,
            source="reporting.cash_minute_now, live",
            series=(Column(name="Cash taken in", properties=(fixed(palette.BLUE),)),),
        ),
    ]


def _branches() -> list[Panel]:
    return [
        drill_table(
            "today/branches",
            "Branches today, $currency",
            question="Where does today's money come in, where was yesterday's missed, who rolled past 30?",
            unit=COUNT,
            source="reporting.cash_days and unapplied_now, live; past_due_now, each minute",
            columns=(
                Column(name="Branch", properties=(TO_BRANCH,)),
                Column(name="Due today", properties=unit_of(EXACT, 0)),
                Column(name="Collected", properties=unit_of(EXACT, 0)),
                Column(
                    name="Share",
                    properties=(*unit_of(RATIO, 0), ("min", 0), ("max", 1), *levels(palette.MONEY, "gauge")),
                ),
                Column(name="Past 30", properties=levels(palette.ANY_IS_HIGH)),
                Column(name="Unapplied", properties=(*unit_of(EXACT, 0), *levels(palette.ANY_IS_WATCH))),
            ),
            width=12,
        ),
    ]


def _alerts() -> list[Panel]:
    return [
        drill_table(
            "today/open_alerts",
            "Open alerts",
            question="Which loans raised a hand, and since when? The heaviest first.",
            unit=COUNT,
            source="reporting.open_alerts, live; ranked each minute",
            columns=(
                Column(name="Severity", properties=words(SEVERITIES)),
                Column(name="Loan", properties=(TO_LOAN,)),
                Column(name="DPD", properties=levels(palette.DPD)),
                Column(name="Overdue", properties=unit_of(EXACT, 2)),
            ),
            width=12,
            empty="No alert is open",
        ),
    ]
