"""Real loan books read raw, their figures counted plainly: neither the fold nor the reference takes part.

What the figures mean stands beside the data: one installment a loan; outstanding is scheduled less
paid, and the principal is pro rata (principal x outstanding / scheduled).
"""

from __future__ import annotations

import csv
import gzip
import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Any, Literal

from tests.stack import DATA

BOOKS = ("loan_payments_500", "superlender", "airtime_loans")
CURRENCIES = {"loan_payments_500": "USD", "superlender": "NGN", "airtime_loans": "BRL"}
AT_RISK = {0: "par0_principal", 30: "par30_principal", 60: "par60_principal", 90: "par90_principal"}
BUCKETS = ("current", "1-30", "31-60", "61-90", "91+")
SIX_PLACES = Decimal("0.000001")
DAY = timedelta(days=1)
Kind = Literal["loan.created.v1", "loan.disbursed.v1", "schedule.published.v1", "payment.posted.v1"]
View = Literal["now", "then", "booked"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Happening:
    """What one line of the files says, from when it counts, when it was booked and when it came."""

    loan_id: str
    kind: Kind
    counts_on: date
    booked_on: date
    came_on: date
    minor: int = 0
    due_on: date = date.max
    payment_id: str = ""
    branch: str = "unknown"

    def known_on(self, view: View) -> date:
        """The first day on which a view knows of it."""
        return {"now": date.min, "then": self.came_on, "booked": self.booked_on}[view]


@dataclass(frozen=True, slots=True, kw_only=True)
class Stand:
    """Where a loan stands at the close of a day, in minor units."""

    disbursed: int
    paid: int
    outstanding: int
    principal: int
    is_open: bool
    past_due_on: date | None
    days_past_due: int
    branch: str

    @property
    def bucket(self) -> str:
        """The class of lateness."""
        return BUCKETS[sum(self.days_past_due > edge for edge in (0, 30, 60, 90))]


def happenings(name: str) -> list[Happening]:
    """All that the files of a book tell, as if each had come on its day."""
    told = []
    started: dict[str, date] = {}
    for row in rows(name, "loans"):
        on = started[row["loan_id"]] = date.fromisoformat(row["disbursed_at"][:10])
        told.append(_told(row, "loan.created.v1", on, branch=row.get("branch") or "unknown"))
        told.append(_told(row, "loan.disbursed.v1", on, minor=minor(row["principal"])))
    for row in rows(name, "schedule"):
        on, due_on = started[row["loan_id"]], date.fromisoformat(row["due_date"])
        told.append(_told(row, "schedule.published.v1", on, minor=minor(row["amount"]), due_on=due_on))
    for row in rows(name, "payments"):
        on = date.fromisoformat(row["paid_at"][:10])
        paid = minor(row["amount"])
        told.append(_told(row, "payment.posted.v1", on, minor=paid, payment_id=row["payment_id"]))
    return told


def _told(row: Mapping[str, str], kind: Kind, on: date, **said: Any) -> Happening:
    return Happening(loan_id=row["loan_id"], kind=kind, counts_on=on, booked_on=on, came_on=on, **said)


def stand(seen: Sequence[Happening], day: date) -> Stand | None:
    """A loan by what is seen of it and counts; None before it is known to be paid out.

    Without its installment a loan owes its principal and nothing is due. A payment does not count
    until its loan is known to be paid out and to have its installment.
    """
    by_kind: dict[Kind, list[Happening]] = defaultdict(list)
    for item in seen:
        if item.counts_on <= day:
            by_kind[item.kind].append(item)
    if not by_kind["loan.disbursed.v1"]:
        return None
    lent = by_kind["loan.disbursed.v1"][0].minor
    paid, outstanding, principal, past_due_on = 0, 0, lent, None
    for plan in by_kind["schedule.published.v1"]:
        paid = sum(item.minor for item in by_kind["payment.posted.v1"])
        outstanding = max(0, plan.minor - paid)
        exact_principal = Decimal(lent) * outstanding / plan.minor
        principal = int(exact_principal.quantize(Decimal(1), ROUND_HALF_EVEN))
        past_due_on = plan.due_on if outstanding and plan.due_on < day else None
    return Stand(
        disbursed=lent,
        paid=paid,
        outstanding=outstanding,
        principal=principal,
        is_open=outstanding > 0 or not by_kind["schedule.published.v1"],
        past_due_on=past_due_on,
        days_past_due=(day - past_due_on).days if past_due_on else 0,
        branch=next((item.branch for item in by_kind["loan.created.v1"]), "unknown"),
    )


Sums = Counter[Any]  # by name, by (name, bucket), by (split, part, name)


def days_of(
    told: Iterable[Happening], days: Iterable[date], view: View, groups: Mapping[str, Mapping[str, str]]
) -> Iterator[tuple[date, dict[str, Any]]]:
    """A book's figures day by day; a loan is looked at again on the days on which it may change.

    `groups` says for a split, by loan, to which part of it the loan belongs.
    """
    loans = by_loan(told)
    turns: dict[date, set[str]] = defaultdict(set)
    for loan_id, items in loans.items():
        for item in items:
            turns[max(item.counts_on, item.known_on(view))].add(loan_id)
            if item.due_on != date.max:
                for after in (1, 31, 61, 91):
                    turns[item.due_on + after * DAY].add(loan_id)
    sums: Sums = Counter()
    shares: dict[str, Sums] = {}
    waiting = sorted(turns, reverse=True)
    for day in sorted(days):
        while waiting and waiting[-1] <= day:
            turn = waiting.pop()
            for loan_id in turns[turn]:
                seen = [item for item in loans[loan_id] if item.known_on(view) <= turn]
                sums.subtract(shares.get(loan_id, {}))
                shares[loan_id] = share(stand(seen, turn), {k: of[loan_id] for k, of in groups.items()})
                sums.update(shares[loan_id])
        yield day, figures(sums, day)


def by_loan(told: Iterable[Happening]) -> dict[str, list[Happening]]:
    """What is told of each loan."""
    loans: dict[str, list[Happening]] = defaultdict(list)
    for item in told:
        loans[item.loan_id].append(item)
    return loans


def share(at: Stand | None, groups: Mapping[str, str]) -> Sums:
    """What one loan adds to the sums of its book, in all and in its part of each split."""
    sums: Sums = Counter()
    if at is None:
        return sums
    sums.update({"loans_disbursed": 1, "principal_disbursed": at.disbursed, "paid_total": at.paid})
    if not at.is_open:
        sums["loans_closed"] = 1
        return sums
    late = int(at.past_due_on is not None)
    sums.update({"loans_active": 1, "outstanding": at.outstanding, "principal": at.principal})
    sums.update({"arrears": at.outstanding if late else 0, "overdue_loans": late})
    sums.update({("loans", at.bucket): 1, ("outstanding", at.bucket): at.outstanding})
    sums["principal", at.bucket] = at.principal
    sums["past_due_on", at.past_due_on] = 1
    for split, part in {"branch": at.branch, **groups}.items():
        sums[split, part, "loans"] = 1
        sums[split, part, "outstanding_scheduled"] = at.outstanding
        sums[split, part, "overdue_loans"] = late
        sums[split, part, "loans_dpd_over_30"] = int(at.days_past_due > 30)
    return sums


def figures(sums: Sums, day: date) -> dict[str, Any]:
    """The sums of a book as its figures; no portfolio, no ratio."""
    parts: dict[str, dict[str, Any]] = defaultdict(lambda: defaultdict(dict))
    for key in sums:
        if isinstance(key, tuple) and len(key) == 3 and sums[*key[:2], "loans"]:
            parts[key[0]][key[1]][key[2]] = sums[key]
    past_due = [key[1] for key, count in sums.items() if key[0] == "past_due_on" and key[1] and count]
    at_risk = {}
    for number, days in enumerate(AT_RISK, start=1):
        late = Decimal(sum(sums["principal", bucket] for bucket in BUCKETS[number:]))
        at_risk[days] = (late / sums["principal"]).quantize(SIX_PLACES) if sums["principal"] else None
    names = ("loans_disbursed", "principal_disbursed", "paid_total", "loans_active", "loans_closed")
    return {
        **{name: sums[name] for name in (*names, "arrears", "overdue_loans")},
        "outstanding_scheduled": sums["outstanding"],
        "outstanding_principal_prorata": sums["principal"],
        "max_dpd": max(((day - since).days for since in past_due), default=0),
        "buckets_loans": {bucket: sums["loans", bucket] for bucket in BUCKETS},
        "buckets_outstanding": {bucket: sums["outstanding", bucket] for bucket in BUCKETS},
        "at_risk": at_risk,
        **{f"by_{split}": dict(found) for split, found in parts.items()},
    }


def expected(name: str) -> dict[date, dict[str, Any]]:
    """The portfolio blocks beside the data, by day, as `figures` tells them; 0/0 is 0.0 there, None here."""
    found = json.loads((DATA / name / "expected.json").read_text(), parse_float=Decimal)
    blocks = found.get("portfolio") or found["figures"]["portfolio"]
    return {date.fromisoformat(day): _renamed(block) for day, block in blocks.items()}


def _renamed(block: dict[str, Any]) -> dict[str, Any]:
    told = {key: _minor(value) for key, value in block.items() if key not in {"as_of", *AT_RISK.values()}}
    told["buckets_outstanding"] = told.pop("buckets_outstanding_scheduled")
    told["at_risk"] = {
        days: block[key].quantize(SIX_PLACES) if block["outstanding_principal_prorata"] else None
        for days, key in AT_RISK.items()
    }
    return told


def _minor(value: Any) -> Any:
    """Amounts stand there with a decimal point, counts without one."""
    if isinstance(value, dict):
        return {key: _minor(inner) for key, inner in value.items()}
    return int(value * 100) if isinstance(value, Decimal) else value


def answered(answer: dict[str, Any]) -> dict[str, Any]:
    """An answer of `/v1/portfolio` in the terms of `figures`."""
    told = answer["figures"]
    totals, buckets = told["totals"], told["buckets"]
    return {
        "loans_disbursed": totals["disbursed_loans"],
        "principal_disbursed": amount(totals["disbursed"]),
        "paid_total": amount(totals["paid"]),
        "loans_active": totals["active_loans"],
        "loans_closed": totals["fully_paid_loans"],
        "outstanding_scheduled": amount(totals["total_outstanding"]),
        "outstanding_principal_prorata": amount(totals["principal_outstanding"]),
        "arrears": amount(totals["overdue"]),
        "overdue_loans": totals["overdue_loans"],
        "max_dpd": answer["days_past_due_max"],
        "buckets_loans": {part["bucket"]: part["loans"] for part in buckets},
        "buckets_outstanding": {part["bucket"]: amount(part["total_outstanding"]) for part in buckets},
        "at_risk": {part["over_days"]: exact(part["ratio"]) for part in told["portfolio_at_risk"]},
    }


def answered_split(answer: dict[str, Any]) -> dict[str, Any]:
    """An answer that splits the book, in the terms of `figures`: the parts that have active loans."""
    return {
        item["name"]: {
            "loans": item["figures"]["totals"]["active_loans"],
            "outstanding_scheduled": amount(item["figures"]["totals"]["total_outstanding"]),
            "overdue_loans": item["figures"]["totals"]["overdue_loans"],
            "loans_dpd_over_30": item["figures"]["portfolio_at_risk"][1]["loans"],
        }
        for item in answer["items"]
        if item["figures"]["totals"]["active_loans"]
    }


def amount(money: dict[str, str]) -> int:
    """Minor units of an amount of the API."""
    return minor(money["amount"])


def minor(text: str) -> int:
    """Minor units of a decimal text; the three currencies have two digits."""
    return int(Decimal(text) * 100)


def exact(ratio: float | None) -> Decimal | None:
    """A ratio of the API to its six places."""
    return None if ratio is None else Decimal(str(ratio)).quantize(SIX_PLACES)


def rows(name: str, table: str) -> Iterator[dict[str, str]]:
    """The rows of one file of a book."""
    with gzip.open(DATA / name / f"{table}.csv.gz", "rt", encoding="utf-8") as file:
        yield from csv.DictReader(file)
