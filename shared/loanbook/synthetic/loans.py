"""The life of one made-up loan: what happens to it on which day, until it is repaid or given up."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from random import Random
from typing import Any, NamedTuple

from loanbook.domain.events import (
    BorrowerProfile,
    Fact,
    LoanChargedOff,
    LoanClosed,
    LoanCreated,
    LoanDisbursed,
    LoanWrittenOff,
    PaymentPosted,
    PaymentReversed,
    Period,
    RecoveryPosted,
    Relation,
    RelationKind,
    SchedulePublished,
)
from loanbook.domain.money import Minor
from loanbook.synthetic.behavior import Pay, plan_payments
from loanbook.synthetic.schedules import Due, annuity_schedule
from loanbook.synthetic.settings import (
    BAD_PAYERS,
    BRANCHES,
    PAYER_SHARES,
    PRODUCTS,
    Payer,
    SyntheticBranch,
    SyntheticProduct,
    SyntheticSettings,
)

_OPENS_S, _OPEN_S = 6 * 3600, 14 * 3600  # the day's events come between six and eight in the evening
_RETURNED = {Payer.PREPAYER: 0.002, Payer.PUNCTUAL: 0.008, Payer.SLOPPY: 0.03}
_RETURNED_ELSE = 0.06
_BACKDATED, _REPEATED, _REPUBLISHED = 0.012, 0.01, 0.003
_CHARGED_OFF_DAYS, _WRITTEN_OFF_DAYS = 180, 150


class Happening(NamedTuple):
    """Something that will be booked on a day: small, since a book keeps many of them waiting."""

    booked_on: date
    second: int  # of that day, when it is recorded
    loan: int
    event_id: str
    fact: type[Fact]
    effective_on: date
    amount_minor: int
    entity_id: str
    about: str  # channel, reason, or the entity it reverses


@dataclass(frozen=True, slots=True, kw_only=True)
class MadeLoan:
    """What is drawn for one loan."""

    number: int
    product: SyntheticProduct
    branch: SyntheticBranch
    officer: str
    borrower: int
    payer: Payer
    channel: str
    principal_minor: int
    dues: list[Due]
    created_on: date

    @property
    def loan_id(self) -> str:
        """Its id."""
        return f"L{self.number:07d}"


def make_loan(settings: SyntheticSettings, number: int, created_on: date, chance: Random) -> MadeLoan:
    """Draw a loan; `chance` is the loan's own."""
    (product,) = chance.choices(PRODUCTS, [product.weight for product in PRODUCTS])
    (branch,) = chance.choices(BRANCHES, [branch.weight for branch in BRANCHES])
    shares = [share * (branch.risk if payer in BAD_PAYERS else 1) for payer, share in PAYER_SHARES.items()]
    (payer,) = chance.choices(list(PAYER_SHARES), shares)
    span = product.principal_to - product.principal_from
    euros = product.principal_from + int(span * min(1.0, chance.betavariate(1.6, 3.2)))
    principal_minor = euros // 50 * 50 * 100
    term = chance.choice(product.terms)
    return MadeLoan(
        number=number,
        product=product,
        branch=branch,
        officer=f"{branch.branch}-{chance.randint(1, 3)}",
        borrower=borrower_of(settings, number),
        payer=payer,
        channel="direct_debit" if chance.random() < 0.8 else chance.choice(("transfer", "card", "cash")),  # noqa: PLR2004
        principal_minor=principal_minor,
        dues=annuity_schedule(principal_minor, product.annual_rate_bps, term, created_on),
        created_on=created_on,
    )


def borrower_of(settings: SyntheticSettings, number: int) -> int:
    """Number of the borrower: mostly a new one, else one of an earlier loan."""
    while number:
        chance = Random(f"{settings.seed}/borrower/{number}")  # noqa: S311 - made-up data
        if chance.random() >= 0.15:  # noqa: PLR2004 - share of loans to known borrowers
            break
        number = chance.randrange(max(0, number - 3_000), number)
    return number


def happenings_of(loan: MadeLoan, chance: Random) -> Iterator[Happening]:
    """Everything that will be booked for a loan after its first day, duplicates included."""
    plan = plan_payments(loan.payer, loan.dues, chance)
    last_pay: Pay | None = None
    returned_last = False
    for number, pay in enumerate(sorted(plan.pays), start=1):
        posted = _happening(
            loan,
            f"P{number}",
            PaymentPosted,
            pay.on,
            chance,
            amount_minor=pay.amount_minor,
            about=loan.channel,
        )
        returned_last = loan.channel == "direct_debit" and chance.random() < _RETURNED.get(
            loan.payer, _RETURNED_ELSE
        )
        yield from _untidy(posted, chance)
        if returned_last:
            yield from _returned(loan, posted, chance)
        last_pay = pay
    if plan.stopped_on is not None:
        yield from _given_up(loan, plan.stopped_on, chance)
    elif last_pay is not None and not returned_last:
        closed_on = last_pay.on + timedelta(days=8)
        yield _happening(loan, "closed", LoanClosed, closed_on, chance, about="repaid")


def opening_facts(settings: SyntheticSettings, loan: MadeLoan) -> Iterator[tuple[str, Fact]]:
    """Created, paid out and planned: the facts of a loan's first day, each with the end of its event id."""
    day: dict[str, Any] = {
        "effective_on": loan.created_on,
        "business_on": loan.created_on,
        "currency": settings.currency,
    }
    principal = Minor(loan.principal_minor)
    yield (
        "created",
        LoanCreated(
            principal_minor=principal,
            annual_rate_bps=loan.product.annual_rate_bps,
            term_days=(loan.dues[-1].due_on - loan.created_on).days,
            installments=len(loan.dues),
            borrower_id=borrower_id(loan.borrower),
            branch=loan.branch.branch,
            officer=loan.officer,
            product=loan.product.product,
            **day,
        ),
    )
    yield "disbursed", LoanDisbursed(amount_minor=principal, entity_id="disbursal", **day)
    periods = tuple(
        Period(
            number=number,
            due_on=due.due_on,
            principal_minor=Minor(due.principal_minor),
            interest_minor=Minor(due.interest_minor),
        )
        for number, due in enumerate(loan.dues, start=1)
    )
    yield "schedule", SchedulePublished(periods=periods, entity_id="schedule", **day)


def fact_of(happening: Happening, currency: str) -> Fact:
    """The fact that is booked."""
    given: dict[str, Any] = {
        "effective_on": happening.effective_on,
        "business_on": happening.booked_on,
        "entity_id": happening.entity_id,
    }
    if happening.fact is PaymentPosted:
        given |= {
            "currency": currency,
            "amount_minor": Minor(happening.amount_minor),
            "channel": happening.about,
        }
    elif happening.fact is RecoveryPosted:
        given |= {"currency": currency, "amount_minor": Minor(happening.amount_minor)}
    elif happening.fact is PaymentReversed:
        original = Relation(kind=RelationKind.REVERSES, id=happening.about)
        given |= {"relates_to": (original,), "reason": "insufficient funds"}
    else:
        given |= {"reason": happening.about}
    return happening.fact(**given)


def profile_of(settings: SyntheticSettings, borrower: int, region: str) -> BorrowerProfile:
    """A borrower's attributes, drawn for the borrower alone."""
    chance = Random(f"{settings.seed}/profile/{borrower}")  # noqa: S311 - made-up data
    employment = chance.choices(("permanent", "temporary", "self_employed", "retired"), (6, 2, 1.5, 0.5))[0]
    birth_year = settings.starts_on.year - (
        chance.randint(62, 75) if employment == "retired" else chance.randint(20, 60)
    )
    income = int(chance.lognormvariate(7.75, 0.35)) // 10 * 10 * 100
    return BorrowerProfile(
        borrower_id=borrower_id(borrower),
        birth_year=birth_year,
        gender=chance.choice(("female", "male")),
        employment=employment,
        education=chance.choices(("secondary", "vocational", "bachelor", "master"), (3, 4, 2, 1))[0],
        monthly_income_minor=Minor(income),
        currency=settings.currency,
        dependents=chance.choices((0, 1, 2, 3), (5, 2, 2, 1))[0],
        housing=chance.choices(("rent", "own", "family"), (5, 4, 1))[0],
        region=region,
    )


def borrower_id(number: int) -> str:
    """The id of a borrower."""
    return f"B{number:07d}"


def recorded_at(on: date, second: int) -> datetime:
    """The instant upstream recorded what was booked on a day."""
    return datetime.combine(on, time(0), UTC) + timedelta(seconds=second)


def _happening(  # noqa: PLR0913 - a row of what happens
    loan: MadeLoan,
    suffix: str,
    fact: type[Fact],
    on: date,
    chance: Random,
    *,
    amount_minor: int = 0,
    about: str = "",
) -> Happening:
    on = max(on, loan.created_on)
    second = _OPENS_S + chance.randrange(_OPEN_S)
    name = f"{loan.loan_id}-{suffix}"
    return Happening(on, second, loan.number, name, fact, on, amount_minor, name, about)


def _untidy(posted: Happening, chance: Random) -> Iterator[Happening]:
    """A payment as it comes in: in time, booked days later, twice, or again under another id."""
    draw = chance.random()
    if draw < _BACKDATED:
        posted = posted._replace(booked_on=posted.effective_on + timedelta(days=chance.randint(1, 6)))
    yield posted
    if _BACKDATED <= draw < _BACKDATED + _REPEATED:
        yield posted
    elif draw > 1 - _REPUBLISHED:
        yield posted._replace(event_id=f"{posted.event_id}-republished")


def _returned(loan: MadeLoan, posted: Happening, chance: Random) -> Iterator[Happening]:
    on = posted.booked_on + timedelta(days=chance.randint(2, 4))
    number = posted.entity_id.rpartition("-P")[2]
    yield _happening(loan, f"R{number}", PaymentReversed, on, chance, about=posted.entity_id)
    again_on = on + timedelta(days=chance.randint(4, 9))
    yield _happening(
        loan,
        f"P{number}b",
        PaymentPosted,
        again_on,
        chance,
        amount_minor=posted.amount_minor,
        about="transfer",
    )


def _given_up(loan: MadeLoan, stopped_on: date, chance: Random) -> Iterator[Happening]:
    charged_off_on = stopped_on + timedelta(days=_CHARGED_OFF_DAYS + chance.randrange(20))
    yield _happening(loan, "charged-off", LoanChargedOff, charged_off_on, chance, about="no payment")
    written_off_on = charged_off_on + timedelta(days=_WRITTEN_OFF_DAYS + chance.randrange(30))
    yield _happening(loan, "written-off", LoanWrittenOff, written_off_on, chance, about="given up")
    for number in range(chance.choice((0, 0, 0, 1, 2))):
        on = written_off_on + timedelta(days=30 * (number + 1) + chance.randrange(20))
        amount = loan.principal_minor * chance.randint(2, 8) // 100
        yield _happening(loan, f"recovery-{number + 1}", RecoveryPosted, on, chance, amount_minor=amount)
