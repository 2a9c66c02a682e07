"""One break: the sides beside each other, who looks into it, why it may stay, booking it."""

from flask import flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from billing.models import ReconciliationBreak
from billing.reconciliation import breaks as services
from billing.reconciliation.corrections import accounts_for, book_difference
from marketplace.core.errors import ConflictError, InvalidError
from marketplace.core.permissions import current_actor, needs
from marketplace.identity.forms import choices_of
from marketplace.sales.finance.reconciliation import queries
from marketplace.sales.finance.reconciliation.forms import BookingForm, OwnerForm, ReasonForm
from marketplace.sales.finance.reconciliation.views.blueprint import reconciliation


@reconciliation.get("/reconciliation/breaks/<int:break_id>")
@needs("break.handle", load=queries.find_break, name="found")
def show_break(found: ReconciliationBreak) -> ResponseReturnValue:
    """Everything about one break."""
    return _page(found)


@reconciliation.post("/reconciliation/breaks/<int:break_id>/owner")
@needs("break.handle", load=queries.find_break, name="found")
def assign_break(found: ReconciliationBreak) -> ResponseReturnValue:
    """Say who looks into it."""
    form = _owner_form()
    if not form.validate_on_submit():
        return _page(found, owner_form=form), 422
    try:
        services.assign(found, int(form.owner.data) or None, by_user_id=_me())
        flash("Saved.", "success")
    except ConflictError as error:
        flash(error.detail, "warning")
    return _back(found)


@reconciliation.post("/reconciliation/breaks/<int:break_id>/explanation")
@needs("break.handle", load=queries.find_break, name="found")
def explain_break(found: ReconciliationBreak) -> ResponseReturnValue:
    """Say why it may stay."""
    form = ReasonForm()
    if not form.validate_on_submit():
        return _page(found, reason_form=form), 422
    try:
        services.explain(found, form.reason.data or "", by_user_id=_me())
        flash("Explained. A month may close with it.", "success")
    except InvalidError as error:
        form.reason.errors = [error.fields["reason"]]
        return _page(found, reason_form=form), 422
    except ConflictError as error:
        flash(error.detail, "warning")
    return _back(found)


@reconciliation.post("/reconciliation/breaks/<int:break_id>/reopening")
@needs("break.handle", load=queries.find_break, name="found")
def reopen_break(found: ReconciliationBreak) -> ResponseReturnValue:
    """Take the explanation back."""
    try:
        services.reopen(found, by_user_id=_me())
        flash("Open again.", "info")
    except ConflictError as error:
        flash(error.detail, "warning")
    return _back(found)


@reconciliation.post("/reconciliation/breaks/<int:break_id>/booking")
@needs("break.handle", load=queries.find_break, name="found")
def book_break(found: ReconciliationBreak) -> ResponseReturnValue:
    """Book the difference to an account."""
    form = _booking_form(found)
    if not form.validate_on_submit():
        return _page(found, booking_form=form), 422
    try:
        book_difference(found, form.account.data, form.booking_reason.data or "", by_user_id=_me())
        flash("Booked. The break is resolved.", "success")
    except InvalidError as error:
        for name, text in error.fields.items():
            form["booking_reason" if name == "reason" else name].errors = [text]
        return _page(found, booking_form=form), 422
    except ConflictError as error:
        flash(error.detail, "warning")
    return _back(found)


def _page(
    found: ReconciliationBreak,
    *,
    owner_form: OwnerForm | None = None,
    reason_form: ReasonForm | None = None,
    booking_form: BookingForm | None = None,
) -> str:
    history = queries.history_of(found)
    if owner_form is None:
        owner_form = _owner_form(found.owner_id)
    return render_template(
        "reconciliation/break.html",
        found=found,
        sides=queries.sides_of(found),
        history=history,
        people=queries.names_of(
            {found.owner_id, found.resolved_by_id, *(each.actor_user_id for each in history)}
        ),
        owner_form=owner_form,
        reason_form=reason_form or ReasonForm(formdata=None),
        booking_form=booking_form or _booking_form(found, empty=True),
        accounts=accounts_for(found),
        me=_me(),
    )


def _owner_form(owner_id: int | None = None) -> OwnerForm:
    form = OwnerForm(formdata=None, data={"owner": str(owner_id or 0)}) if owner_id else OwnerForm()
    people = queries.finance_people()
    form.owner.choices = choices_of(
        [("0", "Nobody"), *((str(each), name) for each, name in people.items())]
    )
    return form


def _booking_form(found: ReconciliationBreak, *, empty: bool = False) -> BookingForm:
    form = BookingForm(formdata=None) if empty else BookingForm()
    form.account.choices = choices_of((each.code, each.title) for each in accounts_for(found))
    return form


def _me() -> int:
    user_id = current_actor().user_id
    assert user_id is not None  # noqa: S101 - staff are signed in
    return user_id


def _back(found: ReconciliationBreak) -> ResponseReturnValue:
    return redirect(url_for("reconciliation.show_break", break_id=found.id), code=303)
