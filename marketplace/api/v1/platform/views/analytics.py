"""Figures of a partner's listings by day."""

import re
from datetime import UTC, date, datetime, time, timedelta

from flask import request
from flask.typing import ResponseReturnValue

from marketplace.api.v1.parameters import Parameter, check_parameters
from marketplace.api.v1.platform.answers import answer
from marketplace.api.v1.platform.authentication import Credential
from marketplace.api.v1.platform.guard import token_needs
from marketplace.api.v1.platform.operations import Group, Reply
from marketplace.api.v1.platform.queries import analytics as queries
from marketplace.api.v1.platform.queries.listings import own_listing
from marketplace.api.v1.platform.schemas.events import ANALYTICS
from marketplace.api.v1.platform.views.reviews import LISTING
from marketplace.core import clock
from marketplace.core.errors import InvalidError, NotFoundError

group = Group("Analytics")
MOST_DAYS = 366
DEFAULT_DAYS = 28
FIRST_YEAR = 2000
_DAY = r"[0-9]{4}-[0-9]{2}-[0-9]{2}"


def _day(name: str, description: str) -> Parameter:
    return Parameter(
        name,
        description,
        {"anyOf": [{"type": "string", "format": "date"}, {"const": ""}]},
        re.compile(_DAY),
        "Use a day such as 2026-11-28.",
    )


FROM = _day("from", f"The first day (UTC); by default {DEFAULT_DAYS - 1} days before the last.")
TO = _day("to", f"The last day (UTC), at most {MOST_DAYS - 1} days later; by default today.")


@group.operation(
    "GET",
    "/partner/analytics",
    id="getAnalytics",
    summary="Read figures by day",
    description="Installations, removals and reviews by day (UTC), of one listing or of all. "
    f"At most {MOST_DAYS} days. A test credential counts the sandbox's installations.",
    replies={200: Reply("The figures.", ANALYTICS)},
    parameters=(LISTING, FROM, TO),
    problems=(404,),
)
@token_needs("partner.analytics.read", action="platform.read")
def analytics(credential: Credential) -> ResponseReturnValue:
    """Figures by day."""
    check_parameters(request.args, (LISTING, FROM, TO))
    first, last = _days()
    slug = request.args.get("listing") or None
    listing_id = None
    if slug is not None:
        listing = own_listing(credential.partner_id, slug)
        if listing is None:
            raise NotFoundError("You have no listing of this slug.")
        listing_id = listing.id
    begin, end = _midnight(first), _midnight(last + timedelta(days=1))
    whose = (credential.partner_id, credential.environment, listing_id)
    active = queries.active_before(*whose, begin)
    installed = queries.installs_by_day(*whose, begin, end)
    removed = queries.installs_by_day(*whose, begin, end, uninstalled=True)
    reviewed = queries.reviews_by_day(credential.partner_id, listing_id, begin, end)
    days = []
    for number in range((last - first).days + 1):
        day = first + timedelta(days=number)
        active += installed.get(day, 0) - removed.get(day, 0)
        days.append(
            {
                "day": day.isoformat(),
                "installs": installed.get(day, 0),
                "uninstalls": removed.get(day, 0),
                "active": active,
                "reviews": reviewed.get(day, 0),
            }
        )
    return answer(
        {
            "listing": slug,
            "environment": credential.environment.value,
            "days": days,
            "totals": {
                "installs": sum(installed.values()),
                "uninstalls": sum(removed.values()),
                "active": active,
                "reviews": sum(reviewed.values()),
            },
        }
    )


def _days() -> tuple[date, date]:
    """The first and the last day asked for. Raises InvalidError by parameter."""
    last = _read("to") or clock.now().date()
    first = _read("from") or last - timedelta(days=DEFAULT_DAYS - 1)
    if first > last:
        raise InvalidError({"from": "This is after the last day."})
    if (last - first).days >= MOST_DAYS:
        raise InvalidError({"from": f"Ask for at most {MOST_DAYS} days."})
    return first, last


def _read(name: str) -> date | None:
    value = request.args.get(name)
    if not value:
        return None
    try:
        day = date.fromisoformat(value)
    except ValueError:
        raise InvalidError({name: "There is no such day."}) from None
    if day.year < FIRST_YEAR or day > clock.now().date() + timedelta(days=1):
        raise InvalidError({name: f"Use a day from {FIRST_YEAR} to today."})
    return day


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)
