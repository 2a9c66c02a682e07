"""A partner pays its fees to the platform."""

from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from billing.ledger import balance
from billing.models import (
    BillingProfile,
    Earning,
    FeeKind,
    FeeRule,
    Order,
    OrderKind,
    OrderState,
    TaxRate,
)
from marketplace.core import clock
from marketplace.core.database import db
from marketplace.identity.models import Organization, Role
from tests.conftest import SignIn
from tests.factories.desk import make_schedule
from tests.factories.listings import make_listing
from tests.factories.people import make_customer, make_member, make_organization

PATH = "/partner/fees"


@pytest.fixture
def partner(app: Flask) -> Organization:
    """A publisher in Germany, and a schedule with fees in two currencies."""
    organization = make_organization("Quayside")
    make_schedule(
        FeeRule(kind=FeeKind.SALE, bps=2_000),
        FeeRule(kind=FeeKind.LISTING, currency="EUR", fixed=9_900),
        FeeRule(kind=FeeKind.LISTING, currency="EUR", partner_type="technology", fixed=4_900),
        FeeRule(kind=FeeKind.SUPPORT_PACK, currency="EUR", fixed=50_000),
        FeeRule(kind=FeeKind.SUPPORT_PACK, currency="JPY", fixed=80_000),
        FeeRule(kind=FeeKind.APPLICATION, currency="EUR", partner_type="agency", fixed=100),
    )
    db.session.add(
        BillingProfile(
            organization_id=organization.id, legal_name="Quayside GmbH", country="DE",
            email="bills@quayside.example",
        )
    )  # fmt: skip
    db.session.add(TaxRate(country="DE", name="VAT", bps=1_900, effective_from=clock.now()))
    db.session.commit()
    return organization


@pytest.fixture
def client(partner: Organization, sign_in: SignIn) -> FlaskClient:
    """Its person of finance."""
    return sign_in(make_member(partner, Role.FINANCE), partner)


def test_a_partner_sees_the_fees_for_its_kind(client: FlaskClient) -> None:
    page = client.get(PATH).get_data(as_text=True)
    assert "€49.00" in page
    assert "€500.00" in page
    assert "€99.00" not in page
    assert "€1.00" not in page
    assert "¥80,000" in client.get(f"{PATH}?currency=JPY").get_data(as_text=True)


@pytest.mark.parametrize("role", [Role.EDITOR, Role.DEVELOPER, Role.VIEWER])
def test_others_of_a_partner_pay_nothing(
    partner: Organization, sign_in: SignIn, role: Role
) -> None:
    member = sign_in(make_member(partner, role), partner)
    assert member.get(PATH).status_code == 403
    assert member.post(f"{PATH}/payment", data={"fee": "listing"}).status_code == 403


def test_customers_have_no_fees(app: Flask, sign_in: SignIn) -> None:
    customer = make_customer()
    assert sign_in(make_member(customer), customer).get(PATH).status_code == 403


def test_a_fee_shows_its_tax_and_is_paid_at_checkout(
    client: FlaskClient, partner: Organization, stripe: Any
) -> None:
    page = client.get(f"{PATH}/payment?fee=support_pack&currency=EUR").get_data(as_text=True)
    for text in ("€500.00", "19%", "€95.00", "Pay €595.00", "Quayside GmbH"):
        assert text in page, text
    response = client.post(
        f"{PATH}/payment", data={"fee": "support_pack", "currency": "EUR", "shown": "50000"}
    )
    assert response.status_code == 303
    stripe.pay(response.location)
    stripe.deliver(client)
    order = db.session.query(Order).one()
    assert (order.kind, order.state, order.total) == (
        OrderKind.PROGRAM_FEE,
        OrderState.PAID,
        59_500,
    )
    # All of it is the platform's, but the tax.
    assert balance("platform_fee", "EUR") == 50_000
    assert balance("tax_payable", "EUR") == 9_500
    assert db.session.query(Earning).count() == 0
    page = client.get(PATH).get_data(as_text=True)
    assert "Paid" in page
    assert "€595.00" in page


def test_a_second_click_leads_to_the_same_order(
    client: FlaskClient, partner: Organization, stripe: Any
) -> None:
    data = {"fee": "support_pack", "currency": "EUR", "shown": "50000"}
    first, second = (client.post(f"{PATH}/payment", data=data) for _ in range(2))
    assert first.location == second.location
    assert db.session.query(Order).count() == 1


def test_a_fee_for_a_listing_names_the_listing(
    client: FlaskClient, partner: Organization, stripe: Any
) -> None:
    empty = client.get(f"{PATH}/payment?fee=listing&currency=EUR").get_data(as_text=True)
    assert "No listing yet" in empty
    own = make_listing(partner, name="Tide Tables")
    foreign = make_listing(make_organization("Other"), name="Foreign")
    db.session.commit()
    page = client.get(f"{PATH}/payment?fee=listing&currency=EUR").get_data(as_text=True)
    assert "Tide Tables" in page
    assert "Foreign" not in page
    data = {"fee": "listing", "currency": "EUR", "shown": "4900"}
    for listing in ("", str(foreign.id), "x"):
        response = client.post(f"{PATH}/payment", data={**data, "listing": listing})
        assert response.status_code == 422, listing
    response = client.post(f"{PATH}/payment", data={**data, "listing": str(own.id)})
    assert response.status_code == 303
    (line,) = db.session.query(Order).one().lines
    assert (line.description, line.listing_id) == ("Listing fee: Tide Tables", own.id)


def test_nobody_pays_what_they_did_not_see(client: FlaskClient) -> None:
    response = client.post(
        f"{PATH}/payment",
        data={"fee": "support_pack", "currency": "EUR", "shown": "1"},
        follow_redirects=True,
    )
    assert "The fee changed while you were looking" in response.get_data(as_text=True)
    assert db.session.query(Order).count() == 0


@pytest.mark.parametrize(
    "query", ["", "?fee=sale&currency=EUR", "?fee=nope", "?fee=listing&currency=JPY"]
)
def test_a_fee_that_there_is_not_is_not_found(client: FlaskClient, query: str) -> None:
    assert client.get(f"{PATH}/payment{query}").status_code == 404


def test_without_billing_details_one_gives_them_first(
    app: Flask, partner: Organization, sign_in: SignIn
) -> None:
    db.session.query(BillingProfile).delete()
    client = sign_in(make_member(partner), partner)
    response = client.get(f"{PATH}/payment?fee=support_pack&currency=EUR")
    assert response.status_code == 303
    assert "/billing?next=" in response.location
