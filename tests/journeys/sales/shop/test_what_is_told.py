"""What leaves the shop for others: orders as a file, offers for search engines."""

import csv
import io
import json
import re
from collections.abc import Callable

import pytest
from flask import Flask
from flask.testing import FlaskClient

from billing.models import PlanBilling
from billing.orders import Buyer
from marketplace.catalogue.models import Listing
from marketplace.core.database import db
from marketplace.identity.models import Organization, Role
from tests.factories.listings import make_listing
from tests.factories.people import make_customer, make_member, make_organization
from tests.factories.queries import count_queries
from tests.factories.selling import (
    make_order,
    make_paid_order,
    make_plan,
    make_price,
    make_sale_fee,
    make_tax_rate,
)

SignIn = Callable[..., FlaskClient]


@pytest.fixture
def listing(app: Flask) -> Listing:
    found = make_listing(make_organization("Quayside"))
    make_sale_fee(2_000)
    return found


@pytest.fixture
def customer(app: Flask) -> Organization:
    return make_customer("Blue Kite")


def rows_of(browser: FlaskClient, path: str) -> list[dict[str, str]]:
    answer = browser.get(path)
    assert answer.content_type == "text/csv; charset=utf-8"
    return list(csv.DictReader(io.StringIO(answer.text.removeprefix("\ufeff"))))


def test_what_was_paid_is_a_file_of_an_order_a_row(
    listing: Listing, customer: Organization, sign_in: SignIn
) -> None:
    make_tax_rate("DE", 1_900)
    buyer = Buyer(customer.id, country="DE")
    plan = make_plan(listing, 10_000, name="=Pro", is_per_seat=True)
    paid = make_paid_order(plan, customer, buyer=buyer, quantity=2)
    make_order(plan, customer, buyer=buyer)
    make_paid_order(plan, make_customer("Red Kite"))
    browser = sign_in(make_member(customer, Role.FINANCE), customer)
    path = f"/organizations/{customer.slug}/orders.csv"
    assert rows_of(browser, path) == [
        {
            "order": paid.public_id,
            "invoice": paid.invoice_number,
            "paid_at": paid.paid_at.isoformat(timespec="seconds") if paid.paid_at else "",
            "kind": "Purchase",
            "what": "'=Pro",
            "quantity": "2",
            "currency": "EUR",
            "price": "200.00",
            "discount": "0.00",
            "tax": "38.00",
            "total": "238.00",
            "refunded": "0.00",
        }
    ]
    assert path in browser.get(f"/organizations/{customer.slug}/orders").text
    few = count_queries(lambda: browser.get(path))
    for _number in range(3):
        make_paid_order(plan, customer, buyer=buyer)
    db.session.commit()
    assert count_queries(lambda: browser.get(path)) == few


def test_a_developer_does_not_get_the_file(customer: Organization, sign_in: SignIn) -> None:
    browser = sign_in(make_member(customer, Role.DEVELOPER), customer)
    assert browser.get(f"/organizations/{customer.slug}/orders.csv").status_code == 403


def test_a_listing_that_sells_plans_offers_them_to_search_engines(
    client: FlaskClient, listing: Listing
) -> None:
    make_plan(listing, 1_200, name="Pro", billing=PlanBilling.MONTHLY)
    both = make_plan(listing, 99_900, name="For ever")
    make_price(both, 110_000, "JPY")
    make_plan(listing, None, name="Free", billing=PlanBilling.FREE)
    db.session.commit()
    page = client.get(f"/listings/{listing.slug}").text
    found = re.findall(r'<script type="application/ld\+json">(.*?)</script>', page, re.DOTALL)
    offers = json.loads(found[0])["offers"]
    assert [(each["name"], each["price"], each["priceCurrency"]) for each in offers] == [
        ("Pro", "12.00", "EUR"),
        ("For ever", "999.00", "EUR"),
        ("For ever", "110000", "JPY"),
        ("Free", "0", "USD"),
    ]
    assert offers[0]["priceSpecification"]["unitCode"] == "MON"
    assert "priceSpecification" not in offers[1]
    assert offers[0]["url"].endswith(f"/buy/{listing.slug}")
