"""Asking for money back."""

from flask import flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from billing.models import Order, RefundRequest
from billing.refund_requests import (
    MAX_BODY,
    ask_for_refund,
    may_ask,
    requests_of,
    withdraw_request,
)
from marketplace.core.errors import ConflictError, InvalidError
from marketplace.core.limits import limiter
from marketplace.core.permissions import current_actor, needs
from marketplace.sales.form_errors import fields_hold, show_errors
from marketplace.sales.shop import queries, texts
from marketplace.sales.shop.forms import RefundForm
from marketplace.sales.shop.views.blueprints import purchases

_PATH = "/orders/<order_id>/refund"


@purchases.get(_PATH)
@needs("order.view", load=queries.find_order, name="order", hidden=False)
def refund_form(order: Order) -> ResponseReturnValue:
    """Ask how much and why."""
    if not may_ask(order, requests_of(order.id)):
        flash("There is nothing to ask for: it is refunded, or we are looking at it.", "info")
        return _to(order)
    form = RefundForm(formdata=None)
    form.currency.data = order.currency
    form.amount.data = order.total - order.refunded_total
    form.amount.show_in(order.currency)
    return _page(order, form)


@purchases.post(_PATH)
@needs("order.view", load=queries.find_order, name="order", hidden=False)
@limiter.limit("30 per hour", key_func=lambda: f"user:{current_actor().user_id}")
def refund_ask(order: Order) -> ResponseReturnValue:
    """Ask finance."""
    form = RefundForm()
    form.currency.data = order.currency
    is_readable = fields_hold(form)
    try:
        ask_for_refund(
            order,
            form.amount.data,
            form.body.data or "",
            by_user_id=current_actor().user_id or 0,
        )
    except InvalidError as error:
        show_errors(form, error)
        return _page(order, form), 422
    except ConflictError as error:
        flash(error.detail, "info")
        return _to(order)
    if not is_readable:
        return _page(order, form), 422
    flash("You have asked for a refund. We mail you the answer.", "success")
    return _to(order)


@purchases.post(f"{_PATH}/<int:refund_request_id>/withdrawal")
@needs(
    "refund_request.withdraw",
    load=queries.find_refund_request,
    name="refund_request",
    hidden=False,
)
def refund_withdraw(refund_request: RefundRequest) -> ResponseReturnValue:
    """Ask no more."""
    try:
        withdraw_request(refund_request, by_user_id=current_actor().user_id or 0)
        flash("Your request is withdrawn.", "success")
    except ConflictError as error:
        flash(error.detail, "info")
    return _to(refund_request.order)


def _to(order: Order) -> ResponseReturnValue:
    slug = queries.organization_of(order.organization_id).slug
    return redirect(url_for("purchases.order", slug=slug, order_id=order.public_id), code=303)


def _page(order: Order, form: RefundForm) -> str:
    return render_template(
        "shop/refund.html",
        order=order,
        organization=queries.organization_of(order.organization_id),
        form=form,
        left=order.total - order.refunded_total,
        max_body=MAX_BODY,
        texts=texts,
    )
