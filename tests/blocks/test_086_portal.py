"""86 Portal: P lands on the start of its type and tier."""

from datetime import timedelta

from flask import Flask
from sqlalchemy import event

from marketplace.core import clock
from marketplace.core.database import db
from marketplace.program.onboarding.models import PartnerTask, TaskSide
from tests.conftest import SignIn
from tests.factories.people import make_customer, make_member, make_organization, make_platform
from tests.factories.program import make_policy, make_standing, policy_document

# Of each restricted part, a page.
PAGES = {
    "/partner/resale": "Resale",
    "/partner/resale/agreements/new": "Resale",
    "/partner/listings": "Listings",
    "/partner/plans": "Selling",
    "/partner/affiliate-programs": "Affiliate programs",
    "/partner/apps": "Developer tools",
}


def test_086_portal(app: Flask, sign_in: SignIn) -> None:
    make_policy()
    affiliate = make_organization("Kitewell", partner_type="affiliate")
    make_standing(affiliate, "silver")
    reseller = make_organization("Meridian", partner_type="reseller")
    make_standing(reseller, "registered")
    browser = sign_in(make_member(affiliate), affiliate)
    other = sign_in(make_member(reseller), reseller)

    start = browser.get("/partner")
    assert start.status_code == 200
    assert "Affiliate" in start.text
    assert "Silver" in start.text
    assert "of 250" in start.text  # the points of Gold
    assert "No listings yet" not in start.text
    refused = browser.get("/partner/resale")
    assert refused.status_code == 403
    assert "Not part of your program" in refused.text
    assert "Resale is not open to partners of type Affiliate" in refused.text
    assert 'href="/partner/resale"' not in start.text

    own = other.get("/partner")
    assert "Reseller" in own.text
    assert "Registered" in own.text
    assert 'href="/partner/resale"' in own.text
    assert other.get("/partner/resale").status_code == 200


def test_no_page_of_a_part_that_the_type_has_not_opens(app: Flask, sign_in: SignIn) -> None:
    make_policy()
    affiliate = make_organization("Kitewell", partner_type="affiliate")
    make_standing(affiliate)
    browser = sign_in(make_member(affiliate), affiliate)
    menu = browser.get("/partner").text
    for path, name in PAGES.items():
        page = browser.get(path)
        assert page.status_code == 403, path
        assert name in page.text, path
        assert f'href="{path}"' not in menu, path
    assert browser.post("/partner/resale/agreements/new", data={}).status_code == 403
    assert browser.get("/partner/affiliate").status_code == 200


def test_parts_that_nobody_restricts_are_open_to_all(app: Flask, sign_in: SignIn) -> None:
    unknown = make_organization("Quayside", partner_type="something_else")
    browser = sign_in(make_member(unknown), unknown)
    assert browser.get("/partner/resale").status_code == 200  # no policy
    make_policy()
    make_standing(unknown)
    db.session.commit()
    assert browser.get("/partner/resale").status_code == 200  # a type that it does not know
    staff = make_platform()
    assert sign_in(make_member(staff)).get("/staff").status_code == 200
    customer = make_customer()
    page = sign_in(make_member(customer)).get(f"/organizations/{customer.slug}/quotes")
    assert page.status_code == 200


def test_a_new_policy_opens_and_closes_at_once(app: Flask, sign_in: SignIn) -> None:
    make_policy()
    affiliate = make_organization("Kitewell", partner_type="affiliate")
    make_standing(affiliate)
    browser = sign_in(make_member(affiliate), affiliate)
    assert browser.get("/partner/resale").status_code == 403
    document = policy_document()
    document["types"][3]["modules"].append("resale")
    make_policy(document)
    db.session.commit()
    assert browser.get("/partner/resale").status_code == 200


def test_the_gate_asks_the_database_once(app: Flask, sign_in: SignIn) -> None:
    make_policy()
    partner = make_organization("Quayside")
    browser = sign_in(make_member(partner), partner)
    browser.get("/partner/resale")
    asked: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_rest: object) -> None:
        asked.append(statement)

    event.listen(db.engine, "before_cursor_execute", note)
    try:
        browser.get("/partner/resale")
        in_portal = sum("FROM policy_version" in statement for statement in asked)
        asked.clear()
        browser.get("/listings")
        elsewhere = sum("FROM policy_version" in statement for statement in asked)
    finally:
        event.remove(db.engine, "before_cursor_execute", note)
    assert (in_portal, elsewhere) == (1, 0)


def test_the_start_names_what_waits_for_the_partner(app: Flask, sign_in: SignIn) -> None:
    live = make_policy()
    partner = make_organization("Quayside")
    make_standing(partner, "gold", grace_until=clock.now() + timedelta(days=9), grace_tier="silver")
    db.session.add(
        PartnerTask(
            public_id="tsk_1",
            organization_id=partner.id,
            policy_id=live.id,
            partner_type="technology",
            key="kick_off",
            title="Kick-off call",
            side=TaskSide.PARTNER,
            begun_on=clock.now().date(),
            due_at=clock.now() - timedelta(days=3, hours=1),
        )
    )
    db.session.commit()
    page = sign_in(make_member(partner), partner).get("/partner").text
    assert "1 task is late" in page
    assert "The oldest is 3 days late." in page
    assert "Publish a listing" in page  # the next step of getting started
    assert "0 of 1 steps are done." in page
    assert "This is the highest tier of your type." in page
    assert "You keep Gold until" in page
