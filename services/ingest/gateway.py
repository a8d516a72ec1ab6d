"""The HTTP front door: takes loan events as CloudEvents and answers once they are durable in Kafka."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

import msgspec
import structlog
import uvicorn
from fastapi import FastAPI, Request, Response
from fastapi_offline import FastAPIOffline
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from pydantic import ValidationError
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect

from ingest import gateway_metrics as metrics
from ingest.gateway_auth import EVERYONE, Caller, RateLimit, key_in
from ingest.gateway_delivery import Answer, deliver
from ingest.gateway_docs import DESCRIPTION, EVENTS_DOCS, asyncapi_document
from ingest.gateway_headers import EVENTS_PATH, SecurityHeaders
from ingest.gateway_problems import Problem
from ingest.gateway_requests import media_type_of, read_body, split_events
from ingest.gateway_settings import GatewaySettings
from loanbook.domain.errors import FatalError, RetryableError
from loanbook.kafka.producer import EventProducer

RETRY_AFTER_S = 5
_PROBE_TIMEOUT_S = 1.0

log = structlog.get_logger()


class Gateway:
    """What the routes share: the producer, the keys and the limits."""

    def __init__(self, settings: GatewaySettings) -> None:
        self.settings = settings
        self.producer = EventProducer(settings.kafka(), timeout=settings.durable_timeout)
        self._keys = settings.keys()
        self._books = settings.known_books()
        self._rate = RateLimit(settings.events_per_second_max, settings.events_max)
        self._at_work = 0

    async def take(self, request: Request) -> Response:
        """Answer one request with events."""
        caller = self._caller(request)
        if self._at_work >= self.settings.requests_max:
            raise _not_now("too many requests are at work")
        self._at_work += 1
        try:
            with metrics.REQUESTS_AT_WORK.track_inprogress(), metrics.REQUEST_SECONDS.time():
                events = await self._events_of(request)
                self._slow_down(caller, len(events))
                answer = await deliver(events, self.producer, caller, self._books)
        finally:
            self._at_work -= 1
        _count(answer, caller)
        return response_of(answer)

    async def is_ready(self) -> bool:
        """Whether a broker answers; no event is sent to find out."""
        servers = self.settings.kafka_bootstrap_servers.split(",")
        return any([await _answers(server.strip()) for server in servers])

    async def _events_of(self, request: Request) -> list[bytes]:
        headers, settings = request.headers, self.settings
        media_type = media_type_of(headers.get("content-type"), headers.get("content-encoding"))
        body = await read_body(request.stream(), headers.get("content-length"), settings.body_bytes_max)
        return split_events(body, media_type, settings.events_max)

    def _caller(self, request: Request) -> Caller:
        if self._keys is None:
            return EVERYONE
        key = key_in(request.headers.get("authorization"), request.headers.get("x-api-key"))
        caller = self._keys.caller_of(key) if key else None
        if caller is None:
            detail = (
                "this key is not known" if key else "send `Authorization: Bearer KEY` or `X-Api-Key: KEY`"
            )
            raise Problem(401, detail, headers={"WWW-Authenticate": "Bearer"})
        return caller

    def _slow_down(self, caller: Caller, events: int) -> None:
        wait_s = self._rate.wait_s(caller, events, time.monotonic())
        if wait_s:
            limit = self.settings.events_per_second_max
            detail = f"over {limit} events a second for this key"
            raise Problem(429, detail, headers={"Retry-After": str(wait_s)})


def create_app(settings: GatewaySettings) -> FastAPI:
    """The gateway's application; it starts without Kafka and answers 503 until a broker is there."""
    gateway = Gateway(settings)

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        try:
            await gateway.producer.start()
        except RetryableError as error:
            log.warning("kafka_is_away", reason=str(error))
        yield
        await gateway.producer.stop()

    app = FastAPIOffline(title="Loanpulse gateway", version="1", description=DESCRIPTION, lifespan=lifespan)
    app.state.gateway = gateway
    app.add_middleware(SecurityHeaders)
    app.add_exception_handler(Problem, _problem_response)
    app.add_exception_handler(HTTPException, _http_error_response)
    app.add_exception_handler(Exception, _failure_response)
    _add_routes(app, gateway)
    return app


def run_gateway() -> int:
    """Serve until told to stop; returns the exit code."""
    try:
        settings = GatewaySettings()  # type: ignore[call-arg]  # the environment gives them
    except ValidationError as error:
        faults = [(".".join(map(str, fault["loc"])), fault["msg"]) for fault in error.errors()]
        raise FatalError("; ".join(f"{name}: {text}" if name else text for name, text in faults)) from error
    uvicorn.run(
        create_app(settings),
        host=settings.gateway_host,
        port=settings.gateway_port,
        access_log=False,
        server_header=False,
        log_level="warning",
        loop="uvloop",
    )
    return 0


def response_of(answer: Answer) -> Response:
    """202 all accepted, 207 some; none accepted: 503 when it may help to repeat, else 403 or 400."""
    refused = len(answer.faults)
    if not answer.accepted:
        raise _nothing_taken(answer)
    body = {"accepted": answer.accepted, "refused": refused, "results": answer.results}
    headers = {"Retry-After": str(RETRY_AFTER_S)} if "not_durable" in answer.faults else None
    status = 207 if refused else 202
    return Response(msgspec.json.encode(body), status, headers, media_type="application/json")


def _nothing_taken(answer: Answer) -> Problem:
    members: dict[str, object] = {"accepted": 0, "refused": len(answer.faults), "results": answer.results}
    if "not_durable" in answer.faults:
        return _not_now("Kafka is away: no event was taken, send them again", members)
    if all(result.reason == "this key may not write this book" for result in answer.results):
        return Problem(403, "this key may not write this book", members=members)
    first = answer.results[0]
    where = f"{first.field}: " if first.field else ""
    return Problem(400, f"event {first.index}: {where}{first.reason}", members=members)


def _not_now(detail: str, members: Mapping[str, object] | None = None) -> Problem:
    return Problem(503, detail, headers={"Retry-After": str(RETRY_AFTER_S)}, members=members)


def _count(answer: Answer, caller: Caller) -> None:
    metrics.REQUEST_EVENTS.observe(len(answer.results))
    metrics.EVENTS_ACCEPTED.inc(answer.accepted)
    for fault in answer.faults:
        metrics.EVENTS_REFUSED.labels(reason=fault).inc()
    if answer.faults:
        log.info(
            "events_refused", key=caller.name, refused=len(answer.faults), faults=sorted(set(answer.faults))
        )


def _add_routes(app: FastAPI, gateway: Gateway) -> None:
    @app.post(EVENTS_PATH, status_code=202, response_class=Response, **EVENTS_DOCS)
    async def post_events(request: Request) -> Response:
        """Take one event, an array of events or NDJSON; what is accepted is durable."""
        return await gateway.take(request)

    @app.get("/v1/contract", response_class=Response, summary="The event contract as AsyncAPI 3")
    async def get_contract() -> Response:
        return Response(asyncapi_document(), media_type="application/json")

    @app.get("/health", summary="The process is up")
    async def health() -> dict[str, str]:
        return {"status": "ok"}

    @app.get("/ready", response_class=Response, summary="Events can be taken: a Kafka broker answers")
    async def ready() -> Response:
        if not await gateway.is_ready():
            raise _not_now("Kafka is away")
        return Response(b'{"status":"ready"}', media_type="application/json")

    @app.get("/metrics", response_class=Response, include_in_schema=False)
    async def get_metrics() -> Response:
        return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)


async def _problem_response(_request: Request, error: Exception) -> Response:
    assert isinstance(error, Problem)  # noqa: S101 - registered for it alone
    return error.response()


async def _http_error_response(_request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101 - registered for it alone
    return Problem(error.status_code, str(error.detail), headers=error.headers).response()


async def _failure_response(_request: Request, error: Exception) -> Response:
    if isinstance(error, ClientDisconnect):
        return Problem(400, "the sender went away").response()
    log.error("request_failed", error=type(error).__name__)
    return Problem(500, "the gateway failed; nothing of this request is promised").response()


async def _answers(server: str) -> bool:
    host, _, port = server.rpartition(":")
    try:
        async with asyncio.timeout(_PROBE_TIMEOUT_S):
            _, writer = await asyncio.open_connection(host.strip("[]"), int(port))
    except (OSError, TimeoutError, ValueError):
        return False
    writer.close()
    return True
