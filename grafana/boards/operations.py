"""lp-operations: can the figures be trusted? How fresh, verified and reconciled, what does not count."""

from __future__ import annotations

from grafana.boards import palette, variables
from grafana.boards.board import BoardSpec
from grafana.boards.operations_tables import flow_tables, stream_tables, trust_tables
from grafana.boards.panels import COUNT, DAYS, MONEY, SECONDS, Column, Panel, data_age, fixed, kpi, live

VERIFIED = {"exact,": palette.GREEN, "old:": palette.YELLOW, "never": palette.YELLOW, "differs": palette.RED}
OPERATIONS = "/d/lp-operations?var-book=${book}&var-currency=${currency}"


def board() -> BoardSpec:
    """The board."""
    return BoardSpec(
        uid="lp-operations",
        title="Operations",
        description="Can the figures be trusted: how fresh, verified and reconciled; what does not count.",
        tags=["operations"],
        since="now-1h",
        variables=[variables.book(), variables.currency()],
        panels=[
            *_fresh_and_verified(),
            *_vouched_for(),
            *_what_waits(),
            *_what_does_not_count(),
            *_flow(),
            *flow_tables(),
            *trust_tables(),
            *stream_tables(),
        ],
    )


def _fresh_and_verified() -> list[Panel]:
    return [
        data_age("operations"),
        kpi(
            "operations/business_day",
            "Business day",
            question="Which day of the book is running, and how far has its roll come?",
            unit="string",
            source="reporting.day_roll_now, live",
            text=True,
        ),
        kpi(
            "operations/verified",
            "Last verification",
            question="Did the last `loanpulse verify` find all as the ledger has it? Amber: over a day ago.",
            unit="string",
            source="reporting.verification_last, live",
            text=True,
            mappings=palette.leading_word_colors(VERIFIED),
        ),
        kpi(
            "operations/unaccounted",
            "Events unaccounted for",
            question="Is received = applied + unapplied + quarantined + duplicate + dead + other? 0: yes.",
            unit=COUNT,
            source="reporting.event_fates, live",
            steps=palette.ANY_IS_FAULT,
        ),
    ]


def _vouched_for() -> list[Panel]:
    return [
        kpi(
            "operations/drifting",
            "Drifting loans",
            question="Of how many loans does upstream's latest statement differ from our figures at its day?",
            unit=COUNT,
            source="reporting.reconciliation, each minute",
            steps=palette.NONE_IS_GOOD,
            empty="no statements",
        ),
        kpi(
            "operations/stale",
            "Stale loans",
            question="For how many active loans does nobody vouch: not rolled, drifting, or long unheard of?",
            unit=COUNT,
            source="reporting.stale_now, each minute",
            steps=palette.NONE_IS_GOOD,
        ),
    ]


def _what_waits() -> list[Panel]:
    return [
        kpi(
            "operations/oldest_unconfirmed",
            "Oldest unconfirmed",
            question="How long has a running loan gone without a statement, or since its last one?",
            unit=DAYS,
            source="reporting.reconciliation, each minute",
            steps=palette.UNCONFIRMED,
            empty="no statements",
        ),
        kpi(
            "operations/restating",
            "Loans to restate",
            question="How many loans wait for their past days to be told anew after a backdated event?",
            unit=COUNT,
            source="reporting.restating, live",
            steps=palette.ANY_IS_WATCH,
        ),
        kpi(
            "operations/oldest_table",
            "Oldest table",
            question="How old is the oldest table of the refresh?",
            unit=SECONDS,
            source="reporting.marts_now, live",
            steps=palette.TABLE_AGE,
            decimals=0,
            empty="never made",
        ),
    ]


def _what_does_not_count() -> list[Panel]:
    return [
        kpi(
            "operations/unapplied",
            "Unapplied, $currency",
            question="How much money is in events that are kept and do not count yet?",
            unit=MONEY,
            source="reporting.unapplied_now, live",
            steps=palette.ANY_IS_WATCH,
        ),
        kpi(
            "operations/dead_letters",
            "Dead letters open",
            question="How many messages could not be taken and were not sent again corrected? Of all books.",
            unit=COUNT,
            source="reporting.dead_letters_now, live",
            steps=palette.ANY_IS_HIGH,
        ),
        kpi(
            "operations/quarantined",
            "Loans in quarantine",
            question="Of how many did the fold fail? Their events are kept and count nothing meanwhile.",
            unit=COUNT,
            source="reporting.quarantined_loans, live",
            steps=palette.ANY_IS_FAULT,
        ),
    ]


def _flow() -> list[Panel]:
    return [
        live(
            "operations/flow_per_minute",
            "Events and scores a minute",
            question="Does the stream flow? Events taken in, loans scored, dead letters, by the minute.",
            unit=COUNT,
            source="reporting.pipeline, each minute",
            series=(
                Column(name="Events", properties=(fixed(palette.BLUE),)),
                Column(name="Scores", properties=(fixed(palette.GREEN),)),
                Column(name="Dead letters", properties=(fixed(palette.RED),)),
            ),
            width=8,
        ),
        live(
            "operations/lag_per_minute",
            "Age of the data, minute by minute",
            question="Has the partition furthest behind kept up, or when did it not?",
            unit=SECONDS,
            source="reporting.pipeline, each minute",
            series=(Column(name="Data age", properties=(fixed(palette.BLUE),)),),
            width=8,
        ),
        live(
            "operations/waiting_per_minute",
            "What waits, minute by minute",
            question="Do backlogs grow: loans to score, to restate, notices, alerts to send?",
            unit=COUNT,
            source="reporting.pipeline, each minute",
            series=(
                Column(name="To score", properties=(fixed(palette.BLUE),)),
                Column(name="To restate", properties=(fixed(palette.YELLOW),)),
                Column(name="Notices", properties=(fixed(palette.GREY),)),
                Column(name="Alerts", properties=(fixed(palette.ORANGE),)),
            ),
            width=8,
        ),
    ]
