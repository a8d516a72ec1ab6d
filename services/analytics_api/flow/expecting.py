"""The expected credit loss: probabilities from moves between month ends, times what is exposed and lost."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Decimal
from fractions import Fraction
from typing import Any

from analytics_api.flow.exposures import STAGES
from analytics_api.flow.figures import ratio
from analytics_api.flow.rolling import BUCKETS, PLACES
from analytics_api.schemas.losses import MonthlyMove, StageLoss
from analytics_api.schemas.parts import money
from analytics_api.store import Row
from loanbook.domain.portfolio import LossAssumptions, Matrix, Ratio, marginal_default_probabilities
from loanbook.domain.state import DelinquencyBucket

YEAR_MONTHS = 12
_PLACES = (*(bucket.name for bucket in DelinquencyBucket), "CLOSED", "CHARGED_OFF", "WRITTEN_OFF")


def matrix_of(rows: Sequence[Row]) -> Matrix:
    """The monthly transition matrix by count, of moves by bucket and place."""
    counts = {(row["bucket"], row["place"]): row["loans"] for row in rows}
    matrix: Matrix = {}
    for bucket in DelinquencyBucket:
        moved = [counts.get((int(bucket), place), 0) for place in range(len(_PLACES))]
        matrix[bucket.name] = {
            name: Ratio(numerator=count, denominator=sum(moved))
            for name, count in zip(_PLACES, moved, strict=True)
        }
    return matrix


@dataclass(frozen=True, slots=True, kw_only=True)
class Probabilities:
    """Of falling into default in each coming month, by bucket."""

    marginal: tuple[tuple[Decimal, ...], ...]

    @classmethod
    def of(cls, assumptions: LossAssumptions, months: int) -> Probabilities:
        """From powers of the monthly matrix."""
        return cls(
            marginal=tuple(
                tuple(_decimal(part) for part in marginal_default_probabilities(bucket, assumptions, months))
                for bucket in DelinquencyBucket
            )
        )

    def within(self, bucket: int, months: int) -> Decimal:
        """Of default within so many months."""
        return sum(self.marginal[bucket][:months], Decimal(0))


def moves_shown(assumptions: LossAssumptions, chances: Probabilities) -> list[MonthlyMove]:
    """The matrix, as the answer shows it."""
    shown = []
    for number, (name, bucket) in enumerate(zip(BUCKETS, DelinquencyBucket, strict=True)):
        row = list(assumptions.monthly[bucket.name].values())
        is_default = bucket >= assumptions.default_from
        shown.append(
            MonthlyMove(
                bucket=name,
                loans=row[0].denominator,
                to={
                    place: ratio(part.numerator, part.denominator)
                    for place, part in zip(PLACES, row, strict=True)
                },
                default_probability_12m=1.0
                if is_default
                else round(float(chances.within(number, YEAR_MONTHS)), 6),
            )
        )
    return shown


def losses_of(
    exposures: Sequence[Row],
    declining: Sequence[Row],
    assumptions: LossAssumptions,
    chances: Probabilities,
    currency: str,
) -> dict[str, Any]:
    """The stages of an ExpectedCreditLoss and their sums; each stage's loss is rounded once, half to even."""
    severity = _decimal(assumptions.loss_given_default)
    losses = {1: Decimal(0), 2: Decimal(0), 3: Decimal(0)}
    weighted = dict(losses)
    for row in exposures:
        months = min(row["months"], YEAR_MONTHS) if row["stage"] == 1 else row["months"]
        certain = row["stage"] == 3  # noqa: PLR2004 - the standard's own number
        chance = Decimal(1) if certain else chances.within(row["bucket"], months)
        weighted[row["stage"]] += chance * row["exposure_minor"]
    losses[1], losses[3] = weighted[1] * severity, weighted[3] * severity
    monthly_rate = _decimal(assumptions.annual_discount_rate / YEAR_MONTHS)
    for row in declining:
        chance = chances.marginal[row["bucket"]][row["month"] - 1]
        losses[2] += chance * severity * row["exposure_minor"] / (1 + monthly_rate) ** row["month"]
    rounded = {stage: int(loss.quantize(Decimal(1), ROUND_HALF_EVEN)) for stage, loss in losses.items()}
    exposed = sum(row["exposure_minor"] for row in exposures)
    return {
        "stages": [
            _stage(stage, [row for row in exposures if row["stage"] == stage], weighted, rounded, currency)
            for stage in STAGES
        ],
        "loans": sum(row["loans"] for row in exposures),
        "exposure": money(exposed, currency),
        "expected_loss": money(sum(rounded.values()), currency),
        "coverage": ratio(sum(rounded.values()), exposed),
    }


def _stage(
    stage: Any,  # noqa: ANN401 - one of STAGES
    rows: Sequence[Row],
    weighted: dict[int, Decimal],
    losses: dict[int, int],
    currency: str,
) -> StageLoss:
    exposed = sum(row["exposure_minor"] for row in rows)
    return StageLoss(
        stage=stage,
        loans=sum(row["loans"] for row in rows),
        exposure=money(exposed, currency),
        default_probability=round(float(weighted[stage] / exposed), 6) if exposed else None,
        expected_loss=money(losses[stage], currency),
        coverage=ratio(losses[stage], exposed),
    )


def _decimal(exact: Fraction) -> Decimal:
    return Decimal(exact.numerator) / Decimal(exact.denominator)
