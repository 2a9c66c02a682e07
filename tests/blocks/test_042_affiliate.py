"""42 Affiliate: click, sign-up and payment earn P after a hold; a refund is appended."""

from collections.abc import Callable

from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from billing.affiliates.programs import RuleTerms
from billing.models import Earning, EarningKind, LedgerEntry, Order
from marketplace.core.database import db
from marketplace.identity.models import Role
from tests.conftest import SignIn
from tests.factories.affiliates import make_affiliate, make_affiliate_link, make_program
from tests.factories.buying import BROWSER, purchase
from tests.factories.listings import make_listing
from tests.factories.people import make_customer, make_member, make_organization
from tests.factories.selling import make_plan, make_sale_fee
from tests.factories.stripe import StripeStandIn


def test_042_affiliate(
    app: Flask,
    sign_in: SignIn,
    stripe: StripeStandIn,
    client: FlaskClient,
    run_jobs: Callable[[], int],
) -> None:
    make_sale_fee(2_000)
    listing = make_listing(make_organization("Quayside"))
    partner = make_organization("Bramble")
    seller = make_member(partner, Role.OWNER)
    program = make_program(listing.publisher, RuleTerms(bps=1_000))
    make_affiliate_link(
        make_affiliate(program, partner), f"/listings/{listing.slug}", code="bramble"
    )
    plan = make_plan(listing, 10_000)
    customer = make_customer("Blue Kite")
    buyer = sign_in(make_member(customer), customer)
    db.session.commit()
    buyer.get("/r/bramble", headers=BROWSER)
    purchase(buyer, listing, plan, customer, stripe, client)
    run_jobs()
    earning = commission()
    assert earning.amount == 1_000  # 10% of €100.00
    browser = sign_in(seller, partner)
    line = browser.get(f"/partner/earnings/lines/{earning.public_id}").text
    assert "€10.00" in line
    assert "Held" in line
    before = [(row.id, row.amount) for row in entries(earning.id)]

    order = db.session.scalars(select(Order)).one()
    stripe.refund(str(order.charge_id))
    stripe.deliver(client)
    run_jobs()
    after = [(row.id, row.amount) for row in entries(earning.id)]
    assert after[: len(before)] == before  # nothing that was written is changed
    assert commission().amount == 1_000
    added = [amount for _, amount in after[len(before) :]]
    assert any(abs(amount) == 1_000 for amount in added)
    assert "−€10.00" in browser.get(f"/partner/earnings/lines/{earning.public_id}").text


def commission() -> Earning:
    db.session.rollback()
    return db.session.scalars(
        select(Earning).where(Earning.kind == EarningKind.AFFILIATE_COMMISSION)
    ).one()


def entries(earning_id: int) -> list[LedgerEntry]:
    db.session.rollback()
    return list(
        db.session.scalars(
            select(LedgerEntry).where(LedgerEntry.earning_id == earning_id).order_by(LedgerEntry.id)
        )
    )
