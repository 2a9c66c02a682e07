"""The partner's fees: what there is to pay, paying it, and what was paid."""

from flask import Blueprint, flash, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from billing.models import FeeKind
from billing.partner_facts import PartnerFacts, partner_facts
from billing.profiles import profile_of
from billing.program_fees import (
    ProgramFee,
    fees_of_partner,
    place_program_fee,
    tax_of_partner,
)
from billing.taxes import tax_of
from marketplace.core import clock
from marketplace.core.database import db
from marketplace.core.errors import ConflictError, NotFoundError
from marketplace.core.pagination import page_number
from marketplace.core.permissions import current_actor, needs
from marketplace.core.unit_of_work import roll_back
from marketplace.identity.forms import choices_of
from marketplace.identity.models import Organization
from marketplace.program.vouchers.services import balances, spend
from marketplace.sales.fees import policies, queries
from marketplace.sales.fees.forms import FeePaymentForm
from marketplace.sales.fees.texts import ABOUT, STATES
from marketplace.sales.shop.views.paying import go_to_checkout, let_reach_checkout

__all__ = ["policies", "program_fees"]

program_fees = Blueprint("program_fees", __name__, url_prefix="/partner/fees")


@program_fees.get("")
@needs("program_fees.pay")
def index() -> ResponseReturnValue:
    """The fees for this partner, and what it paid."""
    organization, facts = _partner()
    fees = fees_of_partner(facts, clock.now())
    currencies = sorted({code for fee in fees for code in fee.amounts})
    asked = request.args.get("currency", "").upper()
    currency = asked if asked in currencies else _first(currencies)
    return render_template(
        "fees/index.html",
        organization=organization,
        fees=fees,
        currencies=currencies,
        currency=currency,
        about=ABOUT,
        states=STATES,
        page=queries.page_of_fee_orders(organization.id, page_number(request.args.get("page"))),
    )


@program_fees.get("/payment")
@needs("program_fees.pay")
def payment() -> ResponseReturnValue:
    """What `?fee=` comes to in `?currency=`, with tax, before anything is paid."""
    organization, facts = _partner()
    if profile_of(organization.id) is None:
        flash("Say first what stands on your invoices. It decides the tax.", "info")
        return redirect(
            url_for("purchases.billing_profile", slug=organization.slug, next=request.full_path),
            code=303,
        )
    fee, currency = _chosen(facts, request.args.get("fee"), request.args.get("currency"))
    form = FeePaymentForm(
        formdata=None,
        data={"fee": fee.kind.value, "currency": currency, "shown": str(fee.amounts[currency])},
    )
    return _page(organization, fee, currency, form)


@program_fees.post("/payment")
@needs("program_fees.pay")
def pay() -> ResponseReturnValue:
    """Order it and go on to Stripe's Checkout."""
    organization, facts = _partner()
    form = FeePaymentForm()
    fee, currency = _chosen(facts, form.fee.data, form.currency.data)
    _offer_listings(form, fee, organization)
    if not form.validate_on_submit():
        return _page(organization, fee, currency, form, status=422)
    shown = form.shown.data or ""
    names = {
        str(each.id): (each.id, each.name) for each in queries.listings_of(organization.id)
    } if fee.is_of_a_listing else {}  # fmt: skip
    by_credit = request.form.get("credit") == "1"
    user_id = current_actor().user_id
    try:
        order = place_program_fee(
            fee.kind,
            organization_id=organization.id,
            facts=facts,
            currency=currency,
            listing=names.get(form.listing.data) if fee.is_of_a_listing else None,
            shown=int(shown) if shown.isascii() and shown.isdigit() and len(shown) < 19 else -1,
            user_id=user_id,
            by_credit=by_credit,
        )
        if by_credit:
            spend(organization.id, order, fee.amounts[currency], user_id=user_id)
    except ConflictError as error:
        # What was placed without its credit must not stay.
        roll_back(db.session())
        flash(error.detail, "warning")
        return redirect(
            url_for("program_fees.payment", fee=fee.kind.value, currency=currency), code=303
        )
    return go_to_checkout(order, organization)


def _partner() -> tuple[Organization, PartnerFacts]:
    organization = queries.find_own_organization(current_actor().organization_id or 0)
    return organization, partner_facts([organization.id])[organization.id]


def _first(currencies: list[str]) -> str:
    return "EUR" if "EUR" in currencies else next(iter(currencies), "")


def _chosen(facts: PartnerFacts, kind: str | None, currency: str | None) -> tuple[ProgramFee, str]:
    """The fee of an address or a form. Raises NotFoundError."""
    if kind not in set(FeeKind):
        raise NotFoundError
    wanted = FeeKind(kind)
    fee = next((each for each in fees_of_partner(facts, clock.now()) if each.kind is wanted), None)
    code = (currency or "").upper()
    if fee is None or code not in fee.amounts:
        raise NotFoundError
    return fee, code


def _offer_listings(form: FeePaymentForm, fee: ProgramFee, organization: Organization) -> None:
    if not fee.is_of_a_listing:
        del form.listing
        return
    form.listing.choices = choices_of(
        [
            ("", "Choose one"),
            *((str(each.id), each.name) for each in queries.listings_of(organization.id)),
        ]
    )


def _page(
    organization: Organization,
    fee: ProgramFee,
    currency: str,
    form: FeePaymentForm,
    *,
    status: int = 200,
) -> ResponseReturnValue:
    if "listing" in form and not form.listing.choices:
        _offer_listings(form, fee, organization)
    amount = fee.amounts[currency]
    tax = tax_of_partner(organization.id, clock.now())
    body = render_template(
        "fees/payment.html",
        organization=organization,
        profile=profile_of(organization.id),
        fee=fee,
        about=ABOUT,
        currency=currency,
        amount=amount,
        tax=tax,
        tax_amount=tax_of(amount, tax.bps, currency),
        credit=balances(organization.id).get(currency, 0),
        form=form,
        next_path=url_for("program_fees.payment", fee=fee.kind.value, currency=currency),
    )
    return let_reach_checkout(make_response(body, status))
