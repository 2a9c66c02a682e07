"""The blueprint, and how what a URL names is found."""

from flask import Blueprint

from billing.models import Payout, PayoutRun, RunState
from marketplace.core.errors import SignInRequiredError
from marketplace.core.permissions import current_actor
from marketplace.identity.models import Organization
from marketplace.sales.earnings.texts import Label
from marketplace.sales.finance.payouts import policies, queries

blueprint = Blueprint("finance_payouts", __name__, url_prefix="/staff/finance/payouts")
PERMISSION_RULES = policies.__name__
RUN_STATES = {
    RunState.DRAFT: Label("Being computed", "info"),
    RunState.COMPUTED: Label("Waits for approval", "warning"),
    RunState.APPROVED: Label("Approved", "info"),
    RunState.EXECUTING: Label("Being paid", "info"),
    RunState.COMPLETED: Label("Paid", "success"),
    RunState.COMPLETED_WITH_ERRORS: Label("Paid, with errors", "danger"),
    RunState.ABORTED: Label("Canceled", "neutral"),
}


def _signed_in() -> None:
    if not current_actor().is_authenticated:
        raise SignInRequiredError("Sign in to go on.")


def asked_run(payout_run_id: str) -> PayoutRun | None:
    """The run of a URL."""
    _signed_in()
    return queries.find_run(payout_run_id)


def asked_payout(payout_id: str) -> Payout | None:
    """The payout of a URL."""
    _signed_in()
    return queries.find_payout(payout_id)


def asked_partner(partner_id: int) -> Organization | None:
    """The partner of a URL."""
    _signed_in()
    return queries.find_partner(partner_id)


def user_id() -> int:
    """Who acts."""
    return current_actor().user_id or 0
