"""The blueprints of this area, and what every page does for a visitor of an affiliate."""

from typing import Any

from flask import Blueprint, Response, g, request
from sqlalchemy import select

from billing.models import Affiliate, AffiliateLink, Click
from marketplace.core.database import db
from marketplace.core.permissions import current_actor
from marketplace.identity.models import Organization
from marketplace.sales.affiliates import visitors

affiliates = Blueprint("affiliates", __name__)
affiliates_staff = Blueprint("affiliates_staff", __name__, url_prefix="/staff/finance")
# Takes calls of affiliates' servers, which carry a key and no cookie: exempt from CSRF tokens.
affiliates_api = Blueprint("affiliates_api", __name__, url_prefix="/affiliate-api")


@affiliates.before_app_request
def _attribute_visitor() -> None:
    """Attribute somebody who is signed in and came by a link: by the cookie, once for each click,
    or by the address. Costs nothing for all others."""
    if request.method != "GET" or request.endpoint in {"static", "affiliates.follow"}:
        return
    carries = visitors.PARAMETER in request.args
    if not carries and visitors.COOKIE not in request.environ.get("HTTP_COOKIE", ""):
        return
    organization_id = current_actor().organization_id
    if organization_id is None or (not carries and visitors.is_remembered_for(organization_id)):
        return
    visitors.remember_visitor(organization_id)
    if visitors.visitor_hash() is not None:
        g.portico_visitor_seen_for = organization_id


@affiliates.after_app_request
def _mark_visitor(response: Response) -> Response:
    seen_for = g.get("portico_visitor_seen_for")
    if seen_for is not None:
        visitors.set_cookie(response, remembered_for=seen_for)
        response.headers["Cache-Control"] = "private, no-store"
    elif visitors.PARAMETER in request.args:
        # It asks one visitor for consent, with a form's token in it.
        response.headers["Cache-Control"] = "private, no-store"
    return response


@affiliates.app_context_processor
def _who_sent_you() -> dict[str, Any]:
    """What the bar asks of a visitor who came by a link and has neither cookie nor account."""
    if visitors.PARAMETER not in request.args or request.method != "GET":
        return {}
    if current_actor().is_authenticated or visitors.asked_not_to_be_followed():
        return {}
    token = request.args[visitors.PARAMETER]
    click_id = visitors.click_of(token)
    if click_id is None or visitors.visitor_hash() is not None:
        return {}
    name = db.session.scalar(
        select(Organization.name)
        .join(Affiliate, Affiliate.organization_id == Organization.id)
        .join(AffiliateLink, AffiliateLink.affiliate_id == Affiliate.id)
        .join(Click, Click.link_id == AffiliateLink.id)
        .where(Click.id == click_id)
    )
    if name is None:
        return {}
    return {"came_by": {"name": name, "token": token, "clean": visitors.clean_address()}}


@affiliates_staff.after_request
@affiliates.after_request
def _never_store(response: Response) -> Response:
    """Whoever uses the browser next finds nothing of an organization in its cache."""
    response.headers.setdefault("Cache-Control", "private, no-store")
    return response
