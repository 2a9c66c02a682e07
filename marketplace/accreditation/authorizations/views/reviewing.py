"""Authorizations, as reviewers check them."""

from collections.abc import Callable

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from marketplace.accreditation.authorizations import queries, services, texts
from marketplace.accreditation.authorizations.forms import RemarkForm
from marketplace.accreditation.authorizations.models import Authorization, CheckState
from marketplace.accreditation.authorizations.schemes import LABELS
from marketplace.accreditation.authorizations.views.blueprints import authorizations_staff
from marketplace.accreditation.certification.listings import listings_by_id
from marketplace.accreditation.form_errors import show_errors
from marketplace.core.errors import ConflictError, InvalidError
from marketplace.core.pagination import page_number
from marketplace.core.permissions import current_actor, needs
from marketplace.core.seen import ChangedMeanwhileError

_PATH = "/staff/certifications/authorizations/<authorization_id>"
_DECIDE = needs("authorization.decide", load=queries.find_authorization, name="row")


@authorizations_staff.get("/staff/certifications/authorizations")
@needs("authorizations.review")
def queue() -> ResponseReturnValue:
    """What waits, or was decided."""
    asked = request.args.get("show", "")
    known = {each.value for each in CheckState if each is not CheckState.WITHDRAWN}
    check = CheckState(asked) if asked in known else CheckState.SUBMITTED
    page = queries.page_of_queue(check, page_number(request.args.get("page")))
    return render_template(
        "authorizations/queue.html",
        page=page,
        shown=check.value,
        listings=listings_by_id([row.listing_id for row in page.items]),
        labels=LABELS,
        texts=texts,
    )


@authorizations_staff.get(_PATH)
@_DECIDE
def case(row: Authorization) -> ResponseReturnValue:
    """One authorization."""
    return _page(row, RemarkForm(formdata=None))


@authorizations_staff.post(f"{_PATH}/acceptance")
@_DECIDE
def accept(row: Authorization) -> ResponseReturnValue:
    """It is so."""
    try:
        services.accept(row, seen=request.form.get("seen", ""), by_user_id=current_actor().user_id)
        flash("Accepted. It is public now.", "success")
    except ChangedMeanwhileError as error:
        return _page(row, RemarkForm(formdata=None), problem=error.detail), 409
    except ConflictError as error:
        flash(error.detail, "warning")
    return redirect(url_for("authorizations_staff.queue"), code=303)


@authorizations_staff.post(f"{_PATH}/return")
@_DECIDE
def send_back(row: Authorization) -> ResponseReturnValue:
    """It could not be confirmed."""
    return _with_remark(row, services.send_back, "Sent back. The partner is told.")


@authorizations_staff.post(f"{_PATH}/revocation")
@_DECIDE
def revoke(row: Authorization) -> ResponseReturnValue:
    """It does not hold any more."""
    return _with_remark(
        row, services.revoke, "Taken back. It is not public any more; the partner is told."
    )


def _with_remark(row: Authorization, act: Callable[..., None], done: str) -> ResponseReturnValue:
    form = RemarkForm()
    if not form.validate():
        return _page(row, form), 422
    try:
        act(row, remark=form.remark.data or "", by_user_id=current_actor().user_id)
        flash(done, "success")
    except InvalidError as error:
        show_errors(form, error)
        return _page(row, form), 422
    except ConflictError as error:
        flash(error.detail, "warning")
    return redirect(url_for("authorizations_staff.queue"), code=303)


def _page(row: Authorization, form: RemarkForm, problem: str = "") -> str:
    return render_template(
        "authorizations/case.html",
        row=row,
        listing=listings_by_id([row.listing_id]).get(row.listing_id),
        form=form,
        seen=services.shown_of(row),
        problem=problem,
        labels=LABELS,
        texts=texts,
    )
