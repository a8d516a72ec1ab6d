"""Settings are refused when they would send unsigned messages, and empty ones count as not given."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from scoring.settings import WorkerSettings

PARTS = {"DATABASE_URL": "postgresql://localhost/x", "KAFKA_BOOTSTRAP_SERVERS": "localhost:9092"}


def settings(monkeypatch: pytest.MonkeyPatch, **given: str) -> WorkerSettings:
    for name, value in (PARTS | given).items():
        monkeypatch.setenv(name, value)
    return WorkerSettings()  # type: ignore[call-arg]  # the environment gives them


def test_a_webhook_without_a_secret_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ValidationError, match="nothing is sent unsigned"):
        settings(monkeypatch, SCORING_WEBHOOK_URL="https://example.com/", SCORING_WEBHOOK_SECRET="")


def test_a_secret_that_is_no_base64_is_refused_and_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ValidationError) as refusal:
        settings(monkeypatch, SCORING_WEBHOOK_SECRET="whsec_x")  # noqa: S106 - of this test alone
    shown = str(refusal.value.errors(include_input=False))
    assert "webhook_secret" in shown
    assert "whsec_x" not in shown


def test_empty_variables_count_as_not_given(monkeypatch: pytest.MonkeyPatch) -> None:
    read = settings(monkeypatch, SCORING_WEBHOOK_URL="", SCORING_WEBHOOK_PREVIOUS_SECRET="", SCORING_LANES="")
    assert (read.webhook_url, read.webhook_secrets(), read.lanes) == (None, [], 3)
