"""105 Reseller: P orders for a client and keeps the margin; below the floor price is refused."""

import re
from collections.abc import Callable
from datetime import timedelta

from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from billing.models import BillingProfile, Earning, EarningKind, ResaleQuote
from marketplace.core import clock
from marketplace.core.database import db
from tests.conftest import SignIn
from tests.factories.affiliates import make_agreement
from tests.factories.listings import make_listing
from tests.factories.people import make_customer, make_member, make_organization
from tests.factories.program import make_policy, make_standing
from tests.factories.selling import make_plan, make_sale_fee
from tests.factories.stripe import StripeStandIn


def test_105_reseller(
    app: Flask,
    sign_in: SignIn,
    stripe: StripeStandIn,
    client: FlaskClient,
    run_jobs: Callable[[], int],
) -> None:
    make_policy()
    make_sale_fee(1_500)
    plan = make_plan(make_listing(make_organization("Quayside")), 10_000, is_per_seat=True)
    reseller = make_organization("Bramble", partner_type="reseller")
    make_standing(reseller)
    customer = make_customer("Wharf")
    seller = sign_in(make_member(reseller), reseller)
    buyer = sign_in(make_member(customer), customer)
    agreement = make_agreement(plan, reseller)  # floor €40.00, markup at most 50%
    db.session.add(
        BillingProfile(
            organization_id=customer.id, legal_name="Wharf", email="b@wharf.example", country="DE"
        )
    )
    db.session.commit()
    form = {
        "customer": customer.slug,
        "unit_amount": "39.99",
        "quantity": "3",
        "valid_until": str((clock.now() + timedelta(days=30)).date()),
    }
    path = f"/partner/resale/agreements/{agreement.public_id}/quote"
    refused = seller.post(path, data=form)
    assert refused.status_code == 422
    assert "Not below the floor price of €40.00." in refused.text
    made = seller.post(path, data={**form, "unit_amount": "49.00"})
    assert made.status_code == 303, made.text
    seller.post(made.headers["Location"] + "/send")
    quote = db.session.scalars(select(ResaleQuote)).one()

    gone = buyer.post(f"/organizations/{customer.slug}/quotes/{quote.public_id}/accept")
    assert gone.status_code == 303
    stripe.pay(gone.headers["Location"])
    stripe.deliver(client)
    run_jobs()
    parts = {row.kind: row.amount for row in db.session.scalars(select(Earning))}
    assert parts[EarningKind.RESELLER_MARGIN] == 3 * 900  # €49.00 less the floor of €40.00, thrice
    lines = seller.get("/partner/earnings/lines").text
    assert re.search(r"€27\.00", lines)
