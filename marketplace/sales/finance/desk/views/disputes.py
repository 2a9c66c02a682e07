"""The disputes desk: what customers' banks took back, until when to answer, and the answer."""

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from billing.models import Dispute
from billing.settlement.evidence import submit_evidence
from billing.settlement.parts import SettlementError
from marketplace.core.pagination import page_number
from marketplace.core.permissions import current_actor, needs
from marketplace.identity.queries import find_user
from marketplace.sales.finance.desk import queries, texts
from marketplace.sales.finance.desk.forms import EvidenceForm
from marketplace.sales.finance.desk.views.blueprint import finance

SHOWN = {"open": "Open", "won": "Won", "lost": "Lost"}


@finance.get("/disputes")
@needs("disputes.handle")
def disputes() -> ResponseReturnValue:
    """Disputes, those to answer soonest first."""
    shown = request.args.get("show", "open")
    shown = shown if shown in SHOWN else "open"
    page = queries.page_of_disputes(shown, page_number(request.args.get("page")))
    return render_template(
        "finance/disputes.html",
        shown=shown,
        labels=SHOWN,
        counts=queries.dispute_counts(),
        page=page,
        organizations=queries.organizations({each.order.organization_id for each in page.items}),
    )


@finance.get("/disputes/<int:dispute_id>")
@needs("dispute.answer", load=queries.find_dispute, name="dispute")
def dispute(dispute: Dispute) -> ResponseReturnValue:
    """One dispute, with the form for evidence while it can be sent."""
    customer = queries.organizations({dispute.order.organization_id}).get(
        dispute.order.organization_id
    )
    buyer = find_user(dispute.order.placed_by_id)
    form = EvidenceForm(
        formdata=None,
        data={
            "product_description": "; ".join(line.description for line in dispute.order.lines),
            "customer_name": dispute.order.billing_details.get("legal_name")
            or (customer.name if customer else ""),
            "customer_email_address": dispute.order.billing_details.get("email")
            or (buyer.email if buyer else "")
            or "",
        },
    )
    return _page(dispute, form)


@finance.post("/disputes/<int:dispute_id>/evidence")
@needs("dispute.answer", load=queries.find_dispute, name="dispute")
def send_evidence(dispute: Dispute) -> ResponseReturnValue:
    """Tell the bank, once and for good."""
    form = EvidenceForm()
    if not form.validate_on_submit():
        return _page(dispute, form), 422
    told = {name: form[name].data or "" for name in texts.EVIDENCE}
    if not told["uncategorized_text"].strip():
        form["uncategorized_text"].errors = ["Tell the bank what happened."]
        return _page(dispute, form), 422
    try:
        submit_evidence(dispute.id, told, current_actor().user_id or 0)
    except SettlementError as error:
        form.form_errors.append(str(error))
        return _page(dispute, form), 422
    flash("The evidence is being sent. The bank decides, which can take two months.", "success")
    return redirect(url_for("finance.dispute", dispute_id=dispute.id), code=303)


def _page(dispute: Dispute, form: EvidenceForm) -> str:
    return render_template(
        "finance/dispute.html",
        dispute=dispute,
        order=dispute.order,
        form=form,
        earnings=queries.earnings_of(dispute.order),
        organizations=queries.organizations(
            {
                dispute.order.organization_id,
                *(line.publisher_id for line in dispute.order.lines),
                *(line.affiliate_organization_id for line in dispute.order.lines),
                *(line.reseller_id for line in dispute.order.lines),
            }
        ),
    )
