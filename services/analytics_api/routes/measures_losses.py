"""Measures of one day's portfolio: concentration, provisions, stages, expected credit loss."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Request, Response
from pydantic import Field

from analytics_api.errors import InvalidRequestError, NotFoundError
from analytics_api.flow.expecting import Probabilities, losses_of, matrix_of, moves_shown
from analytics_api.flow.exposures import concentration_of, provisions_of, stages_of
from analytics_api.routes.answers import respond
from analytics_api.routes.measures import marks, part_of
from analytics_api.routes.wiring import PROBLEMS, Admitted, AppParts, PartFilter, Scope, find_scope
from analytics_api.schemas.losses import (
    Concentration,
    ExpectedCreditLoss,
    LossAssumptions,
    Provisions,
    StageRules,
    Stages,
)
from analytics_api.store import Reading, Row
from analytics_api.store.exposures import (
    MeasuredDay,
    StageDays,
    fetch_concentration,
    fetch_declining_exposures,
    fetch_exposures,
    fetch_provisions,
    fetch_roll_months,
    fetch_stages,
)
from loanbook.domain import portfolio

router = APIRouter(prefix="/v1/measures", tags=["measures"], responses=PROBLEMS)
_PERCENT = r"(100|\d{1,2}(\.\d{1,2})?)"
ChargedOff = Annotated[bool, Field(description="Charged-off loans too.")]
_DEFAULT_FROM_DAYS = 91  # what is in default by the matrix is in stage 3 at the latest
Days = Annotated[int, Field(ge=1, le=_DEFAULT_FROM_DAYS)]


class DayFilter(PartFilter):
    """Which part of which book, at which day."""

    as_of: Annotated[date | None, Field(description="A closed day, as known now; live if absent.")] = None


class ConcentrationFilter(DayFilter):
    """By what, and how many."""

    by: Literal["branch", "region", "product", "officer", "borrower"] = "branch"
    top: Annotated[int, Field(ge=1, le=100)] = 10


class ProvisionsFilter(DayFilter):
    """At which percents, of what."""

    percents: Annotated[
        str | None,
        Field(
            pattern=f"^{_PERCENT}(,{_PERCENT}){{4}}$",
            examples=["1,10,25,50,100"],
            description="Of current, 1-30, 31-60, 61-90 and 91+; the installation's own if absent.",
        ),
    ] = None
    basis: Annotated[
        Literal["principal", "outstanding"], Field(description="Of the principal, or of all that is owed.")
    ] = "principal"


class StageFilter(PartFilter):
    """Where the stages begin."""

    charged_off: ChargedOff = False
    impaired_from_days: Annotated[Days, Field(description="Stage 3 from so many days past due.")] = 90
    increased_over_days: Annotated[Days, Field(description="Stage 2 over so many days past due.")] = 30

    def days(self) -> StageDays:
        """As the queries take them."""
        return StageDays(impaired_from=self.impaired_from_days, increased_over=self.increased_over_days)

    def rules(self) -> StageRules:
        """As the answers show them."""
        return StageRules(
            impaired_from_days=self.impaired_from_days, increased_over_days=self.increased_over_days
        )


class StagesFilter(StageFilter, DayFilter):
    """And at which day."""


class LossFilter(StageFilter):
    """What an expected loss is to rest on."""

    months: Annotated[int, Field(ge=1, le=60, description="Pairs of month ends added up.")] = 12
    loss_given_default: Annotated[
        Decimal | None, Field(ge=0, le=1, description="The installation's own if absent.")
    ] = None
    annual_discount_rate: Annotated[Decimal, Field(ge=0, le=1)] = Decimal(0)


@router.get("/concentration", response_model=Concentration, summary="How the portfolio is spread")
async def get_concentration(
    request: Request, parts: AppParts, _: Admitted, wanted: Annotated[ConcentrationFilter, Query()]
) -> Response:
    """Top holders and Herfindahl index of the portfolio, and of what is over 30 days past due beside it."""

    async def make() -> Concentration:
        async with parts.store.reading() as reading:
            scope, day = await _scope(reading, wanted)
            rows = await fetch_concentration(reading, part_of(scope, wanted), day, wanted.by, wanted.top)
            figures = concentration_of(rows, scope.currency)
            return Concentration(**await _marks(reading, scope, day), by=wanted.by, **figures)

    return await respond(request, parts.answers, make)


@router.get("/provisions", response_model=Provisions, summary="Provisions by class of lateness")
async def get_provisions(
    request: Request,
    parts: AppParts,
    _: Admitted,
    wanted: Annotated[ProvisionsFilter, Query()],
) -> Response:
    """A percent of each loan by its bucket, rounded loan by loan, and how much of the risk it covers."""
    given = wanted.percents.split(",") if wanted.percents else parts.assumptions.provision_percents
    rates_bps = [int(Decimal(percent) * 100) for percent in given]

    async def make() -> Provisions:
        async with parts.store.reading() as reading:
            scope, day = await _scope(reading, wanted)
            on_total = wanted.basis == "outstanding"
            rows = await fetch_provisions(reading, part_of(scope, wanted), day, rates_bps, on_total=on_total)
            figures = provisions_of(rows, rates_bps, scope.currency)
            return Provisions(**await _marks(reading, scope, day), basis=wanted.basis, **figures)

    return await respond(request, parts.answers, make)


@router.get("/stages", response_model=Stages, summary="The portfolio by IFRS 9 stage")
async def get_stages(
    request: Request, parts: AppParts, _: Admitted, wanted: Annotated[StagesFilter, Query()]
) -> Response:
    """Loans, principal and exposure by stage."""

    async def make() -> Stages:
        async with parts.store.reading() as reading:
            scope, day = await _scope(reading, wanted)
            rows = await fetch_stages(
                reading, part_of(scope, wanted), day, wanted.days(), charged_off=wanted.charged_off
            )
            return Stages(
                **await _marks(reading, scope, day),
                rules=wanted.rules(),
                charged_off=wanted.charged_off,
                **stages_of(rows, scope.currency),
            )

    return await respond(request, parts.answers, make)


@router.get("/expected-credit-loss", response_model=ExpectedCreditLoss, summary="Expected loss, an estimate")
async def get_expected_credit_loss(
    request: Request, parts: AppParts, _: Admitted, wanted: Annotated[LossFilter, Query()]
) -> Response:
    """Live, by stage, with the moves between month ends and the settings that the estimate rests on."""
    severity = wanted.loss_given_default
    if severity is None:
        severity = parts.assumptions.loss_given_default

    async def make() -> ExpectedCreditLoss:
        async with parts.store.reading() as reading:
            return await _estimate(reading, wanted, severity)

    return await respond(request, parts.answers, make)


async def _estimate(reading: Reading, wanted: LossFilter, severity: Decimal) -> ExpectedCreditLoss:
    scope = await find_scope(reading, wanted.book, wanted.currency)
    day = MeasuredDay(on=scope.business_on, live=True)
    part, days = part_of(scope, wanted), wanted.days()
    moved = await fetch_roll_months(reading, part, wanted.months)
    exposures = await fetch_exposures(reading, part, day.on, days, charged_off=wanted.charged_off)
    declining = await fetch_declining_exposures(reading, part, day.on, days)
    assumptions = portfolio.LossAssumptions(
        monthly=matrix_of(moved),
        loss_given_default=Fraction(severity),
        annual_discount_rate=Fraction(wanted.annual_discount_rate),
    )
    longest = max((row["months"] for row in exposures), default=1)
    chances = Probabilities.of(assumptions, max(longest, 12))
    return ExpectedCreditLoss(
        **await _marks(reading, scope, day),
        label="estimate",
        assumptions=LossAssumptions(
            **_months(moved),
            monthly_moves=moves_shown(assumptions, chances),
            default="91+, charged_off, written_off",
            loss_given_default=float(severity),
            annual_discount_rate=float(wanted.annual_discount_rate),
            rules=wanted.rules(),
        ),
        charged_off=wanted.charged_off,
        **losses_of(exposures, declining, assumptions, chances, scope.currency),
    )


def _months(moved: list[Row]) -> dict[str, Any]:
    return {
        "months": max((row["months"] for row in moved), default=0),
        "first_on": min((row["first_on"] for row in moved), default=None),
        "last_on": max((row["last_on"] for row in moved), default=None),
    }


async def _scope(reading: Reading, wanted: DayFilter) -> tuple[Scope, MeasuredDay]:
    scope = await find_scope(reading, wanted.book, wanted.currency)
    if wanted.as_of is None or wanted.as_of == scope.business_on:
        return scope, MeasuredDay(on=scope.business_on, live=True)
    if wanted.as_of > scope.business_on:
        raise InvalidRequestError.of("as_of", f"is after the business day, {scope.business_on}")
    if await reading.fetch_last_close(scope.book_key, wanted.as_of) != wanted.as_of:
        raise NotFoundError.of("as_of", f"{wanted.as_of} has not been closed by this book")
    return scope, MeasuredDay(on=wanted.as_of, live=False)


async def _marks(reading: Reading, scope: Scope, day: MeasuredDay) -> dict[str, Any]:
    return await marks(reading, scope, day.on) | {"live": day.live}
