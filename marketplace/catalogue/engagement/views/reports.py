"""Reporting a listing, signed in or not."""

from flask import redirect, render_template, session, url_for
from flask.typing import ResponseReturnValue
from flask_limiter.util import get_remote_address

from marketplace.catalogue.engagement.forms import ReportForm
from marketplace.catalogue.engagement.queries.listings import find_live_listing
from marketplace.catalogue.engagement.services import cases
from marketplace.catalogue.engagement.views.blueprints import engagement
from marketplace.catalogue.engagement.views.returning import show_errors
from marketplace.catalogue.models import Listing
from marketplace.core.errors import InvalidError, NotFoundError
from marketplace.core.limits import limiter
from marketplace.core.permissions import current_actor, public

_REPORTED = "reported_case"


def _reporter() -> str:
    """A person counts wherever they are; without a sign-in it is the address."""
    user_id = current_actor().user_id
    return f"user:{user_id}" if user_id is not None else get_remote_address()


@engagement.get("/listings/<slug>/report")
@public("anybody may report what harms people")
def report_form(slug: str) -> ResponseReturnValue:
    """The form."""
    return _page(_listing(slug), ReportForm())


@engagement.post("/listings/<slug>/report")
@public("anybody may report what harms people")
@limiter.limit("5 per hour", key_func=_reporter, deduct_when=lambda r: r.status_code < 400)
def report(slug: str) -> ResponseReturnValue:
    """Report the listing."""
    listing = _listing(slug)
    form = ReportForm()
    try:
        case = cases.report_listing(
            current_actor(),
            listing,
            form.reason.data or "",
            form.details.data or "",
            form.email.data or "",
        )
    except InvalidError as error:
        show_errors(form, error)
        return _page(listing, form), 422
    session[_REPORTED] = [listing.slug, case.number]
    return redirect(url_for("engagement.report_received", slug=listing.slug), code=303)


@engagement.get("/listings/<slug>/report/received")
@public("shows the case number to the browser that reported")
def report_received(slug: str) -> ResponseReturnValue:
    """The case number."""
    reported = session.get(_REPORTED)
    if not reported or reported[0] != slug:
        raise NotFoundError
    return render_template("engagement/report_received.html", slug=slug, number=reported[1])


def _listing(slug: str) -> Listing:
    listing = find_live_listing(slug)
    if listing is None:
        raise NotFoundError
    return listing


def _page(listing: Listing, form: ReportForm) -> str:
    return render_template(
        "engagement/report_form.html", listing=listing, form=form, most=cases.MAX_DETAILS
    )
