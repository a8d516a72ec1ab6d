"""The API's own description: every error as problem details, an example for every answer."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import cache
from importlib import resources
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

_FIRST_ERROR = 400
# The file in static/examples for each answer.
EXAMPLES = {
    ("/v1/portfolio", "get"): "portfolio",
    ("/v1/branches", "get"): "branches",
    ("/v1/regions", "get"): "regions",
    ("/v1/products", "get"): "products",
    ("/v1/segments", "get"): "segments",
    ("/v1/measures/roll-rates", "get"): "roll_rates",
    ("/v1/measures/vintages", "get"): "vintages",
    ("/v1/measures/first-payment-default", "get"): "first_payment_default",
    ("/v1/measures/concentration", "get"): "concentration",
    ("/v1/measures/provisions", "get"): "provisions",
    ("/v1/measures/stages", "get"): "stages",
    ("/v1/measures/expected-credit-loss", "get"): "expected_credit_loss",
    ("/v1/measures/missed-roll-rates", "get"): "missed_roll_rates",
    ("/v1/measures/cures", "get"): "cures",
    ("/v1/measures/collection", "get"): "collection",
    ("/v1/measures/punctuality", "get"): "punctuality",
    ("/v1/measures/resolution", "get"): "resolution",
    ("/v1/measures/write-offs", "get"): "write_offs",
    ("/v1/loans", "get"): "loans",
    ("/v1/loans/{loan_id}", "get"): "loan",
    ("/v1/alerts", "get"): "alerts",
    ("/v1/alerts/{alert_id}/acknowledge", "post"): "alert",
    ("/v1/unapplied", "get"): "unapplied",
    ("/v1/dead-letters", "get"): "dead_letters",
    ("/v1/freshness", "get"): "freshness",
    ("/v1/reconciliation", "get"): "reconciliation",
}


def describe(app: FastAPI) -> Callable[[], dict[str, Any]]:
    """What /openapi.json shows, made once."""

    @cache
    def openapi() -> dict[str, Any]:
        document = get_openapi(
            title=app.title, version=app.version, description=app.description, routes=app.routes
        )
        for path, operations in document["paths"].items():
            for method, operation in operations.items():
                _complete(path, method, operation["responses"])
        for unused in ("HTTPValidationError", "ValidationError"):
            document["components"]["schemas"].pop(unused, None)
        return document

    return openapi


def example(name: str) -> Any:  # noqa: ANN401 - an answer of the API
    """A stored answer."""
    file = resources.files("analytics_api").joinpath("static", "examples", f"{name}.json")
    return json.loads(file.read_text(encoding="utf-8"))


def _complete(path: str, method: str, responses: dict[str, Any]) -> None:
    for status, response in responses.items():
        if int(status) >= _FIRST_ERROR and path.startswith("/v1/"):
            schema = {"$ref": "#/components/schemas/Problem"}
            response["content"] = {"application/problem+json": {"schema": schema}}
    name = EXAMPLES.get((path, method))
    if name is not None:
        responses["200"]["content"]["application/json"]["example"] = example(name)
