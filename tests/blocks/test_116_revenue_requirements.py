"""116 Revenue requirements: rolling net revenue drives status; a refund lowers it the same day."""

import re
from collections.abc import Callable
from datetime import timedelta

from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from billing.models import Order
from marketplace.core import clock
from marketplace.core.database import db
from marketplace.program.scorecards.queries import standing_of
from tests.conftest import SignIn
from tests.factories.buying import purchase
from tests.factories.listings import make_listing
from tests.factories.people import make_customer, make_member, make_organization
from tests.factories.program import make_policy, make_standing
from tests.factories.selling import make_plan, make_sale_fee, make_tax_rate
from tests.factories.stripe import StripeStandIn

TIERS = [
    {"key": "registered", "name": "Registered"},
    {
        "key": "silver",
        "name": "Silver",
        "requirements": [{"metric": "revenue", "threshold": 100_000}],
    },
]
METRICS = [
    {"key": "revenue", "name": "Net revenue", "measure": "net_revenue", "unit": "money",
     "window_days": 90},
]  # fmt: skip


def shown(browser: FlaskClient) -> str:
    page = browser.get("/partner/scorecard").text
    return " ".join(re.sub(r"<[^>]+>", " ", page).split())


def tier_of(partner_id: int) -> str:
    db.session.rollback()
    standing = standing_of(partner_id)
    assert standing is not None
    return standing.tier


def test_116_revenue_requirements(
    app: Flask,
    sign_in: SignIn,
    stripe: StripeStandIn,
    client: FlaskClient,
    run_jobs: Callable[[], int],
) -> None:
    make_policy(tiers=TIERS, metrics=METRICS)
    make_sale_fee(1_500)
    make_tax_rate("DE")
    partner = make_organization("Quayside")
    make_standing(partner)
    owner = make_member(partner)
    listing = make_listing(partner)
    plan = make_plan(listing, 120_000)
    customer = make_customer("Blue Kite")
    buyer = sign_in(make_member(customer), customer)
    seller = sign_in(owner, partner)
    db.session.commit()

    purchase(buyer, listing, plan, customer, stripe, client)
    stripe.deliver(client, repeat=2)  # told again, it counts once
    run_jobs()
    assert "you have €0.00" not in shown(seller)
    assert "€1,200.00" in shown(seller)  # without the tax
    seller.post("/partner/scorecard/evaluate")
    assert tier_of(partner.id) == "silver"

    order = db.session.scalars(select(Order)).one()
    stripe.refund(str(order.charge_id), order.total // 2)
    stripe.deliver(client, repeat=2)
    run_jobs()
    assert "€600.00" in shown(seller)  # the same day, in proportion
    seller.post("/partner/scorecard/evaluate")
    assert "Silver is yours until" in shown(seller)
    assert "you have €600.00, €400.00 missing" in shown(seller)
    page = seller.get("/partner/scorecard/metrics/revenue").text
    assert "−€600.00" in page
    assert "Refund or dispute of order" in page

    # The window rolls on: after 90 days nothing of it counts.
    clock_now = clock.now()
    with clock.frozen(clock_now + timedelta(days=91)):
        later = sign_in(owner, partner)
        assert "you have €0.00, €1,000.00 missing" in shown(later)
