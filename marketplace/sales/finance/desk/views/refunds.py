"""The refunds desk: what customers ask for, and what was refunded."""

from typing import Any

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from billing.desk import deciding
from billing.formatting import format_money
from billing.models import RefundRequest, RequestState
from billing.settlement.refunds import RefundParts, refundable
from marketplace.core.errors import ConflictError, InvalidError
from marketplace.core.pagination import Page, page_number
from marketplace.core.permissions import current_actor, needs
from marketplace.identity.queries import find_user
from marketplace.sales.finance.desk import mails, queries
from marketplace.sales.finance.desk.forms import GrantForm, RefusalForm, show_errors
from marketplace.sales.finance.desk.views.blueprint import finance
from marketplace.sales.finance.desk.views.orders import preview_refund_or_none

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
    left = refundable(asked.order)
    amount = min(asked.amount, left)
    form = GrantForm(
        formdata=None, data={"currency": asked.order.currency, "amount": amount or None}
    )
    return _page(asked, form, RefusalForm(formdata=None))


@finance.post(f"{_REQUEST}/grant")
@needs("refund_request.decide", load=queries.find_request, name="asked")
def grant_request(asked: RefundRequest) -> ResponseReturnValue:
    """Refund what was asked, or a part of it."""
    form = GrantForm()
    form.currency.data = asked.order.currency
    if not form.validate_on_submit() or form.amount.data is None:
        return _page(asked, form, RefusalForm(formdata=None)), 422
    try:
        refund = deciding.grant_request(
            asked,
            amount=form.amount.data,
            answer=form.answer.data or "",
            by_user_id=current_actor().user_id,
        )
    except InvalidError as error:
        show_errors(form, error)
        return _page(asked, form, RefusalForm(formdata=None)), 422
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
    grant = GrantForm(
        formdata=None, data={"currency": asked.order.currency, "amount": asked.amount}
    )
    if not form.validate_on_submit():
        return _page(asked, grant, form), 422
    try:
        deciding.refuse_request(
            asked, answer=form.answer.data or "", by_user_id=current_actor().user_id
        )
    except InvalidError as error:
        show_errors(form, error)
        return _page(asked, grant, form), 422
    except ConflictError as error:
        flash(error.detail, "warning")
        return _desk()
    mails.tell_refused(find_user(asked.author_id), asked)
    flash("Refused. The person who asked is mailed.", "success")
    return _desk()


def _desk() -> ResponseReturnValue:
    return redirect(url_for("finance.refunds"), code=303)


def _page(asked: RefundRequest, form: GrantForm, refusal: RefusalForm) -> str:
    order = asked.order
    left = refundable(order)
    parts: RefundParts | None = None
    if asked.state is RequestState.OPEN and left:
        parts = preview_refund_or_none(order, min(form.amount.data or asked.amount, left))
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
