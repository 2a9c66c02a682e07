"""The blueprints, what their pages share, and the rule that nothing is kept in a cache."""

from flask import Blueprint, Response

from marketplace.identity.countries import COUNTRIES
from marketplace.program.policy.live import current_policy

leads = Blueprint("leads", __name__)
leads_staff = Blueprint("leads_staff", __name__)


@leads.after_request
@leads_staff.after_request
def _never_store(response: Response) -> Response:
    """Whoever uses the browser next finds nothing of an organization in its cache. A public page
    says otherwise by itself."""
    response.headers.setdefault("Cache-Control", "private, no-store")
    return response


@leads.context_processor
@leads_staff.context_processor
def _names() -> dict[str, object]:
    """What the templates call countries, and the currency in which budgets are told."""
    return {
        "country_name": lambda code: COUNTRIES.get(code, code),
        "program_currency": _program_currency,
    }


def _program_currency() -> str:
    live = current_policy()
    return live.policy.currency if live else "EUR"
