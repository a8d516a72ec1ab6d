"""Alert episodes, and the one thing this API may write: who looks after one."""

from __future__ import annotations

from typing import Annotated

import structlog
from fastapi import APIRouter, Path, Query
from pydantic import Field

from analytics_api.errors import ConflictError, NotFoundError
from analytics_api.flow.figures import SEVERITY_NAMES
from analytics_api.routes.alert_parts import alert_of
from analytics_api.routes.wiring import PROBLEMS, Admitted, AppParts, BookFilter, Limit, Name, Offset
from analytics_api.schemas.alerts import Acknowledgement, Alert, AlertList, SeverityName
from analytics_api.schemas.parts import Problem, page_of
from analytics_api.store import AlertQuery

router = APIRouter(prefix="/v1", tags=["alerts"], responses=PROBLEMS)
log = structlog.get_logger()
_CLOSED = ("resolved", "withdrawn")
_ID_MAX = 2**63 - 1


class AlertFilter(BookFilter):
    """Which episodes, and which page of them."""

    open: Annotated[bool, Field(description="Only those that are not closed.")] = True
    rule: Name | None = None
    severity_min: SeverityName | None = None
    branch: Name | None = None
    loan_id: Name | None = None
    baseline: Annotated[bool, Field(description="Those too that opened while history was loading.")] = False
    limit: Limit = 50
    offset: Offset = 0


@router.get("/alerts", summary="Alert episodes, the severest first")
async def get_alerts(parts: AppParts, _: Admitted, wanted: Annotated[AlertFilter, Query()]) -> AlertList:
    """A page of alert episodes with where their loans stand now."""
    severity = wanted.severity_min
    query = AlertQuery(
        book=wanted.book,
        open_only=wanted.open,
        rule=wanted.rule,
        severity_min=None if severity is None else SEVERITY_NAMES.index(severity),
        branch=wanted.branch,
        loan_id=wanted.loan_id,
        baseline=wanted.baseline,
        limit=wanted.limit,
        offset=wanted.offset,
    )
    async with parts.store.reading() as reading:
        rows = await reading.fetch_alerts(query)
    total = rows[0]["total"] if rows else 0
    return AlertList(
        page=page_of(total, wanted.limit, wanted.offset),
        items=[alert_of(row) for row in rows],
        read_at=parts.clock(),
    )


@router.post(
    "/alerts/{alert_id}/acknowledge",
    summary="Look after an alert",
    responses={409: {"model": Problem, "description": "Closed, or looked after by someone else."}},
)
async def acknowledge_alert(
    parts: AppParts,
    caller: Admitted,
    alert_id: Annotated[int, Path(ge=1, le=_ID_MAX)],
    said: Acknowledgement,
) -> Alert:
    """Note who looks after an open episode; the same again by the same person changes note and verdict only.

    A closed episode takes only the verdict `useful`.
    """
    async with parts.store.writing() as writing:
        done = await writing.acknowledge_alert(
            alert_id, by=said.by, note=said.note, useful=said.useful, at=parts.clock()
        )
        row = await writing.fetch_alert(alert_id)
        if row is None:
            raise NotFoundError.of("alert_id", f"there is no alert {alert_id}")
        if not done:
            raise ConflictError(_why_not(row["state"], row["acknowledged_by"]))
    log.info("alert_acknowledged", key_id=caller.key_id, alert_id=alert_id)
    return alert_of(row)


def _why_not(state: str, acknowledged_by: str | None) -> str:
    if state in _CLOSED:
        return f"the alert is {state}; only `useful` can still be said"
    return f"{acknowledged_by} looks after this alert already"
