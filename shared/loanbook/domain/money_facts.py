"""Facts that move the debt: payments, credits, charges, losses, and what undoes them."""

from __future__ import annotations

from datetime import date
from enum import StrEnum
from typing import ClassVar

from loanbook.domain.fact import Fact, Portions
from loanbook.domain.money import Minor


class PaymentKind(StrEnum):
    """What a payment was for."""

    REPAYMENT = "repayment"
    DOWN_PAYMENT = "down_payment"
    CHARGE_PAYMENT = "charge_payment"


class Transaction(Fact, frozen=True, kw_only=True):
    """Base of what moves the debt and may be reversed."""

    MOVES_DEBT: ClassVar[bool] = True
    REVERSIBLE: ClassVar[bool] = True

    amount_minor: Minor
    portions: Portions | None = None


class PaymentPosted(Transaction, frozen=True, kw_only=True):
    """Cash came in."""

    TYPE: ClassVar[str] = "payment.posted.v1"

    kind: PaymentKind = PaymentKind.REPAYMENT
    channel: str | None = None
    charge_id: str | None = None  # of a charge payment: the charge it pays first

    @property
    def cash(self) -> int:
        """The whole of it."""
        return self.amount_minor


class PaymentReversed(Fact, frozen=True, kw_only=True):
    """A posted transaction is undone from its own day on; relates_to names it (kind reverses)."""

    TYPE: ClassVar[str] = "payment.reversed.v1"
    UNDOES: ClassVar[bool] = True

    reason: str | None = None
    manual: bool = True  # False: upstream's replay of its own books, no business fact


class PaymentAdjusted(PaymentPosted, frozen=True, kw_only=True):
    """A payment was corrected: this one counts, and the one that relates_to names does not."""

    TYPE: ClassVar[str] = "payment.adjusted.v1"
    UNDOES: ClassVar[bool] = True


class PaymentChargedBack(Transaction, frozen=True, kw_only=True):
    """The payer took money back: the original stays, its debt comes back on this day."""

    TYPE: ClassVar[str] = "payment.charged_back.v1"


class CreditKind(StrEnum):
    """What kind of relief that is no cash."""

    GOODWILL = "goodwill"
    PAYOUT_REFUND = "payout_refund"
    MERCHANT_ISSUED_REFUND = "merchant_issued_refund"
    INTEREST_WAIVER = "interest_waiver"
    INTEREST_REFUND = "interest_refund"
    CHARGE_ADJUSTMENT = "charge_adjustment"


class CreditPosted(Transaction, frozen=True, kw_only=True):
    """Debt was reduced without cash."""

    TYPE: ClassVar[str] = "credit.posted.v1"

    kind: CreditKind
    charge_id: str | None = None  # of a charge adjustment: the charge it reduces first


class OverpaymentRefunded(Transaction, frozen=True, kw_only=True):
    """What was overpaid went back to the borrower; more than that is a debt again."""

    TYPE: ClassVar[str] = "overpayment.refunded.v1"


class RecoveryPosted(Transaction, frozen=True, kw_only=True):
    """Money for a loan that was written off; no repayment."""

    TYPE: ClassVar[str] = "recovery.posted.v1"
    MOVES_DEBT: ClassVar[bool] = False


class ChargeBasis(StrEnum):
    """What a charge's percentage is of."""

    AMOUNT = "amount"
    INTEREST = "interest"
    AMOUNT_AND_INTEREST = "amount_and_interest"


class ChargeFact(Fact, frozen=True, kw_only=True):
    """Base of what happens to one charge."""

    MOVES_DEBT: ClassVar[bool] = True

    charge_id: str


class ChargeAdded(ChargeFact, frozen=True, kw_only=True):
    """A fee or penalty was put on the loan: an amount, or a percentage of what is scheduled."""

    TYPE: ClassVar[str] = "charge.added.v1"

    due_on: date | None = None  # none: with the disbursement
    is_penalty: bool = False
    amount_minor: Minor | None = None
    percent_bps: int | None = None
    basis: ChargeBasis = ChargeBasis.AMOUNT
    name: str | None = None


class ChargeUpdated(ChargeFact, frozen=True, kw_only=True):
    """A charge has another amount or due day; it counts as if it had always had them."""

    TYPE: ClassVar[str] = "charge.updated.v1"

    due_on: date | None = None
    amount_minor: Minor | None = None


class ChargeWaived(ChargeFact, frozen=True, kw_only=True):
    """What is left of a charge, or a part of it, need not be paid."""

    TYPE: ClassVar[str] = "charge.waived.v1"

    amount_minor: Minor | None = None


class ChargeWaiverUndone(ChargeFact, frozen=True, kw_only=True):
    """The waivers of a charge are taken back."""

    TYPE: ClassVar[str] = "charge.waiver_undone.v1"


class ChargeDeleted(ChargeFact, frozen=True, kw_only=True):
    """A charge never was."""

    TYPE: ClassVar[str] = "charge.deleted.v1"


class LoanChargedOff(Fact, frozen=True, kw_only=True):
    """The lender no longer counts on it; it is still collected and stays active."""

    TYPE: ClassVar[str] = "loan.charged_off.v1"
    MOVES_DEBT: ClassVar[bool] = True

    amount_minor: Minor | None = None
    reason: str | None = None


class ChargeOffUndone(Fact, frozen=True, kw_only=True):
    """A charge-off was taken back: the one named, else the latest before."""

    TYPE: ClassVar[str] = "loan.charge_off_undone.v1"
    UNDOES: ClassVar[bool] = True


class LoanWrittenOff(Fact, frozen=True, kw_only=True):
    """What was owed is given up; money that comes later is a recovery."""

    TYPE: ClassVar[str] = "loan.written_off.v1"
    MOVES_DEBT: ClassVar[bool] = True

    amount_minor: Minor | None = None
    reason: str | None = None


class WriteOffUndone(Fact, frozen=True, kw_only=True):
    """A write-off was taken back: the one named, else the latest before."""

    TYPE: ClassVar[str] = "loan.write_off_undone.v1"
    UNDOES: ClassVar[bool] = True
