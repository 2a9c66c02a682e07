"""One payout: where it is, what it pays, and what can be done about it."""

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import func, select

from billing.models import Payout, PayoutState
from billing.payouts.canceling import UNSENT, cancel_payout
from billing.payouts.executing import retry
from billing.payouts.returns import ARRIVED, take_back
from marketplace.core.database import db
from marketplace.core.errors import ConflictError, InvalidError
from marketplace.core.pagination import Page, page_number
from marketplace.core.permissions import current_actor, needs
from marketplace.sales.earnings.queries import lines_in_payout
from marketplace.sales.earnings.texts import PAYOUT_STATES, txn_label
from marketplace.sales.finance.payouts import queries
from marketplace.sales.finance.payouts.forms import ReasonForm
from marketplace.sales.finance.payouts.views.blueprint import asked_payout, blueprint, user_id

PER_PAGE = 50


@blueprint.get("/payments/<payout_id>")
@needs("payouts.read", load=asked_payout, name="payout")
def payout(payout: Payout) -> ResponseReturnValue:
    """All that is known of it."""
    query = lines_in_payout(payout.id)
    total = db.session.scalar(select(func.count()).select_from(query.order_by(None).subquery()))
    number = max(1, min(page_number(request.args.get("page")), -(-(total or 0) // PER_PAGE)))
    rows = db.session.execute(query.limit(PER_PAGE).offset((number - 1) * PER_PAGE)).all()
    may = current_actor().can("payout.handle", payout)
    return render_template(
        "finance_payouts/payout.html",
        payout=payout,
        partner=queries.find_partner(payout.partner_id),
        label=PAYOUT_STATES[payout.state],
        page=Page(items=rows, total=total or 0, page=number, per_page=PER_PAGE),
        operations=queries.operations_of(payout),
        transactions=queries.transactions_of(payout),
        reversals=queries.reversals_of(payout),
        txn_label=txn_label,
        may_retry=may and payout.state is PayoutState.REJECTED and not payout.run.aborted_reason,
        may_cancel=may and payout.state in UNSENT,
        may_take_back=may and payout.state in ARRIVED and payout.reversed_amount == 0,
    )


@blueprint.post("/payments/<payout_id>/retry")
@needs("payout.handle", load=asked_payout, name="payout")
def retry_payout(payout: Payout) -> ResponseReturnValue:
    """Try a refused one again."""
    address = _address(payout)
    try:
        retry(payout.id, by_user_id=user_id())
        flash("It is tried again.", "success")
    except ConflictError as error:
        flash(error.detail, "warning")
    return redirect(address, 303)


@blueprint.get("/payments/<payout_id>/cancellation")
@needs("payout.handle", load=asked_payout, name="payout")
def confirm_payout_cancellation(payout: Payout) -> ResponseReturnValue:
    """The question before one payout is canceled."""
    return _asking(payout, ReasonForm(formdata=None), "cancellation")


@blueprint.post("/payments/<payout_id>/cancellation")
@needs("payout.handle", load=asked_payout, name="payout")
def cancel_one(payout: Payout) -> ResponseReturnValue:
    """Cancel one payout; the rest of its run goes on."""
    form, address = ReasonForm(), _address(payout)
    if not form.validate():
        return _asking(payout, form, "cancellation"), 422
    try:
        cancel_payout(payout.id, by_user_id=user_id(), reason=form.reason.data or "")
        flash("Canceled. The money is payable again.", "success")
    except (ConflictError, InvalidError) as error:
        flash(error.detail, "warning")
    return redirect(address, 303)


@blueprint.get("/payments/<payout_id>/reversal")
@needs("payout.handle", load=asked_payout, name="payout")
def confirm_reversal(payout: Payout) -> ResponseReturnValue:
    """The question before a transfer is taken back."""
    return _asking(payout, ReasonForm(formdata=None), "reversal")


@blueprint.post("/payments/<payout_id>/reversal")
@needs("payout.handle", load=asked_payout, name="payout")
def reverse(payout: Payout) -> ResponseReturnValue:
    """Take a whole transfer back."""
    form, address = ReasonForm(), _address(payout)
    if not form.validate():
        return _asking(payout, form, "reversal"), 422
    try:
        take_back(payout.id, by_user_id=user_id(), reason=form.reason.data or "")
        flash("Stripe is asked to take it back.", "success")
    except (ConflictError, InvalidError) as error:
        flash(error.detail, "warning")
    return redirect(address, 303)


def _address(payout: Payout) -> str:
    return url_for("finance_payouts.payout", payout_id=payout.public_id)


def _asking(payout: Payout, form: ReasonForm, what: str) -> str:
    return render_template(
        "finance_payouts/payout_question.html",
        payout=payout,
        partner=queries.find_partner(payout.partner_id),
        form=form,
        what=what,
    )
