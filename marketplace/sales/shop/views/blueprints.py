"""The two blueprints of this area, and what their pages share."""

from typing import Any

from flask import Blueprint, Response, url_for

from marketplace.identity.models import Organization
from marketplace.sales.shop.queries import open_orders

shop = Blueprint("shop", __name__, url_prefix="/buy")
purchases = Blueprint("purchases", __name__, url_prefix="/organizations/<slug>")


@shop.after_request
@purchases.after_request
def _never_store(response: Response) -> Response:
    """Whoever uses the browser next finds nothing of an organization in its cache."""
    response.headers.setdefault("Cache-Control", "private, no-store")
    return response


def tabs_of(organization: Organization, current: str) -> list[dict[str, Any]]:
    """The tabs of an organization's billing pages. One query."""
    pages = (
        ("purchases.orders", "Orders", open_orders(organization.id)),
        ("purchases.subscriptions", "Subscriptions", None),
        ("purchases.billing_profile", "Billing details", None),
    )
    return [
        {
            "label": label,
            "href": url_for(endpoint, slug=organization.slug),
            "current": endpoint == current,
            "count": count,
            "tone": "warning",
        }
        for endpoint, label, count in pages
    ]
