"""The pages: a partner's own figures, and everybody's for the staff."""

from collections.abc import Iterable
from typing import Any

from flask import Response, render_template, request, url_for
from flask.typing import ResponseReturnValue

from marketplace.catalogue.exposure import Placement
from marketplace.core import clock
from marketplace.core.csv_export import csv_response
from marketplace.core.errors import NotFoundError
from marketplace.core.permissions import current_actor, needs
from marketplace.observability.access import active_partner
from marketplace.observability.analytics import queries
from marketplace.observability.analytics.goals import views_goals
from marketplace.observability.analytics.queries import STAGES, Funnel, Scope, funnel_of
from marketplace.observability.analytics.texts import PLACEMENTS
from marketplace.observability.analytics.texts import STAGES as STAGE_TEXTS
from marketplace.observability.analytics.views.blueprints import analytics, analytics_staff
from marketplace.observability.periods import PRESETS, Period, read_period, zone_of

BY = {"day": "By day", "listing": "By listing", "placement": "By placement"}
TOP = 25


@analytics.get("/partner/analytics")
@needs("analytics.read")
def index() -> ResponseReturnValue:
    """The partner's funnel: filters, figures, charts."""
    partner = active_partner()
    scope, chosen = _scope(partner.organization_id)
    period = _period()
    return render_template(
        "analytics/index.html",
        partner=partner,
        listings=queries.listings_of(partner.organization_id),
        goals=views_goals(partner.organization_id),
        **_shown(scope, chosen, period, "analytics.index", "analytics.export"),
    )


@analytics.get("/partner/analytics.csv")
@needs("analytics.read")
def export() -> ResponseReturnValue:
    """The same figures as a file, by day, listing or placement."""
    partner = active_partner()
    scope, _chosen = _scope(partner.organization_id)
    return _csv(scope, _period(), f"{partner.organization_slug}-analytics")


@analytics_staff.get("/staff/analytics", endpoint="index")
@needs("analytics.read_all")
def index_staff() -> ResponseReturnValue:
    """The whole site's funnel, and its top listings."""
    scope, chosen = _scope(None)
    return render_template(
        "analytics/staff.html",
        goals=views_goals(None),
        **_shown(scope, chosen, _period(), "analytics_staff.index", "analytics_staff.export"),
    )


@analytics_staff.get("/staff/analytics.csv", endpoint="export")
@needs("analytics.read_all")
def export_staff() -> ResponseReturnValue:
    """The whole site's figures as a file."""
    scope, _chosen = _scope(None)
    return _csv(scope, _period(), "analytics")


def _period() -> Period:
    zone = zone_of(current_actor().timezone)
    return read_period(request.args, now=clock.now(), zone=zone)


def _scope(organization_id: int | None) -> tuple[Scope, str]:
    """What is asked for, and the chosen listing's slug. Raises NotFoundError for a listing that is
    not the partner's."""
    slug = request.args.get("listing", "").replace("\0", "")[:80]
    listing = queries.find_listing(slug, organization_id) if slug else None
    if slug and listing is None:
        raise NotFoundError
    asked = request.args.get("placement", "")
    placement = Placement(asked) if asked in set(Placement) else None
    return Scope(organization_id, listing.id if listing else None, placement), slug


def _shown(scope: Scope, slug: str, period: Period, page: str, file: str) -> dict[str, Any]:
    args: dict[str, Any] = {
        **period.args(),
        "listing": slug or None,
        "placement": scope.placement or None,
    }
    funnel = funnel_of(scope, period)
    before = funnel_of(scope, period.before()).total
    return {
        "funnel": funnel,
        "before": before,
        "period": period,
        "presets": list(PRESETS.items()),
        "placements": PLACEMENTS,
        "stage_texts": STAGE_TEXTS,
        "stages": STAGES,
        "scope": scope,
        "slug": slug,
        "top": list(funnel.by_listing.items())[:TOP],
        "page_endpoint": page,
        "exports": [
            (label, url_for(file, **args, by=by))
            for by, label in BY.items()
            if by != "placement" or scope.placement is None
        ],
        "labels": [f"{day.day} {day:%b}" for day in period.days()],
        "captions": [f"{day.day} {day:%B %Y}" for day in period.days()],
    }


def _csv(scope: Scope, period: Period, name: str) -> Response:
    by = request.args.get("by", "day")
    if by not in BY:
        by = "day"
    funnel = funnel_of(scope, period)
    file = f"{name}-{by}-{period.first}-{period.last}.csv"
    return csv_response(file, (*_heads(by), *STAGES), _rows(by, funnel, period))


def _heads(by: str) -> tuple[str, ...]:
    return ("listing", "address") if by == "listing" else (by,)


def _rows(by: str, funnel: Funnel, period: Period) -> Iterable[list[object]]:
    if by == "day":
        for day, counts in funnel.daily(period.days()):
            yield [day, *counts]
    elif by == "placement":
        for placement, found in funnel.by_placement.items():
            # What comes after a view is not traced to a placement.
            yield [PLACEMENTS[placement], found.impressions, found.views, None, None, None]
    else:
        for listing_id, found in funnel.by_listing.items():
            label, slug = funnel.listings.get(listing_id, (f"Listing {listing_id}", ""))
            yield [label, slug, *(getattr(found, stage) for stage in STAGES)]
