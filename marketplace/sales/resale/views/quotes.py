"""Quotes, as the reseller writes them."""

from datetime import timedelta

from flask import Response, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from billing.models import AgreementState, QuoteState, ResaleQuote, ResellerAgreement
from billing.resale import quotes as services
from billing.resale.pricing import bounds, margin, markup_bps
from marketplace.core import clock
from marketplace.core.errors import ConflictError, InvalidError
from marketplace.core.limits import limiter
from marketplace.core.pagination import page_number
from marketplace.core.permissions import current_actor, needs
from marketplace.sales.affiliates.queries.people import organizations_by_id
from marketplace.sales.form_errors import show_errors
from marketplace.sales.resale import mails, queries, texts
from marketplace.sales.resale.forms import NewQuoteForm, QuoteForm
from marketplace.sales.resale.quote_pdf import quote_pdf
from marketplace.sales.resale.views.agreements import tabs
from marketplace.sales.resale.views.blueprint import resale

_PATH = "/partner/resale/quotes/<quote_id>"
_MANAGE = needs("resale_quote.manage", load=queries.find_quote, name="quote")
_QUOTE = needs("reseller_agreement.answer", load=queries.find_agreement, name="agreement")


@resale.get("/partner/resale/quotes")
@needs("resale.use")
def quotes() -> ResponseReturnValue:
    """The organization's quotes."""
    own_id = current_actor().organization_id or 0
    chosen = request.args.get("state", "")
    state = QuoteState(chosen) if chosen in {each.value for each in QuoteState} else None
    page = queries.page_of_quotes(own_id, state, page_number(request.args.get("page")))
    agreements = queries.agreements_of(own_id, as_reseller=True)
    return render_template(
        "resale/quotes.html",
        tabs=tabs("resale.quotes"),
        page=page,
        shown=state.value if state else "",
        organizations=organizations_by_id([row.customer_id for row in page.items]),
        listings=queries.listings_by_id(
            [row.agreement.listing_id for row in page.items]
            + [row.listing_id for row in agreements]
        ),
        agreements=[row for row in agreements if row.state is AgreementState.ACTIVE],
        margin=margin,
        texts=texts,
    )


@resale.get("/partner/resale/agreements/<agreement_id>/quote")
@_QUOTE
def quote_new(agreement: ResellerAgreement) -> ResponseReturnValue:
    """The form for a quote."""
    form = NewQuoteForm(formdata=None)
    form.valid_until.data = (clock.now() + timedelta(days=30)).date()
    return _form_page(agreement, form)


@resale.post("/partner/resale/agreements/<agreement_id>/quote")
@_QUOTE
@limiter.limit("60 per hour", key_func=lambda: f"user:{current_actor().user_id}")
def quote_create(agreement: ResellerAgreement) -> ResponseReturnValue:
    """Draft a quote."""
    form = NewQuoteForm()
    form.currency.data = agreement.currency
    valid = form.validate()
    customer = queries.find_customer(form.customer.data or "")
    if customer is None:
        form.customer.errors = [*form.customer.errors, "No customer has this address."]
    if not valid or customer is None:
        return _form_page(agreement, form), 422
    try:
        quote = services.draft_quote(
            agreement, customer.id, form.terms(), by_user_id=current_actor().user_id
        )
    except InvalidError as error:
        show_errors(form, error)
        return _form_page(agreement, form), 422
    flash("Drafted. Look at it once more, then send it.", "success")
    return _to(quote)


@resale.get(_PATH)
@_MANAGE
def quote(quote: ResaleQuote) -> ResponseReturnValue:
    """One quote with the reseller's own sums."""
    agreement = quote.agreement
    return render_template(
        "resale/quote.html",
        quote=quote,
        agreement=agreement,
        organizations=organizations_by_id([quote.customer_id, agreement.publisher_id]),
        listing=queries.listings_by_id([agreement.listing_id]).get(agreement.listing_id),
        margin=margin(quote.unit_amount, agreement.floor_amount, quote.quantity),
        markup=markup_bps(quote.unit_amount, agreement.floor_amount),
        texts=texts,
    )


@resale.get(f"{_PATH}/edit")
@_MANAGE
def quote_edit(quote: ResaleQuote) -> ResponseReturnValue:
    """The form to change a draft."""
    if quote.state is not QuoteState.DRAFT:
        return _to(quote)
    form = QuoteForm(formdata=None)
    form.unit_amount.data = quote.unit_amount
    form.quantity.data = quote.quantity
    form.valid_until.data = (quote.expires_at - timedelta(seconds=1)).date()
    form.message.data = quote.message
    return _form_page(quote.agreement, form, quote)


@resale.post(f"{_PATH}/edit")
@_MANAGE
def quote_save(quote: ResaleQuote) -> ResponseReturnValue:
    """Change a draft."""
    form = QuoteForm()
    form.currency.data = quote.currency
    if not form.validate():
        return _form_page(quote.agreement, form, quote), 422
    try:
        services.edit_quote(quote, form.terms(), by_user_id=current_actor().user_id)
    except InvalidError as error:
        show_errors(form, error)
        return _form_page(quote.agreement, form, quote), 422
    except ConflictError as error:
        flash(error.detail, "warning")
        return _to(quote)
    flash("Saved.", "success")
    return _to(quote)


@resale.post(f"{_PATH}/send")
@_MANAGE
@limiter.limit("60 per hour", key_func=lambda: f"user:{current_actor().user_id}")
def quote_send(quote: ResaleQuote) -> ResponseReturnValue:
    """Send it to the customer."""
    try:
        if services.send_quote(quote, by_user_id=current_actor().user_id):
            mails.tell_quoted(quote)
            flash("Sent. The customer is told by mail.", "success")
    except InvalidError as error:
        flash("; ".join(error.fields.values()), "warning")
    except ConflictError as error:
        flash(error.detail, "warning")
    return _to(quote)


@resale.get(f"{_PATH}/withdrawal")
@_MANAGE
def quote_withdrawing(quote: ResaleQuote) -> ResponseReturnValue:
    """Ask once more."""
    return render_template(
        "resale/quote_withdrawal.html",
        quote=quote,
        organizations=organizations_by_id([quote.customer_id]),
    )


@resale.post(f"{_PATH}/withdrawal")
@_MANAGE
def quote_withdraw(quote: ResaleQuote) -> ResponseReturnValue:
    """Take it back."""
    try:
        if services.withdraw_quote(quote, by_user_id=current_actor().user_id):
            flash("Withdrawn.", "success")
    except ConflictError as error:
        flash(error.detail, "warning")
    return _to(quote)


@resale.get(f"{_PATH}/quote.pdf")
@_MANAGE
def quote_file(quote: ResaleQuote) -> ResponseReturnValue:
    """The quote as the customer gets it."""
    return pdf_of(quote)


def pdf_of(quote: ResaleQuote) -> Response:
    """A download of the quote."""
    rows = organizations_by_id([quote.reseller_id, quote.customer_id])
    agreement = quote.agreement
    data = quote_pdf(
        quote,
        queries.listings_by_id([agreement.listing_id]).get(agreement.listing_id),
        rows[quote.reseller_id],
        rows[quote.customer_id],
    )
    response = Response(data, content_type="application/pdf")
    response.headers["Content-Disposition"] = f'attachment; filename="{quote.public_id}.pdf"'
    return response


def _form_page(
    agreement: ResellerAgreement, form: QuoteForm, quote: ResaleQuote | None = None
) -> str:
    form.currency.data = agreement.currency
    return render_template(
        "resale/quote_form.html",
        agreement=agreement,
        form=form,
        quote=quote,
        limits=bounds(agreement.floor_amount, agreement.maximum_markup_bps, agreement.currency),
        organizations=organizations_by_id([agreement.publisher_id]),
        listing=queries.listings_by_id([agreement.listing_id]).get(agreement.listing_id),
        texts=texts,
    )


def _to(quote: ResaleQuote) -> ResponseReturnValue:
    return redirect(url_for("resale.quote", quote_id=quote.public_id), code=303)
