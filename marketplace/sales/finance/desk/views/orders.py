"""An order as finance sees it: how its money is divided, and refunding it."""

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from billing.accounts import CHART
from billing.desk import browsing
from billing.formatting import format_money, plain_amount
from billing.models import Order
from billing.payouts.eligibility import RETIRED
from billing.settlement.conversions import ACCOUNTS
from billing.settlement.locks import lock_order
from billing.settlement.parts import SettlementError
from billing.settlement.refunds import RefundParts, preview_refund, refundable, request_refund
from marketplace.core.pagination import page_number
from marketplace.core.permissions import current_actor, needs
from marketplace.identity.models import Organization
from marketplace.sales.finance.desk import queries
from marketplace.sales.finance.desk.forms import MAX_REFUND_REASON, RefundForm, SeenForm
from marketplace.sales.finance.desk.views.blueprint import finance


@finance.get("/orders/<order_id>")
@needs("finance.read", load=queries.find_order, name="order")
def order(order: Order) -> ResponseReturnValue:
    """Everything about one order."""
    earnings = queries.earnings_of(order)
    transactions = browsing.transactions_of_order(order.id)
    owners = {entry.account.owner for txn in transactions for entry in txn.entries}
    return render_template(
        "finance/order.html",
        order=order,
        earnings=earnings,
        transactions=transactions,
        refunds=queries.refunds_of(order),
        requests=queries.requests_of(order),
        disputes=queries.disputes_of(order),
        refundable=refundable(order),
        organizations=queries.organizations(
            {order.organization_id, *owners, *(each.partner_id for each in earnings)}
        ),
        people=queries.people({order.placed_by_id}),
        chart=CHART,
        may_refund=current_actor().can("order.refund", order),
    )


@finance.get("/organizations/<slug>")
@needs("finance.read", load=queries.find_organization_by_slug, name="organization")
def organization(organization: Organization) -> ResponseReturnValue:
    """What an organization bought, and what it has with us as a partner."""
    return render_template(
        "finance/organization.html",
        organization=organization,
        balances=browsing.balances_of_owner(organization.id),
        page=queries.orders_of(organization.id, page_number(request.args.get("page"))),
        retired=RETIRED,
        converted={code: side.value for side, code in ACCOUNTS.items()},
    )


@finance.get("/orders/<order_id>/refund")
@needs("order.refund", load=queries.find_order, name="order")
def new_refund(order: Order) -> ResponseReturnValue:
    """Choose how much; `?amount=` shows who would pay what."""
    left = refundable(order)
    form = RefundForm(
        formdata=None,
        data={"currency": order.currency, "amount": left or None},
    )
    typed = request.args.get("amount")
    parts = None
    if typed is not None:
        shown = RefundForm(request.args, meta={"csrf": False})
        shown.currency.data = order.currency
        if shown["amount"].validate(shown) and shown.amount.data is not None:
            parts = preview_or_say_why(order, shown)
        form.amount.errors = shown.amount.errors
        form.amount.process_formdata([typed])
        form.reason.data = request.args.get("reason", "")[:MAX_REFUND_REASON]
    elif left:
        parts = preview_refund_or_none(order, left)
    return _page(order, form, parts, left)


@finance.post("/orders/<order_id>/refund")
@needs("order.refund", load=queries.find_order, name="order")
def make_refund(order: Order) -> ResponseReturnValue:
    """Refund. Stripe makes it in the background."""
    form = RefundForm()
    form.currency.data = order.currency
    if form.show.data:
        # Who only looks need not say why yet.
        form.reason.validators = []
    if not form.validate_on_submit() or form.amount.data is None:
        parts = preview_refund_or_none(order, form.amount.data or 0)
        return _page(order, form, parts, refundable(order)), 422
    amount = form.amount.data
    # The order is held first: two of the same button would both find the money there.
    left = refundable(lock_order(order.id))
    if unseen := was_not_seen(form, order.currency, left):
        parts = preview_or_say_why(order, form)
        if form.show.data:
            return _page(order, form, parts, left), 422 if parts is None else 200
        form.amount.errors = [*form.amount.errors, unseen]
        return _page(order, form, parts, left), 422
    try:
        request_refund(
            order, amount, reason=form.reason.data or "", by_user_id=current_actor().user_id
        )
    except SettlementError as error:
        form.amount.errors = [*form.amount.errors, str(error)]
        return _page(order, form, None, refundable(order)), 422
    flash(f"{format_money(amount, order.currency)} is on its way back to the customer.", "success")
    return redirect(url_for("finance.order", order_id=order.public_id), code=303)


def was_not_seen(form: SeenForm, currency: str, left: int) -> str:
    """Why the refund is shown (again) before it is made; empty when this very one was seen."""
    if form.show.data or form.seen_amount.data is None:
        return "This is who pays what. Refund it if it is right."
    if form.seen_left.data != str(left):
        return (
            f"Something was refunded since you looked; {format_money(left, currency)} is left."
            " This is who pays what now."
        )
    if form.seen_amount.data != str(form.amount.data):
        return "You had looked at another amount. This is who pays what of this one."
    return ""


def preview_refund_or_none(order: Order, amount: int) -> RefundParts | None:
    """Who would pay what; None when it cannot be refunded."""
    try:
        return preview_refund(order, amount)
    except SettlementError:
        return None


def preview_or_say_why(order: Order, form: SeenForm) -> RefundParts | None:
    """Who would pay what of the form's amount; None when that cannot be refunded, with the reason
    at its field."""
    try:
        return preview_refund(order, form.amount.data or 0)
    except SettlementError as error:
        form.amount.errors = [*form.amount.errors, str(error)]
        return None


def _page(order: Order, form: RefundForm, parts: RefundParts | None, left: int) -> str:
    partners = {part.earning.partner_id for part in parts.partners} if parts else set()
    return render_template(
        "finance/refund_form.html",
        order=order,
        form=form,
        parts=parts,
        left=left,
        left_text=plain_amount(left, order.currency),
        organizations=queries.organizations({order.organization_id, *partners}),
    )
