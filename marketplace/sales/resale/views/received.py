"""Quotes, as the customer sees and answers them."""

from flask import (
    flash,
    make_response,
    redirect,
    render_template,
    request,
    url_for,
)
from flask.typing import ResponseReturnValue

from billing.models import QuoteState, ResaleQuote
from billing.orders import place_resale_order
from billing.profiles import buyer_of
from billing.resale import quotes as services
from billing.resale.customers import in_the_way
from billing.seller import seller
from billing.taxes import decide_tax, rates_in_force, tax_of
from marketplace.core import clock
from marketplace.core.errors import ConflictError
from marketplace.core.limits import limiter
from marketplace.core.pagination import page_number
from marketplace.core.permissions import current_actor, needs
from marketplace.core.unit_of_work import unit_of_work
from marketplace.identity.models import Organization
from marketplace.sales.affiliates.queries.people import organizations_by_id
from marketplace.sales.resale import mails, queries, texts
from marketplace.sales.resale.views.blueprint import resale
from marketplace.sales.resale.views.quotes import pdf_of
from marketplace.sales.shop.queries import own_organization
from marketplace.sales.shop.views.paying import go_to_checkout, let_reach_checkout

_PATH = "/organizations/<slug>/quotes/<quote_id>"
_ANSWER = needs("resale_quote.answer", load=queries.find_customers_quote, name="quote")


@resale.get("/organizations/<slug>/quotes")
@needs("resale_quotes.view", load=own_organization, name="organization", hidden=False)
def received_quotes(organization: Organization) -> ResponseReturnValue:
    """What resellers quoted to the organization."""
    page = queries.page_of_received(organization.id, page_number(request.args.get("page")))
    return render_template(
        "resale/received_quotes.html",
        organization=organization,
        page=page,
        organizations=organizations_by_id([row.reseller_id for row in page.items]),
        listings=queries.listings_by_id([row.agreement.listing_id for row in page.items]),
        texts=texts,
    )


@resale.get(_PATH)
@_ANSWER
def received(quote: ResaleQuote) -> ResponseReturnValue:
    """One quote: what it is, what tax comes on top, and how to answer."""
    return let_reach_checkout(make_response(_page(quote)))


@resale.post(f"{_PATH}/accept")
@_ANSWER
@limiter.limit("30 per hour", key_func=lambda: f"user:{current_actor().user_id}")
def accept(quote: ResaleQuote) -> ResponseReturnValue:
    """Accept it (or go on to pay what was accepted), and on to the checkout."""
    user_id = current_actor().user_id
    back = _address(quote)
    buyer = buyer_of(quote.customer_id, user_id)
    if buyer.country is None:
        flash("Say first who is billed: the country decides the tax.", "warning")
        return redirect(_profile_address(quote), code=303)
    try:
        with unit_of_work():
            if services.accept_quote(quote, by_user_id=user_id):
                mails.tell_quote_answered(quote)
            order = place_resale_order(
                quote,
                user_id=user_id,
                description=_description(quote),
                billing_details=buyer.billing_details,
                country=buyer.country,
                tax_id=buyer.tax_id,
            )
    except ConflictError as error:
        flash(error.detail, "warning")
        return redirect(back, code=303)
    return go_to_checkout(order, organizations_by_id([quote.customer_id])[quote.customer_id])


@resale.get(f"{_PATH}/declining")
@_ANSWER
def declining(quote: ResaleQuote) -> ResponseReturnValue:
    """Ask once more."""
    return render_template("resale/declining.html", **_shown(quote))


@resale.post(f"{_PATH}/declining")
@_ANSWER
def decline(quote: ResaleQuote) -> ResponseReturnValue:
    """Decline it."""
    try:
        if services.decline_quote(quote, by_user_id=current_actor().user_id):
            mails.tell_quote_answered(quote)
            flash("Declined. The reseller is told.", "success")
    except ConflictError as error:
        flash(error.detail, "warning")
    return redirect(_address(quote), code=303)


@resale.get(f"{_PATH}/quote.pdf")
@_ANSWER
def received_file(quote: ResaleQuote) -> ResponseReturnValue:
    """The quote as a file."""
    return pdf_of(quote)


def _page(quote: ResaleQuote) -> str:
    return render_template("resale/received.html", **_shown(quote), **_sum(quote))


def _shown(quote: ResaleQuote) -> dict[str, object]:
    agreement = quote.agreement
    rows = organizations_by_id([quote.reseller_id, quote.customer_id, agreement.publisher_id])
    return {
        "quote": quote,
        "plan": agreement.plan,
        "organization": rows[quote.customer_id],
        "reseller": rows[quote.reseller_id],
        "publisher": rows[agreement.publisher_id],
        "listing": queries.listings_by_id([agreement.listing_id]).get(agreement.listing_id),
        "in_the_way": in_the_way(agreement.plan, quote.customer_id)
        if quote.state in (QuoteState.SENT, QuoteState.ACCEPTED)
        else "",
        "is_open": quote.state is QuoteState.SENT and quote.expires_at > clock.now(),
        "texts": texts,
    }


def _sum(quote: ResaleQuote) -> dict[str, object]:
    """What the customer pays, with the tax of the country that it is billed in."""
    net = quote.unit_amount * quote.quantity
    buyer = buyer_of(quote.customer_id, None)
    rates = rates_in_force(buyer.country, clock.now())
    tax = decide_tax(buyer.country, buyer.tax_id, seller().country, rates)
    amount = tax_of(net, tax.bps, quote.currency)
    return {
        "net": net,
        "tax": tax,
        "tax_amount": amount,
        "total": net + amount,
        "knows_country": buyer.country is not None,
        "profile_href": _profile_address(quote),
    }


def _description(quote: ResaleQuote) -> str:
    listing = queries.listings_by_id([quote.agreement.listing_id]).get(quote.agreement.listing_id)
    plan = quote.agreement.plan.name
    return f"{listing.name}: {plan}" if listing else plan


def _address(quote: ResaleQuote) -> str:
    slug = organizations_by_id([quote.customer_id])[quote.customer_id].slug
    return url_for("resale.received", slug=slug, quote_id=quote.public_id)


def _profile_address(quote: ResaleQuote) -> str:
    slug = organizations_by_id([quote.customer_id])[quote.customer_id].slug
    return url_for("purchases.billing_profile", slug=slug, next=_address(quote))
