"""Alert episodes, and the acknowledgement of one."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from analytics_api.schemas.parts import Money, Page, Schema

SeverityName = Literal["INFO", "WATCH", "HIGH", "CRITICAL"]


class Alert(Schema):
    """One episode: from the moment a condition held until it no longer did."""

    id: int
    book: str
    rule: str
    severity: SeverityName
    state: Literal["open", "acknowledged", "in_progress", "resolved", "withdrawn"]
    baseline: Annotated[bool, Field(description="Opened in silence while history was loading.")]
    loan_id: str | None
    region: str
    branch: str
    product: str
    opened_on: date
    opened_at: datetime
    escalated_at: datetime | None
    closed_on: date | None
    closed_at: datetime | None
    close_reason: str | None
    days_past_due: Annotated[int | None, Field(description="Now; null for alerts about a branch.")]
    overdue: Annotated[Money | None, Field(description="Now.")]
    principal_outstanding: Annotated[Money | None, Field(description="Now.")]
    assignee: str | None
    acknowledged_by: str | None
    acknowledged_at: datetime | None
    acknowledge_note: str | None
    useful: bool | None
    snapshot: Annotated[dict[str, Any], Field(description="State and reasons at the opening.")]


class AlertList(Schema):
    """A page of alert episodes."""

    page: Page
    items: list[Alert]
    read_at: datetime


class Acknowledgement(BaseModel):
    """Who looks after an alert."""

    model_config = ConfigDict(
        extra="forbid",
        str_strip_whitespace=True,
        json_schema_extra={"examples": [{"by": "a.musa", "note": "Called; pays on Friday.", "useful": True}]},
    )

    by: Annotated[
        str,
        Field(
            min_length=1, max_length=100, pattern=r"^[^\x00-\x1f\x7f]+$", description="Who looks after it."
        ),
    ]
    note: Annotated[str | None, Field(max_length=2000, pattern=r"^[^\x00]*$")] = None
    useful: Annotated[bool | None, Field(description="Was the alert worth raising?")] = None
