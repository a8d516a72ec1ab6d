"""Small decisions of the routes: days, examples, fields of problems, what a refresh does."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from pydantic import BaseModel

from analytics_api.refresh import RefreshPlan, marts_at
from analytics_api.routes.description import EXAMPLES, example
from analytics_api.routes.portfolio import month_before
from analytics_api.routes.problems import _field
from analytics_api.schemas.alerts import Alert, AlertList
from analytics_api.schemas.cohorts import FirstPaymentDefaults, Vintages
from analytics_api.schemas.collection import Collection, Punctuality, Resolution, WriteOffs
from analytics_api.schemas.cures import Cures, MissedRollRates
from analytics_api.schemas.loans import LoanDetail, LoanList
from analytics_api.schemas.losses import Concentration, ExpectedCreditLoss, Provisions, Stages
from analytics_api.schemas.measures import RollRates
from analytics_api.schemas.operations import DeadLetterList, Freshness, UnappliedList
from analytics_api.schemas.parts import page_of
from analytics_api.schemas.portfolio import Breakdown, Portfolio
from analytics_api.schemas.reconciliation import Reconciliation
from analytics_api.schemas.segments import Segments

ANSWERS: dict[str, type[BaseModel]] = {
    "portfolio": Portfolio,
    "branches": Breakdown,
    "regions": Breakdown,
    "products": Breakdown,
    "segments": Segments,
    "roll_rates": RollRates,
    "vintages": Vintages,
    "first_payment_default": FirstPaymentDefaults,
    "concentration": Concentration,
    "provisions": Provisions,
    "stages": Stages,
    "expected_credit_loss": ExpectedCreditLoss,
    "missed_roll_rates": MissedRollRates,
    "cures": Cures,
    "collection": Collection,
    "punctuality": Punctuality,
    "resolution": Resolution,
    "write_offs": WriteOffs,
    "loans": LoanList,
    "loan": LoanDetail,
    "alerts": AlertList,
    "alert": Alert,
    "unapplied": UnappliedList,
    "dead_letters": DeadLetterList,
    "freshness": Freshness,
    "reconciliation": Reconciliation,
}


@pytest.mark.parametrize("name", sorted(EXAMPLES.values()))
def test_every_example_is_an_answer_the_api_could_give(name: str) -> None:
    stored = example(name)
    answer = ANSWERS[name].model_validate(stored)
    assert answer.model_dump(mode="json") == stored


@pytest.mark.parametrize(
    ("day", "before"),
    [
        (date(2024, 3, 31), date(2024, 2, 29)),
        (date(2024, 1, 15), date(2023, 12, 15)),
        (date(2024, 12, 1), date(2024, 11, 1)),
    ],
)
def test_a_month_before_is_a_day_that_exists(day: date, before: date) -> None:
    assert month_before(day) == before


@pytest.mark.parametrize(
    ("location", "field"),
    [
        (("query", "as_of"), "as_of"),
        (("body", "by"), "by"),
        (("query", "bucket", 0), "bucket.0"),
        (("body",), "body"),
        (("body", 12), "12"),
    ],
)
def test_a_problem_names_the_field_as_the_asker_does(location: tuple[int | str, ...], field: str) -> None:
    assert _field(location) == field


@pytest.mark.parametrize(
    ("total", "limit", "offset", "following"),
    [(10, 5, 0, 5), (10, 5, 5, None), (0, 5, 0, None), (11, 5, 5, 10)],
)
def test_the_last_page_has_no_next(total: int, limit: int, offset: int, following: int | None) -> None:
    assert page_of(total, limit, offset).next_offset == following


def test_a_refresh_closes_the_minute_before_and_marks_the_running_one() -> None:
    now = datetime(2026, 3, 1, 12, 30, 20, tzinfo=UTC)
    statements = marts_at(now, RefreshPlan())["pipeline_minute"]
    assert [(name.split("_")[0], arguments[0].minute) for name, arguments in statements[:2]] == [
        ("close", 29),
        ("mark", 30),
    ]
    assert statements[-1] == ("trim_pipeline_minutes", (now - timedelta(days=8),))
