"""Sends the events of all cases through a running stack, one timeline in one book, and reads the API."""

from __future__ import annotations

import asyncio
import json
import time
from collections import defaultdict
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import date, timedelta
from http import HTTPStatus
from types import TracebackType
from typing import Any, Self

import httpx
import msgspec

from ingest.commands.book import ROLE
from ingest.commands.books import NewBook, Product, save_book, select_book
from ingest.commands.import_rows import ImportEvent
from ingest.commands.sending import Sink, open_sink
from ingest.conformance.api_state import loan_of_answer
from ingest.conformance.expectations import Difference, check
from ingest.conformance.outcome import Outcome, outcome_of
from ingest.conformance.planning import CURRENCY, SOURCE
from ingest.conformance.player import Moment, Player
from loanbook import wire
from loanbook.domain.errors import LoanbookError
from loanbook.domain.events import LoanCreated, LoanEvent
from loanbook.postgres.pool import connect
from loanbook.topics import LOAN_EVENTS

_AT_ONCE = 8  # cases of one day that run side by side
_LOOK_EVERY_S = 0.03
_PASSING = {HTTPStatus.NOT_FOUND, HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE}


class StackError(LoanbookError):
    """The running stack cannot be spoken to."""


class NotSeenError(LoanbookError):
    """What was waited for has not come."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StackAddress:
    """Where a running stack is, and the book to make in it."""

    database_url: str
    bootstrap_servers: str
    api: str
    api_key: str | None
    book: str
    patience: timedelta  # for one event or one day to be seen


async def play_through(players: Sequence[Player], address: StackAddress) -> list[Outcome]:
    """Send what these played cases told and hold the API's answers to what they claim."""
    runs = [CaseRun(player) for player in players if player.is_playable]
    timeline: dict[date, list[CaseRun]] = defaultdict(list)
    for run in runs:
        for day in run.days:
            timeline[day].append(run)
    if timeline:
        async with RunningStack(address) as stack:
            await stack.make_book(min(timeline), runs)
            for day in sorted(timeline):
                await stack.play_day(day, timeline[day])
    played = {run.player.outcome.case_id: run.outcome for run in runs}
    return [played.get(player.outcome.case_id, player.outcome) for player in players]


class CaseRun:
    """One case on its way through the stack."""

    def __init__(self, player: Player) -> None:
        self.player = player
        self.outcome = outcome_of(player.case)
        self.outcome.not_checked = list(player.outcome.not_checked)
        self.product = ""
        self.is_over = False
        self.days: dict[date, list[Moment]] = defaultdict(list)
        # A step without a day of its own comes right before the next one; days never go back.
        dated = [m.on for m in player.moments if "business_date" in m.step or "as_of" in m.step]
        day = dated[0] if dated else player.today
        for moment in player.moments:
            day = max(day, moment.on)
            self.days[day].append(moment)

    def record(self, event: LoanEvent, book: str) -> ImportEvent:
        """An event of the case as the log takes it, with the product that holds the case's settings."""
        fact = event.fact
        if isinstance(fact, LoanCreated):
            fact = msgspec.structs.replace(fact, product=self.product)
        value = wire.encode(
            fact,
            book=book,
            subject=event.loan_id,
            source=SOURCE,
            event_id=event.event_id,
            recorded_at=event.recorded_at,
            sequence=event.sequence,
        )
        return ImportEvent(
            on=event.fact.effective_on,
            recorded_at=event.recorded_at,
            topic=LOAN_EVENTS,
            key=event.loan_id.encode(),
            value=value,
        )

    def hold(self, moment: Moment, answer: Mapping[str, Any]) -> None:
        """Hold what the API answers to an expectation."""
        self.outcome.checked += 1
        self.player.classed = moment.classed
        self.outcome.differences += check(moment.step, self.player, loan_of_answer(answer)) or []


class RunningStack:
    """A producer and an API client, and the book between them."""

    def __init__(self, address: StackAddress) -> None:
        self._address = address
        self._open = AsyncExitStack()
        self._closed_to: date | None = None
        self._turns = asyncio.Semaphore(_AT_ONCE)

    async def __aenter__(self) -> Self:
        """Connect."""
        headers = {"x-api-key": self._address.api_key} if self._address.api_key else {}
        client = httpx.AsyncClient(base_url=self._address.api, headers=headers, timeout=30)
        self._client = await self._open.enter_async_context(client)
        self._sink: Sink = await self._open.enter_async_context(open_sink(self._address.bootstrap_servers))
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Disconnect."""
        await self._open.aclose()

    async def make_book(self, opens_on: date, runs: Sequence[CaseRun]) -> None:
        """Make the book, with a product for each of the different settings of the cases."""
        names: dict[str, str] = {}
        for run in runs:
            settings = json.dumps(run.player.settings_json(), sort_keys=True)
            run.product = names.setdefault(settings, f"product-{len(names) + 1}")
        products = tuple(Product(product=name, settings=json.loads(text)) for text, name in names.items())
        book = self._address.book
        connection = await connect(self._address.database_url, ROLE)
        try:
            if await select_book(connection, book) is not None:
                raise StackError(f"book {book!r} is there already; cases need one of their own")
            await save_book(
                connection, NewBook(book=book, currencies=(CURRENCY,), opens_on=opens_on, products=products)
            )
        finally:
            await connection.close()

    async def play_day(self, day: date, runs: Sequence[CaseRun]) -> None:
        """End the day before, then play the day's steps of each case, cases side by side."""
        if self._closed_to is not None:
            await self._sink.close_day(self._address.book, SOURCE, day - timedelta(days=1))
        self._closed_to = day
        await asyncio.gather(*(self._play_case(run, day) for run in runs if not run.is_over))

    async def _play_case(self, run: CaseRun, day: date) -> None:
        async with self._turns:
            for moment in run.days[day]:
                try:
                    await self._play_moment(run, moment, day)
                except NotSeenError as error:
                    run.is_over = True
                    waited = f"step {moment.step['n']} seen by the API"
                    run.outcome.differences.append(
                        Difference(step=moment.step["n"], expected=waited, got=str(error))
                    )
                    return

    async def _play_moment(self, run: CaseRun, moment: Moment, day: date) -> None:
        loan_id = run.player.case["id"]
        if moment.events:
            refused = await self._sink.send([run.record(e, self._address.book) for e in moment.events])
            if refused:
                raise NotSeenError(f"refused: {refused[0].reason}")
            await self._look(loan_id, {event.event_id for event in moment.events}, None)
        elif moment.is_claimed:
            run.hold(moment, await self._look(loan_id, set(), day))

    async def _look(self, loan_id: str, wanted: set[str], day: date | None) -> dict[str, Any]:
        """The API's answer once it has these events and stands at this day; raises NotSeenError."""
        deadline = time.monotonic() + self._address.patience.total_seconds()
        missing = "the loan"
        while time.monotonic() < deadline:
            answer = await self._get(loan_id)
            if answer is not None:
                seen = {event["event_id"] for event in answer["events"]}
                if wanted <= seen and (day is None or answer["as_of"] == day.isoformat()):
                    return answer
                missing = f"event {min(wanted - seen)}" if wanted - seen else f"day {day}"
            await asyncio.sleep(_LOOK_EVERY_S)
        raise NotSeenError(f"not within {self._address.patience.total_seconds():.0f} s: {missing}")

    async def _get(self, loan_id: str) -> dict[str, Any] | None:
        try:
            answer = await self._client.get(f"/v1/loans/{loan_id}", params={"book": self._address.book})
        except httpx.TransportError as error:
            raise StackError(f"{self._address.api}: {error!r}") from error
        if answer.status_code in _PASSING:
            return None
        if answer.status_code != HTTPStatus.OK:
            raise StackError(f"the API answered {answer.status_code}: {answer.text[:200]}")
        found: dict[str, Any] = answer.json()
        return found
