"""What a partner must erase, and the receipts that say it did."""

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from marketplace.core.errors import InvalidError
from marketplace.core.pagination import page_number
from marketplace.core.permissions import current_actor, needs
from marketplace.installs.customer.forms import ReceiptForm
from marketplace.installs.customer.queries import erasures as queries
from marketplace.installs.customer.services import erasures as services
from marketplace.installs.customer.views.blueprints import installs
from marketplace.installs.customer.views.form_errors import show_errors
from marketplace.installs.models import ErasureRequest

SHOWN = {"open": "To do", "overdue": "Overdue", "done": "Confirmed"}


@installs.get("/partner/erasures")
@needs("erasures.received")
def partner_erasures() -> ResponseReturnValue:
    """What the active partner was asked to erase."""
    partner = current_actor().organization_id or 0
    shown = request.args.get("show", "open")
    shown = shown if shown in SHOWN else "open"
    return render_template(
        "installs/partner_erasures.html",
        page=queries.page_of_partner(partner, shown, page_number(request.args.get("page"))),
        shown=shown,
        labels=SHOWN,
        counts=queries.counts(partner),
    )


@installs.get("/partner/erasures/<erasure_id>")
@needs("erasure.complete", load=queries.find_erasure, name="erasure")
def partner_erasure(erasure: ErasureRequest) -> ResponseReturnValue:
    """One request, with the form for its receipt."""
    return _page(erasure, ReceiptForm(formdata=None))


@installs.post("/partner/erasures/<erasure_id>/receipt")
@needs("erasure.complete", load=queries.find_erasure, name="erasure")
def confirm_erasure(erasure: ErasureRequest) -> ResponseReturnValue:
    """Confirm that the data are erased."""
    form = ReceiptForm()
    try:
        done = services.complete_erasure(
            erasure, form.receipt.data or "", user_id=current_actor().user_id
        )
    except InvalidError as error:
        show_errors(form, error)
        return _page(erasure, form), 422
    if done:
        flash("Confirmed. The customer is told.", "success")
    else:
        flash("This was confirmed before. The first receipt counts.", "info")
    return redirect(url_for("installs.partner_erasure", erasure_id=erasure.public_id), code=303)


def _page(erasure: ErasureRequest, form: ReceiptForm) -> str:
    return render_template(
        "installs/partner_erasure.html",
        erasure=erasure,
        form=form,
        max_receipt=services.MAX_RECEIPT,
    )
