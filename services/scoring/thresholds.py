"""Bands, alert levels and strategy edges: the one table of settings that rules, alerts and boards share."""

from __future__ import annotations

from enum import IntEnum, StrEnum


class RiskBand(IntEnum):
    """Class of the risk score; the numbers are stored and ordered."""

    LOW = 0
    WATCH = 1
    HIGH = 2
    CRITICAL = 3


class Severity(IntEnum):
    """How loud an alert is; the numbers are stored and ordered."""

    INFO = 0  # in the digest and on boards; nobody is called
    WATCH = 1
    HIGH = 2
    CRITICAL = 3


class Strategy(StrEnum):
    """What collections are advised to do."""

    NONE = "none"
    REMIND = "reminders_and_monitoring"
    SETTLE = "settlement_and_repayment_plan"
    LEGAL = "legal_notice_and_field_recovery"


# Lowest risk_score of each band: the book's average risk is 50, each 10 points double the odds.
BAND_SCORE_MIN: dict[RiskBand, int] = {
    RiskBand.LOW: 0,
    RiskBand.WATCH: 50,
    RiskBand.HIGH: 65,
    RiskBand.CRITICAL: 90,
}

# An episode of the rule "days past due" opens above the first and escalates above the others.
PAST_DUE_LEVELS: tuple[tuple[int, Severity], ...] = (
    (7, Severity.INFO),
    (30, Severity.WATCH),
    (60, Severity.HIGH),
    (90, Severity.CRITICAL),
)
LEAVE_AFTER_CLOSES = 3  # closes of business days at DPD 0
RELAPSE_WITHIN_DAYS = 7

STAGE_2_OVER_DAYS = 30
STAGE_3_FROM_DAYS = 90  # IFRS 9 B5.5.37; "over 90" is the prudential rule
RESTRUCTURE_WATCH_DAYS = 365

SETTLE_FROM_PROBABILITY = 0.50
LEGAL_OVER_PROBABILITY = 0.75
LEGAL_OVER_DAYS = 60

HISTORY_STEP = 0.02  # a change of probability that enters the history
