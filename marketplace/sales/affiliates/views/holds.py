"""Commissions that look like fraud: the staff releases or voids each."""

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from billing.affiliates.clearing import clear
from billing.models import Earning
from billing.settlement.freezing import void
from billing.settlement.sales import HOLD
from marketplace.core.errors import InvalidError
from marketplace.core.facts import record_fact
from marketplace.core.pagination import page_number
from marketplace.core.permissions import current_actor, needs
from marketplace.sales.affiliates.forms import EmptyForm, VoidForm
from marketplace.sales.affiliates.queries import holds as queries
from marketplace.sales.affiliates.queries.people import names_of_people, organizations_by_id
from marketplace.sales.affiliates.views.blueprints import affiliates_staff
from marketplace.sales.form_errors import show_errors

SHOWN = {"waiting": "To decide", "all": "All that were held"}
MAX_REASON = 300


@affiliates_staff.get("/holds")
@needs("holds.handle")
def holds() -> ResponseReturnValue:
    """What is held, with its reason."""
    shown = request.args.get("show", "waiting")
    shown = shown if shown in SHOWN else "waiting"
    page = queries.page_of_holds(shown, page_number(request.args.get("page")))
    clearances = queries.clearances_of([row.id for row in page.items])
    return render_template(
        "affiliates/holds.html",
        page=page,
        shown=shown,
        labels=SHOWN,
        waiting=queries.count_waiting(),
        totals=queries.waiting_totals(),
        hold_cause=HOLD,
        form=EmptyForm(),
        clearances=clearances,
        people=names_of_people([row.decided_by_id for row in clearances.values()]),
        organizations=organizations_by_id(
            [row.partner_id for row in page.items]
            + [row.line.order.organization_id for row in page.items]
        ),
    )


@affiliates_staff.post("/holds/<earning_id>/release")
@needs("holds.handle", load=queries.find_hold, name="earning")
def hold_release(earning: Earning) -> ResponseReturnValue:
    """Lift the hold: it is paid at its date, and the same holds nothing more of these two."""
    if clear(earning, by_user_id=current_actor().user_id):
        flash("Released. It becomes payable at its date.", "success")
    else:
        flash("It is not held any more.", "info")
    return redirect(url_for("affiliates_staff.holds"), code=303)


@affiliates_staff.get("/holds/<earning_id>/void")
@needs("holds.handle", load=queries.find_hold, name="earning")
def hold_voiding(earning: Earning) -> ResponseReturnValue:
    """Ask for the reason."""
    return _void_page(earning, VoidForm(formdata=None))


@affiliates_staff.post("/holds/<earning_id>/void")
@needs("holds.handle", load=queries.find_hold, name="earning")
def hold_void(earning: Earning) -> ResponseReturnValue:
    """Take the commission away for good."""
    form = VoidForm()
    reason = " ".join((form.reason.data or "").split())
    if not reason or len(reason) > MAX_REASON:
        show_errors(form, InvalidError({"reason": f"Say why, in at most {MAX_REASON} characters."}))
        return _void_page(earning, form), 422
    if HOLD not in earning.freezes and earning.voided_at is None:
        flash("It is not held any more.", "info")
        return redirect(url_for("affiliates_staff.holds"), code=303)
    actor = current_actor()
    void(earning, reason, by_user_id=actor.user_id)
    record_fact(
        "affiliate.commission_voided",
        subject=("earning", earning.id),
        organization_id=earning.partner_id,
        actor_user_id=actor.user_id,
        data={"reason": reason},
        idempotency_key=f"affiliate.commission_voided:{earning.id}",
    )
    flash("Voided. Whoever funded it has it back.", "success")
    return redirect(url_for("affiliates_staff.holds"), code=303)


def _void_page(earning: Earning, form: VoidForm) -> str:
    return render_template(
        "affiliates/hold_void.html",
        earning=earning,
        form=form,
        organizations=organizations_by_id(
            [earning.partner_id, earning.line.order.organization_id, earning.line.publisher_id or 0]
        ),
    )
