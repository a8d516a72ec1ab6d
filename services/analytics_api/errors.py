"""What can be wrong with a request, and how it is told: problem details (RFC 9457), one status a class."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import ClassVar


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldError:
    """One field of a request, and what is wrong with it."""

    field: str
    reason: str


class ApiError(Exception):
    """Something is wrong with a request."""

    status: ClassVar[HTTPStatus] = HTTPStatus.BAD_REQUEST
    retry_after_s: int | None = None

    def __init__(self, detail: str, *, errors: Sequence[FieldError] = ()) -> None:
        super().__init__(detail)
        self.detail = detail
        self.errors = tuple(errors)


class InvalidRequestError(ApiError):
    """A field of the request cannot be used."""

    status = HTTPStatus.UNPROCESSABLE_ENTITY

    @classmethod
    def of(cls, field: str, reason: str) -> InvalidRequestError:
        """For a single field."""
        return cls(f"{field}: {reason}", errors=[FieldError(field=field, reason=reason)])


class NotFoundError(ApiError):
    """The thing asked for is not there."""

    status = HTTPStatus.NOT_FOUND

    @classmethod
    def of(cls, field: str, reason: str) -> NotFoundError:
        """For the field that names what is missing."""
        return cls(f"{field}: {reason}", errors=[FieldError(field=field, reason=reason)])


class ConflictError(ApiError):
    """The thing is not in a state that allows this."""

    status = HTTPStatus.CONFLICT


class UnauthorizedError(ApiError):
    """No key, or an unknown one."""

    status = HTTPStatus.UNAUTHORIZED


class BodyTooLargeError(ApiError):
    """The body is over the limit."""

    status = HTTPStatus.REQUEST_ENTITY_TOO_LARGE

    def __init__(self, bytes_max: int) -> None:
        super().__init__(f"the body is over the limit of {bytes_max} bytes")


class TooManyRequestsError(ApiError):
    """The key's rate is used up."""

    status = HTTPStatus.TOO_MANY_REQUESTS

    def __init__(self, retry_after_s: int) -> None:
        super().__init__(f"over the rate of this key; try again in {retry_after_s} s")
        self.retry_after_s = retry_after_s


class StoreAwayError(ApiError):
    """The database does not answer."""

    status = HTTPStatus.SERVICE_UNAVAILABLE
    retry_after_s = 2

    def __init__(self, detail: str = "the database does not answer") -> None:
        super().__init__(detail)


class QueryTooSlowError(StoreAwayError):
    """A query took longer than it may."""

    def __init__(self) -> None:
        super().__init__("the query took too long; narrow the selection")
