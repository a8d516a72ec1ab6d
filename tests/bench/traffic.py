"""Traffic on a generated book's running day: mostly in-order payments, with what disturbs them."""

from __future__ import annotations

import random
from collections import Counter, deque
from collections.abc import Callable, Iterator, Sequence
from datetime import date, timedelta
from itertools import islice

from tests.bench.book import BUSINESS_ON, Loan, LoggedEvent, decimal, event_of, stamped

# Shares of all events; the rest are in-order payments.
DUPLICATES, BACKDATED, REVERSED, OTHER = 0.05, 0.0075, 0.0075, 0.005
_RECENT = 2_000  # an event is sent again soon after, or (one in five) at any time later,
_REMEMBERED = 300_000  # or nearly


class Traffic:
    """An endless stream of events on a book; every event is new but for the duplicates."""

    def __init__(self, loans: Sequence[Loan], seed: int, day: date = BUSINESS_ON) -> None:
        self.counts: Counter[str] = Counter()
        self.paid_minor = sum(loan.paid * loan.installment for loan in loans)
        self.posted_minor = 0
        self._loans = loans
        self._day = day
        self._chance = random.Random(seed)
        self._left = [loan.left for loan in loans]
        self.distinct = 0
        self._sent: list[LoggedEvent] = []
        self._payments: deque[tuple[Loan, str, int]] = deque(maxlen=20 * _RECENT)

    def turn_to(self, day: date) -> None:
        """Go on with the events of another business day."""
        self._day = day

    def take(self, count: int) -> list[LoggedEvent]:
        """The next events."""
        return list(islice(self._events(), count))

    def _events(self) -> Iterator[LoggedEvent]:
        kinds: tuple[tuple[str, Callable[[], LoggedEvent]], ...] = (
            ("duplicate", self._duplicate),
            ("backdated", self._backdated),
            ("reversed", self._reversal),
            ("other", self._other),
            ("payment", self._payment),
        )
        shares = (DUPLICATES, BACKDATED, REVERSED, OTHER)
        weights = (*shares, 1 - sum(shares))
        yield self._payment()  # what the first duplicate and the first reversal may be of
        while True:
            for name, make in self._chance.choices(kinds, weights, k=1_000):
                self.counts[name] += 1
                yield make()

    def _payment(self) -> LoggedEvent:
        loan = self._pick()
        amount = loan.installment * self._chance.choice((1, 2, 4)) // 8
        entity = f"t{self.distinct}"
        self._payments.append((loan, entity, amount))
        return self._paid(loan, amount, entity, self._day)

    def _backdated(self) -> LoggedEvent:
        loan = self._pick()
        earlier = self._day - timedelta(days=self._chance.randrange(1, 5))
        return self._paid(loan, loan.installment // 8, f"t{self.distinct}", earlier)

    def _reversal(self) -> LoggedEvent:
        if not self._payments:
            return self._payment()
        place = self._chance.randrange(len(self._payments))
        loan, entity, amount = self._payments[place]
        del self._payments[place]
        self._left[loan.number] += amount
        self.paid_minor -= amount
        fields = f'"relates_to":[{{"kind":"reverses","id":"{entity}"}}],"reason":"returned"'
        return self._event(loan, "payment.reversed.v1", f"r{self.distinct}", fields)

    def _duplicate(self) -> LoggedEvent:
        first = 0 if self._chance.random() < 0.2 else max(0, len(self._sent) - _RECENT)
        return self._sent[self._chance.randrange(first, len(self._sent))]

    def _other(self) -> LoggedEvent:
        number = self.distinct
        charge = f'"charge_id":"g{number}","is_penalty":true,"amount":"5.00","due_date":"{self._day}"'
        fields, kind = self._chance.choice(
            (
                ('"method":"call","outcome":"reached","agent":"A7"', "collection.attempted.v1"),
                (f'"promised_date":"{self._day}","amount":"25.00","agent":"A7"', "promise.made.v1"),
                (f'"officer":"O{number % 997}"', "loan.officer_changed.v1"),
                (charge, "charge.added.v1"),
            )
        )
        loan = self._loans[self._chance.randrange(len(self._loans))]
        return self._event(loan, kind, f"x{number}", fields)

    def _pick(self) -> Loan:
        for _ in range(20):
            loan = self._loans[self._chance.randrange(len(self._loans))]
            if self._left[loan.number] >= loan.installment:
                break
        return loan

    def _paid(self, loan: Loan, amount: int, entity: str, effective_on: date) -> LoggedEvent:
        self._left[loan.number] -= amount
        self.paid_minor += amount
        self.posted_minor += amount
        fields = f'"amount":"{decimal(amount)}","entity_id":"{entity}","channel":"mobile"'
        return self._event(loan, "payment.posted.v1", entity, fields, effective_on)

    def _event(
        self, loan: Loan, kind: str, mark: str, fields: str, effective_on: date | None = None
    ) -> LoggedEvent:
        # Recorded a millisecond apart, so that what was sent later is later in the loan's history, too.
        seconds, millis = divmod(self.distinct, 1_000)
        clock = f"{8 + seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}.{millis:03}000Z"
        event = event_of(loan, kind, mark, fields, (effective_on or self._day, self._day))
        event = event._replace(value=stamped(event.value, f"{self._day}T{clock}".encode()))
        self.distinct += 1
        self._sent.append(event)
        if len(self._sent) > 2 * _REMEMBERED:
            del self._sent[:_REMEMBERED]
        return event
