"""What was paid to a partner, and by which lines."""

from flask import render_template, request
from flask.typing import ResponseReturnValue
from sqlalchemy import func, select

from billing.models import Payout, PayoutState
from marketplace.core.database import db
from marketplace.core.errors import NotFoundError
from marketplace.core.pagination import Page, page_number, paginate
from marketplace.core.permissions import needs
from marketplace.sales.earnings import queries
from marketplace.sales.earnings.texts import PAYOUT_STATES, txn_label
from marketplace.sales.earnings.views.blueprint import blueprint, own_payout, partner_id

PER_PAGE, LINES = 25, 50


@blueprint.get("/earnings/payouts")
@needs("earnings.read")
def payouts() -> ResponseReturnValue:
    """All payouts, newest first."""
    page = paginate(
        queries.payouts_of(partner_id()),
        page=page_number(request.args.get("page")),
        per_page=PER_PAGE,
    )
    return render_template("earnings/payouts.html", page=page, payout_states=PAYOUT_STATES)


@blueprint.get("/earnings/payouts/<payout_id>")
@needs("payout.read", load=own_payout, name="payout")
def payout(payout: Payout) -> ResponseReturnValue:
    """One payout: where it is, and all that it pays."""
    if payout.state is PayoutState.COMPUTED:
        # It may still become another amount; the partner learns of it once it is approved.
        raise NotFoundError
    query = queries.lines_in_payout(payout.id)
    total = db.session.scalar(select(func.count()).select_from(query.order_by(None).subquery()))
    number = page_number(request.args.get("page"))
    number = max(1, min(number, -(-(total or 0) // LINES)))
    rows = db.session.execute(query.limit(LINES).offset((number - 1) * LINES)).all()
    return render_template(
        "earnings/payout.html",
        payout=payout,
        label=PAYOUT_STATES[payout.state],
        steps=_steps(payout),
        page=Page(items=rows, total=total or 0, page=number, per_page=LINES),
        txn_label=txn_label,
    )


_AT_STRIPE = (
    PayoutState.TRANSFERRED,
    PayoutState.PAID,
    PayoutState.FAILED,
    PayoutState.RETURNED,
)


def _steps(payout: Payout) -> list[dict[str, str]]:
    """Approved, transferred, in the bank; where it stopped is a problem."""
    state = payout.state
    if state in (PayoutState.HELD, PayoutState.CANCELED, PayoutState.REVERSED):
        return []
    sent = state in _AT_STRIPE or state is PayoutState.REVERSING
    banked = "done" if state is PayoutState.PAID else "current" if sent else "upcoming"
    if state in (PayoutState.FAILED, PayoutState.RETURNED):
        banked = "problem"
    sending = "problem" if state is PayoutState.REJECTED else "done" if sent else "current"
    return [
        {"label": "Approved", "state": "done", "note": ""},
        {"label": "Transferred to Stripe", "state": sending, "note": ""},
        {"label": "In your bank", "state": banked, "note": ""},
    ]
