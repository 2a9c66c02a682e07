"""A purchase as a person makes it: the plan's page, the sum that it shows, the hosted checkout."""

import re

from flask.testing import FlaskClient

from billing.models import Plan
from marketplace.catalogue.models import Listing
from marketplace.identity.models import Organization
from tests.factories.stripe import StripeStandIn

BROWSER = {"User-Agent": "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Firefox/140.0"}
DETAILS = {
    "legal_name": "Blue Kite GmbH",
    "email": "billing@kite.example",
    "address_line": "1 Harbour Road",
    "postal_code": "20457",
    "city": "Hamburg",
    "country": "DE",
    "tax_id": "",
}


def begin_purchase(
    browser: FlaskClient, listing: Listing, plan: Plan, organization: Organization, **typed: str
) -> str:
    """Order a plan over HTTP; the checkout's address at Stripe."""
    path = f"/buy/{listing.slug}/{plan.public_id}"
    data = {"organization": organization.slug, "currency": "EUR", **DETAILS, **typed}
    page = browser.post(path, data={**data, "update": "1"}).text
    found = re.search(r'id="shown" name="shown" type="hidden" value="([^"]*)"', page)
    assert found is not None, page
    gone = browser.post(path, data={**data, "shown": found[1]})
    assert gone.status_code == 303, gone.text
    return gone.headers["Location"]


def purchase(
    browser: FlaskClient,
    listing: Listing,
    plan: Plan,
    organization: Organization,
    stripe: StripeStandIn,
    client: FlaskClient,
    **typed: str,
) -> None:
    """Order, pay with a card, and have Stripe's events delivered."""
    stripe.pay(begin_purchase(browser, listing, plan, organization, **typed))
    stripe.deliver(client)
