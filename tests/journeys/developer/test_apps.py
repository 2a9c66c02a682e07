"""Apps in the partner portal over HTTP."""

import re
from collections.abc import Callable
from html import unescape

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from marketplace.core import clock
from marketplace.core.database import db
from marketplace.core.facts import Fact
from marketplace.core.limits import limiter
from marketplace.identity.models import Organization, Role
from marketplace.installs.credentials import hash_secret
from marketplace.installs.models import (
    App,
    ClientSecret,
    Environment,
    Installation,
    InstallationEvent,
    InstallationState,
    OAuthClient,
    OAuthGrant,
)
from tests.factories.apps import client_of, make_app, make_client_secret, make_installation
from tests.factories.listings import make_listing
from tests.factories.people import make_customer, make_member, make_organization

SignIn = Callable[..., FlaskClient]
URI = "https://app.tides.example/oauth/callback"


@pytest.fixture(autouse=True)
def _fresh_limits(app: Flask) -> None:
    limiter.reset()


def a_developer(partner: Organization, sign_in: SignIn, role: Role = Role.DEVELOPER) -> FlaskClient:
    return sign_in(make_member(partner, role), partner)


def form_hidden(page: str, name: str) -> str:
    """The value of a hidden field, whichever order its attributes have."""
    for tag in re.findall(r"<input[^>]*>", page):
        if f'name="{name}"' in tag and 'type="hidden"' in tag:
            value = re.search(r'value="([^"]*)"', tag)
            return unescape(value[1]) if value else ""
    raise AssertionError(f"no hidden field {name}")


def settings_form(page: str) -> str:
    return page[page.index('id="addresses"') :]


def shown_secrets(page: str) -> list[str]:
    return re.findall(r"pcs_[\w-]+", page)


def test_from_nothing_to_credentials_in_both_environments(app: Flask, sign_in: SignIn) -> None:
    partner = make_organization()
    listing = make_listing(partner)
    browser = a_developer(partner, sign_in)
    assert "No app yet" in browser.get("/partner/apps").text
    page = browser.get(f"/partner/apps/new?listing={listing.slug}").text
    assert 'value="Tide Tables"' in page
    made = browser.post(
        "/partner/apps/new",
        data={"name": " Tide  Tables ", "listing": str(listing.id), "kind": "confidential"},
    )
    assert made.status_code == 303
    row = db.session.scalars(select(App)).one()
    assert (row.name, row.listing_id, row.publisher_id) == ("Tide Tables", listing.id, partner.id)
    assert made.headers["Location"] == f"/partner/apps/{row.public_id}/test"
    ids = {client.environment: client.client_id for client in row.clients}
    assert ids[Environment.LIVE].startswith("pcl_")
    assert ids[Environment.TEST].startswith("pct_")
    assert row.public_id in browser.get("/partner/apps").text
    overview = browser.get(f"/partner/apps/{row.public_id}").text
    assert "Until customers can install it" in overview
    for environment in Environment:
        page = browser.get(f"/partner/apps/{row.public_id}/{environment.value}").text
        assert ids[environment] in page
        saved = browser.post(
            f"/partner/apps/{row.public_id}/{environment.value}/settings",
            data={
                "seen": form_hidden(settings_form(page), "seen"),
                "redirect_uris-0": URI,
                "redirect_uris-1": "",
                "install_url": "https://app.tides.example/install",
                "configure_url": "",
                "kind": "confidential",
            },
        )
        assert saved.status_code == 303
        client = db.session.scalar(
            select(OAuthClient).where(
                OAuthClient.app_id == row.id, OAuthClient.environment == environment
            )
        )
        assert client is not None
        assert client.redirect_uris == [URI]
        assert client.install_url == "https://app.tides.example/install"
        answer = browser.post(f"/partner/apps/{row.public_id}/{environment.value}/secrets")
        assert len(shown_secrets(answer.text)) == 1
    assert (
        "Until customers can install it" not in browser.get(f"/partner/apps/{row.public_id}").text
    )
    kinds = set(db.session.scalars(select(Fact.kind)))
    assert {"app.registered", "client.changed", "client.secret_made"} <= kinds


def test_an_app_without_a_listing_can_get_one_later_and_then_keeps_it_while_installed(
    app: Flask, sign_in: SignIn
) -> None:
    partner = make_organization()
    first, second = make_listing(partner), make_listing(partner, name="Moon Phases")
    row = make_app(publisher=partner)
    browser = a_developer(partner, sign_in)
    url = f"/partner/apps/{row.public_id}/settings"

    def save(listing_id: int, **more: str) -> int:
        data = {
            "seen": form_hidden(browser.get(url).text, "seen"),
            "name": "Tide Tables",
            "listing": str(listing_id),
            "status_url": "",
            **more,
        }
        return browser.post(url, data=data).status_code

    assert save(first.id) == 303
    assert save(second.id) == 303, "nobody has installed it"
    db.session.refresh(row)
    make_installation(row, make_customer())
    db.session.commit()
    assert save(first.id) == 422
    db.session.refresh(row)
    assert row.listing_id == second.id
    assert save(second.id, status_url="https://app.tides.example/status") == 303
    assert save(second.id, status_url="http://app.tides.example/status") == 422
    assert save(second.id, status_url="https://169.254.169.254/") == 422
    assert save(second.id, status_url="https://user@app.tides.example/") == 422
    assert save(second.id, status_url="https://app.tides.example/" + "s" * 500) == 422


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ({"name": "", "kind": "confidential"}, "Use 2 to 60 characters."),
        ({"name": "x" * 61, "kind": "confidential"}, "Use 2 to 60 characters."),
        ({"name": "TIDE TABLES", "kind": "confidential"}, "You have an app of this name already."),
        ({"name": "Moon", "kind": "confidential", "listing": "taken"}, "no app yet"),
        ({"name": "Moon", "kind": "confidential", "listing": "foreign"}, "no app yet"),
        ({"name": "Moon", "kind": "confidential", "listing": "9" * 30}, "no app yet"),
        ({"name": "Moon", "kind": "confidential", "listing": "abc"}, "no app yet"),
        ({"name": "Moon", "kind": "secretive"}, "Choose one of the two."),
    ],
)
def test_a_registration_is_told_what_is_wrong_and_keeps_what_was_typed(
    app: Flask, sign_in: SignIn, data: dict[str, str], message: str
) -> None:
    partner = make_organization()
    taken, foreign = make_listing(partner), make_listing(make_organization("Rival"))
    make_app(taken)
    browser = a_developer(partner, sign_in)
    ids = {"taken": str(taken.id), "foreign": str(foreign.id)}
    if "listing" in data:
        data = {**data, "listing": ids.get(data["listing"], data["listing"])}
    answer = browser.post("/partner/apps/new", data=data)
    assert answer.status_code == 422
    assert message in unescape(answer.text)
    if data["name"]:
        assert data["name"] in answer.text
    assert len(db.session.scalars(select(App)).all()) == 1


def test_a_secret_is_shown_once_and_never_again(app: Flask, sign_in: SignIn) -> None:
    partner = make_organization()
    row = make_app(make_listing(partner))
    browser = a_developer(partner, sign_in)
    url = f"/partner/apps/{row.public_id}/live"
    seen = form_hidden(browser.get(url).text, "seen")
    answer = browser.post(f"{url}/secrets", data={"seen": seen})
    assert answer.status_code == 200
    assert answer.headers["Cache-Control"] == "no-store"
    (secret,) = shown_secrets(answer.text)
    assert "data-once" in answer.text
    assert "js/once.js" in answer.text
    stored = db.session.scalars(select(ClientSecret)).one()
    assert stored.secret_hash == hash_secret(secret)
    assert stored.hint == secret[-4:]
    # Loading the page again, and sending the same form again, shows and makes nothing.
    assert secret not in browser.get(url).text
    again = browser.post(f"{url}/secrets", data={"seen": seen})
    assert again.status_code == 409
    assert shown_secrets(again.text) == []
    assert "shown" in again.text
    assert len(db.session.scalars(select(ClientSecret)).all()) == 1
    facts = [str(fact.data) + fact.subject_id for fact in db.session.scalars(select(Fact))]
    assert not any(secret in text for text in facts)


def test_two_secrets_are_the_most_and_one_can_be_exchanged(app: Flask, sign_in: SignIn) -> None:
    partner = make_organization()
    row = make_app(make_listing(partner))
    browser = a_developer(partner, sign_in)
    url = f"/partner/apps/{row.public_id}/live"
    for _ in range(2):
        seen = form_hidden(browser.get(url).text, "seen")
        assert browser.post(f"{url}/secrets", data={"seen": seen}).status_code == 200
    live = db.session.scalars(select(ClientSecret).order_by(ClientSecret.id)).all()
    seen = "-".join(str(secret.id) for secret in live)
    third = browser.post(f"{url}/secrets", data={"seen": seen})
    assert third.status_code == 409
    assert "at most 2 secrets" in third.text
    live[1].last_used_at = clock.now()
    db.session.commit()
    first, second = live[0].id, live[1].id
    page = browser.get(f"{url}/secrets/{second}/revocation").text
    assert "used last" in page
    assert "only secret" not in page
    assert "used last" not in browser.get(f"{url}/secrets/{first}/revocation").text
    assert browser.post(f"{url}/secrets/{first}/revocation").status_code == 303
    assert "only secret" in browser.get(f"{url}/secrets/{second}/revocation").text
    assert browser.post(f"{url}/secrets/{first}/revocation").status_code == 303, "a double click"
    assert browser.get(f"{url}/secrets/{first}/revocation").status_code == 404
    states = {s.id: s.revoked_at is None for s in db.session.scalars(select(ClientSecret))}
    assert states == {first: False, second: True}


def test_a_secret_of_another_client_is_not_revoked_through_this_one(
    app: Flask, sign_in: SignIn
) -> None:
    partner = make_organization()
    row, other = make_app(make_listing(partner)), make_app(make_listing(make_organization("Rival")))
    make_client_secret(client_of(other))
    secret_id = client_of(other).id and db.session.scalar(select(ClientSecret.id))
    browser = a_developer(partner, sign_in)
    url = f"/partner/apps/{row.public_id}/live/secrets/{secret_id}/revocation"
    assert browser.get(url).status_code == 404
    browser.post(url)
    assert db.session.scalar(select(ClientSecret.revoked_at)) is None


@pytest.mark.parametrize(
    ("environment", "uri", "message"),
    [
        ("live", "http://127.0.0.1:9000/cb", "Begin with https://"),
        ("live", "https://app.tides.example/#x", "Leave out the part from # on."),
        ("test", "http://app.tides.example/cb", "Only test apps may use http://"),
        ("test", "https://u:p@app.tides.example/", "Leave out the user name"),
        ("test", "https://*.tides.example/", "Wildcards are not possible"),
        ("live", "x\x00y", "Use letters"),
    ],
)
def test_a_wrong_redirect_uri_is_told_at_its_row_and_kept(
    app: Flask, sign_in: SignIn, environment: str, uri: str, message: str
) -> None:
    partner = make_organization()
    row = make_app(make_listing(partner))
    browser = a_developer(partner, sign_in)
    url = f"/partner/apps/{row.public_id}/{environment}"
    answer = browser.post(
        f"{url}/settings",
        data={
            "seen": form_hidden(settings_form(browser.get(url).text), "seen"),
            "redirect_uris-0": URI,
            "redirect_uris-1": uri,
            "kind": "confidential",
        },
    )
    assert answer.status_code == 422
    assert message in unescape(answer.text)
    assert 'id="redirect_uris-1-error"' in answer.text
    assert uri in unescape(answer.text).replace("\ufffd", "\0")
    assert client_of(row, Environment(environment)).redirect_uris == [URI]


def test_eleven_redirect_uris_are_too_many(app: Flask, sign_in: SignIn) -> None:
    partner = make_organization()
    row = make_app(make_listing(partner))
    browser = a_developer(partner, sign_in)
    url = f"/partner/apps/{row.public_id}/live"
    data = {f"redirect_uris-{n}": f"{URI}/{n}" for n in range(11)}
    data |= {"seen": form_hidden(settings_form(browser.get(url).text), "seen"), "kind": "public"}
    answer = browser.post(f"{url}/settings", data=data)
    assert answer.status_code == 422
    assert "at most 10 addresses" in answer.text


def test_rows_are_added_and_removed_without_javascript(app: Flask, sign_in: SignIn) -> None:
    partner = make_organization()
    row = make_app(make_listing(partner))
    browser = a_developer(partner, sign_in)
    url = f"/partner/apps/{row.public_id}/live/settings"
    data = {"redirect_uris-0": "https://one.example/", "kind": "confidential", "seen": "x"}
    more = browser.post(url, data={**data, "add_row": "redirect_uris"})
    assert more.status_code == 200
    assert 'name="redirect_uris-1"' in more.text
    data["redirect_uris-1"] = "https://two.example/"
    less = browser.post(url, data={**data, "remove_row": "redirect_uris-0"})
    assert "https://two.example/" in less.text
    assert "https://one.example/" not in less.text
    assert client_of(row).redirect_uris == [URI], "nothing is saved yet"


def test_two_developers_at_once_do_not_overwrite_each_other(app: Flask, sign_in: SignIn) -> None:
    partner = make_organization()
    row = make_app(make_listing(partner))
    ada, ben = a_developer(partner, sign_in), a_developer(partner, sign_in)
    url = f"/partner/apps/{row.public_id}/live"
    seen = form_hidden(settings_form(ada.get(url).text), "seen")
    data = {"seen": seen, "kind": "confidential"}
    saved = ada.post(f"{url}/settings", data={**data, "redirect_uris-0": "https://ada.example/"})
    assert saved.status_code == 303
    late = ben.post(f"{url}/settings", data={**data, "redirect_uris-0": "https://ben.example/"})
    assert late.status_code == 409
    assert "https://ben.example/" in late.text, "what was typed is kept"
    assert "https://ada.example/" in late.text, "what is saved is shown"
    assert "Somebody else changed this" in late.text
    db.session.rollback()
    assert client_of(row).redirect_uris == ["https://ada.example/"]
    again = {**data, "seen": form_hidden(settings_form(late.text), "seen")}
    again["redirect_uris-0"] = "https://ben.example/"
    assert ben.post(f"{url}/settings", data=again).status_code == 303

    url = f"/partner/apps/{row.public_id}/settings"
    seen = form_hidden(ada.get(url).text, "seen")
    first = {"seen": seen, "name": "Ada's", "listing": str(row.listing_id)}
    assert ada.post(url, data=first).status_code == 303
    late = ben.post(url, data={**first, "name": "Ben's"})
    assert late.status_code == 409
    assert "Ben&#39;s" in late.text
    db.session.rollback()
    db.session.refresh(row)
    assert row.name == "Ada's"


def test_a_probe_meanwhile_is_no_conflict(app: Flask, sign_in: SignIn) -> None:
    partner = make_organization()
    row = make_app(make_listing(partner))
    browser = a_developer(partner, sign_in)
    url = f"/partner/apps/{row.public_id}/settings"
    seen = form_hidden(browser.get(url).text, "seen")
    row.probed_at, row.failed_probes = clock.now(), 2
    db.session.commit()
    data = {"seen": seen, "name": "Tides", "listing": str(row.listing_id)}
    assert browser.post(url, data=data).status_code == 303


def test_a_client_made_public_loses_its_secrets(app: Flask, sign_in: SignIn) -> None:
    partner = make_organization()
    row = make_app(make_listing(partner))
    make_client_secret(client_of(row))
    make_client_secret(client_of(row, Environment.TEST))
    browser = a_developer(partner, sign_in)
    url = f"/partner/apps/{row.public_id}/live"
    data = {
        "seen": form_hidden(settings_form(browser.get(url).text), "seen"),
        "redirect_uris-0": URI,
        "kind": "public",
    }
    assert browser.post(f"{url}/settings", data=data).status_code == 303
    page = browser.get(url).text
    assert "proves itself by PKCE alone" in page
    refused = browser.post(f"{url}/secrets", data={"seen": ""})
    assert refused.status_code == 409
    live = db.session.scalars(select(ClientSecret).where(ClientSecret.revoked_at.is_(None))).all()
    assert [secret.client_id for secret in live] == [client_of(row, Environment.TEST).id]


def test_a_disabled_client_loses_its_tokens_and_can_be_enabled(app: Flask, sign_in: SignIn) -> None:
    partner = make_organization()
    row = make_app(make_listing(partner))
    installation = make_installation(row, make_customer())
    grants = [
        OAuthGrant(client_id=client_of(row, environment).id, installation_id=installation.id)
        for environment in Environment
    ]
    db.session.add_all(grants)
    browser = a_developer(partner, sign_in)
    url = f"/partner/apps/{row.public_id}/live"
    assert "1 installation has" in browser.get(f"{url}/disabling").text
    assert browser.post(f"{url}/disabling").status_code == 303
    assert browser.post(f"{url}/disabling").status_code == 303, "a double click"
    states = [(grant.revoked_reason, grant.revoked_at is None) for grant in grants]
    assert sorted(states) == [("", True), ("client_disabled", False)]
    assert "This client is disabled" in browser.get(url).text
    assert "Disabled" in browser.get("/partner/apps").text
    assert browser.post(f"{url}/enabling").status_code == 303
    assert "This client is disabled" not in browser.get(url).text
    kinds = list(db.session.scalars(select(Fact.kind)))
    assert kinds.count("client.disabled") == 1
    assert kinds.count("client.enabled") == 1


def test_an_app_is_archived_by_typing_its_name_once_nobody_has_it_installed(
    app: Flask, sign_in: SignIn
) -> None:
    partner = make_organization()
    listing = make_listing(partner)
    row = make_app(listing)
    make_client_secret(client_of(row))
    customer = make_installation(row, make_customer())
    trial = make_installation(
        row, make_customer("Trial"), environment=Environment.TEST, state=InstallationState.PAUSED
    )
    grant = OAuthGrant(client_id=client_of(row, Environment.TEST).id, installation_id=trial.id)
    db.session.add(grant)
    browser = a_developer(partner, sign_in)
    url = f"/partner/apps/{row.public_id}/archiving"
    assert "1 customer has" in browser.get(url).text
    refused = browser.post(url, data={"name": row.name})
    assert refused.status_code == 409
    assert "1 customer has" in refused.text
    customer.state = InstallationState.UNINSTALLED
    db.session.commit()
    wrong = browser.post(url, data={"name": "tide"})
    assert wrong.status_code == 422
    assert "exactly" in wrong.text
    assert browser.post(url, data={"name": f" {row.name} "}).status_code == 303
    assert browser.post(url, data={"name": row.name}).status_code == 303, "a double click"
    db.session.expire_all()
    assert row.archived_at is not None
    assert all(client.disabled_at for client in row.clients)
    assert db.session.scalar(select(ClientSecret.revoked_at)) is not None
    assert grant.revoked_reason == "app_archived"
    assert trial.state is InstallationState.UNINSTALLED
    assert row.public_id not in browser.get("/partner/apps").text
    assert row.public_id in browser.get("/partner/apps?show=archived").text
    assert browser.get(f"/partner/apps/{row.public_id}").status_code == 200
    page = browser.get(f"/partner/apps/{row.public_id}/live").text
    assert "Make a secret" not in page
    for act in ("live/secrets", "live/enabling"):
        answer = browser.post(f"/partner/apps/{row.public_id}/{act}", data={"seen": ""})
        assert answer.status_code == 409
    # Its listing is free for another app.
    data = {"name": row.name, "listing": str(listing.id), "kind": "public"}
    assert browser.post("/partner/apps/new", data=data).status_code == 303


def test_people_of_the_partner_without_the_role_read_and_change_nothing(
    app: Flask, sign_in: SignIn
) -> None:
    partner = make_organization()
    row = make_app(make_listing(partner))
    make_client_secret(client_of(row))
    secret = db.session.scalars(select(ClientSecret)).one()
    base = f"/partner/apps/{row.public_id}"
    browsers = [
        a_developer(partner, sign_in, role) for role in (Role.VIEWER, Role.EDITOR, Role.FINANCE)
    ]
    before = len(db.session.scalars(select(Fact)).all())
    for browser in browsers:
        for page in ("", "/live", "/test", "/settings", "/installations", "/installations.csv"):
            answer = browser.get(base + page)
            assert answer.status_code == 200, page
            assert f"…{secret.hint}" not in answer.text
            assert 'name="seen"' not in answer.text
        assert browser.get("/partner/apps").status_code == 200
        assert "Register an app" not in browser.get("/partner/apps").text
        assert browser.get("/partner/apps/new").status_code == 403
        assert browser.post("/partner/apps/new", data={"name": "Mine"}).status_code == 403
        for act in (
            "/settings",
            "/archiving",
            "/live/settings",
            "/live/secrets",
            f"/live/secrets/{secret.id}/revocation",
            "/live/disabling",
            "/live/enabling",
            "/test/install",
        ):
            assert browser.post(base + act, data={"name": row.name}).status_code == 403, act
    db.session.rollback()
    assert len(db.session.scalars(select(Fact)).all()) == before


def test_an_app_of_somebody_else_does_not_exist(app: Flask, sign_in: SignIn) -> None:
    partner, rival = make_organization(), make_organization("Rival")
    row = make_app(make_listing(partner))
    person = make_member(rival, Role.OWNER)
    make_member(partner, Role.OWNER, person)
    acting_for_rival = sign_in(person, rival)
    buyer = sign_in(make_member(make_customer()))
    for browser in (acting_for_rival, buyer):
        for page in ("", "/live", "/test", "/settings", "/installations", "/installations.csv"):
            assert browser.get(f"/partner/apps/{row.public_id}{page}").status_code == 404
        for act in ("/settings", "/archiving", "/live/secrets", "/live/disabling"):
            assert browser.post(f"/partner/apps/{row.public_id}{act}").status_code == 404
    assert acting_for_rival.get("/partner/apps").status_code == 200
    assert row.public_id not in acting_for_rival.get("/partner/apps").text
    for url in ("/partner/apps", "/partner/keys", "/partner/api-calls", "/partner/sandbox"):
        assert buyer.get(url).status_code == 403, url
    assert acting_for_rival.get("/partner/apps/app_000000").status_code == 404
    assert acting_for_rival.get("/partner/apps/%00").status_code == 404
    assert acting_for_rival.get(f"/partner/apps/{row.public_id}/staging").status_code == 404


def test_installations_are_listed_filtered_paged_and_exported(app: Flask, sign_in: SignIn) -> None:
    partner = make_organization()
    row = make_app(make_listing(partner))
    for number in range(30):
        make_installation(row, make_customer(f"Customer {number:02}"))
    paused = make_installation(row, make_customer("Paused Ltd"), state=InstallationState.PAUSED)
    formula = make_installation(row, make_customer("=1+1"), scopes=("a.read", "b.write"))
    trial = make_installation(row, make_customer("Trial"), environment=Environment.TEST)
    browser = a_developer(partner, sign_in, Role.VIEWER)
    url = f"/partner/apps/{row.public_id}/installations"
    page = browser.get(url).text
    assert "32 installations" in page
    assert "Trial" not in page
    assert "Customer 00" not in page
    assert "Customer 00" in browser.get(f"{url}?page=2").text
    assert "Paused Ltd" in browser.get(f"{url}?state=paused").text
    assert "Customer 29" not in browser.get(f"{url}?state=paused").text
    assert "Customer 07" in browser.get(f"{url}?q=mer%2007").text
    assert paused.public_id in browser.get(f"{url}?q={paused.public_id}").text
    assert "Nothing fits" in browser.get(f"{url}?q=%25%00_x&state=nonsense").text
    assert trial.public_id in browser.get(f"{url}?environment=test").text
    file = browser.get(f"{url}.csv?state=active")
    assert file.mimetype == "text/csv"
    lines = file.text.strip().split("\r\n")
    assert len(lines) == 32
    line = next(text for text in lines if formula.public_id in text)
    assert ",'=1+1," in line
    assert "a.read b.write" in line


def test_the_overview_counts_installs_and_removals_of_the_last_weeks(
    app: Flask, sign_in: SignIn
) -> None:
    partner = make_organization()
    row = make_app(make_listing(partner))
    live: Installation = make_installation(row, make_customer())
    trial = make_installation(row, make_customer("Trial"), environment=Environment.TEST)
    for installation, kind, count in (
        (live, "installed", 3),
        (live, "uninstalled", 1),
        (live, "paused", 5),
        (trial, "installed", 7),
    ):
        for _ in range(count):
            db.session.add(
                InstallationEvent(installation_id=installation.id, app_id=row.id, kind=kind)
            )
    browser = a_developer(partner, sign_in, Role.VIEWER)
    page = browser.get(f"/partner/apps/{row.public_id}").text
    assert "3 installs and 1 removals in the last 28 days" in page
    assert "3 installed, 1 removed" in page
