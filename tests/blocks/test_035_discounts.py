"""35 Discounts: P orders and its tier's price applies; a demotion changes the next order alone."""

import re
from collections.abc import Callable
from datetime import timedelta

from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from billing.models import Order
from marketplace.core import clock
from marketplace.core.database import db
from marketplace.program.measures import Measure, measure
from marketplace.program.scorecards.queries import standing_of
from tests.conftest import SignIn
from tests.factories.buying import purchase
from tests.factories.listings import make_listing
from tests.factories.people import make_member, make_organization
from tests.factories.program import make_policy, make_standing
from tests.factories.selling import make_discount, make_plan, make_sale_fee
from tests.factories.stripe import StripeStandIn

METRICS = [{"key": "deals", "name": "Deals won", "measure": "deals_won", "points": 1}]


def orders() -> list[Order]:
    db.session.rollback()
    return list(db.session.scalars(select(Order).order_by(Order.id)))


def test_035_discounts(
    app: Flask,
    sign_in: SignIn,
    stripe: StripeStandIn,
    client: FlaskClient,
    run_jobs: Callable[[], int],
) -> None:
    make_policy(metrics=METRICS, grace_days=0)
    make_sale_fee(1_500)
    make_discount(name="Gold partners", bps=2_500, tiers=["gold"])
    seller = make_organization("Quayside")
    listings = [make_listing(seller) for _ in range(2)]
    plans = [make_plan(listing, 10_000) for listing in listings]
    partner = make_organization("Bramble", partner_type="reseller")
    make_standing(partner)
    owner = make_member(partner)
    measure(partner.id, Measure.DEALS_WON, 250, key="won", source=("deal", 1))
    browser = sign_in(owner, partner)
    db.session.commit()

    browser.post("/partner/scorecard/evaluate")
    standing = standing_of(partner.id)
    assert standing is not None
    assert standing.tier == "gold"
    purchase(browser, listings[0], plans[0], partner, stripe, client)
    run_jobs()
    first = orders()[0]
    assert (first.subtotal, first.discount_total) == (10_000, 2_500)
    shown = browser.get(f"/organizations/{partner.slug}/orders/{first.public_id}").text
    assert "Gold partners" in shown
    before = (first.subtotal, first.discount_total, first.total)

    measure(partner.id, Measure.DEALS_WON, -1, key="lost", source=("deal", 1))
    db.session.commit()
    browser.post("/partner/scorecard/evaluate")
    db.session.rollback()
    standing = standing_of(partner.id)
    assert standing is not None
    assert standing.tier == "silver"
    with clock.frozen(clock.now() + timedelta(minutes=1)):
        purchase(browser, listings[1], plans[1], partner, stripe, client)
        run_jobs()
    past, later = orders()
    assert (later.subtotal, later.discount_total) == (10_000, 0)
    assert (past.subtotal, past.discount_total, past.total) == before
    page = browser.get(f"/organizations/{partner.slug}/orders/{past.public_id}").text
    assert re.search(r"€25\.00", page)
