"""How money is spread: the order is data, upstream's own portions are facts."""

from __future__ import annotations

import pytest

from loanbook.domain import events as facts
from loanbook.domain.loan import Amounts
from loanbook.domain.money import Minor
from loanbook.domain.settings import (
    STEP_NAMES,
    AllocationOrder,
    Component,
    FutureRule,
    Processing,
    ProductSettings,
)
from tests.builders import Story, on_day, portions, some_periods

PENALTY_FIRST = ("penalty", "fee", "interest", "principal")


def owing_of_everything(settings: ProductSettings | None = None) -> Story:
    """Three installments of 100, 10 interest, 5 fee, 2 penalty, due on days 30, 60, 90."""
    story = Story(settings=settings)
    story.tell(facts.LoanDisbursed, 0, amount_minor=Minor(300))
    periods = [
        facts.Period(
            number=number,
            due_on=on_day(30 * number),
            from_on=on_day(30 * number - 30),
            principal_minor=Minor(100),
            interest_minor=Minor(10),
            fee_minor=Minor(5),
            penalty_minor=Minor(2),
        )
        for number in (1, 2, 3)
    ]
    story.planned(periods)
    return story


def ordered(*components: str, **rules: FutureRule | Processing) -> ProductSettings:
    """A product that pays these components in this order, whatever the timing."""
    timings = ("past_due", "due", "in_advance")
    steps = tuple(STEP_NAMES[f"{timing}_{component}"] for timing in timings for component in components)
    return ProductSettings(allocation=AllocationOrder(steps=steps, **rules))  # type: ignore[arg-type]


def add_fee(story: Story, day: int, amount: int, *, due: int) -> None:
    story.tell(facts.ChargeAdded, day, charge_id="c", amount_minor=Minor(amount), due_on=on_day(due))


def paid_of(story: Story, day: int) -> list[int]:
    return [row.paid.total for row in story.at(day).installments]


def test_a_partial_payment_settles_fees_before_interest() -> None:
    story = owing_of_everything()
    story.paid(30, 12)
    payment = story.at(30).transactions[-1]
    assert payment.portions == Amounts(penalty=2, fee=5, interest=5)
    assert payment.estimated


def test_the_component_order_is_the_products() -> None:
    story = owing_of_everything(ordered("principal", "interest", "fee", "penalty"))
    story.paid(30, 105)
    assert story.at(30).transactions[-1].portions == Amounts(principal=100, interest=5)


def test_vertical_processing_pays_one_component_of_all_before_the_next() -> None:
    settings = ordered(*PENALTY_FIRST, processing=Processing.VERTICAL)
    story = owing_of_everything(settings)
    story.paid(95, 25)
    assert story.at(95).transactions[-1].portions == Amounts(penalty=6, fee=15, interest=4)
    assert paid_of(story, 95) == [11, 7, 7]


@pytest.mark.parametrize(
    ("rule", "paid"),
    [
        (FutureRule.NEXT, [60, 0, 0]),
        (FutureRule.LAST, [0, 0, 60]),
        (FutureRule.NEXT_LAST, [60, 0, 0]),
        (FutureRule.REAMORTIZE, [20, 20, 20]),
    ],
)
def test_early_money_goes_where_the_rule_says(rule: FutureRule, paid: list[int]) -> None:
    story = owing_of_everything(ordered(*PENALTY_FIRST, future_rule=rule))
    story.paid(10, 60)
    assert paid_of(story, 10) == paid


def test_early_money_for_the_next_and_then_the_last_leaves_the_middle() -> None:
    story = owing_of_everything(ordered(*PENALTY_FIRST, future_rule=FutureRule.NEXT_LAST))
    story.paid(10, 150)
    assert paid_of(story, 10) == [117, 0, 33]


def test_equal_parts_lose_no_cent() -> None:
    story = owing_of_everything(ordered(*PENALTY_FIRST, future_rule=FutureRule.REAMORTIZE))
    story.paid(10, 275)
    assert paid_of(story, 10) == [92, 92, 91]


def test_timing_compares_due_days_with_the_day_of_the_payment_and_never_with_today() -> None:
    story = owing_of_everything(ordered(*PENALTY_FIRST, future_rule=FutureRule.LAST))
    story.paid(30, 150, booked=200)
    assert paid_of(story, 200) == [117, 0, 33]


def test_each_kind_of_transaction_may_have_its_own_order() -> None:
    by_kind = {"goodwill": AllocationOrder(future_rule=FutureRule.LAST)}
    story = owing_of_everything(ProductSettings(allocation_by_kind=by_kind))
    story.paid(10, 20)
    story.tell(facts.CreditPosted, 11, amount_minor=Minor(20), kind=facts.CreditKind.GOODWILL)
    assert paid_of(story, 11) == [20, 0, 20]
    assert (story.at(11).paid, story.at(11).last_payment_on) == (20, on_day(10))


def test_upstreams_portions_are_facts() -> None:
    story = owing_of_everything()
    story.paid(30, 60, portions=portions(principal=50, interest=10))
    loan = story.at(30)
    assert loan.installments[0].paid == Amounts(principal=50, interest=10)
    assert not loan.transactions[-1].estimated
    assert loan.principal_outstanding == 250


def test_what_upstreams_portions_leave_over_goes_by_our_order() -> None:
    story = owing_of_everything()
    story.paid(30, 70, portions=portions(principal=50))
    assert story.at(30).installments[0].paid == Amounts(principal=53, interest=10, fee=5, penalty=2)


def test_an_early_charge_whose_day_has_come_is_paid_before_early_principal() -> None:
    order = AllocationOrder(
        steps=ordered("principal", *PENALTY_FIRST[:-1]).allocation.steps, charges_due_on_their_own=True
    )
    story = Story(settings=ProductSettings(allocation=order)).lent()
    story.tell(facts.ChargeAdded, 5, charge_id="a", amount_minor=Minor(10), due_on=on_day(8))
    story.tell(facts.ChargeAdded, 5, charge_id="b", amount_minor=Minor(10), due_on=on_day(20))
    story.paid(10, 50)
    assert story.at(10).transactions[-1].portions == Amounts(principal=40, fee=10)


def test_a_schedule_of_totals_gives_an_estimated_principal() -> None:
    story = Story()
    story.tell(facts.LoanDisbursed, 0, amount_minor=Minor(10_000))
    story.planned([facts.Period(number=1, due_on=on_day(30), total_minor=Minor(11_500))])
    story.paid(10, 3_000)
    loan = story.at(10)
    assert loan.estimated
    assert loan.total_outstanding == 8_500
    assert loan.principal_outstanding == 7_391  # 10,000 x 8,500 / 11,500, half to even


@pytest.mark.parametrize(
    ("order", "back"),
    [
        ((Component.PRINCIPAL,), Amounts(principal=100)),
        ((Component.INTEREST, Component.PRINCIPAL), Amounts(interest=10, principal=90)),
    ],
)
def test_a_chargeback_brings_back_what_the_product_says(order: tuple[Component, ...], back: Amounts) -> None:
    story = owing_of_everything(ProductSettings(chargeback_order=order))
    payment = story.paid(30, 117)
    relates_to = (facts.Relation(kind=facts.RelationKind.CHARGEBACK_OF, id=payment),)
    story.tell(facts.PaymentChargedBack, 40, amount_minor=Minor(100), relates_to=relates_to)
    loan = story.at(40)
    assert loan.installments[1].added_back == back
    assert loan.paid == 17


def test_a_chargeback_first_eats_what_is_overpaid() -> None:
    story = Story().lent((100,))
    payment = story.paid(10, 140)
    relates_to = (facts.Relation(kind=facts.RelationKind.CHARGEBACK_OF, id=payment),)
    story.tell(facts.PaymentChargedBack, 20, amount_minor=Minor(30), relates_to=relates_to)
    loan = story.at(20)
    assert (loan.overpaid, loan.total_outstanding) == (10, 0)


def test_what_was_overpaid_pays_a_later_charge_on_the_day_the_money_came() -> None:
    story = Story(settings=ProductSettings(charges_first=False)).lent((100,))
    story.paid(10, 107)
    story.paid(20, 20)
    add_fee(story, 30, 12, due=32)
    loan = story.at(32)
    first, second = [t for t in loan.transactions if t.type == facts.PaymentPosted.TYPE]
    assert (first.portions, first.overpayment) == (Amounts(principal=100, fee=7), 0)
    assert (second.portions, second.overpayment) == (Amounts(fee=5), 15)
    assert (loan.overpaid, loan.installments[-1].met_on) == (15, on_day(20))
    assert loan.installments[-1].paid_in_advance == 12


def test_what_a_chargeback_took_of_the_overpaid_pays_no_later_charge() -> None:
    story = Story().lent((100,))
    payment = story.paid(10, 110)
    relates_to = (facts.Relation(kind=facts.RelationKind.CHARGEBACK_OF, id=payment),)
    story.tell(facts.PaymentChargedBack, 20, amount_minor=Minor(6), relates_to=relates_to)
    add_fee(story, 40, 9, due=40)
    loan = story.at(40)
    assert (loan.overpaid, loan.total_outstanding) == (0, 5)


def test_a_refund_of_more_than_was_overpaid_is_a_debt_again() -> None:
    story = Story().lent((100,))
    story.paid(10, 140)
    story.tell(facts.OverpaymentRefunded, 20, amount_minor=Minor(50))
    loan = story.at(20)
    assert (loan.overpaid, loan.refunded, loan.total_outstanding) == (0, 50, 10)


def test_an_installment_is_met_on_the_day_a_new_schedule_asks_no_more_than_was_paid() -> None:
    story = Story(settings=ProductSettings(carries_payments_over=True)).lent((100, 100))
    story.paid(20, 60)
    story.planned(some_periods((60, 140)), day=25, version=2)
    row = story.at(70).installments[0]
    assert (row.outstanding, row.met_on) == (0, on_day(25))
    assert story.at(70).past_due_on == on_day(60)
    assert story.at(200).missed_12m == 1


def test_principal_that_a_new_schedule_asks_for_again_is_owed_again_though_it_was_waived() -> None:
    story = Story(settings=ProductSettings(carries_payments_over=True)).lent((100, 100))
    story.tell(
        facts.LoanRestructured, 20, kind=facts.RestructureKind.CLOSED_AS_RESCHEDULED, entity_id="closing"
    )
    story.planned(some_periods((60, 140)), day=25, version=2)
    loan = story.at(26)
    assert [row.waived.principal for row in loan.installments] == [60, 100]
    assert (loan.total_outstanding, loan.principal_outstanding) == (40, 40)


def test_an_installment_of_nothing_is_open_again_with_the_debt_that_came_back_to_it() -> None:
    story = Story(settings=ProductSettings(carries_payments_over=True)).lent((0, 100))
    story.tell(facts.OverpaymentRefunded, 5, amount_minor=Minor(20))
    story.planned(some_periods((0, 100)), day=25, version=2)
    assert [(row.outstanding, row.met_on) for row in story.at(26).installments] == [(20, None), (100, None)]
