"""Answers of the API about one day's measures, held to the domain's functions over the folded loans."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction

from loanbook.domain.loan import DelinquencyBucket, Loan
from loanbook.domain.portfolio import (
    ExpectedLoss,
    LossAssumptions,
    Ratio,
    arrears_rate,
    bucket_split,
    expected_credit_loss,
    exposure_at_default,
    gross_loan_portfolio,
    herfindahl,
    ifrs9_stage,
    in_portfolio,
    non_performing_ratio,
    portfolio_at_risk,
    provision,
    risk_coverage,
    top_share,
)
from tests.measures import BUCKETS, Answer, minor, rounded, shown


def check_portfolio(answer: Answer, loans: Sequence[Loan]) -> None:
    """Portfolio at risk both ways, the arrears rate, buckets."""
    figures = answer["figures"]
    whole = gross_loan_portfolio(loans)
    assert minor(figures["totals"]["principal_outstanding"]) == whole
    for part in figures["portfolio_at_risk"]:
        at_risk = portfolio_at_risk(loans, over_days=part["over_days"])
        amounts = (minor(part["numerator"]), minor(part["denominator"]))
        assert amounts == (at_risk.amount.numerator, at_risk.amount.denominator)
        assert (part["loans"], part["loans_of"]) == (at_risk.count.numerator, at_risk.count.denominator)
        assert (part["ratio"], part["ratio_by_count"]) == (shown(at_risk.amount), shown(at_risk.count))
    assert figures["arrears_rate"]["ratio"] == shown(arrears_rate(loans))
    assert figures["non_performing"]["ratio"] == shown(non_performing_ratio(loans))
    split = bucket_split(loans)
    for part in figures["buckets"]:
        mine = split[BUCKETS[part["bucket"]]]
        assert (part["loans"], minor(part["principal_outstanding"]), minor(part["overdue"])) == (
            mine.loans,
            mine.principal,
            mine.overdue,
        )


def check_concentration(answer: Answer, loans: Sequence[Loan], key: Callable[[Loan], str | None]) -> None:
    """Top share and Herfindahl index of the portfolio and of its late part; the holders named."""
    late = [loan for loan in loans if loan.days_past_due > 30]
    assert answer["holders"] == len({key(loan) for loan in in_portfolio(loans)})
    assert minor(answer["principal_outstanding"]) == gross_loan_portfolio(loans)
    assert minor(answer["par30_principal"]) == gross_loan_portfolio(late)
    assert answer["top_share"] == shown(top_share(loans, count=len(answer["top"]), key=key))
    assert answer["herfindahl"] == rounded(herfindahl(loans, key=key))
    assert answer["par30_herfindahl"] == rounded(herfindahl(late, key=key))
    for holder in answer["top"]:
        held = [loan for loan in in_portfolio(loans) if (key(loan) or "unknown") == holder["name"]]
        assert (holder["loans"], minor(holder["principal_outstanding"])) == (
            len(held),
            gross_loan_portfolio(held),
        )
        at_risk = portfolio_at_risk(held).amount.numerator
        share = Ratio(numerator=at_risk, denominator=gross_loan_portfolio(late))
        assert (minor(holder["par30_principal"]), holder["par30_share"]) == (at_risk, shown(share))


def check_provisions(
    answer: Answer, loans: Sequence[Loan], rates_bps: Mapping[DelinquencyBucket, int]
) -> None:
    """What is set aside, in all and by bucket, and how it covers PAR30."""
    wanted = provision(loans, rates_bps, on_total=answer["basis"] == "outstanding")
    assert minor(answer["provision"]) == wanted
    assert sum(minor(bucket["provision"]) for bucket in answer["buckets"]) == wanted
    assert answer["risk_coverage"] == shown(risk_coverage(loans, wanted))
    assert minor(answer["principal_outstanding"]) == gross_loan_portfolio(loans)


def check_stages(answer: Answer, loans: Sequence[Loan], *, charged_off: bool = False) -> None:
    """Loans, principal and exposure of each stage."""
    standing = in_portfolio(loans, charged_off=charged_off)
    assert (answer["loans"], minor(answer["principal_outstanding"])) == (
        len(standing),
        sum(loan.principal_outstanding for loan in standing),
    )
    for stage in answer["stages"]:
        mine = [loan for loan in standing if ifrs9_stage(loan) == stage["stage"]]
        assert stage["loans"] == len(mine), stage["stage"]
        assert minor(stage["principal_outstanding"]) == sum(loan.principal_outstanding for loan in mine)
        assert minor(stage["exposure"]) == sum(exposure_at_default(loan) for loan in mine)


def check_expected_loss(answer: Answer, loans: Sequence[Loan], assumed: LossAssumptions) -> None:
    """Exposure, weighted default probability and expected loss of each stage."""
    by_stage: dict[int, list[ExpectedLoss]] = {1: [], 2: [], 3: []}
    for loan in in_portfolio(loans):
        loss = expected_credit_loss(loan, assumed)
        by_stage[loss.stage].append(loss)
    for stage in answer["stages"]:
        losses = by_stage[stage["stage"]]
        exposed = sum(one.exposure for one in losses)
        assert (stage["loans"], minor(stage["exposure"])) == (len(losses), exposed)
        # The domain rounds each loan, the API each stage.
        assert abs(minor(stage["expected_loss"]) - sum(one.amount for one in losses)) <= len(losses) / 2
        weighted = sum((one.default_probability * one.exposure for one in losses), Fraction(0))
        assert stage["default_probability"] == (rounded(weighted / exposed) if exposed else None)
    assert minor(answer["expected_loss"]) == sum(minor(s["expected_loss"]) for s in answer["stages"])
