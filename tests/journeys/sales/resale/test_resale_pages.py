"""A publisher offers, a reseller quotes, a customer answers: over HTTP."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from billing.models import (
    AgreementState,
    BillingProfile,
    Order,
    OrderKind,
    Plan,
    QuoteState,
    ResaleQuote,
    ResellerAgreement,
    TaxRate,
)
from billing.orders import Payment, mark_paid
from marketplace.core import clock
from marketplace.core.database import db
from marketplace.identity.models import Organization, Role
from marketplace.sales.resale.jobs import expire
from marketplace.sales.shop.views import paying
from tests.factories.affiliates import make_agreement, make_plan
from tests.factories.listings import make_listing
from tests.factories.mails import mails
from tests.factories.people import make_customer, make_member, make_organization
from tests.factories.queries import count_queries

SignIn = Callable[..., FlaskClient]


@dataclass
class Trade:
    """The three parties, each with an owner who is signed in, and a plan."""

    plan: Plan
    publisher: FlaskClient
    reseller: FlaskClient
    reseller_organization: Organization
    buyer: FlaskClient
    customer: Organization


@pytest.fixture
def trade(app: Flask, sign_in: SignIn) -> Trade:
    listing = make_listing()
    plan = make_plan(listing, is_per_seat=True)
    reseller = make_organization("Bramble")
    customer = make_customer("Wharf")
    people = [make_member(each) for each in (listing.publisher, reseller, customer)]
    db.session.add(
        TaxRate(
            country="DE",
            name="VAT",
            bps=1_900,
            effective_from=clock.now() - timedelta(days=1),
        )
    )
    db.session.commit()
    return Trade(
        plan,
        sign_in(people[0], listing.publisher),
        sign_in(people[1], reseller),
        reseller,
        sign_in(people[2], customer),
        customer,
    )


def one(model: Any) -> Any:
    db.session.rollback()
    return db.session.scalar(select(model).order_by(model.id.desc()).limit(1))


def subjects() -> list[str]:
    return [mail["subject"] for mail in mails()]


def test_an_offer_is_accepted_quoted_and_seen_by_the_customer(trade: Trade) -> None:
    assert "No resellers yet" in trade.publisher.get("/partner/resale/resellers").text
    form = {
        "reseller": "bramble",
        "plan": trade.plan.public_id,
        "currency": "EUR",
        "floor": "40.00",
        "markup": "50",
        "hold_days": "14",
        "note": "Not for schools.",
    }
    made = trade.publisher.post("/partner/resale/agreements/new", data=form)
    assert made.status_code == 303
    path = made.headers["Location"]
    assert "has not answered yet" in trade.publisher.get(path).text
    assert "Quayside offers you to resell Pro" in subjects()
    assert "€60.00" in trade.reseller.get(path).text
    assert trade.publisher.post(f"{path}/accept").status_code == 404
    assert trade.reseller.post(f"{path}/accept").status_code == 303
    assert one(ResellerAgreement).state is AgreementState.ACTIVE
    assert "Bramble accepted your offer" in subjects()
    form = {
        "customer": trade.customer.slug,
        "unit_amount": "49.00",
        "quantity": "3",
        "valid_until": str((clock.now() + timedelta(days=30)).date()),
        "message": "As agreed by phone.",
    }
    for wrong, message in (
        ({"unit_amount": "39.99"}, "Not below the floor price of €40.00."),
        ({"unit_amount": "60.01"}, "At most €60.00"),
        ({"unit_amount": "much"}, "Type an amount like 12.50."),
        ({"customer": "nobody-here"}, "No customer has this address."),
        ({"valid_until": "2020-01-01"}, "A day that is to come."),
    ):
        refused = trade.reseller.post(f"{path}/quote", data=form | wrong)
        assert (refused.status_code, message in refused.text) == (422, True), wrong
        assert "As agreed by phone." in refused.text
    drafted = trade.reseller.post(f"{path}/quote", data=form)
    quote_path = drafted.headers["Location"]
    page = trade.reseller.get(quote_path).text
    assert "€27.00" in page
    assert "22.5% above the floor" in page
    own = f"/organizations/{trade.customer.slug}/quotes/{one(ResaleQuote).public_id}"
    assert trade.buyer.get(own).status_code == 404
    assert "As agreed by phone." in trade.reseller.get(f"{quote_path}/edit").text
    trade.reseller.post(f"{quote_path}/edit", data=form | {"unit_amount": "50"})
    assert trade.reseller.post(f"{quote_path}/send").status_code == 303
    assert "A quote by Bramble" in subjects()
    seen = trade.buyer.get(own).text
    assert "€150.00" in seen
    assert "€40.00" not in seen
    assert "Say first who is billed" in seen
    assert "Wharf" in trade.buyer.get(f"/organizations/{trade.customer.slug}/quotes").text
    for browser, address in ((trade.reseller, quote_path), (trade.buyer, own)):
        file = browser.get(f"{address}/quote.pdf")
        assert (file.content_type, file.data[:5]) == ("application/pdf", b"%PDF-")


def sent_quote(trade: Trade) -> str:
    """A quote that was sent; its path for the customer."""
    agreement = make_agreement(trade.plan, trade.reseller_organization)
    quote = ResaleQuote(
        public_id="quo_1",
        agreement_id=agreement.id,
        reseller_id=agreement.reseller_id,
        customer_id=trade.customer.id,
        quantity=3,
        currency="EUR",
        unit_amount=4_900,
        state=QuoteState.SENT,
        sent_at=clock.now(),
        expires_at=clock.now() + timedelta(days=30),
    )
    profile = BillingProfile(
        organization_id=trade.customer.id,
        legal_name="Wharf GmbH",
        email="bills@wharf.example",
        country="DE",
    )
    db.session.add_all([quote, profile])
    db.session.commit()
    return f"/organizations/{trade.customer.slug}/quotes/quo_1"


def test_accepting_places_an_order_and_leads_to_the_checkout(
    trade: Trade, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = sent_quote(trade)
    page = trade.buyer.get(path)
    assert "VAT 19%" in page.text
    assert "€174.93" in page.text
    assert "https://checkout.stripe.com" in page.headers["Content-Security-Policy"]
    opened: list[int] = []

    def open_checkout(order_id: int, *, success_url: str, cancel_url: str) -> str:
        opened.append(order_id)
        assert "/orders/ord_" in success_url
        assert not db.session().in_transaction()
        return "https://checkout.stripe.com/c/pay/x"

    monkeypatch.setattr(paying, "open_checkout", open_checkout)
    answer = trade.buyer.post(f"{path}/accept")
    assert (answer.status_code, answer.headers["Location"]) == (
        303,
        "https://checkout.stripe.com/c/pay/x",
    )
    order = one(Order)
    line = order.lines[0]
    assert (order.kind, order.total, order.tax_total) == (OrderKind.RESALE, 17_493, 2_793)
    assert (line.margin_amount, line.floor_amount) == (2_700, 12_000)
    assert line.publisher_amount + line.fee_amount + line.margin_amount == 14_700
    # A second click leads to the same order.
    trade.buyer.post(f"{path}/accept")
    assert opened == [order.id, order.id]
    assert "Pay now" in trade.buyer.get(path).text
    assert "Wharf accepted your quote" in subjects()
    for _ in range(2):
        mark_paid(one(Order).id, Payment(paid_at=clock.now(), payment_intent_id="pi_1"))
    db.session.commit()
    assert subjects().count("Wharf paid your quote") == 1
    assert "It is paid" in trade.buyer.get(path).text


def test_without_a_country_the_customer_is_sent_to_say_who_is_billed(trade: Trade) -> None:
    path = sent_quote(trade)
    db.session.delete(db.session.get(BillingProfile, trade.customer.id))
    db.session.commit()
    assert trade.buyer.post(f"{path}/accept").status_code == 303
    assert one(ResaleQuote).state is QuoteState.SENT


def test_a_customer_declines(trade: Trade) -> None:
    path = sent_quote(trade)
    assert "is told" in trade.buyer.get(f"{path}/declining").text
    trade.buyer.post(f"{path}/declining")
    assert one(ResaleQuote).state is QuoteState.DECLINED
    assert "Wharf declined your quote" in subjects()
    assert trade.buyer.post(f"{path}/accept").status_code == 303
    assert one(Order) is None


def test_a_quote_is_for_one_customer_and_its_people_who_deal_with_money(
    trade: Trade, sign_in: SignIn
) -> None:
    path = sent_quote(trade)
    viewer = make_member(trade.customer, Role.VIEWER)
    other = make_customer("Other")
    stranger = make_member(other)
    db.session.commit()
    assert sign_in(viewer, trade.customer).get(path).status_code == 404
    overview = f"/organizations/{trade.customer.slug}/quotes"
    assert sign_in(viewer, trade.customer).get(overview).status_code == 403
    assert sign_in(stranger, other).get(path).status_code == 404
    assert (
        sign_in(stranger, other).get(path.replace(trade.customer.slug, other.slug)).status_code
        == 404
    )
    assert trade.publisher.get("/partner/resale/quotes/quo_1").status_code == 404


def test_withdrawing_and_expiring(trade: Trade) -> None:
    path = sent_quote(trade)
    own = "/partner/resale/quotes/quo_1"
    assert "cannot accept it any more" in trade.reseller.get(f"{own}/withdrawal").text
    trade.reseller.post(f"{own}/withdrawal")
    assert "Withdrawn" in trade.buyer.get(path).text
    quote = one(ResaleQuote)
    quote.state, quote.expires_at = QuoteState.SENT, clock.now() - timedelta(days=1)
    db.session.commit()
    assert "Its day has passed" in trade.buyer.get(path).text
    expire({})
    db.session.commit()
    assert one(ResaleQuote).state is QuoteState.EXPIRED


def test_new_terms_and_the_end_of_an_agreement(trade: Trade) -> None:
    agreement = make_agreement(trade.plan, trade.reseller_organization)
    db.session.commit()
    path = f"/partner/resale/agreements/{agreement.public_id}"
    assert 'value="40.00"' in trade.publisher.get(f"{path}/terms").text
    assert trade.reseller.get(f"{path}/terms").status_code == 404
    form = {"currency": "EUR", "floor": "", "markup": "20", "hold_days": "7"}
    refused = trade.publisher.post(f"{path}/terms", data=form)
    assert refused.status_code == 422
    assert "A floor price is above zero." in refused.text
    offered = trade.publisher.post(f"{path}/terms", data=form | {"floor": "45"})
    newer = offered.headers["Location"]
    page = trade.reseller.get(newer).text
    assert "version 2" in page
    assert "All versions" in page
    trade.reseller.post(f"{newer}/decline")
    assert "Bramble declined your offer" in subjects()
    assert "quotes that no customer has accepted" in trade.reseller.get(f"{path}/end").text
    trade.reseller.post(f"{path}/end")
    assert db.session.get_one(ResellerAgreement, agreement.id).state is AgreementState.ENDED
    assert "Past" in trade.reseller.get("/partner/resale").text


def test_an_offer_needs_a_partner_and_a_plan_of_ones_own(trade: Trade) -> None:
    plan = make_plan(make_listing())
    db.session.commit()
    form = {
        "reseller": "nobody",
        "plan": plan.public_id,
        "currency": "EUR",
        "floor": "x",
        "hold_days": "14",
    }
    refused = trade.publisher.post("/partner/resale/agreements/new", data=form)
    assert refused.status_code == 422
    assert "No partner, or several, of that name." in refused.text
    assert "Choose a plan." in refused.text
    assert 'value="x"' in refused.text


def test_lists_cost_the_same_however_long_they_are(trade: Trade) -> None:
    sent_quote(trade)
    pages = [
        (trade.reseller, "/partner/resale"),
        (trade.publisher, "/partner/resale/resellers"),
        (trade.reseller, "/partner/resale/quotes"),
        (trade.buyer, f"/organizations/{trade.customer.slug}/quotes"),
    ]

    def cost() -> list[int]:
        for browser, path in pages:
            browser.get(path)
        return [count_queries(lambda b=browser, p=path: b.get(p)) for browser, path in pages]

    before = cost()
    first = one(ResaleQuote)
    for number in range(3):
        plan = make_plan(make_listing(make_organization(f"Publisher {number}")))
        agreement = make_agreement(plan, trade.reseller_organization)
        make_agreement(trade.plan, make_organization(f"Reseller {number}"))
        db.session.add(
            ResaleQuote(
                public_id=f"quo_more_{number}",
                agreement_id=agreement.id,
                reseller_id=first.reseller_id,
                customer_id=first.customer_id,
                currency="EUR",
                unit_amount=4_900,
                state=QuoteState.SENT,
                sent_at=clock.now(),
                expires_at=clock.now() + timedelta(days=3),
            )
        )
    db.session.commit()
    assert cost() == before
