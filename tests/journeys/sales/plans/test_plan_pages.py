"""Partners price plans and give discounts; staff set taxes. Over HTTP."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from billing.models import (
    Discount,
    DiscountKind,
    Funder,
    Plan,
    PlanBilling,
    PlanState,
    PromotionCode,
    TaxRate,
)
from marketplace.catalogue.models import Listing
from marketplace.core import clock
from marketplace.core.database import db
from marketplace.identity.models import Role
from tests.factories.listings import make_listing
from tests.factories.people import make_member, make_organization, make_platform
from tests.factories.program import make_policy
from tests.factories.queries import count_queries
from tests.factories.selling import make_discount, make_plan

SignIn = Callable[..., FlaskClient]


@pytest.fixture
def listing(app: Flask) -> Listing:
    return make_listing(make_organization("Quayside"))


@pytest.fixture
def browser(listing: Listing, sign_in: SignIn) -> FlaskClient:
    return sign_in(make_member(listing.publisher, Role.FINANCE), listing.publisher)


def test_a_partner_makes_a_plan_prices_it_anew_and_sells_it(
    browser: FlaskClient, listing: Listing
) -> None:
    assert "free to install" in browser.get("/partner/plans").text
    made = browser.post(
        f"/partner/listings/{listing.slug}/plans/new",
        data={
            "name": "Pro",
            "description": "All tides\nEvery harbour",
            "billing": "monthly",
            "is_per_seat": "y",
            "currency": "EUR",
            "price": "12.50",
            "trial_days": "14",
        },
    )
    assert made.status_code == 303
    plan = db.session.scalars(select(Plan)).one()
    assert (plan.state, plan.code, plan.prices[0].amount) == (PlanState.DRAFT, "pro", 1_250)
    path = made.headers["Location"]
    assert (
        browser.post(f"{path}/prices", data={"price": "15", "currency": "EUR"}).status_code == 303
    )
    assert (
        browser.post(f"{path}/prices", data={"price": "16", "currency": "USD"}).status_code == 303
    )
    assert browser.post(f"{path}/activation").status_code == 303
    page = browser.get(path).text
    assert "€15.00" in page
    assert "Replaced" in page
    overview = browser.get("/partner/plans").text
    assert "€15.00 a seat a month" in overview
    assert "$16.00 a seat a month" in overview
    assert "For sale" in overview
    public = browser.get(f"/buy/{listing.slug}?currency=USD").text
    assert "$16.00" in public
    assert "14 days free" in public


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"name": ""}, "Give it a name."),
        ({"price": "cheap"}, "Type an amount like 12.50."),
        ({"price": ""}, "Type an amount like 12.50."),
        ({"price": "0.10"}, "less than can be charged"),
        ({"currency": "XXX"}, "Choose a currency"),
        ({"currency": "BGN"}, "BGN was replaced by EUR"),
        ({"currency": "JPY", "price": "12.5"}, "JPY has no decimals."),
        ({"billing": "weekly"}, "Choose how it is paid."),
        ({"billing": "one_time", "trial_days": "14"}, "Only a subscription has a trial."),
        ({"trial_days": "90"}, "From 0 to 60 days."),
        ({"trial_days": "soon"}, "Not a valid integer"),
    ],
)
def test_bad_input_is_told_at_its_field_and_kept(
    browser: FlaskClient, listing: Listing, change: dict[str, str], message: str
) -> None:
    data = {"name": "Pro", "billing": "monthly", "currency": "EUR", "price": "12.50", **change}
    answer = browser.post(f"/partner/listings/{listing.slug}/plans/new", data=data)
    assert answer.status_code == 422
    assert message in answer.text
    if change.get("price"):
        assert change["price"] in answer.text
    db.session.rollback()
    assert db.session.scalars(select(Plan)).all() == []


def test_a_plan_without_a_price_of_today_is_not_sold(
    browser: FlaskClient, listing: Listing
) -> None:
    plan = make_plan(listing, None, state=PlanState.DRAFT)
    db.session.commit()
    path = f"/partner/plans/{plan.public_id}"
    answer = browser.post(f"{path}/activation", follow_redirects=True)
    assert "Give it a price that counts today first." in answer.text
    db.session.refresh(plan)
    assert plan.state is PlanState.DRAFT


def test_plans_are_moved_and_archived(browser: FlaskClient, listing: Listing) -> None:
    first, second = make_plan(listing, name="Basic"), make_plan(listing, name="Pro")
    db.session.commit()
    browser.post(f"/partner/plans/{second.public_id}/position", data={"to": "up"})
    page = browser.get(f"/buy/{listing.slug}").text
    assert page.index("Choose Pro") < page.index("Choose Basic")
    assert "Nobody can buy it" in browser.get(f"/partner/plans/{first.public_id}/archiving").text
    browser.post(f"/partner/plans/{first.public_id}/archiving")
    assert "Choose Basic" not in browser.get(f"/buy/{listing.slug}").text
    changed = browser.post(f"/partner/plans/{first.public_id}", data={"name": "Basic"})
    assert changed.status_code == 303


def test_editors_and_other_partners_see_no_money(listing: Listing, sign_in: SignIn) -> None:
    plan = make_plan(listing)
    discount = make_discount(listing.publisher, "AUTUMN")
    rivals = make_organization("Rivals")
    for user, organization, status in (
        (make_member(listing.publisher, Role.EDITOR), listing.publisher, 403),
        (make_member(rivals), rivals, 200),
    ):
        other = sign_in(user, organization)
        assert other.get("/partner/plans").status_code == status
        assert other.get("/partner/discounts").status_code == status
        assert other.get(f"/partner/plans/{plan.public_id}").status_code == 404
        assert other.get(f"/partner/discounts/{discount.public_id}").status_code == 404
        assert other.post(f"/partner/plans/{plan.public_id}/archiving").status_code == 404


def test_the_list_of_plans_costs_the_same_however_many_there_are(
    browser: FlaskClient, listing: Listing
) -> None:
    make_plan(listing)
    db.session.commit()
    browser.get("/partner/plans")
    few = count_queries(lambda: browser.get("/partner/plans"))
    for number in range(4):
        other = make_listing(listing.publisher, name=f"Tide {number}")
        make_plan(other)
        make_plan(other, currency="USD")
    db.session.commit()
    assert count_queries(lambda: browser.get("/partner/plans")) == few


def test_a_partner_gives_a_discount_with_codes(browser: FlaskClient, listing: Listing) -> None:
    plan = make_plan(listing, name="Pro")
    db.session.commit()
    made = browser.post(
        "/partner/discounts/new",
        data={
            "name": "Autumn",
            "kind": "percent",
            "bps": "12.5",
            "lasts": "some",
            "months": "3",
            "code": "autumn 26",
            "plan_ids": [str(plan.id)],
            "max_uses": "100",
            "currency": "EUR",
        },
    )
    assert made.status_code == 303
    discount = db.session.scalars(select(Discount)).one()
    assert (discount.bps, discount.months, discount.funder) == (1_250, 3, Funder.PUBLISHER)
    path = made.headers["Location"]
    page = browser.get(path).text
    assert "12.5% off the first 3 payments" in page
    assert "AUTUMN26" in page
    assert f"{listing.name}: Pro" in page
    assert browser.post(f"{path}/codes", data={"code": ""}).status_code == 303
    codes = db.session.scalars(select(PromotionCode).order_by(PromotionCode.id)).all()
    assert codes[0].code == "AUTUMN26"
    assert len(codes[1].code) == 8
    taken = browser.post(f"{path}/codes", data={"code": "Autumn26"})
    assert taken.status_code == 422
    assert "You have this code already" in taken.text
    for uses in ("0", "-1", "1000001", "99999999999", "9" * 25):
        many = browser.post(f"{path}/codes", data={"code": "", "max_uses": uses})
        assert many.status_code == 422, uses
        assert "From 1 to 1,000,000, or nothing for no limit." in many.text
    browser.post(f"{path}/codes/{codes[0].id}/disabling")
    db.session.refresh(codes[0])
    assert codes[0].disabled_at is not None
    browser.post(f"{path}/codes/{codes[0].id}/enabling")
    found = browser.get("/partner/discounts?q=autumn2").text
    assert "12.5% off" in found
    edit = browser.get(f"{path}/edit").text
    assert 'value="12.5"' in edit
    saved = browser.post(
        f"{path}/edit", data={"name": "Winter", "bps": "20", "lasts": "once", "currency": "EUR"}
    )
    assert saved.status_code == 303
    db.session.refresh(discount)
    assert (discount.name, discount.bps, discount.months, discount.version) == (
        "Winter",
        2_000,
        1,
        2,
    )
    browser.post(f"{path}/archiving")
    assert "Winter" in browser.get("/partner/discounts?show=archived").text
    assert "Winter" not in browser.get("/partner/discounts").text


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"name": ""}, "Give it a name"),
        ({"bps": "0"}, "From 0.01% to 100%."),
        ({"bps": "120"}, "From 0% to 100%."),
        ({"kind": "fixed", "amount": "lots"}, "Type an amount like 12.50."),
        ({"lasts": "some", "months": "1"}, "From 2 to 36 payments."),
        ({"code": "A"}, "3 to 40 letters"),
        ({"code": "TAKEN"}, "You have this code already"),
        ({"tiers": "Gold"}, "Choose from the program&#39;s tiers."),
        ({"max_uses": "0"}, "From 1 to 1,000,000, or nothing for no limit."),
        ({"max_uses_each": "1000001"}, "From 1 to 1,000,000, or nothing for no limit."),
        ({"starts_at": "0001-01-01"}, "A day from 2000 to 2099."),
        ({"ends_at": "9999-12-31"}, "A day from 2000 to 2099."),
        ({"plan_ids": "999"}, "Choose from your plans."),
        ({"starts_at": "2030-02-01", "ends_at": "2030-01-01"}, "It ends after it begins."),
    ],
)
def test_a_discount_that_makes_no_sense_is_refused(
    browser: FlaskClient, listing: Listing, change: dict[str, str], message: str
) -> None:
    make_discount(listing.publisher, "TAKEN")
    db.session.commit()
    data = {
        "name": "Autumn", "kind": "percent", "bps": "10", "lasts": "once", "code": "AUTUMN",
        "currency": "EUR", **change,
    }  # fmt: skip
    answer = browser.post("/partner/discounts/new", data=data)
    assert answer.status_code == 422
    assert message in answer.text


def test_tiers_of_a_discount_are_chosen_from_those_of_the_program(
    app: Flask, sign_in: SignIn
) -> None:
    platform = make_platform()
    browser = sign_in(make_member(platform, Role.FINANCE), platform)
    discount = make_discount(None, "AUTUMN", tiers=["bronze"])
    db.session.commit()
    path = f"/staff/finance/discounts/{discount.public_id}"
    assert "bronze (no longer a tier)" in browser.get(f"{path}/edit").text
    make_policy()
    db.session.commit()
    page = browser.get("/staff/finance/discounts/new").text
    assert 'name="tiers" value="gold"' in page
    data = {"name": "Autumn", "bps": "10", "lasts": "once", "currency": "EUR"}
    refused = browser.post(f"{path}/edit", data={**data, "tiers": ["gold", "Gold"]})
    assert refused.status_code == 422
    assert "Choose from the program&#39;s tiers." in refused.text
    saved = browser.post(f"{path}/edit", data={**data, "tiers": ["gold", "bronze"]})
    assert saved.status_code == 303
    db.session.refresh(discount)
    assert discount.tiers == ["gold", "bronze"]
    assert "Gold, bronze" in browser.get(path).text


def test_another_publisher_may_have_the_same_code(browser: FlaskClient, listing: Listing) -> None:
    make_discount(make_organization("Rivals"), "WELCOME10")
    make_discount(None, "WELCOME10")
    db.session.commit()
    data = {
        "name": "Welcome", "kind": "percent", "bps": "10", "lasts": "once", "code": "Welcome10",
        "currency": "EUR",
    }  # fmt: skip
    assert browser.post("/partner/discounts/new", data=data).status_code == 303
    again = browser.post("/partner/discounts/new", data=data)
    assert again.status_code == 422
    assert "You have this code already" in again.text


def test_a_code_ends_before_its_discount(browser: FlaskClient, listing: Listing) -> None:
    discount = make_discount(listing.publisher, "AUTUMN")
    db.session.commit()
    path = f"/partner/discounts/{discount.public_id}"
    for day in ("2020-01-01", "2100-01-01", "soon"):
        answer = browser.post(f"{path}/codes", data={"code": "SHORT", "expires_at": day})
        assert answer.status_code == 422, day
    until = (clock.now() + timedelta(days=3)).date()
    data = {"code": "SHORT", "expires_at": until.isoformat()}
    assert browser.post(f"{path}/codes", data=data).status_code == 303
    code = db.session.scalars(select(PromotionCode).where(PromotionCode.code == "SHORT")).one()
    assert code.expires_at is not None
    assert code.expires_at.date() == until
    with clock.frozen(clock.now() + timedelta(days=4)):
        assert "Over" in browser.get(path).text


def test_a_discount_of_the_platform_is_narrowed_to_listings(
    listing: Listing, sign_in: SignIn
) -> None:
    platform = make_platform()
    finance = sign_in(make_member(platform, Role.FINANCE), platform)
    data = {
        "name": "Welcome", "kind": "percent", "bps": "10", "lasts": "once", "code": "WELCOME",
        "currency": "EUR",
    }  # fmt: skip
    new = "/staff/finance/discounts/new"
    refused = finance.post(new, data={**data, "listings": f"{listing.slug}\nno-such-thing"})
    assert refused.status_code == 422
    assert "There is no listing no-such-thing." in refused.text
    made = finance.post(new, data={**data, "listings": listing.slug})
    assert made.status_code == 303
    discount = db.session.scalars(select(Discount)).one()
    assert discount.listing_ids == [listing.id]
    assert listing.name in finance.get(made.headers["Location"]).text
    assert listing.slug in finance.get(f"{made.headers['Location']}/edit").text
    saved = finance.post(f"{made.headers['Location']}/edit", data=data)
    assert saved.status_code == 303
    db.session.refresh(discount)
    assert discount.listing_ids == []
    # A partner's discount is of its own listings anyway.
    partner = sign_in(make_member(listing.publisher, Role.FINANCE), listing.publisher)
    assert 'name="listings"' not in partner.get("/partner/discounts/new").text


def test_finance_gives_discounts_of_the_platform_and_sets_taxes(
    app: Flask, sign_in: SignIn
) -> None:
    platform = make_platform()
    finance = sign_in(make_member(platform, Role.FINANCE), platform)
    made = finance.post(
        "/staff/finance/discounts/new",
        data={
            "name": "Welcome", "kind": "fixed", "amount": "5.00", "currency": "EUR",
            "lasts": "once", "is_automatic": "y",
        },
    )  # fmt: skip
    assert made.status_code == 303
    discount = db.session.scalars(select(Discount)).one()
    assert (discount.funder, discount.publisher_id, discount.amount) == (Funder.PLATFORM, None, 500)
    assert discount.kind is DiscountKind.FIXED
    assert "The platform" in finance.get(made.headers["Location"]).text
    assert "€5.00 off the first payment" in finance.get("/staff/finance/discounts").text
    rate = {"country": "DE", "name": "VAT", "bps": "19", "has_reverse_charge": "y"}
    assert finance.post("/staff/finance/taxes", data=rate).status_code == 303
    assert "19%" in finance.get("/staff/finance/taxes").text
    assert db.session.scalars(select(TaxRate)).one().bps == 1_900
    bad = finance.post("/staff/finance/taxes", data={**rate, "country": "", "bps": "x"})
    assert bad.status_code == 422
    assert "Choose a country." in bad.text
    reviewer = sign_in(make_member(platform, Role.REVIEWER), platform)
    assert reviewer.get("/staff/finance/taxes").status_code == 403
    assert reviewer.get("/staff/finance/discounts").status_code == 403


def test_a_free_plan_is_made_without_a_price(browser: FlaskClient, listing: Listing) -> None:
    browser.post(
        f"/partner/listings/{listing.slug}/plans/new", data={"name": "Free", "billing": "free"}
    )
    plan = db.session.scalars(select(Plan)).one()
    assert (plan.billing, plan.prices) == (PlanBilling.FREE, [])
    browser.post(f"/partner/plans/{plan.public_id}/activation")
    assert "Take it" in browser.get(f"/buy/{listing.slug}").text
