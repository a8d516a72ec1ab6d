"""What receivers read about an episode: CloudEvent-like JSON without any person in it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

import msgspec

from loanbook.domain.money import format_minor
from scoring.alerts import RULE, Change, Move, Situation
from scoring.records import EpisodeRow, LoanFacts, Message
from scoring.thresholds import RiskBand, Severity

_encode = msgspec.json.Encoder().encode


def kind_of(change: Change) -> str:
    """The word for it: whoever has heard nothing yet hears that an episode was opened."""
    if change.move is Move.CLOSED:
        return str(change.state)
    if change.move is Move.ESCALATED and not change.announced_before:
        return Move.OPENED
    return str(change.move)


def is_announced(row: EpisodeRow) -> bool:
    """Whether receivers hear of it: not in silence, not below WATCH, and not the counting of days."""
    change = row.change
    return not row.silent and change.severity >= Severity.WATCH and change.move is not Move.LEAVING


def snapshot_json(situation: Situation, facts: LoanFacts) -> str:
    """The state and the reasons an episode opens with."""
    return _encode(_state(situation, facts)).decode()


def message_of(row: EpisodeRow, episode_id: int, facts: LoanFacts, *, hold: bool) -> Message:
    """The message about a change; `hold` keeps it until the posting cut-off of the next business day."""
    change = row.change
    kind = kind_of(change)
    closed = change.move is Move.CLOSED
    data: dict[str, Any] = {
        "episode_id": episode_id,
        "rule": RULE,
        "severity": change.severity.name,
        "state": change.state,
        "book": facts.book,
        "loan_id": facts.loan_id,
        "branch": facts.branch,
        **_state(row.situation, facts),
    }
    if change.close_reason is not None:
        data["close_reason"] = change.close_reason
    payload = {"type": f"alert.{kind}", "timestamp": facts.at, "data": data}
    return Message(
        episode_id=episode_id,
        loan_key=change.loan_key,
        kind=kind,
        payload=_encode(payload).decode(),
        due_at=facts.cut_off_at if hold and not closed else facts.at,
        told_only=closed,
    )


def _state(situation: Situation, facts: LoanFacts) -> dict[str, Any]:
    return {
        "as_of": situation.as_of,
        "days_past_due": situation.days_past_due,
        "past_due_on": facts.past_due_on,
        "overdue": _money(facts.overdue_minor, facts.currency),
        "principal_outstanding": _money(facts.principal_outstanding_minor, facts.currency),
        "default_probability": facts.default_probability,
        "risk_score": facts.risk_score,
        "risk_band": None if facts.band is None else RiskBand(facts.band).name,
        "model": facts.model,
        "state_version": facts.state_version,
        "reasons": facts.reasons,
    }


def _money(minor: int, currency: str) -> dict[str, str]:
    return {"amount": format_minor(minor, currency), "currency": currency}


def summary_json(book: str, as_of: date, at: datetime, episodes: Mapping[Severity, int]) -> str:
    """The one message about all episodes that opened while the history of a book was loading."""
    counts = {severity.name: episodes.get(severity, 0) for severity in Severity}
    data = {"book": book, "rule": RULE, "as_of": as_of, "open_episodes": counts}
    return _encode({"type": "alert.baseline", "timestamp": at, "data": data}).decode()


def cloud_event(delivery_id: str, payload: str) -> tuple[str, bytes]:
    """The key and the CloudEvent of a message for the topic; the key is the loan, or the book."""
    message = msgspec.json.decode(payload)
    data = message["data"]
    subject = data.get("loan_id") or data["book"]
    event = {
        "specversion": "1.0",
        "id": delivery_id,
        "source": "loanpulse/scoring",
        "type": f"risk.{message['type']}.v1",
        "subject": subject,
        "time": message["timestamp"],
        "book": data["book"],
        "datacontenttype": "application/json",
        "data": data,
    }
    return subject, _encode(event)
