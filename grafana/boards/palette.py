"""Colours and alert levels: one meaning a colour, the same levels that the alert rules use."""

from __future__ import annotations

from itertools import pairwise

from grafana_foundation_sdk.builders import dashboard as builders
from grafana_foundation_sdk.models import dashboard as models

from scoring.thresholds import BAND_SCORE_MIN

GREEN = "#73BF69"  # current, low
YELLOW = "#EAB839"  # watch
ORANGE = "#FF9830"  # high
RED = "#F2495C"  # critical
BLUE = "#5794F2"  # money, neutral
GREY = "#8E8E99"  # the past, the plan
TEXT = "text"  # counts and neutral facts

BANDS = {"LOW": GREEN, "WATCH": YELLOW, "HIGH": ORANGE, "CRITICAL": RED}
BUCKETS = {"current": GREEN, "1-30": YELLOW, "31-60": ORANGE, "61-90": "#E0752D", "91+": RED}
PRODUCTS = (BLUE, "#B877D9", "#5AC8C8", "#F2A6C0", "#A3B18A", "#C0A36E")

Step = tuple[float | None, str]

NEUTRAL: tuple[Step, ...] = ((None, TEXT),)
MONEY: tuple[Step, ...] = ((None, BLUE),)
PAR30: tuple[Step, ...] = ((None, GREEN), (0.05, YELLOW), (0.10, RED))  # alert rule "branch PAR30"
PAR90: tuple[Step, ...] = ((None, GREEN), (0.03, YELLOW), (0.05, RED))
EFFICIENCY: tuple[Step, ...] = (
    (None, RED),
    (0.85, YELLOW),
    (0.95, GREEN),
)  # alert rule "collection efficiency"
DATA_AGE: tuple[Step, ...] = ((None, GREEN), (60, YELLOW), (300, RED))
DPD: tuple[Step, ...] = ((None, GREEN), (1, YELLOW), (31, ORANGE), (91, RED))
# The bands as the scores draw them, so that a gauge and its band never disagree.
RISK_SCORE: tuple[Step, ...] = (
    (None, GREEN),
    *((float(low), BANDS[band.name]) for band, low in sorted(BAND_SCORE_MIN.items())[1:]),
)
ANY_IS_WATCH: tuple[Step, ...] = ((None, TEXT), (0.01, YELLOW))
ANY_IS_HIGH: tuple[Step, ...] = ((None, TEXT), (1, ORANGE))
ANY_IS_FAULT: tuple[Step, ...] = ((None, GREEN), (1, RED))
NONE_IS_GOOD: tuple[Step, ...] = ((None, GREEN), (1, ORANGE))
TABLE_AGE: tuple[Step, ...] = ((None, GREEN), (180, YELLOW), (600, RED))  # made each minute
VERIFICATION_AGE: tuple[Step, ...] = ((None, GREEN), (86_400, YELLOW))
UNCONFIRMED: tuple[Step, ...] = (
    (None, GREEN),
    (36, YELLOW),
)  # days; as ANALYTICS_STALE_AFTER is set by default
WORSENING: tuple[Step, ...] = ((None, GREEN), (0.0005, TEXT), (0.005, ORANGE), (0.02, RED))


def heat(color: str) -> tuple[Step, ...]:
    """Shades of a share: the more, the stronger."""
    return ((None, "transparent"), (0.02, f"{color}33"), (0.05, f"{color}66"), (0.10, f"{color}B3"))


def thresholds(steps: tuple[Step, ...]) -> builders.ThresholdsConfig:
    """Absolute thresholds; raises ValueError unless they rise."""
    values = [value for value, _ in steps[1:]]
    if steps[0][0] is not None or any(
        low is None or high is None or low >= high for low, high in pairwise(values)
    ):
        msg = f"thresholds start open and rise: {steps}"
        raise ValueError(msg)
    config = builders.ThresholdsConfig().mode(models.ThresholdsMode.ABSOLUTE)
    return config.steps([models.Threshold(value=value, color=color) for value, color in steps])


def named_colors(colors: dict[str, str]) -> list[models.ValueMapping]:
    """Value mappings that colour words: the text stays, for those who do not tell the colours apart."""
    options = {
        word: models.ValueMappingResult(text=word, color=color, index=index)
        for index, (word, color) in enumerate(colors.items())
    }
    return [models.ValueMap(options=options)]


def leading_word_colors(colors: dict[str, str]) -> list[models.ValueMapping]:
    """Colours by the first word of a text, which stays as it is."""
    return [
        models.RegexMap(
            options=models.DashboardRegexMapOptions(
                pattern=f"^({word} .*)$",
                result=models.ValueMappingResult(text="$1", color=color, index=index),
            )
        )
        for index, (word, color) in enumerate(colors.items())
    ]
