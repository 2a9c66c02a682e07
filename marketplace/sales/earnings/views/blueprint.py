"""The blueprint, its tabs, and how what a URL names is found."""

import re
from typing import Any

from flask import Blueprint, request, url_for

from billing.models import Earning, Objection, Payout
from billing.periods import is_period_code
from marketplace.core.database import db
from marketplace.core.errors import ForbiddenError, NotFoundError, SignInRequiredError
from marketplace.core.permissions import current_actor
from marketplace.identity.models import Organization
from marketplace.sales.earnings import policies, queries
from marketplace.sales.earnings.queries import STATES, Filters

blueprint = Blueprint("earnings", __name__, url_prefix="/partner")
PERMISSION_RULES = policies.__name__
_CURRENCY = re.compile(r"[A-Z]{3}")
_KINDS = ("publisher_share", "reseller_margin", "affiliate_commission")


def active_partner() -> Organization:
    """The partner organization that the person acts for."""
    partner = db.session.get(Organization, current_actor().organization_id)
    if partner is None or not partner.is_partner:
        raise ForbiddenError("Choose your partner organization first.")
    return partner


def partner_id() -> int:
    """Its id."""
    return current_actor().organization_id or 0


def _signed_in() -> None:
    if not current_actor().is_authenticated:
        raise SignInRequiredError("Sign in to go on.")


def own_earning(earning_id: str) -> Earning | None:
    """The line of a URL; whose it is decides the rule."""
    _signed_in()
    return queries.find_earning(earning_id)


def own_payout(payout_id: str) -> Payout | None:
    """The payout of a URL."""
    _signed_in()
    return queries.find_payout(payout_id)


def own_objection(objection_id: int) -> Objection | None:
    """The question of a URL."""
    _signed_in()
    return queries.find_objection(objection_id)


def asked_month(period_code: str) -> str:
    """The month of a URL, like 2026-10. Raises NotFoundError for anything else."""
    if not is_period_code(period_code):
        raise NotFoundError
    return period_code


def asked_currency() -> str:
    """The currency in the query string; empty for none that could be one."""
    wanted = request.args.get("currency", "").upper()
    return wanted if _CURRENCY.fullmatch(wanted) else ""


def asked_filters() -> Filters:
    """What of the lines is wanted. What is no choice is no filter."""
    kind, state = request.args.get("kind", ""), request.args.get("state", "")
    month = request.args.get("month", "")
    return Filters(
        kind=kind if kind in _KINDS else "",
        state=state if state in STATES else "",
        currency=asked_currency(),
        month=month if is_period_code(month) else "",
        text=" ".join(request.args.get("q", "").replace("\x00", "").split())[:80],
    )


@blueprint.app_template_global("earnings_tabs")
def earnings_tabs(current: str) -> list[dict[str, Any]]:
    """The tabs of a partner's money."""
    pages = (
        ("home", "Overview", "wallet", "earnings.home"),
        ("lines", "Lines", "receipt", "earnings.lines"),
        ("statements", "Statements", "file-text", "earnings.statements"),
        ("payouts", "Payouts", "banknote", "earnings.payouts"),
        ("account", "Payout account", "landmark", "earnings.account"),
    )
    return [
        {"label": label, "icon": icon, "href": url_for(endpoint), "current": key == current}
        for key, label, icon, endpoint in pages
    ]
