"""A link, a purchase on the stand-in for Stripe, a commission; and a quote that is paid."""

import re
from collections.abc import Callable
from datetime import timedelta

from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from billing.models import (
    BillingProfile,
    Earning,
    EarningKind,
    Order,
    OrderKind,
    QuoteState,
    ResaleQuote,
)
from billing.resale.quotes import QuoteTerms, draft_quote, send_quote
from marketplace.core import clock
from marketplace.core.database import db
from tests.factories.affiliates import (
    make_affiliate,
    make_affiliate_link,
    make_agreement,
    make_program,
)
from tests.factories.listings import make_listing
from tests.factories.people import make_customer, make_member, make_organization
from tests.factories.selling import make_plan, make_sale_fee
from tests.factories.stripe import StripeStandIn

BROWSER = {"User-Agent": "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Firefox/140.0"}
SignIn = Callable[..., FlaskClient]
DETAILS = {
    "legal_name": "Blue Kite GmbH",
    "email": "billing@kite.example",
    "address_line": "1 Harbour Road",
    "postal_code": "20457",
    "city": "Hamburg",
    "country": "DE",
    "tax_id": "",
}


def parts() -> dict[EarningKind, int]:
    db.session.rollback()
    return {row.kind: row.amount for row in db.session.scalars(select(Earning))}


def test_a_purchase_by_a_link_pays_the_affiliate_and_its_own_card_holds_the_next(
    app: Flask,
    sign_in: SignIn,
    stripe: StripeStandIn,
    client: FlaskClient,
    run_jobs: Callable[[], int],
) -> None:
    make_sale_fee(2_000)
    listing = make_listing()
    partner = make_organization("Bramble")
    affiliate = make_affiliate(make_program(listing.publisher), partner)
    make_affiliate_link(affiliate, f"/listings/{listing.slug}", code="bramble")
    plan = make_plan(listing, 10_000, name="Pro")
    customer = make_customer("Blue Kite")
    buyers = [(make_member(customer), customer), (make_member(partner), partner)]
    db.session.commit()

    def buy(number: int) -> None:
        person, organization = buyers[number]
        browser = sign_in(person, organization)
        browser.get("/r/bramble?sub=letter", headers=BROWSER)
        path = f"/buy/{listing.slug}/{plan.public_id}"
        typed = {"organization": organization.slug, "currency": "EUR", **DETAILS}
        page = browser.post(path, data={**typed, "update": "1"}).text
        found = re.search(r'id="shown" name="shown" type="hidden" value="([^"]*)"', page)
        assert found is not None
        gone = browser.post(path, data={**typed, "shown": found[1]})
        stripe.pay(gone.headers["Location"])
        stripe.deliver(client)
        run_jobs()

    buy(0)
    assert parts() == {
        EarningKind.PUBLISHER_SHARE: 6_000,
        EarningKind.AFFILIATE_COMMISSION: 2_000,
    }
    first = db.session.scalars(
        select(Earning).where(Earning.kind == EarningKind.AFFILIATE_COMMISSION)
    ).one()
    assert first.frozen_reason == ""
    # The affiliate buys through its own link with the same card: both commissions are held.
    buy(1)
    db.session.rollback()
    reasons = [
        row.frozen_reason
        for row in db.session.scalars(
            select(Earning)
            .where(Earning.kind == EarningKind.AFFILIATE_COMMISSION)
            .order_by(Earning.id)
        )
    ]
    assert reasons == [
        "Self-referral: the affiliate paid with the same card before.",
        "Self-referral: the affiliate is the customer.",
    ]


def test_a_quote_is_paid_and_divided_to_the_cent(
    app: Flask,
    sign_in: SignIn,
    stripe: StripeStandIn,
    client: FlaskClient,
    run_jobs: Callable[[], int],
) -> None:
    make_sale_fee(1_500)
    plan = make_plan(make_listing(), 10_000, name="Pro", is_per_seat=True)
    reseller = make_organization("Bramble")
    customer = make_customer("Wharf")
    buyer = make_member(customer)
    seller = make_member(reseller)
    agreement = make_agreement(plan, reseller)
    quote = draft_quote(
        agreement,
        customer.id,
        QuoteTerms(4_900, 3, clock.now() + timedelta(days=30)),
        by_user_id=None,
    )
    send_quote(quote, by_user_id=None)
    db.session.add(
        BillingProfile(
            organization_id=customer.id,
            legal_name="Wharf",
            email="bills@wharf.example",
            country="DE",
        )
    )
    db.session.commit()
    browser = sign_in(buyer, customer)
    gone = browser.post(f"/organizations/{customer.slug}/quotes/{quote.public_id}/accept")
    assert gone.status_code == 303
    assert gone.headers["Location"].startswith(stripe.url)
    stripe.pay(gone.headers["Location"])
    stripe.deliver(client)
    run_jobs()
    assert parts() == {EarningKind.PUBLISHER_SHARE: 10_200, EarningKind.RESELLER_MARGIN: 2_700}
    order = db.session.scalars(select(Order)).one()
    assert (order.kind, order.total, order.lines[0].fee_amount) == (
        OrderKind.RESALE,
        14_700,
        1_800,
    )
    assert db.session.scalars(select(ResaleQuote)).one().state is QuoteState.PAID
    page = sign_in(seller, reseller).get(f"/partner/resale/quotes/{quote.public_id}").text
    assert "Paid" in page
    assert "€27.00" in page
