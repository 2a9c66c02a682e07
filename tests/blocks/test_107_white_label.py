"""Row 107, White label: a partner sets domain, brand and prices; pages and mail lack our name."""

import io
import re
from collections.abc import Callable
from email import message_from_bytes, policy
from urllib.parse import parse_qs, urlsplit

import pytest
from flask import Flask
from flask.testing import FlaskClient
from PIL import Image
from sqlalchemy import select

from billing.models import AgreementState, ResellerAgreement
from marketplace.accreditation.verification.records import resolve_with
from marketplace.catalogue.models import Listing
from marketplace.core.database import db
from marketplace.core.mail import send_mail
from marketplace.identity.models import Organization, Role, User
from marketplace.identity.sessions import start_session
from marketplace.program.hosts.models import HostPerson, HostState, MappedHost
from tests.factories.listings import make_listing
from tests.factories.people import make_customer, make_member, make_organization, make_platform
from tests.factories.policy_world import make_host
from tests.factories.program import make_policy, make_standing
from tests.factories.selling import make_plan

SignIn = Callable[..., FlaskClient]
HOST = "apps.kite.example"
BASE = f"http://{HOST}"


class Records:
    """Name servers with one record."""

    def __init__(self) -> None:
        self.texts: dict[str, list[str]] = {}

    def txt(self, name: str) -> list[str]:
        return self.texts.get(name, [])


@pytest.fixture
def records() -> Records:
    found = Records()
    resolve_with(found)
    return found


def white_label_partner() -> Organization:
    partner = make_organization("Kitewell", partner_type="white_label")
    make_standing(partner, "registered")
    return partner


def lacks_our_name(app: Flask, text: str) -> bool:
    return app.config["SITE_NAME"] not in text and app.config["PUBLIC_URL"] not in text


def png() -> io.BytesIO:
    buffer = io.BytesIO()
    Image.new("RGB", (128, 128), "#884422").save(buffer, "PNG")
    buffer.seek(0)
    return buffer


def test_107_white_label(
    app: Flask,
    sign_in: SignIn,
    records: Records,
    run_jobs: Callable[[], int],
) -> None:
    make_policy()
    partner = white_label_partner()
    own = make_listing(partner, name="Kite Board")
    make_plan(own, amount=1_900)
    resold = make_listing(make_organization("Tides"), name="Tide Tables Pro")
    other = make_listing(make_organization("Rivals"), name="Rival Thing")
    owner = make_member(partner)
    resell(partner, resold)

    # The partner asks for its domain and proves it by a TXT record.
    client = sign_in(owner, partner)
    asked = client.post("/partner/domains", data={"host": HOST})
    assert asked.status_code == 303
    visitor = app.test_client()
    assert visitor.get("/", base_url=BASE).status_code == 404
    host = db.session.scalars(select(MappedHost)).one()
    assert "not proven yet" in client.get(asked.location).text.lower()
    client.post(f"{asked.location}/check")
    run_jobs()
    assert "There is no TXT record" in client.get(asked.location).text
    records.texts[f"_host-challenge.{HOST}"] = [host.challenge]
    client.post(f"{asked.location}/check")
    run_jobs()
    db.session.expire_all()
    assert host.state is HostState.ACTIVE

    # It sets its brand.
    brand = {"name": "Kite Apps", "color": "#884422", "contact": "hello@kite.example"}
    saved = client.post(f"{asked.location}/brand", data={**brand, "logo": (png(), "kite.png")})
    assert saved.status_code == 303

    # Its host shows what it offers, under its name, and nothing else.
    home = visitor.get("/", base_url=BASE)
    assert home.status_code == 200
    assert home.headers["Cache-Control"] == "private, no-cache"
    for words in ("Kite Apps", "Kite Board", "Tide Tables Pro", "hello@kite.example"):
        assert words in home.text
    assert "Rival Thing" not in home.text
    assert "#884422" in visitor.get("/hosts/brand.css", base_url=BASE).text
    page = visitor.get(f"/listings/{own.slug}", base_url=BASE)
    assert "€19.00" in page.text
    quoted = visitor.get(f"/listings/{resold.slug}", base_url=BASE)
    assert "Ask for a price" in quoted.text
    login = visitor.get("/auth/login", base_url=BASE)
    for response in (home, page, quoted, login):
        assert response.status_code == 200
        assert lacks_our_name(app, response.text)
    for path in (
        f"/listings/{other.slug}", "/staff", "/partner", "/search", "/program", "/api/v1/listings",
        "/oauth/token", "/partners", "/categories", "/sitemap.xml", f"/buy/{resold.slug}",
    ):  # fmt: skip
        missing = visitor.get(path, base_url=BASE)
        assert missing.status_code == 404, path
        assert lacks_our_name(app, missing.text)


def resell(partner: Organization, listing: Listing) -> None:
    plan = make_plan(listing, amount=5_000)
    db.session.add(
        ResellerAgreement(
            public_id="agr_1",
            publisher_id=listing.publisher_id,
            reseller_id=partner.id,
            listing_id=listing.id,
            plan_id=plan.id,
            currency="EUR",
            floor_amount=4_000,
            state=AgreementState.ACTIVE,
        )
    )
    db.session.commit()


def signed_in_on_host(
    app: Flask, user: User, organization: Organization | None = None
) -> FlaskClient:
    _row, token = start_session(
        user, organization_id=organization.id if organization else None, host=HOST
    )
    db.session.commit()
    browser = app.test_client()
    browser.set_cookie("portico_session", token, domain=HOST)
    return browser


def test_pages_of_a_customer_lack_our_name(app: Flask) -> None:
    make_policy()
    partner = white_label_partner()
    listing = make_listing(partner, name="Kite Board")
    make_plan(listing, amount=1_900)
    make_host(HOST, partner, brand_name="Kite Apps")
    customer = make_customer()
    user = make_member(customer)
    db.session.commit()
    browser = signed_in_on_host(app, user, customer)
    base = f"/organizations/{customer.slug}"
    for path in (
        "/", "/account", "/account/organizations", "/account/sessions", "/organizations/new",
        f"{base}/members", f"{base}/profile", f"{base}/orders", f"{base}/subscriptions",
        f"{base}/apps", f"{base}/billing", f"{base}/quotes", f"/buy/{listing.slug}",
        "/welcome",
    ):  # fmt: skip
        response = browser.get(path, base_url=BASE)
        assert response.status_code == 200, path
        assert lacks_our_name(app, response.text), path
        assert "Kite Apps" in response.text, path
        kept = response.headers["Cache-Control"]
        # Whoever uses the browser next finds nothing of it.
        assert "no-store" in kept, path
        assert "public" not in kept, path


def test_mail_to_whoever_came_by_the_host_lacks_our_name(
    app: Flask, run_jobs: Callable[[], int]
) -> None:
    partner = white_label_partner()
    host = make_host(HOST, partner, brand_name="Kite Apps", sender_address="hello@kite.example")
    theirs, ours = make_member(make_customer()), make_member(make_customer())
    db.session.add(HostPerson(user_id=theirs.id, host_id=host.id))
    db.session.commit()
    site, address = app.config["SITE_NAME"], app.config["PUBLIC_URL"]
    for person in (theirs, ours):
        send_mail(
            person.email or "",
            f"Your order at {site}",
            f"Hello,\n\n{address}/organizations/x/orders\n\n{site}",
        )
    db.session.commit()
    run_jobs()
    folder = app.extensions["portico_settings"].data_dir / "mail"
    raw = {path.read_bytes() for path in folder.glob("*.eml")}
    messages = {
        str(m["To"]): m for m in (message_from_bytes(r, policy=policy.default) for r in raw)
    }
    branded, plain = messages[theirs.email or ""], messages[ours.email or ""]
    assert lacks_our_name(app, branded.as_string())
    assert "portico" not in branded.as_string().lower()
    assert branded["From"] == "Kite Apps <hello@kite.example>"
    assert f"{BASE}/organizations/x/orders" in branded.as_string()
    assert site in plain.as_string()
    assert "Kite" not in plain.as_string()


def test_a_sign_in_is_handed_to_the_host_and_works_once(app: Flask, sign_in: SignIn) -> None:
    partner = white_label_partner()
    make_host(HOST, partner, brand_name="Kite Apps")
    user = make_member(make_customer())
    db.session.commit()
    there = app.test_client()
    began = there.get("/auth/demo/login?next=/account", base_url=BASE)
    assert began.status_code == 302
    target = urlsplit(began.location)
    assert f"{target.scheme}://{target.netloc}" == app.config["PUBLIC_URL"]
    way_on = parse_qs(target.query)["next"][0]
    # After the sign-in at the site itself the person is asked, and goes on.
    here = sign_in(user)
    asked = here.get(way_on)
    assert asked.status_code == 200
    assert "Kite Apps" in asked.text
    assert lacks_our_name(app, asked.text)
    fields = dict(re.findall(r'name="(host|nonce|next)" value="([^"]*)"', asked.text))
    handed = here.post("/hosts/handoff", data=fields)
    assert handed.status_code == 303
    assert urlsplit(handed.location).netloc == HOST
    path = handed.location.removeprefix(BASE)
    # Another browser cannot use it, nor another host, nor anybody twice.
    assert app.test_client().get(path, base_url=BASE).status_code == 400
    assert there.get(path).status_code == 404
    done = there.get(path, base_url=BASE)
    assert done.status_code == 302
    assert done.location == "/account"
    assert there.get("/account", base_url=BASE).status_code == 200
    assert there.get(path, base_url=BASE).status_code == 400
    # At the site itself the session has ended.
    assert here.get("/account").status_code == 302


MARKUP = '"><i hx-trigger=load hx-post=/staff/hosts>&'


def test_a_brands_name_is_words_and_never_markup(app: Flask, sign_in: SignIn) -> None:
    site = app.config["SITE_NAME"]
    partner = white_label_partner()
    listing = make_listing(partner, name="Kite Board", description=f"Better than {site}.")
    make_host(HOST, partner, brand_name=MARKUP)
    here = sign_in(make_member(make_customer()))
    values = {"host": HOST, "nonce": "n" * 32, "next": f"/search?q={site}"}
    pages = [
        app.test_client().get("/", base_url=BASE),
        app.test_client().get(f"/listings/{listing.slug}", base_url=BASE),
        app.test_client().get("/search", base_url=BASE),
        here.get("/hosts/handoff", query_string=values),
    ]
    for page in pages:
        assert "<i hx-" not in page.text
        assert "&lt;i hx-trigger=load" in page.text
        assert lacks_our_name(app, page.text)


def test_a_sign_in_is_handed_over_by_a_nonce_of_ours_alone(app: Flask, sign_in: SignIn) -> None:
    make_host(HOST, white_label_partner())
    here = sign_in(make_member(make_customer()))
    for nonce in (f"{app.config['SITE_NAME']} " + "A" * 25, "n" * 31, "n" * 33, ""):
        values = {"host": HOST, "nonce": nonce}
        assert here.get("/hosts/handoff", query_string=values).status_code == 404
        assert here.post("/hosts/handoff", data=values).status_code == 404


@pytest.mark.parametrize("host", ["evil.example", "localhost", "", "a\x00b"])
def test_nothing_is_handed_to_a_host_that_is_not_mapped(
    app: Flask, sign_in: SignIn, host: str
) -> None:
    client = sign_in(make_member(make_customer()))
    values = {"host": host, "nonce": "n" * 32, "next": "//evil.example"}
    assert client.get("/hosts/handoff", query_string=values).status_code == 404
    assert client.post("/hosts/handoff", data=values).status_code == 404


def test_who_has_no_right_to_a_domain_asks_in_vain(app: Flask, sign_in: SignIn) -> None:
    make_policy(
        entitlements=[{"key": "white_label", "name": "White label"}],
        tiers=[
            {"key": "registered", "name": "Registered"},
            {"key": "gold", "name": "Gold", "points": 5, "entitlements": {"white_label": True}},
        ],
    )
    plain, gold = make_organization(), make_organization()
    make_standing(plain, "registered")
    make_standing(gold, "gold")
    refused = sign_in(make_member(plain), plain)
    assert "Not part of your type" in refused.get("/partner/domains").text
    assert refused.post("/partner/domains", data={"host": HOST}).status_code == 409
    allowed = sign_in(make_member(gold), gold)
    assert allowed.post("/partner/domains", data={"host": HOST}).status_code == 303
    editor = sign_in(make_member(gold, Role.EDITOR), gold)
    assert editor.post("/partner/domains", data={"host": "b.kite.example"}).status_code in (
        403,
        404,
    )


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"name": ""}, "Give the name"),
        ({"name": "x" * 10_000}, "At most 80"),
        ({"name": "Portico for kites"}, "does not contain our name"),
        ({"name": "a\x00"}, "invisible character"),
        ({"name": "a\x1bb"}, "invisible character"),
        ({"name": "<b>Kite</b>"}, "none of &lt;"),
        ({"name": 'Kite" onclick="x'}, "none of &lt;"),
        ({"color": "red;}"}, "six hexadecimal digits"),
        ({"contact": "javascript:alert(1)"}, "Enter a mail address"),
        ({"contact": "https://a b"}, "Enter a mail address"),
    ],
)
def test_a_brand_that_cannot_be_is_told(
    app: Flask, sign_in: SignIn, change: dict[str, str], words: str
) -> None:
    partner = white_label_partner()
    host = make_host(HOST, partner)
    client = sign_in(make_member(partner), partner)
    values = {"name": "Kite", "color": "#112233", "contact": "", **change}
    refused = client.post(f"/partner/domains/{host.public_id}/brand", data=values)
    assert refused.status_code == 422
    assert words in refused.text


def test_staff_approve_pause_and_set_the_sender(app: Flask, sign_in: SignIn) -> None:
    make_policy()
    partner = white_label_partner()
    staff = sign_in(make_member(make_platform(), Role.PROGRAM_MANAGER))
    values = {"host": HOST, "kind": "white_label", "partner": partner.slug}
    mapped = staff.post("/staff/hosts", data=values)
    assert mapped.status_code == 303
    assert staff.post("/staff/hosts", data={**values, "partner": "?"}).status_code == 422
    visitor = app.test_client()
    assert visitor.get("/", base_url=BASE).status_code == 404
    assert staff.post(f"{mapped.location}/state", data={"to": "active"}).status_code == 303
    assert visitor.get("/", base_url=BASE).status_code == 200
    assert staff.post(f"{mapped.location}/sender", data={"sender": "a b"}).status_code == 422
    sent = staff.post(f"{mapped.location}/sender", data={"sender": "hi@kite.example"})
    assert sent.status_code == 303
    staff.post(f"{mapped.location}/state", data={"to": "paused"})
    assert visitor.get("/", base_url=BASE).status_code == 404
    # A suspended publisher's host answers no more either.
    staff.post(f"{mapped.location}/state", data={"to": "active"})
    partner.suspended_at = partner.created_at
    db.session.commit()
    assert visitor.get("/", base_url=BASE).status_code == 404
    for query in ("?page=-1", "?state=x", "?q=%00%25", "?state=active&q=kite"):
        assert staff.get(f"/staff/hosts{query}").status_code == 200
