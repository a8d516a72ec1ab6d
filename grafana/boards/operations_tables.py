"""The tables of lp-operations: where events went, what was verified and reconciled, what waits and why."""

from __future__ import annotations

from grafana.boards import palette
from grafana.boards.panels import (
    COUNT,
    DAYS,
    EXACT,
    MONEY,
    RATIO,
    SECONDS,
    Column,
    Panel,
    drill_table,
    fixed,
    leads_to,
    levels,
    stacked_bars,
    unit_of,
    words,
)

TO_LOAN = leads_to("Open the loan", "/d/lp-loan?var-book=${book}&var-loan=${__data.fields.Loan}")
STATES = {"reading": palette.GREEN, "catching up": palette.YELLOW}


def flow_tables() -> list[Panel]:
    """Where every event went, and the runs of verify."""
    return [
        drill_table(
            "operations/fates",
            "Where every event went",
            question="What became of all that was received? The rows add up to the last one. Of all books.",
            unit=COUNT,
            source="reporting.event_fates, live",
            columns=(
                Column(
                    name="Share",
                    properties=(*unit_of(RATIO, 1), ("min", 0), ("max", 1), *levels(palette.MONEY, "gauge")),
                ),
            ),
            width=10,
            height=9,
        ),
        drill_table(
            "operations/verifications",
            "Verification",
            question="What did the last loanpulse verify look at, how much of it, and what did it find?",
            unit=COUNT,
            source="reporting.verification_last, live",
            columns=(
                Column(name="Age", properties=(*unit_of(SECONDS, 0), *levels(palette.VERIFICATION_AGE))),
                Column(name="Differences", properties=levels(palette.NONE_IS_GOOD)),
            ),
            width=14,
            height=9,
            empty="loanpulse verify has never run",
        ),
    ]


def trust_tables() -> list[Panel]:
    """Upstream's statements beside our figures, and the loans that nobody vouches for."""
    return [*_reconciliation(), *_stale()]


def _reconciliation() -> list[Panel]:
    return [
        drill_table(
            "operations/reconciliation",
            "Reconciliation",
            question="How far do upstream's latest statements agree with our figures?",
            unit=COUNT,
            source="reporting.reconciliation, each minute",
            columns=(),
            width=6,
            height=9,
        ),
        drill_table(
            "operations/worst_drifts",
            "Drifting loans, $currency, the worst by principal",
            question="Which loans differ from what upstream states, in what, and by how much?",
            unit=COUNT,
            source="reporting.loan_drift, each minute",
            columns=(
                Column(name="Loan", properties=(TO_LOAN,)),
                Column(name="Age", properties=unit_of(DAYS)),
                *(
                    Column(name=name, properties=unit_of(EXACT, 2))
                    for name in ("Principal stated", "Principal ours", "Overdue stated", "Overdue ours")
                ),
                Column(
                    name="Difference",
                    properties=(
                        *unit_of(EXACT, 2),
                        fixed(palette.ORANGE),
                        ("custom.cellOptions", {"type": "color-text"}),
                    ),
                ),
            ),
            width=18,
            height=9,
            empty="No loan drifts",
        ),
    ]


def _stale() -> list[Panel]:
    return [
        stacked_bars(
            "operations/bucket_split",
            "Principal by days past due, stale loans apart, $currency",
            question="How much of the principal does nobody vouch for? The bars sum to the whole.",
            unit=MONEY,
            source="reporting.bucket_split, live; stale loans each minute",
            x="bucket",
            series=(Column(name="principal", properties=(fixed(palette.BLUE),)),),
            width=10,
            height=6,
        ),
        drill_table(
            "operations/stale_reasons",
            "Stale loans, $currency",
            question="Why does nobody vouch for them? Each loan under its first reason.",
            unit=COUNT,
            source="reporting.stale_now, each minute",
            columns=(
                Column(name="Loans", properties=levels(palette.NONE_IS_GOOD)),
                Column(name="Principal", properties=unit_of(EXACT, 2)),
            ),
            width=14,
            height=6,
        ),
    ]


def stream_tables() -> list[Panel]:
    """What does not count and why, and the parts of the stream one by one."""
    return [*_what_does_not_count(), *_parts()]


def _what_does_not_count() -> list[Panel]:
    return [
        drill_table(
            "operations/unapplied_reasons",
            "Unapplied events, $currency",
            question="Why do events that are kept not count yet, and how much money is in them?",
            unit=COUNT,
            source="reporting.unapplied_now, live",
            columns=(Column(name="Amount", properties=unit_of(EXACT, 2)),),
            width=8,
            height=6,
            empty="Every event counts",
        ),
        drill_table(
            "operations/dead_letter_reasons",
            "Dead letters by reason",
            question="Why could messages not be taken, and how long do they wait? Of all books.",
            unit=COUNT,
            source="reporting.dead_letters_now, live",
            columns=(Column(name="To approve", properties=levels(palette.ANY_IS_WATCH)),),
            width=8,
            height=6,
            empty="No dead letter is open",
        ),
        drill_table(
            "operations/quarantine",
            "Loans in quarantine",
            question="Of which loans did the fold fail, and why?",
            unit=COUNT,
            source="reporting.quarantined_loans, live",
            columns=(Column(name="Loan", properties=(TO_LOAN,)),),
            width=8,
            height=6,
            empty="No loan is in quarantine",
        ),
    ]


def _parts() -> list[Panel]:
    return [
        drill_table(
            "operations/business_days",
            "Business days",
            question="Where does each book stand, and of the 16 slices how many are closed or rolled?",
            unit=COUNT,
            source="reporting.day_roll_now, live",
            columns=(),
            width=8,
            height=8,
        ),
        drill_table(
            "operations/partitions",
            "Partitions, the furthest behind first",
            question="Which partition is behind or stopped, and who reads it?",
            unit=COUNT,
            source="reporting.partitions_now, live",
            columns=(
                Column(name="Data age", properties=(*unit_of(SECONDS, 0), *levels(palette.DATA_AGE))),
                Column(name="State", properties=words(STATES)),
            ),
            width=9,
            height=8,
            empty="Nothing has been read yet",
        ),
        drill_table(
            "operations/tables",
            "Tables of the refresh, the oldest first",
            question="How old is each table that boards read, and how long does it take to make?",
            unit=COUNT,
            source="reporting.marts_now, live",
            columns=(
                Column(name="Age", properties=(*unit_of(SECONDS, 0), *levels(palette.TABLE_AGE))),
                Column(name="Took", properties=unit_of(SECONDS, 2)),
            ),
            width=7,
            height=8,
            empty="The refresh has never run",
        ),
    ]
