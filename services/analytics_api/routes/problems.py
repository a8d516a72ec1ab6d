"""Every error leaves as problem details (RFC 9457), naming the fields where there are any."""

from __future__ import annotations

from collections.abc import Sequence
from http import HTTPStatus

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, Response

from analytics_api.errors import ApiError, FieldError, InvalidRequestError
from analytics_api.schemas.parts import Problem, ProblemField

log = structlog.get_logger()
_WHERE = {"query", "path", "body", "header", "cookie"}


def install(app: FastAPI) -> None:
    """Answer each kind of error."""
    app.add_exception_handler(ApiError, _api_error)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _http_error)
    app.add_exception_handler(Exception, _unexpected)


def problem_answer(error: ApiError, path: str) -> Response:
    """The answer to an error of ours."""
    headers = {}
    if error.retry_after_s is not None:
        headers["Retry-After"] = str(error.retry_after_s)
    if error.status is HTTPStatus.UNAUTHORIZED:
        headers["WWW-Authenticate"] = "Bearer"
    return _problem(error.status, error.detail, path, headers=headers, errors=error.errors)


async def _api_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, ApiError)  # noqa: S101 - what the handler is for
    return problem_answer(error, request.url.path)


async def _invalid(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)  # noqa: S101 - what the handler is for
    fields = [FieldError(field=_field(item["loc"]), reason=str(item["msg"])) for item in error.errors()]
    detail = "; ".join(f"{item.field}: {item.reason}" for item in fields)
    return problem_answer(InvalidRequestError(detail, errors=fields), request.url.path)


async def _http_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101 - what the handler is for
    headers = dict(error.headers or {})
    return _problem(HTTPStatus(error.status_code), str(error.detail), request.url.path, headers=headers)


async def _unexpected(request: Request, error: Exception) -> Response:
    log.error("request_failed", path=request.url.path, error=type(error).__name__, exc_info=error)
    return _problem(HTTPStatus.INTERNAL_SERVER_ERROR, "something went wrong here", request.url.path)


def _problem(
    status: HTTPStatus,
    detail: str,
    path: str,
    *,
    headers: dict[str, str] | None = None,
    errors: Sequence[FieldError] = (),
) -> Response:
    problem = Problem(
        title=status.phrase,
        status=status.value,
        detail=detail,
        instance=path,
        errors=[ProblemField(field=error.field, reason=error.reason) for error in errors],
    )
    return JSONResponse(
        problem.model_dump(), status.value, headers=headers, media_type="application/problem+json"
    )


def _field(location: Sequence[int | str]) -> str:
    """Where in the request, without the part of the request it stands in."""
    parts = [str(part) for part in location]
    named = parts[1:] if parts and parts[0] in _WHERE else parts
    return ".".join(named) or parts[0]
