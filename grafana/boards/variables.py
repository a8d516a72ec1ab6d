"""The controls above the boards, each narrowed by those before it."""

from __future__ import annotations

from grafana_foundation_sdk.builders import dashboard as builders
from grafana_foundation_sdk.models import dashboard as models

from grafana.boards.query import POSTGRES, read_sql

Variable = builders.QueryVariable | builders.CustomVariable | builders.TextBoxVariable


def book() -> Variable:
    """One lender's legal entity."""
    return _single("book", "Book")


def currency() -> Variable:
    """Exactly one: amounts of two currencies are never added."""
    return _single("currency", "Currency")


def selection() -> list[Variable]:
    """Book, currency, and the chain region -> branch -> product."""
    return [
        book(),
        currency(),
        _several("region", "Region"),
        _several("branch", "Branch"),
        _several("product", "Product"),
    ]


def business_days(*choices: int, first: int) -> Variable:
    """How far back the pictures by business day reach: the book's calendar, not the clock on the wall."""
    options = [
        models.VariableOption(text=str(days), value=str(days), selected=days == first) for days in choices
    ]
    variable = builders.CustomVariable("days").label("Business days").values(",".join(map(str, choices)))
    return variable.options(options).current(
        models.VariableOption(text=str(first), value=str(first), selected=True)
    )


def loan() -> Variable:
    """A loan's id, typed or linked to; empty means the loan with the highest expected loss."""
    return builders.TextBoxVariable("loan").label("Loan").default_value("")


def currency_of_loan() -> Variable:
    """The loan's own currency, for titles; not a control."""
    return _query("currency", "Currency", "variables/currency_of_loan").hide(
        models.VariableHide.HIDE_VARIABLE
    )


def _single(name: str, label: str) -> builders.QueryVariable:
    return _query(name, label, f"variables/{name}")


def _query(name: str, label: str, sql: str) -> builders.QueryVariable:
    return (
        builders.QueryVariable(name)
        .label(label)
        .datasource(POSTGRES)
        .query(read_sql(sql))
        .refresh(models.VariableRefresh.ON_TIME_RANGE_CHANGED)
        .sort(models.VariableSort.DISABLED)
    )


def _several(name: str, label: str) -> builders.QueryVariable:
    everything = models.VariableOption(text="All", value=["$__all"], selected=True)
    return _single(name, label).multi(multi=True).include_all(include_all=True).current(everything)
