"""The refunds desk: what customers ask for, and what was refunded."""

from typing import Any

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from billing.desk import deciding
from billing.formatting import format_money
from billing.models import RefundRequest, RequestState
from billing.settlement.locks import lock_order
from billing.settlement.refunds import RefundParts, refundable
from marketplace.core.database import db
from marketplace.core.errors import ConflictError, InvalidError
from marketplace.core.pagination import Page, page_number
from marketplace.core.permissions import current_actor, needs
from marketplace.identity.queries import find_user
from marketplace.sales.finance.desk import mails, queries
from marketplace.sales.finance.desk.forms import GrantForm, RefusalForm, show_errors
from marketplace.sales.finance.desk.views.blueprint import finance
from marketplace.sales.finance.desk.views.orders import (
    preview_or_say_why,
    preview_refund_or_none,
    was_not_seen,
)

SHOWN = {
    "requests": "Requests",
    "decided": "Decided",
    "all": "All refunds",
    "under_way": "Under way",
    "failed": "Failed",
}
_REQUEST = "/refunds/requests/<int:refund_request_id>"


@finance.get("/refunds")
@needs("refunds.handle")
def refunds() -> ResponseReturnValue:
    """Requests to decide, and refunds by state."""
    shown = request.args.get("show", "requests")
    shown = shown if shown in SHOWN else "requests"
    number = page_number(request.args.get("page"))
    page: Page[Any]
    if shown in {"requests", "decided"}:
        page = queries.page_of_requests(is_open=shown == "requests", page=number)
    else:
        page = queries.page_of_refunds(shown, number)
    return render_template(
        "finance/refunds.html",
        shown=shown,
        labels=SHOWN,
        counts=queries.refund_counts(),
        page=page,
        organizations=queries.organizations({each.order.organization_id for each in page.items}),
    )


@finance.get(_REQUEST)
@needs("refund_request.decide", load=queries.find_request, name="asked")
def refund_request(asked: RefundRequest) -> ResponseReturnValue:
    """One request, with who would pay what."""
    return _page(asked, _new_grant(asked), RefusalForm(formdata=None), _default_preview(asked))


@finance.post(f"{_REQUEST}/grant")
@needs("refund_request.decide", load=queries.find_request, name="asked")
def grant_request(asked: RefundRequest) -> ResponseReturnValue:
    """Refund what was asked, or a part of it, as the page showed it."""
    form, refusal = GrantForm(), RefusalForm(formdata=None)
    currency = form.currency.data = asked.order.currency
    # The order is held first: what is refunded meanwhile changes who pays what.
    left = refundable(lock_order(asked.order_id))
    db.session.refresh(asked)
    if asked.state is not RequestState.OPEN:
        flash(deciding.DECIDED, "warning")
        return _desk()
    if not form.validate_on_submit() or form.amount.data is None:
        return _page(asked, form, refusal, None), 422
    if unseen := was_not_seen(form, currency, left):
        parts = preview_or_say_why(asked.order, form)
        if form.show.data:
            return _page(asked, form, refusal, parts), 422 if parts is None else 200
        form.amount.errors = [*form.amount.errors, unseen]
        return _page(asked, form, refusal, parts), 422
    try:
        refund = deciding.grant_request(
            asked,
            amount=form.amount.data,
            answer=form.answer.data or "",
            by_user_id=current_actor().user_id,
        )
    except InvalidError as error:
        show_errors(form, error)
        return _page(asked, form, refusal, None), 422
    except ConflictError as error:
        flash(error.detail, "warning")
        return _desk()
    mails.tell_granted(find_user(asked.author_id), asked, refund)
    flash(
        f"{format_money(refund.amount, refund.currency)} is on its way back. "
        "The person who asked is mailed.",
        "success",
    )
    return _desk()


@finance.post(f"{_REQUEST}/refusal")
@needs("refund_request.decide", load=queries.find_request, name="asked")
def refuse_request(asked: RefundRequest) -> ResponseReturnValue:
    """Say no."""
    form = RefusalForm()
    if not form.validate_on_submit():
        return _page(asked, _new_grant(asked), form, _default_preview(asked)), 422
    try:
        deciding.refuse_request(
            asked, answer=form.answer.data or "", by_user_id=current_actor().user_id
        )
    except InvalidError as error:
        show_errors(form, error)
        return _page(asked, _new_grant(asked), form, _default_preview(asked)), 422
    except ConflictError as error:
        flash(error.detail, "warning")
        return _desk()
    mails.tell_refused(find_user(asked.author_id), asked)
    flash("Refused. The person who asked is mailed.", "success")
    return _desk()


def _desk() -> ResponseReturnValue:
    return redirect(url_for("finance.refunds"), code=303)


def _new_grant(asked: RefundRequest) -> GrantForm:
    amount = min(asked.amount, refundable(asked.order))
    return GrantForm(
        formdata=None, data={"currency": asked.order.currency, "amount": amount or None}
    )


def _default_preview(asked: RefundRequest) -> RefundParts | None:
    """Who would pay what of what was asked, as far as it is left; None when nothing is, or when it
    is decided."""
    left = refundable(asked.order)
    if asked.state is not RequestState.OPEN or not left:
        return None
    return preview_refund_or_none(asked.order, min(asked.amount, left))


def _page(
    asked: RefundRequest, form: GrantForm, refusal: RefusalForm, parts: RefundParts | None
) -> str:
    order = asked.order
    left = refundable(order)
    partners = {part.earning.partner_id for part in parts.partners} if parts else set()
    return render_template(
        "finance/refund_request.html",
        asked=asked,
        order=order,
        form=form,
        refusal=refusal,
        parts=parts,
        left=left,
        others=[each for each in queries.requests_of(order) if each.id != asked.id],
        organizations=queries.organizations({order.organization_id, *partners}),
        people=queries.people({asked.author_id, asked.decided_by_id}),
    )
