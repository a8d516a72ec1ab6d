"""Who holds the portfolio, what is set aside for it, in which stage it is: from sums to figures."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any, Final, get_args

from analytics_api.flow.figures import BUCKET_NAMES, ratio
from analytics_api.schemas.losses import BucketProvision, Holder, Stage, StageNumber
from analytics_api.schemas.parts import money
from analytics_api.store import Row

STAGES: Final[tuple[StageNumber, ...]] = get_args(StageNumber)
_BPS_OF_PERCENT = 100


def concentration_of(rows: Sequence[Row], currency: str) -> dict[str, Any]:
    """The parts of a Concentration, from the largest holders with the sums over all."""
    whole = rows[0] if rows else dict.fromkeys(_WHOLE, 0)
    principal, late = whole["all_minor"], whole["all_par30_minor"]
    return {
        "holders": whole["holders"],
        "loans": whole["all_loans"],
        "principal_outstanding": money(principal, currency),
        "herfindahl": ratio(int(whole["squares"]), principal**2),
        "par30_loans": whole["all_par30_loans"],
        "par30_principal": money(late, currency),
        "par30_herfindahl": ratio(int(whole["par30_squares"]), late**2),
        "top_share": ratio(sum(row["principal_minor"] for row in rows), principal),
        "top": [_holder(row, currency) for row in rows],
    }


def provisions_of(rows: Sequence[Row], rates_bps: Sequence[int], currency: str) -> dict[str, Any]:
    """The parts of Provisions, from sums by bucket."""
    by_bucket = {row["bucket"]: row for row in rows}
    provision, late = _sum(rows, "provision_minor"), _sum(rows, "par30_minor")
    return {
        "buckets": [
            _bucket(number, by_bucket.get(number), rates_bps[number], currency)
            for number in range(len(BUCKET_NAMES))
        ],
        "loans": _sum(rows, "loans"),
        "principal_outstanding": money(_sum(rows, "principal_minor"), currency),
        "provision": money(provision, currency),
        "par30_loans": _sum(rows, "par30_loans"),
        "par30_principal": money(late, currency),
        "risk_coverage": ratio(provision, late),
    }


def stages_of(rows: Sequence[Row], currency: str) -> dict[str, Any]:
    """The parts of Stages, from sums by stage."""
    loans, principal = _sum(rows, "loans"), _sum(rows, "principal_minor")
    parts = [(stage, [row for row in rows if row["stage"] == stage]) for stage in STAGES]
    return {
        "loans": loans,
        "principal_outstanding": money(principal, currency),
        "exposure": money(_sum(rows, "exposure_minor"), currency),
        "stages": [
            Stage(
                stage=stage,
                loans=_sum(part, "loans"),
                share_of_loans=ratio(_sum(part, "loans"), loans),
                principal_outstanding=money(_sum(part, "principal_minor"), currency),
                share_of_principal=ratio(_sum(part, "principal_minor"), principal),
                exposure=money(_sum(part, "exposure_minor"), currency),
            )
            for stage, part in parts
        ],
    }


_WHOLE = (
    "holders",
    "all_loans",
    "all_minor",
    "squares",
    "all_par30_loans",
    "all_par30_minor",
    "par30_squares",
)


def _holder(row: Row, currency: str) -> Holder:
    return Holder(
        name=row["holder"],
        loans=row["loans"],
        principal_outstanding=money(row["principal_minor"], currency),
        share=ratio(row["principal_minor"], row["all_minor"]),
        par30_loans=row["par30_loans"],
        par30_principal=money(row["par30_minor"], currency),
        par30_share=ratio(row["par30_minor"], row["all_par30_minor"]),
    )


def _bucket(number: int, row: Row | None, rate_bps: int, currency: str) -> BucketProvision:
    return BucketProvision(
        bucket=BUCKET_NAMES[number],
        percent=str(Decimal(rate_bps) / _BPS_OF_PERCENT),
        loans=row["loans"] if row else 0,
        principal_outstanding=money(row["principal_minor"] if row else 0, currency),
        base=money(row["base_minor"] if row else 0, currency),
        provision=money(row["provision_minor"] if row else 0, currency),
    )


def _sum(rows: Sequence[Row], field: str) -> int:
    return sum(row[field] for row in rows)
