"""Absolute addresses for mails, which are written where there is no request."""

from flask import current_app


def absolute(path: str) -> str:
    """`path` (beginning with a slash) at this installation's public address."""
    return f"{current_app.config['PUBLIC_URL']}{path}"


def listing_url(slug: str, fragment: str = "") -> str:
    """A listing's public page."""
    return absolute(f"/listings/{slug}{'#' + fragment if fragment else ''}")


def case_url(number: str) -> str:
    """The publisher's page of an abuse case, where it can appeal."""
    return absolute(f"/partner/cases/{number}")


def request_url(request_id: int) -> str:
    """A requested integration's page."""
    return absolute(f"/requests/{request_id}")


def listing_path(slug: str, fragment: str = "") -> str:
    """A listing's public page, relative to this site."""
    return f"/listings/{slug}{'#' + fragment if fragment else ''}"


def publisher_path(slug: str) -> str:
    """A publisher's public page, relative to this site."""
    return f"/partners/{slug}"
