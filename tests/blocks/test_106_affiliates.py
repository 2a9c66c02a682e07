"""106 Affiliates: P joins instantly and shares a link; a click of day 30 pays, of day 31 not."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from billing.models import Affiliate, AffiliateProgram, AffiliateState, Earning, EarningKind
from marketplace.core.database import db
from tests.conftest import SignIn
from tests.factories.affiliates import make_program
from tests.factories.buying import BROWSER, purchase
from tests.factories.listings import make_listing
from tests.factories.people import make_customer, make_member, make_organization
from tests.factories.selling import make_plan, make_sale_fee
from tests.factories.stripe import StripeStandIn


@pytest.mark.parametrize(("days", "pays"), [(30, True), (31, False)])
def test_106_affiliates(
    app: Flask,
    sign_in: SignIn,
    stripe: StripeStandIn,
    client: FlaskClient,
    run_jobs: Callable[[], int],
    days: int,
    pays: bool,
) -> None:
    make_sale_fee(2_000)
    listing = make_listing(make_organization("Quayside"))
    make_program(listing.publisher)
    program = db.session.scalars(select(AffiliateProgram)).one()
    partner = make_organization("Bramble", partner_type="affiliate")
    affiliate = sign_in(make_member(partner), partner)
    customer = make_customer("Blue Kite")
    person = make_member(customer)
    plan = make_plan(listing, 10_000)
    db.session.commit()

    joined = affiliate.post(f"/partner/affiliate/programs/{program.public_id}/join")
    assert joined.status_code == 303
    assert db.session.scalars(select(Affiliate)).one().state is AffiliateState.ACTIVE
    own = joined.headers["Location"]
    made = affiliate.post(f"{own}/links", data={"target": listing.slug, "code": "bramble"})
    assert made.status_code == 303

    sign_in(person, customer).get("/r/bramble", headers=BROWSER)
    # Nearly the end of that day after the click; the day counts whole.
    stripe.advance(timedelta(days=days - 1, hours=23))
    purchase(sign_in(person, customer), listing, plan, customer, stripe, client)
    run_jobs()
    earned = db.session.scalars(
        select(Earning.amount).where(Earning.kind == EarningKind.AFFILIATE_COMMISSION)
    ).all()
    assert earned == ([2_000] if pays else [])
