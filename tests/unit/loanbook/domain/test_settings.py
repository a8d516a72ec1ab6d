"""Product settings come as JSON rows; what cannot be read is named."""

from __future__ import annotations

from typing import Any

import pytest

from loanbook.domain.errors import InvalidSettingsError
from loanbook.domain.settings import (
    STEP_NAMES,
    AllocationOrder,
    Component,
    FutureRule,
    Processing,
    ProductSettings,
    Timing,
)


def test_nothing_given_means_oldest_first_penalties_fees_interest_principal() -> None:
    settings = ProductSettings.from_json({})
    assert settings == ProductSettings()
    components = [part for timing, part in settings.allocation.steps if timing is Timing.PAST_DUE]
    assert components == [Component.PENALTY, Component.FEE, Component.INTEREST, Component.PRINCIPAL]
    assert (settings.allocation.processing, settings.allocation.future_rule) == ("horizontal", "next")
    assert settings.bucket_edges == (30, 60, 90)


def test_settings_are_read_whole() -> None:
    order = {"order": sorted(STEP_NAMES), "future_rule": "last", "processing": "vertical"}
    settings = ProductSettings.from_json(
        {
            "allocation": order,
            "allocation_by_kind": {"goodwill": {"future_rule": "reamortize"}},
            "chargeback_order": ["interest", "principal"],
            "grace_days": 3,
            "pause_counts": True,
            "bucket_edges": [7, 15, 30],
        }
    )
    assert settings.allocation.steps == tuple(STEP_NAMES[name] for name in sorted(STEP_NAMES))
    assert settings.allocation_for("repayment").processing is Processing.VERTICAL
    assert settings.allocation_for("goodwill") == AllocationOrder(future_rule=FutureRule.REAMORTIZE)
    assert settings.chargeback_order == (Component.INTEREST, Component.PRINCIPAL)
    assert (settings.grace_days, settings.pause_counts, settings.bucket_edges) == (3, True, (7, 15, 30))


@pytest.mark.parametrize(
    ("data", "field"),
    [
        ({"grace": 3}, "grace"),
        ({"grace_days": "3"}, "grace_days"),
        ({"grace_days": True}, "grace_days"),
        ({"grace_days": -1}, "grace_days"),
        ({"grace_days": 1.5}, "grace_days"),
        ({"pause_counts": 1}, "pause_counts"),
        ({"bucket_edges": [30, 60]}, "bucket_edges"),
        ({"bucket_edges": [60, 30, 90]}, "bucket_edges"),
        ({"bucket_edges": [0, 30, 60]}, "bucket_edges"),
        ({"allocation": []}, "allocation"),
        ({"allocation": {"rule": "next"}}, "allocation"),
        ({"allocation": {"future_rule": "soon"}}, "allocation"),
        ({"allocation": {"order": ["due_principle"]}}, "allocation.order"),
        ({"allocation": {"order": ["due_principal"]}}, "allocation.order"),
        ({"allocation_by_kind": {"goodwill": {"order": 3}}}, "allocation_by_kind.goodwill"),
        ({"chargeback_order": []}, "chargeback_order"),
        ({"chargeback_order": ["capital"]}, "chargeback_order"),
    ],
)
def test_what_cannot_be_read_is_named(data: dict[str, Any], field: str) -> None:
    with pytest.raises(InvalidSettingsError) as raised:
        ProductSettings.from_json(data)
    assert raised.value.field == field
    assert raised.value.reason


def test_an_order_with_a_step_missing_says_which() -> None:
    names = sorted(set(STEP_NAMES) - {"due_fee"})
    with pytest.raises(InvalidSettingsError, match="missing: due_fee"):
        ProductSettings.from_json({"allocation": {"order": names}})
