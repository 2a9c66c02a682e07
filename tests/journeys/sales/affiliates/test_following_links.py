"""A visitor follows a link: what is counted, what is asked, and to whom a customer is credited."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from billing.affiliates.links import new_key
from billing.models import (
    Affiliate,
    AffiliateLead,
    AffiliateLink,
    AffiliateProgram,
    Attribution,
    Click,
)
from marketplace.catalogue.models import Listing
from marketplace.core import clock
from marketplace.core.database import db
from marketplace.identity.models import Organization, User
from marketplace.sales.affiliates.visitors import COOKIE, remember_visitor
from tests.factories.affiliates import make_affiliate, make_affiliate_link, make_program
from tests.factories.listings import make_listing
from tests.factories.people import make_customer, make_member, make_organization, make_user

BROWSER = {"User-Agent": "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Firefox/140.0"}
SignIn = Callable[..., FlaskClient]


@dataclass
class Scene:
    """A listing with a program, a partner with a link, and a customer with its person."""

    listing: Listing
    program: AffiliateProgram
    affiliate: Affiliate
    link: AffiliateLink
    customer: Organization
    person: User

    @property
    def target(self) -> str:
        return f"/listings/{self.listing.slug}"


@pytest.fixture
def scene(app: Flask) -> Scene:
    listing = make_listing()
    program = make_program(listing.publisher)
    affiliate = make_affiliate(program, make_organization("Bramble & Finch"))
    link = make_affiliate_link(affiliate, f"/listings/{listing.slug}", code="bramble")
    customer = make_customer()
    person = make_member(customer)
    db.session.commit()
    return Scene(listing, program, affiliate, link, customer, person)


def clicks() -> list[Click]:
    db.session.rollback()
    return list(db.session.scalars(select(Click).order_by(Click.id)))


def attributions() -> list[Attribution]:
    db.session.rollback()
    return list(db.session.scalars(select(Attribution).order_by(Attribution.id)))


def test_a_visitor_is_asked_and_remembered_only_after_agreeing(
    client: FlaskClient, scene: Scene, sign_in: SignIn
) -> None:
    response = client.get("/r/Bramble?sub=letter-7", headers=BROWSER)
    assert response.status_code == 302
    assert response.headers["Location"].startswith(f"{scene.target}?via=")
    assert client.get_cookie(COOKIE) is None
    (click,) = clicks()
    assert (click.sub_id, click.visitor_hash, click.is_bot) == ("letter-7", None, False)
    page = client.get(response.headers["Location"])
    assert "Bramble &amp; Finch sent you here" in page.text
    assert page.headers["Cache-Control"] == "private, no-store"
    fields = dict(re.findall(r'name="(click|next)" value="([^"]*)"', page.text))
    assert fields["next"] == scene.target
    agreed = client.post("/affiliate-links/remember", data=fields)
    assert (agreed.status_code, agreed.headers["Location"]) == (303, scene.target)
    cookie = client.get_cookie(COOKIE)
    assert cookie is not None
    assert cookie.http_only
    assert cookie.value not in (clicks()[0].visitor_hash or "")
    # The same browser signs in, and the next page that it opens writes the attribution.
    browser = sign_in(scene.person, scene.customer)
    browser.set_cookie(COOKIE, cookie.value)
    browser.get(scene.target, headers=BROWSER)
    (row,) = attributions()
    assert (row.affiliate_id, row.organization_id, row.sub_id) == (
        scene.affiliate.id,
        scene.customer.id,
        "letter-7",
    )
    marked = browser.get_cookie(COOKIE)
    assert marked is not None
    assert marked.value.endswith(f".{scene.customer.id}")


def test_who_says_no_gets_no_cookie_and_a_clean_address(client: FlaskClient, scene: Scene) -> None:
    page = client.get(client.get("/r/bramble", headers=BROWSER).headers["Location"])
    assert f'href="{scene.target}"' in page.text
    client.get(scene.target)
    assert client.get_cookie(COOKIE) is None
    assert attributions() == []


@pytest.mark.parametrize("header", [{"Sec-GPC": "1"}, {"DNT": "1"}])
def test_browsers_that_ask_not_to_be_followed_are_not_asked(
    client: FlaskClient, scene: Scene, header: dict[str, str]
) -> None:
    response = client.get("/r/bramble", headers=BROWSER | header)
    page = client.get(response.headers["Location"], headers=BROWSER | header)
    assert "sent you here" not in page.text


def test_the_address_alone_credits_somebody_who_signs_in_without_a_cookie(
    client: FlaskClient, scene: Scene, sign_in: SignIn
) -> None:
    address = client.get("/r/bramble", headers=BROWSER).headers["Location"]
    browser = sign_in(scene.person, scene.customer)
    page = browser.get(address)
    assert "sent you here" not in page.text
    assert [row.affiliate_id for row in attributions()] == [scene.affiliate.id]
    browser.get(address)
    assert len(attributions()) == 1


def test_a_token_that_was_changed_credits_nobody(scene: Scene, sign_in: SignIn) -> None:
    browser = sign_in(scene.person, scene.customer)
    assert browser.get(f"{scene.target}?via=MQ.abc.def").status_code == 200
    assert attributions() == []


def test_who_is_signed_in_is_credited_at_the_click(scene: Scene, sign_in: SignIn) -> None:
    browser = sign_in(scene.person, scene.customer)
    response = browser.get("/r/bramble", headers=BROWSER)
    assert response.headers["Location"] == scene.target
    assert [row.click_id for row in attributions()] == [clicks()[0].id]


@pytest.mark.parametrize(
    "headers",
    [
        {"User-Agent": "Googlebot/2.1"},
        {"User-Agent": ""},
        {"User-Agent": "curl/8.0"},
    ],
)
def test_machines_are_led_on_but_not_counted(
    scene: Scene, sign_in: SignIn, headers: dict[str, str]
) -> None:
    browser = sign_in(scene.person, scene.customer)
    assert browser.get("/r/bramble", headers=headers).headers["Location"] == scene.target
    assert [click.is_bot for click in clicks()] == [True]
    assert attributions() == []


@pytest.mark.parametrize(
    "headers", [{"Sec-Fetch-Dest": "image"}, {"Sec-Fetch-Dest": "iframe"}, {"Purpose": "prefetch"}]
)
def test_a_link_hidden_in_another_page_is_no_click(
    client: FlaskClient, scene: Scene, headers: dict[str, str]
) -> None:
    assert client.get("/r/bramble", headers=BROWSER | headers).status_code == 302
    assert client.head("/r/bramble", headers=BROWSER).status_code == 302
    assert clicks() == []


def test_a_link_that_was_switched_off_leads_on_and_counts_nothing(
    client: FlaskClient, scene: Scene
) -> None:
    scene.link.disabled_at = clock.now()
    db.session.commit()
    response = client.get("/r/bramble", headers=BROWSER)
    assert response.headers["Location"] == scene.target
    assert clicks() == []
    assert client.get("/r/no-such-code").status_code == 404


def test_the_cookie_can_be_taken_back(client: FlaskClient, scene: Scene) -> None:
    client.set_cookie(COOKIE, "x" * 32)
    assert "This browser carries the cookie" in client.get("/affiliate-links").text
    assert client.post("/affiliate-links/forget").status_code == 303
    assert client.get_cookie(COOKIE) is None


def test_consent_leads_to_pages_of_ours_alone(client: FlaskClient, scene: Scene) -> None:
    response = client.post(
        "/affiliate-links/remember", data={"click": "x", "next": "https://evil.example"}
    )
    assert response.headers["Location"] == "/"


def lead(client: FlaskClient, key: str, body: object) -> tuple[int, dict[str, object]]:
    response = client.post(
        "/affiliate-api/leads", json=body, headers={"Authorization": f"Bearer {key}"}
    )
    return response.status_code, response.get_json()


def test_a_server_announces_a_lead_that_counts_once_the_person_founds_an_organization(
    client: FlaskClient, scene: Scene
) -> None:
    key = new_key(scene.affiliate, by_user_id=None)
    db.session.commit()
    body = {"email": "Ada@Wharf.example", "sub_id": "fair"}
    assert lead(client, key, body) == (202, {"status": "registered"})
    assert lead(client, key, body) == (202, {"status": "registered"})
    rows = db.session.scalars(select(AffiliateLead)).all()
    assert len(rows) == 1
    assert "wharf" not in rows[0].email_hash
    # A customer from before the lead is nobody's.
    make_member(scene.customer, user=make_user(email="bo@wharf.example"))
    remember_visitor(scene.customer.id)
    assert attributions() == []
    founded = make_customer("Wharf")
    founded.created_at = clock.now() + timedelta(minutes=1)
    make_member(founded, user=make_user(email="ada@wharf.example"))
    db.session.commit()
    remember_visitor(founded.id)
    db.session.commit()
    assert [(row.source, row.sub_id) for row in attributions()] == [("server", "fair")]


@pytest.mark.parametrize(
    "body",
    [
        None,
        [],
        {},
        {"email": 7},
        {"email": "no address"},
        {"email": "a@b.example", "sub_id": 1},
        {"email": "a@b.example", "sub_id": "x" * 81},
        {"email": "a@b.example", "other": 1},
    ],
)
def test_a_lead_that_is_none_is_refused_in_words(
    client: FlaskClient, scene: Scene, body: object
) -> None:
    key = new_key(scene.affiliate, by_user_id=None)
    db.session.commit()
    status, problem = lead(client, key, body)
    assert status == 422
    assert problem["detail"]


def test_a_lead_is_small(client: FlaskClient, scene: Scene) -> None:
    key = new_key(scene.affiliate, by_user_id=None)
    db.session.commit()
    status, problem = lead(client, key, {"email": "a@b.example", "sub_id": "x" * 9_000})
    assert (status, problem["title"]) == (413, "Too large")
    nested = client.post(
        "/affiliate-api/leads",
        data="[" * 4_000,
        content_type="application/json",
        headers={"Authorization": f"Bearer {key}"},
    )
    assert nested.status_code == 422


@pytest.mark.parametrize("key", ["", "paf_wrong", "x" * 200])
def test_a_key_that_is_none_is_refused(client: FlaskClient, scene: Scene, key: str) -> None:
    assert lead(client, key, {"email": "a@b.example"})[0] == 401


def test_sandboxes_are_never_attributed(client: FlaskClient, scene: Scene) -> None:
    sandbox = make_customer("Sandbox")
    sandbox.sandbox_of_id = scene.listing.publisher_id
    db.session.commit()
    remember_visitor(sandbox.id)
    remember_visitor(999_999)
    assert attributions() == []
