"""Choosing a plan, seeing what it costs, and going on to pay."""

from dataclasses import dataclass

from flask import flash, g, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from billing.models import Plan, PlanBilling
from billing.orders import Buyer
from billing.orders.placing import PRICE_CHANGED
from billing.profiles import ProfileValues, profile_of
from billing.quoting import RECURRING, Quote, prices_in_force, rate_text
from marketplace.core import clock
from marketplace.core.errors import ConflictError, InvalidError, NotFoundError
from marketplace.core.limits import limiter
from marketplace.core.permissions import current_actor, needs, public
from marketplace.identity.countries import COUNTRIES
from marketplace.identity.forms import choices_of
from marketplace.identity.models import Organization
from marketplace.sales.affiliates.visitors import remember_visitor
from marketplace.sales.form_errors import fields_hold, show_errors
from marketplace.sales.plans import texts as plan_texts
from marketplace.sales.plans.queries import plans_of
from marketplace.sales.shop import buying, queries
from marketplace.sales.shop.forms import CheckoutForm
from marketplace.sales.shop.links import listing_page
from marketplace.sales.shop.queries import Offered
from marketplace.sales.shop.views.blueprints import shop
from marketplace.sales.shop.views.paying import go_to_checkout, let_reach_checkout


@dataclass(frozen=True)
class Basket:
    """What a checkout page is about."""

    offered: Offered
    organization: Organization
    buyer: Buyer
    quote: Quote
    held: buying.Held


@shop.get("/<slug>")
@public("prices are for everybody")
def choose(slug: str) -> ResponseReturnValue:
    """A listing's plans beside each other."""
    listing = queries.find_shop(slug)
    rows = plans_of([listing.id], only_active=True) if listing is not None else []
    if listing is None or not rows:
        raise NotFoundError
    currencies = sorted({code for row in rows for code in row.prices})
    wanted = request.args.get("currency", "").upper()
    currency = wanted if wanted in currencies else _first(currencies)
    return render_template(
        "shop/choose.html",
        listing=listing,
        rows=rows,
        currencies=currencies,
        currency=currency,
        organization=request.args.get("organization", "")[:80],
        code=request.args.get("code", "")[:40],
        texts=plan_texts,
    )


def _has_code() -> bool:
    return bool((request.values.get("code") or "").strip())


# Codes are short: whoever tries many is guessing. Those that count are free.
_may_guess = limiter.shared_limit(
    "40 per hour",
    scope="discount_codes",
    key_func=lambda: f"user:{current_actor().user_id}",
    exempt_when=lambda: not _has_code(),
    deduct_when=lambda _response: bool(g.get("code_is_wrong")),
)


@shop.get("/<slug>/<plan_id>")
@needs("listing.buy", load=queries.find_offer, name="offered", hidden=False)
@_may_guess
def checkout(offered: Offered) -> ResponseReturnValue:
    """What the plan costs, before anything is paid."""
    organizations = queries.organizations_to_buy_for(offered.listing)
    organization = _chosen(organizations, request.args.get("organization", ""))
    if organization is not None:
        remember_visitor(organization.id)
    if organization is None:
        return render_template(
            "shop/choose_organization.html", offered=offered, organizations=organizations
        )
    profile = profile_of(organization.id)
    form = CheckoutForm(formdata=None, obj=profile)
    if profile is None:
        form.legal_name.data = organization.name
        form.country.data = organization.country or ""
        form.email.data = current_actor().email
    form.quantity.data = _number(request.args.get("quantity")) or 1
    form.currency.data = request.args.get("currency", "").upper()[:3]
    form.code.data = request.args.get("code", "")[:40]
    return _page(offered, organization, form, several=len(organizations) > 1)


@shop.post("/<slug>/<plan_id>")
@needs("listing.buy", load=queries.find_offer, name="offered", hidden=False)
@_may_guess
def order(offered: Offered) -> ResponseReturnValue:
    """Compute again (the button "Update"), or order what was shown and go on to Stripe."""
    organizations = queries.organizations_to_buy_for(offered.listing)
    form = CheckoutForm()
    organization = _chosen(organizations, form.organization.data or "")
    if organization is None:
        raise NotFoundError
    remember_visitor(organization.id)
    several = len(organizations) > 1
    is_readable = fields_hold(form)
    if "update" in request.form:
        return _page(offered, organization, form, several=several)
    if offered.plan.billing is PlanBilling.FREE:
        return _take_free(offered, organization, form, several=several)
    try:
        values = _values(form)
        buyer = buying.save_details(current_actor(), organization, values)
        shown = _quote(offered.plan, organization, buyer, form)
    except InvalidError as error:
        show_errors(form, error)
        return _page(offered, organization, form, several=several, status=422)
    if not is_readable:
        return _page(offered, organization, form, several=several, status=422)
    if (form.code.data or "").strip() and not shown.is_code_valid:
        return _page(offered, organization, form, several=several, status=422)
    if form.shown.data != fingerprint(shown):
        # What decides the tax may just have been typed: nobody pays what they did not see.
        return _page(
            offered, organization, form, several=several, status=409,
            alert="With what you typed the sum is another one. Look at it once more.", buyer=buyer,
        )  # fmt: skip
    try:
        placed = buying.begin(current_actor(), organization, offered.listing, shown)
    except ConflictError as error:
        if error.code != PRICE_CHANGED and not buying.held_by(organization, offered.plan).reason:
            flash(error.detail, "warning")
            return redirect(url_for("catalogue.listing", slug=offered.listing.slug), code=303)
        return _page(offered, organization, form, several=several, status=409, alert=error.detail)
    return go_to_checkout(placed, organization)


def fingerprint(shown: Quote) -> str:
    """Changes with what would be paid, now and later."""
    return f"{shown.currency}:{shown.due_now}:{shown.total}:{shown.later_total}:{shown.tax.bps}"


def _take_free(
    offered: Offered, organization: Organization, form: CheckoutForm, *, several: bool
) -> ResponseReturnValue:
    try:
        buying.take_free(current_actor(), organization, offered.plan)
    except ConflictError as error:
        return _page(offered, organization, form, several=several, status=409, alert=error.detail)
    flash(f"{organization.name} has {offered.listing.name}, {offered.plan.name}.", "success")
    return redirect(listing_page(offered.listing), code=303)


def _page(
    offered: Offered,
    organization: Organization,
    form: CheckoutForm,
    *,
    several: bool,
    status: int = 200,
    alert: str = "",
    buyer: Buyer | None = None,
) -> ResponseReturnValue:
    plan = offered.plan
    prices = prices_in_force(plan, clock.now())
    currencies = sorted(prices)
    if form.currency.data not in prices:
        form.currency.data = _first(currencies)
    form.currency.choices = choices_of((code, code) for code in currencies)
    shown = None
    if prices:
        typed = buyer or Buyer(
            organization.id,
            current_actor().user_id,
            country=form.country.data if form.country.data in COUNTRIES else None,
            tax_id=form.tax_id.data or "",
        )
        try:
            shown = _quote(plan, organization, typed, form)
        except InvalidError as error:
            show_errors(form, error)
            status = 422 if request.method == "POST" else status
    if shown is not None:
        form.shown.data = fingerprint(shown)
        if shown.code_problem and not shown.is_code_valid:
            form.code.errors = [shown.code_problem]
    form.organization.data = organization.slug
    page = make_response(
        render_template(
            "shop/checkout.html",
            listing=offered.listing,
            plan=plan,
            organization=organization,
            several=several,
            form=form,
            quote=shown,
            held=buying.held_by(organization, plan),
            alert_text=alert,
            is_free=plan.billing is PlanBilling.FREE,
            is_recurring=plan.billing in RECURRING,
            rate_text=rate_text,
            texts=plan_texts,
        ),
        status,
    )
    return let_reach_checkout(page)


def _quote(plan: Plan, organization: Organization, buyer: Buyer, form: CheckoutForm) -> Quote:
    quantity = form.quantity.data if form.quantity.data is not None else 1
    shown = buying.offer(
        organization,
        plan,
        buyer,
        currency=form.currency.data or "",
        quantity=quantity,
        code=form.code.data or "",
    )
    if (form.code.data or "").strip() and not shown.is_code_valid:
        g.code_is_wrong = True
    return shown


def _values(form: CheckoutForm) -> ProfileValues:
    return ProfileValues(
        legal_name=form.legal_name.data or "",
        email=form.email.data or "",
        address_line=form.address_line.data or "",
        city=form.city.data or "",
        postal_code=form.postal_code.data or "",
        country=form.country.data or None,
        tax_id=form.tax_id.data or "",
    )


def _chosen(organizations: list[Organization], slug: str) -> Organization | None:
    if not slug:
        active = current_actor().organization_id
        if len(organizations) == 1:
            return organizations[0]
        return next((found for found in organizations if found.id == active), None)
    return next((found for found in organizations if found.slug == slug), None)


def _first(currencies: list[str]) -> str:
    for usual in ("EUR", "USD"):
        if usual in currencies:
            return usual
    return currencies[0] if currencies else "EUR"


def _number(text: str | None) -> int | None:
    return int(text) if text and text.isascii() and text.isdigit() and len(text) < 6 else None
