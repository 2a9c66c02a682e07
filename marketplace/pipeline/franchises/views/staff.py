"""Territories and royalties, for the program's team."""

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from marketplace.core import clock
from marketplace.core.errors import ConflictError, InvalidError
from marketplace.core.pagination import page_number
from marketplace.core.permissions import current_actor, needs
from marketplace.pipeline.franchises import queries, texts
from marketplace.pipeline.franchises.forms import CorrectionForm, EndForm, GrantForm
from marketplace.pipeline.franchises.models import RoyaltyInvoice, TerritoryGrant
from marketplace.pipeline.franchises.overlap import words_of
from marketplace.pipeline.franchises.services import granting, royalties
from marketplace.pipeline.franchises.views.blueprints import franchises_staff
from marketplace.pipeline.franchises.views.own import pdf_of
from marketplace.pipeline.leads.queries import organizations_of
from marketplace.program.policy.live import current_policy
from marketplace.sales.form_errors import show_errors
from marketplace.sales.resale.queries import find_partner

_PATH = "/staff/territories/<territory_id>"
_INVOICE = "/staff/territories/invoices/<royalty_id>"
_GRANT = needs("territories.manage", load=queries.find_grant, name="grant")
_VIEW = needs("territories.manage", load=queries.find_invoice, name="invoice")


def _me() -> int | None:
    return current_actor().user_id


@franchises_staff.get("/staff/territories")
@needs("territories.manage")
def index() -> ResponseReturnValue:
    """Who holds what."""
    page = queries.page_of_grants(page_number(request.args.get("page")))
    return render_template(
        "franchises/staff_index.html",
        page=page,
        organizations=organizations_of([row.organization_id for row in page.items]),
        now=clock.now(),
        words_of=words_of,
        texts=texts,
    )


@franchises_staff.get("/staff/territories/invoices")
@needs("territories.manage")
def invoices() -> ResponseReturnValue:
    """All royalty invoices."""
    page = queries.page_of_invoices(page_number(request.args.get("page")))
    return render_template(
        "franchises/staff_invoices.html",
        page=page,
        organizations=organizations_of([row.organization_id for row in page.items]),
        due=royalties.amounts_due(page.items),
        texts=texts,
    )


@franchises_staff.get("/staff/territories/new")
@needs("territories.manage")
def grant_new() -> ResponseReturnValue:
    """The form for a grant."""
    form = GrantForm(formdata=None)
    live = current_policy()
    form.currency.data = live.policy.currency if live else "EUR"
    return render_template("franchises/grant_new.html", form=form)


@franchises_staff.post("/staff/territories/new")
@needs("territories.manage")
def grant_create() -> ResponseReturnValue:
    """Grant it; a place that somebody holds is refused."""
    form = GrantForm()
    if not form.validate():
        return render_template("franchises/grant_new.html", form=form), 422
    try:
        row = granting.grant(
            find_partner((form.partner.data or "")[:200]), form.terms(), by_user_id=_me()
        )
    except InvalidError as error:
        show_errors(form, error)
        return render_template("franchises/grant_new.html", form=form), 422
    flash("Granted. Leads from there go to this partner first.", "success")
    return redirect(url_for("franchises_staff.grant", territory_id=row.public_id), code=303)


@franchises_staff.get(_PATH)
@_GRANT
def grant(grant: TerritoryGrant) -> ResponseReturnValue:
    """One grant."""
    return _grant_page(grant, EndForm(formdata=None))


@franchises_staff.post(f"{_PATH}/end")
@_GRANT
def grant_end(grant: TerritoryGrant) -> ResponseReturnValue:
    """End it now."""
    form = EndForm()
    try:
        granting.end_grant(grant.id, form.reason.data or "", by_user_id=_me())
        flash("Ended. Its places are free.", "success")
    except InvalidError as error:
        show_errors(form, error)
        return _grant_page(grant, form), 422
    except ConflictError as error:
        flash(error.detail, "warning")
    return redirect(url_for("franchises_staff.grant", territory_id=grant.public_id), code=303)


@franchises_staff.get(_INVOICE)
@_VIEW
def invoice(invoice: RoyaltyInvoice) -> ResponseReturnValue:
    """One invoice or credit note."""
    return _invoice_page(invoice, CorrectionForm(formdata=None))


@franchises_staff.get(f"{_INVOICE}/invoice.pdf")
@_VIEW
def invoice_file(invoice: RoyaltyInvoice) -> ResponseReturnValue:
    """It as a file."""
    return pdf_of(invoice)


@franchises_staff.post(f"{_INVOICE}/correction")
@_VIEW
def invoice_correct(invoice: RoyaltyInvoice) -> ResponseReturnValue:
    """Correct what it was based on: what was billed too much is credited."""
    form = CorrectionForm()
    form.currency.data = invoice.currency
    if not form.validate():
        return _invoice_page(invoice, form), 422
    try:
        note = royalties.correct_report(
            invoice.id, form.amount.data, form.reason.data or "", by_user_id=_me()
        )
    except InvalidError as error:
        show_errors(form, error)
        return _invoice_page(invoice, form), 422
    except ConflictError as error:
        form.amount.errors = [error.detail]
        return _invoice_page(invoice, form), 422
    if note is None:
        flash("Corrected. The royalty is the same.", "success")
    else:
        flash(f"Corrected. Credit note {note.number} was written.", "success")
    return redirect(url_for("franchises_staff.invoice", royalty_id=invoice.public_id), code=303)


def _grant_page(grant: TerritoryGrant, form: EndForm) -> str:
    return render_template(
        "franchises/staff_grant.html",
        grant=grant,
        form=form,
        organization=organizations_of([grant.organization_id]).get(grant.organization_id),
        reports=queries.reports_of(grant),
        now=clock.now(),
        words_of=words_of,
        texts=texts,
    )


def _invoice_page(invoice: RoyaltyInvoice, form: CorrectionForm) -> str:
    form.currency.data = invoice.currency
    return render_template(
        "franchises/staff_invoice.html",
        invoice=invoice,
        form=form,
        organization=organizations_of([invoice.organization_id]).get(invoice.organization_id),
        corrects=queries.corrected_by(invoice),
        notes=queries.notes_to(invoice),
        due=royalties.amount_due(invoice),
        orders=queries.orders_of(invoice),
        texts=texts,
    )
