"""Agreements: what a publisher offers to resellers, and what they answer."""

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from billing.models import AgreementState, ResellerAgreement
from billing.resale import agreements as services
from billing.resale.pricing import bounds
from marketplace.core.errors import ConflictError, InvalidError
from marketplace.core.limits import limiter
from marketplace.core.permissions import current_actor, needs
from marketplace.identity.forms import choices_of
from marketplace.sales.affiliates.queries.people import organizations_by_id
from marketplace.sales.form_errors import show_errors
from marketplace.sales.resale import mails, queries, texts
from marketplace.sales.resale.forms import EmptyForm, OfferForm, TermsForm
from marketplace.sales.resale.views.blueprint import resale

_PATH = "/partner/resale/agreements/<agreement_id>"
_VIEW = needs("reseller_agreement.view", load=queries.find_agreement, name="agreement")
_OFFER = needs("reseller_agreement.offer", load=queries.find_agreement, name="agreement")
_ANSWER = needs("reseller_agreement.answer", load=queries.find_agreement, name="agreement")


@resale.get("/partner/resale")
@needs("resale.use")
def home() -> ResponseReturnValue:
    """What the organization may sell for others."""
    return _list(as_reseller=True)


@resale.get("/partner/resale/resellers")
@needs("resale.use")
def resellers() -> ResponseReturnValue:
    """Who may sell the organization's own plans."""
    return _list(as_reseller=False)


@resale.get("/partner/resale/agreements/new")
@needs("resale.use")
def agreement_new() -> ResponseReturnValue:
    """The form for an offer."""
    return _offer_page(OfferForm(formdata=None))


@resale.post("/partner/resale/agreements/new")
@needs("resale.use")
@limiter.limit("60 per hour", key_func=lambda: f"user:{current_actor().user_id}")
def agreement_create() -> ResponseReturnValue:
    """Offer a partner to resell a plan."""
    form = OfferForm()
    valid = form.validate()
    plans = {
        plan.public_id: plan
        for plan in queries.plans_to_resell(current_actor().organization_id or 0)
    }
    plan = plans.get(form.plan.data or "")
    reseller = queries.find_partner(form.reseller.data or "")
    if plan is None:
        form.plan.errors = [*form.plan.errors, "Choose a plan."]
    if reseller is None:
        form.reseller.errors = [*form.reseller.errors, "No partner, or several, of that name."]
    if not valid or plan is None or reseller is None:
        return _offer_page(form), 422
    try:
        agreement = services.offer_agreement(
            plan, reseller.id, form.terms(), by_user_id=current_actor().user_id
        )
    except InvalidError as error:
        show_errors(form, error)
        return _offer_page(form), 422
    mails.tell_offered(agreement)
    flash(f"Offered. {reseller.name} is told by mail.", "success")
    return _to(agreement)


@resale.get(_PATH)
@_VIEW
def agreement(agreement: ResellerAgreement) -> ResponseReturnValue:
    """One agreement, as either party sees it."""
    own_id = current_actor().organization_id
    return render_template(
        "resale/agreement.html",
        agreement=agreement,
        is_publisher=agreement.publisher_id == own_id,
        versions=queries.versions_of(agreement),
        organizations=organizations_by_id([agreement.publisher_id, agreement.reseller_id]),
        listing=queries.listings_by_id([agreement.listing_id]).get(agreement.listing_id),
        limits=bounds(agreement.floor_amount, agreement.maximum_markup_bps, agreement.currency),
        form=EmptyForm(),
        texts=texts,
    )


@resale.post(f"{_PATH}/accept")
@_ANSWER
def agreement_accept(agreement: ResellerAgreement) -> ResponseReturnValue:
    """The reseller accepts."""
    try:
        if services.accept_agreement(agreement, by_user_id=current_actor().user_id):
            mails.tell_answered(agreement)
            flash("Accepted. You can quote now.", "success")
    except ConflictError as error:
        flash(error.detail, "warning")
    return _to(agreement)


@resale.post(f"{_PATH}/decline")
@_ANSWER
def agreement_decline(agreement: ResellerAgreement) -> ResponseReturnValue:
    """The reseller declines."""
    try:
        if services.decline_agreement(agreement, by_user_id=current_actor().user_id):
            mails.tell_answered(agreement)
            flash("Declined.", "success")
    except ConflictError as error:
        flash(error.detail, "warning")
    return _to(agreement)


@resale.get(f"{_PATH}/terms")
@_OFFER
def agreement_terms(agreement: ResellerAgreement) -> ResponseReturnValue:
    """The form for new terms."""
    form = TermsForm(formdata=None)
    form.currency.data = agreement.currency
    form.floor.data = agreement.floor_amount
    form.markup.data = agreement.maximum_markup_bps
    form.hold_days.data = agreement.hold_days
    form.note.data = agreement.note
    return _terms_page(agreement, form)


@resale.post(f"{_PATH}/terms")
@_OFFER
def agreement_replace(agreement: ResellerAgreement) -> ResponseReturnValue:
    """Offer new terms; those in force go on until they are accepted."""
    form = TermsForm()
    if not form.validate():
        return _terms_page(agreement, form), 422
    try:
        offered = services.offer_agreement(
            agreement.plan,
            agreement.reseller_id,
            form.terms(),
            by_user_id=current_actor().user_id,
        )
    except InvalidError as error:
        show_errors(form, error)
        return _terms_page(agreement, form), 422
    mails.tell_offered(offered)
    flash("Offered. The terms of before count until these are accepted.", "success")
    return _to(offered)


@resale.get(f"{_PATH}/end")
@_VIEW
def agreement_ending(agreement: ResellerAgreement) -> ResponseReturnValue:
    """Say what ending means."""
    return render_template(
        "resale/agreement_end.html",
        agreement=agreement,
        organizations=organizations_by_id([agreement.publisher_id, agreement.reseller_id]),
    )


@resale.post(f"{_PATH}/end")
@_VIEW
def agreement_end(agreement: ResellerAgreement) -> ResponseReturnValue:
    """End it."""
    if services.end_agreement(agreement, by_user_id=current_actor().user_id):
        flash("Ended. Quotes that nobody accepted are withdrawn.", "success")
    return _to(agreement)


def tabs(current: str) -> list[dict[str, object]]:
    """The tabs of the resale pages."""
    pages = (
        ("resale.home", "Selling for others"),
        ("resale.quotes", "Quotes"),
        ("resale.resellers", "My resellers"),
    )
    return [
        {"label": label, "href": url_for(endpoint), "current": endpoint == current}
        for endpoint, label in pages
    ]


def _list(*, as_reseller: bool) -> str:
    rows = queries.agreements_of(current_actor().organization_id or 0, as_reseller=as_reseller)
    past = (AgreementState.DECLINED, AgreementState.ENDED)
    return render_template(
        "resale/agreements.html",
        tabs=tabs("resale.home" if as_reseller else "resale.resellers"),
        as_reseller=as_reseller,
        current=[row for row in rows if row.state not in past],
        past=[row for row in rows if row.state in past],
        organizations=organizations_by_id(
            [row.publisher_id if as_reseller else row.reseller_id for row in rows]
        ),
        listings=queries.listings_by_id([row.listing_id for row in rows]),
        texts=texts,
    )


def _offer_page(form: OfferForm) -> str:
    plans = queries.plans_to_resell(current_actor().organization_id or 0)
    listings = queries.listings_by_id([plan.listing_id for plan in plans])
    form.plan.choices = choices_of(
        (plan.public_id, f"{listings[plan.listing_id].name}: {plan.name}")
        for plan in plans
        if plan.listing_id in listings
    )
    return render_template(
        "resale/agreement_new.html", form=form, tabs=tabs("resale.resellers"), plans=plans
    )


def _terms_page(agreement: ResellerAgreement, form: TermsForm) -> str:
    return render_template(
        "resale/agreement_terms.html",
        agreement=agreement,
        form=form,
        organizations=organizations_by_id([agreement.reseller_id]),
        posted=request.method == "POST",
    )


def _to(agreement: ResellerAgreement) -> ResponseReturnValue:
    return redirect(url_for("resale.agreement", agreement_id=agreement.public_id), code=303)
