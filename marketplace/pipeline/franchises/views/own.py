"""A partner's territories, its reports, and the royalties that it owes."""

from collections.abc import Collection

from flask import Response, flash, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from billing.profiles import profile_of
from marketplace.core import clock
from marketplace.core.database import db
from marketplace.core.errors import ConflictError, InvalidError
from marketplace.core.limits import limiter
from marketplace.core.pagination import page_number
from marketplace.core.permissions import current_actor, needs
from marketplace.identity.forms import choices_of
from marketplace.identity.models import Organization
from marketplace.pipeline.franchises import queries, texts
from marketplace.pipeline.franchises.forms import ReportForm
from marketplace.pipeline.franchises.invoice_pdf import royalty_pdf
from marketplace.pipeline.franchises.models import RoyaltyBase, RoyaltyInvoice, TerritoryGrant
from marketplace.pipeline.franchises.months import following, month_of
from marketplace.pipeline.franchises.overlap import words_of
from marketplace.pipeline.franchises.services import paying, royalties
from marketplace.pipeline.franchises.views.blueprints import franchises
from marketplace.pipeline.leads.views.own import by_person, own_id
from marketplace.sales.form_errors import show_errors
from marketplace.sales.shop.views.paying import go_to_checkout, let_reach_checkout

_INVOICE = "/partner/territories/invoices/<royalty_id>"
_VIEW = needs("royalty.view", load=queries.find_invoice, name="invoice")


@franchises.get("/partner/territories")
@needs("territories.use")
def index() -> ResponseReturnValue:
    """What the partner holds, what it reported, and what it owes."""
    return _page()


@franchises.post("/partner/territories/<territory_id>/reports")
@needs("territory.report", load=queries.find_grant, name="grant")
@limiter.limit("60 per hour", key_func=by_person)
def report(grant: TerritoryGrant) -> ResponseReturnValue:
    """Report what was sold in a month."""
    form = ReportForm()
    form.currency.data = grant.currency
    if not form.validate():
        return _page(form, grant), 422
    try:
        royalties.report_sales(
            grant.id,
            (form.month.data or "") if (form.month.data or "") in _months(grant) else "2000-01",
            form.amount.data,
            form.reason.data or "",
            by_user_id=current_actor().user_id,
        )
    except InvalidError as error:
        show_errors(form, error)
        return _page(form, grant), 422
    except ConflictError as error:
        flash(error.detail, "warning")
        return redirect(url_for("franchises.index"), code=303)
    flash("Reported. The invoice follows once the month is over.", "success")
    return redirect(url_for("franchises.index"), code=303)


@franchises.get(_INVOICE)
@_VIEW
def invoice(invoice: RoyaltyInvoice) -> ResponseReturnValue:
    """One invoice or credit note."""
    page = render_template(
        "franchises/invoice.html",
        invoice=invoice,
        corrects=queries.corrected_by(invoice),
        notes=queries.notes_to(invoice),
        due=royalties.amount_due(invoice),
        orders=queries.orders_of(invoice),
        organization=db.session.get_one(Organization, invoice.organization_id),
        texts=texts,
    )
    return let_reach_checkout(make_response(page))


@franchises.get(f"{_INVOICE}/invoice.pdf")
@_VIEW
def invoice_file(invoice: RoyaltyInvoice) -> ResponseReturnValue:
    """It as a file."""
    return pdf_of(invoice)


@franchises.post(f"{_INVOICE}/payment")
@_VIEW
@limiter.limit("30 per hour", key_func=by_person)
def pay(invoice: RoyaltyInvoice) -> ResponseReturnValue:
    """Go on to Stripe's Checkout with what is left to pay."""
    organization = db.session.get_one(Organization, invoice.organization_id)
    back = url_for("franchises.invoice", royalty_id=invoice.public_id)
    if profile_of(organization.id) is None:
        flash("Say first what stands on your invoices. It decides the tax.", "info")
        return redirect(
            url_for("purchases.billing_profile", slug=organization.slug, next=back), code=303
        )
    try:
        order = paying.pay_with(invoice.id, user_id=current_actor().user_id)
    except ConflictError as error:
        flash(error.detail, "warning")
        return redirect(back, code=303)
    return go_to_checkout(order, organization)


def pdf_of(invoice: RoyaltyInvoice) -> Response:
    """A download of the document."""
    data = royalty_pdf(invoice, queries.corrected_by(invoice))
    response = Response(data, content_type="application/pdf")
    response.headers["Content-Disposition"] = f'attachment; filename="{invoice.number}.pdf"'
    return response


def _months(grant: TerritoryGrant, billed: Collection[str] = ()) -> list[str]:
    """The months that can be reported: of the grant, begun, not billed, the newest first."""
    now = month_of(clock.now())
    months = [following(now, -back) for back in range(royalties.LOOK_BACK_MONTHS)]
    return [month for month in months if royalties.covers(grant, month) and month not in billed]


def _page(form: ReportForm | None = None, reported: TerritoryGrant | None = None) -> str:
    own = own_id()
    grants = queries.grants_of(own)
    now = clock.now()
    forms = {}
    billed = queries.billed_months(own)
    for grant in grants:
        if grant.royalty_base is RoyaltyBase.REPORTED and (months := _months(grant, billed)):
            each = form if form is not None and reported is grant else ReportForm(formdata=None)
            each.currency.data = grant.currency
            each.month.choices = choices_of((month, month) for month in months)
            if each is not form:
                each.month.data = months[min(1, len(months) - 1)]
            forms[grant.id] = each
    page = queries.page_of_invoices(page_number(request.args.get("page")), own)
    return render_template(
        "franchises/index.html",
        grants=grants,
        forms=forms,
        reports=queries.newest_reports([grant.id for grant in grants]),
        page=page,
        due=royalties.amounts_due(page.items),
        now=now,
        words_of=words_of,
        texts=texts,
    )
