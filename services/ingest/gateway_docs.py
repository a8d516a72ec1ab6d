"""What the gateway says of itself in its OpenAPI document."""

from __future__ import annotations

from functools import cache
from importlib import resources
from typing import Any

from fastapi import Depends
from fastapi.security import APIKeyHeader, HTTPBearer

from ingest.contract.examples import example_event, example_reversal, wrong_event
from ingest.gateway_requests import BATCH, JSON, LINES, SINGLE

DESCRIPTION = """Takes loan events as CloudEvents 1.0 (structured JSON) and answers once they are durable.

**Answers.** Every event of a request is answered on its own: `accepted` means that all in-sync replicas of
Kafka hold it, `refused` names the field and the reason.

| status | when |
| --- | --- |
| 202 | every event accepted |
| 207 | some accepted, some refused; those with `retry` were not confirmed in time: send them again |
| 400 | none accepted: each result says why |
| 401, 403 | no key or an unknown one; a key that may not write this book |
| 413, 415, 422, 429 | too big or too many, media type, not JSON at all, too fast |
| 503 | nothing durable: Kafka is away, repeat after `Retry-After` |

Repeating is harmless: an event counts once by its `source` and `id`.
The contract of every event type is at [/v1/contract](/v1/contract) as AsyncAPI 3.
"""
_RESULT = {
    "type": "object",
    "required": ["index", "status"],
    "properties": {
        "index": {
            "type": "integer",
            "description": "Place in the request, from 0; blank lines do not count.",
        },
        "id": {"type": "string"},
        "status": {"enum": ["accepted", "refused"]},
        "field": {"type": "string", "description": "Where the fault lies, such as `data.amount`."},
        "reason": {"type": "string"},
        "retry": {"type": "boolean", "description": "The same event may be taken later."},
    },
}
_COUNTS = {
    "accepted": {"type": "integer"},
    "refused": {"type": "integer"},
    "results": {"type": "array", "items": _RESULT},
}
_ANSWER = {"type": "object", "required": ["accepted", "refused", "results"], "properties": _COUNTS}
_PROBLEM = {
    "type": "object",
    "required": ["type", "title", "status", "detail"],
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        **_COUNTS,
    },
}
_ACCEPTED = {"accepted": 1, "refused": 0, "results": [{"index": 0, "id": "T-1", "status": "accepted"}]}
_EVENT_SCHEMA = {
    "type": "object",
    "required": ["specversion", "id", "source", "type", "subject", "time", "book", "data"],
    "properties": {
        "specversion": {"const": "1.0"},
        **{name: {"type": "string"} for name in ("id", "source", "type", "subject", "time", "book")},
        "data": {"type": "object"},
    },
}


def _problem(description: str) -> dict[str, Any]:
    return {"description": description, "content": {"application/problem+json": {"schema": _PROBLEM}}}


def _answer(description: str) -> dict[str, Any]:
    return {"description": description, "content": {JSON: {"schema": _ANSWER, "example": _ACCEPTED}}}


def _request_body() -> dict[str, Any]:
    payment, reversal = example_event("payment.posted.v1"), example_reversal()
    single = {"payment": {"value": payment}, "three decimals, refused": {"value": wrong_event()}}
    array = {"type": "array", "items": _EVENT_SCHEMA}
    return {
        "required": True,
        "content": {
            SINGLE: {"schema": _EVENT_SCHEMA, "examples": single},
            BATCH: {"schema": array, "example": [payment, reversal]},
            JSON: {"schema": {"oneOf": [_EVENT_SCHEMA, array]}, "example": payment},
            LINES[0]: {"schema": {"type": "string", "description": "One event a line."}},
        },
    }


EVENTS_DOCS: dict[str, Any] = {
    "summary": "Send loan events",
    "openapi_extra": {"requestBody": _request_body()},
    # They only document: the gateway reads the headers itself, before anything else of the request.
    "dependencies": [
        Depends(HTTPBearer(auto_error=False)),
        Depends(APIKeyHeader(name="X-Api-Key", auto_error=False)),
    ],
    "responses": {
        202: _answer("Every event is durable."),
        207: _answer("Some events are durable; the others say why not."),
        400: _problem("No event was taken; each result says why."),
        401: _problem("No key, or one that is not known."),
        403: _problem("The key may not write this book."),
        413: _problem("The body or the number of events is over the limit."),
        415: _problem("The media type is not understood."),
        422: _problem("The body is not JSON at all, or holds no event."),
        429: _problem("More events a second than this key may send."),
        503: _problem("Nothing is durable now: send it again after `Retry-After`."),
    },
}


@cache
def asyncapi_document() -> bytes:
    """The committed AsyncAPI document."""
    return resources.files("ingest.contract").joinpath("asyncapi.json").read_bytes()
