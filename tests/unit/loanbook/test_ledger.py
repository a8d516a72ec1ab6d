"""Every fact has a stored number, and no two share one."""

from loanbook.domain.events import FACTS
from loanbook.postgres.ledger import TYPE_KEYS


def test_every_fact_has_a_number_of_its_own() -> None:
    assert {fact.TYPE for fact in FACTS} == set(TYPE_KEYS)
    assert len(set(TYPE_KEYS.values())) == len(TYPE_KEYS)
