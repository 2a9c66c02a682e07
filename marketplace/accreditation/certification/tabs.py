"""The tabs that the pages of certification share with those of evidence and authorizations."""

from typing import Any

from flask import url_for

_PAGES = (
    ("certification.index", "Certifications"),
    ("managed_services.index", "Managed services"),
    ("authorizations.index", "Authorizations"),
)


def certification_tabs(current: str) -> list[dict[str, Any]]:
    """The tabs, with the one of the endpoint marked."""
    return [
        {"label": label, "href": url_for(endpoint), "current": endpoint == current}
        for endpoint, label in _PAGES
    ]
