"""The two blueprints of this area, and what their pages share."""

from typing import Any

from flask import Blueprint, Response, url_for

from marketplace.core.permissions import current_actor
from marketplace.identity.models import Organization
from marketplace.installs.customer.queries import requests as request_queries
from marketplace.installs.customer.roles import is_admin_of

installs = Blueprint("installs", __name__)
installs_staff = Blueprint("installs_staff", __name__, url_prefix="/staff")


@installs.after_request
def _never_store(response: Response) -> Response:
    """Whoever uses the browser next finds nothing of an organization in its cache."""
    response.headers.setdefault("Cache-Control", "private, no-store")
    return response


def tabs_of(organization: Organization, current: str) -> list[dict[str, Any]]:
    """The tabs of an organization's app pages. One query."""
    manages = is_admin_of(current_actor(), organization)
    waiting, _closed = request_queries.counts(organization.id)
    tabs = [
        ("Installed", "installs.inventory", None),
        ("Requests", "installs.requests", waiting),
        ("Policy", "installs.policy", None),
    ]
    return [
        {
            "label": label,
            "href": url_for(endpoint, slug=organization.slug),
            "current": endpoint == current,
            "count": count,
            "tone": "warning" if manages else "neutral",
        }
        for label, endpoint, count in tabs
    ]
