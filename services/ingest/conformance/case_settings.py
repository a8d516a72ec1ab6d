"""Product settings of the golden cases as ours: a mapping of names, nothing by case or product."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from loanbook.domain.settings import ProductSettings

KINDS = {
    "REPAYMENT": "repayment",
    "DOWN_PAYMENT": "down_payment",
    "GOODWILL_CREDIT": "goodwill",
    "MERCHANT_ISSUED_REFUND": "merchant_issued_refund",
    "PAYOUT_REFUND": "payout_refund",
    "INTEREST_PAYMENT_WAIVER": "interest_waiver",
    "INTEREST_REFUND": "interest_refund",
    "CHARGE_ADJUSTMENT": "charge_adjustment",
}
FUTURE_RULES = {
    "NEXT_INSTALLMENT": "next",
    "LAST_INSTALLMENT": "last",
    "NEXT_LAST_INSTALLMENT": "next_last",
    "REAMORTIZATION": "reamortize",
}
_COMPONENTS = ("penalty", "fee", "interest", "principal")
_PLURAL = {"penalties": "penalty", "fees": "fee"}


def settings_of(
    product: Mapping[str, Any], case: Mapping[str, Any], rules: Mapping[str, str]
) -> ProductSettings:
    """The settings of a case; `rules` are future-installment rules set while it runs, by transaction type."""
    return ProductSettings.from_json(settings_json(product, case, rules))


def settings_json(
    product: Mapping[str, Any], case: Mapping[str, Any], rules: Mapping[str, str]
) -> dict[str, Any]:
    """The same settings as a product of a book keeps them."""
    given = {**product, **case["depends_on"], **case["loan"]}
    settings: dict[str, Any] = {
        "grace_days": int(given.get("arrears_grace_days") or 0),
        "carries_payments_over": given.get("schedule_type") == "PROGRESSIVE",
        "charges_first": given.get("schedule_type") != "PROGRESSIVE",
        "chargeback_order": _chargeback_order(given),
    }
    if given.get("allocation_strategy") == "ADVANCED_PAYMENT_ALLOCATION":
        settings |= _advanced(given, rules)
    else:
        settings["allocation"] = _from_name(str(given.get("allocation_strategy", "")).lower())
    return settings


def _advanced(given: Mapping[str, Any], rules: Mapping[str, str]) -> dict[str, Any]:
    processing = str(given.get("schedule_processing") or "horizontal").lower()
    orders = {}
    for rule in given.get("payment_allocation", ()):
        future = rules.get(rule["transaction_type"], rule["future_installment_rule"])
        orders[rule["transaction_type"]] = {
            "order": [step.lower() for step in rule["order"]],
            "future_rule": FUTURE_RULES[future],
            "processing": processing,
        }
    default = orders.pop("DEFAULT", {"processing": processing})
    return {
        "allocation": default,
        "allocation_by_kind": {KINDS[kind]: order for kind, order in orders.items() if kind in KINDS},
    }


def _from_name(strategy: str) -> dict[str, Any]:
    """An order spelt out in a strategy's name: what is due, then what is in advance."""
    due, _, advance = strategy.removeprefix("due_").removesuffix("_order").partition("_in_advance_")
    due_order = _components_in(due)
    advance_order = _components_in(advance) if advance else due_order
    steps = [f"past_due_{part}" for part in due_order]
    steps += [f"due_{part}" for part in due_order]
    steps += [f"in_advance_{part}" for part in advance_order]
    return {"order": steps, "charges_due_on_their_own": bool(advance)}


def _components_in(text: str) -> list[str]:
    named = [_PLURAL.get(word, word) for word in text.split("_")]
    ordered = [word for word in named if word in _COMPONENTS]
    return ordered if len(ordered) == len(_COMPONENTS) else list(_COMPONENTS)


def _chargeback_order(given: Mapping[str, Any]) -> list[str]:
    for rule in given.get("credit_allocation") or ():
        if rule["transaction_type"] == "CHARGEBACK":
            return [part.lower() for part in rule["order"]]
    return ["principal"]
