"""Whatever order scores arrive in, the newest stands."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from scoring.flow import Policy, score_rows
from scoring.model import RulesScorer
from scoring.records import ScoreRows
from scoring.store import PostgresScoreStore
from tests.integration.scoring.desk import TODAY, Desk, LoanRow

pytestmark = pytest.mark.integration
moments = st.tuples(st.integers(1, 3), st.integers(0, 2), st.sampled_from(["rules-001", "rules-002"]))


class NamedScorer(RulesScorer):
    def __init__(self, name: str) -> None:
        self.name = name


async def rows_at(
    store: PostgresScoreStore, loan: LoanRow, version: int, as_of: date, model: str
) -> ScoreRows:
    async with store.transaction({loan.key: loan.slice}) as unit:
        states = await unit.select_states()
    loans = replace(states.loans, version=np.array([version]), as_of=np.array([as_of], dtype="datetime64[D]"))
    return score_rows(
        replace(states, loans=loans), Policy(scorer=NamedScorer(model), loss_given_default=0.45)
    )


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(order=st.lists(moments, min_size=1, max_size=8))
async def test_the_newest_score_stands_in_any_order_of_writing(
    desk: Desk, store: PostgresScoreStore, order: list[tuple[int, int, str]]
) -> None:
    loan = LoanRow(loan_id="L1", late=3)
    await desk.put(loan)
    await desk.connection.execute("TRUNCATE risk.score, risk.score_history")
    for version, days, model in order:
        rows = await rows_at(store, loan, version, TODAY + timedelta(days=days), model)
        async with store.transaction({loan.key: loan.slice}) as unit:
            await unit.upsert_scores(rows)
    row = await desk.score(loan)
    stands = (row["state_version"], (row["as_of"] - TODAY).days, row["model"])
    assert stands == max(order)


async def test_a_score_that_was_not_written_leaves_no_history(desk: Desk, store: PostgresScoreStore) -> None:
    loan = LoanRow(loan_id="L1", late=3)
    await desk.put(loan)
    both = [await rows_at(store, loan, 1, TODAY, model) for model in ("rules-002", "rules-001")]
    for rows in both:  # what two versions of the service side by side made of the same state
        async with store.transaction({loan.key: loan.slice}) as unit:
            await unit.upsert_scores(rows)
    models = await desk.connection.fetch("SELECT model FROM risk.score_history")
    assert [row["model"] for row in models] == ["rules-002"]
