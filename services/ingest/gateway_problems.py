"""Errors of the gateway as problem+json (RFC 9457): the one table of statuses."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec
from starlette.responses import Response

TITLES = {
    400: "No event was taken",
    401: "A key is needed",
    403: "Not allowed with this key",
    404: "Nothing here",
    405: "Method not allowed",
    413: "Too much at once",
    415: "Media type not understood",
    422: "The request cannot be read",
    429: "Too fast",
    500: "The gateway failed",
    503: "Not durable now",
}


class Problem(Exception):  # noqa: N818 - named by RFC 9457
    """An answer that is no success: status, what is wrong, and what else the sender should know."""

    def __init__(
        self,
        status: int,
        detail: str,
        *,
        headers: Mapping[str, str] | None = None,
        members: Mapping[str, object] | None = None,
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.headers = dict(headers or {})
        self.members = dict(members or {})

    def response(self) -> Response:
        """The problem+json answer."""
        body: dict[str, Any] = {
            "type": "about:blank",
            "title": TITLES.get(self.status, "Error"),
            "status": self.status,
            "detail": self.detail,
            **self.members,
        }
        return Response(
            msgspec.json.encode(body), self.status, self.headers, media_type="application/problem+json"
        )
