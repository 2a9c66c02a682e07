"""The blueprint, and what its pages share."""

from typing import Any

from flask import Blueprint, Response, request, url_for

from marketplace.sales.finance.reconciliation import texts

reconciliation = Blueprint("reconciliation", __name__, url_prefix="/staff/finance")


@reconciliation.after_request
def _never_store(response: Response) -> Response:
    """Whoever uses the browser next finds nothing of the books in its cache."""
    response.headers.setdefault("Cache-Control", "private, no-store")
    return response


@reconciliation.context_processor
def _words() -> dict[str, object]:
    return {"texts": texts, "recon_tabs": tabs()}


def tabs() -> list[dict[str, Any]]:
    """The tabs of reconciliation."""
    found = (
        ("Breaks", "reconciliation.home"),
        ("Bank", "reconciliation.bank"),
        ("Runs", "reconciliation.runs"),
    )
    return [
        {"label": label, "href": url_for(endpoint), "current": endpoint == request.endpoint}
        for label, endpoint in found
    ]
