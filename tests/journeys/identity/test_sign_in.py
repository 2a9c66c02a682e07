"""Signing in and out, over HTTP to a provider on loopback."""

from urllib.parse import parse_qs, urlsplit

import pytest
import requests
from flask import Flask
from sqlalchemy import select

from marketplace.core.database import db
from marketplace.core.facts import Fact
from marketplace.identity.models import Identity, User, UserSession
from marketplace.identity.sessions import COOKIE, hash_token
from tests.factories.people import make_customer, make_member
from tests.journeys.identity.conftest import ADA, BEN, Journey, RunningProvider


def test_a_first_sign_in_creates_the_person_and_leads_to_the_welcome_page(
    acme: RunningProvider, journey: Journey
) -> None:
    response = journey.sign_in(ADA)

    assert response.status_code == 302
    assert response.location == "/welcome"
    user = db.session.scalars(select(User)).one()
    assert (user.name, user.email, user.email_verified) == (ADA.name, ADA.email, True)
    identity = db.session.scalars(select(Identity)).one()
    assert (identity.issuer, identity.subject) == (acme.provider.issuer, ADA.subject)
    page = journey.client.get("/welcome")
    assert page.status_code == 200
    assert f"Welcome, {ADA.name}" in page.text
    assert set(db.session.scalars(select(Fact.kind))) == {"user.created", "session.started"}


def test_a_second_sign_in_finds_the_same_person_and_goes_on_to_the_page_they_wanted(
    acme: RunningProvider, journey: Journey, app: Flask
) -> None:
    journey.sign_in(ADA)
    again = Journey(app.test_client())

    response = again.sign_in(ADA, next="/account/sessions?a=b")

    assert response.location == "/account/sessions?a=b"
    assert again.client.get("/account/sessions").status_code == 200
    assert len(db.session.scalars(select(User)).all()) == 1


def test_somebody_who_is_not_signed_in_is_led_to_the_choice_of_providers_and_back(
    acme: RunningProvider, journey: Journey
) -> None:
    refused = journey.client.get("/account/sessions")
    assert refused.status_code == 302
    choice = journey.client.get(refused.location)
    assert choice.status_code == 200
    assert "Continue with Acme" in choice.text
    assert "/auth/acme/login?next=/account/sessions" in choice.text


def test_the_request_has_a_state_a_nonce_and_a_s256_challenge_that_differ_each_time(
    acme: RunningProvider, journey: Journey
) -> None:
    first, second = (parse_qs(urlsplit(journey.begin()).query) for _ in range(2))

    assert first["code_challenge_method"] == ["S256"]
    assert first["response_type"] == ["code"]
    assert first["redirect_uri"] == ["http://localhost/auth/acme/callback"]
    for name in ("state", "nonce", "code_challenge"):
        assert len(first[name][0]) >= 32
        assert first[name] != second[name]


def test_two_tabs_can_sign_in_one_after_the_other(acme: RunningProvider, journey: Journey) -> None:
    first, second = journey.begin(), journey.begin()
    assert journey.client.get(journey.choose(second, ADA)).status_code == 302
    # The first tab's state went with the form session of the anonymous browser.
    assert journey.client.get(journey.choose(first, ADA)).status_code == 400
    assert journey.client.get("/account").status_code == 200


def test_the_cookie_is_for_this_site_alone_and_the_database_knows_only_its_hash(
    acme: RunningProvider, journey: Journey
) -> None:
    response = journey.sign_in(ADA)

    header = next(c for c in response.headers.getlist("Set-Cookie") if c.startswith(COOKIE))
    attributes = {part.strip().lower() for part in header.split(";")[1:]}
    assert {"httponly", "samesite=lax", "path=/"} <= attributes
    assert not any(part.startswith("domain=") for part in attributes)
    token = header.split("=", 1)[1].split(";")[0]
    assert len(token) >= 43
    row = db.session.scalars(select(UserSession)).one()
    assert row.token_hash == hash_token(token)
    assert token not in str([vars(row) for row in db.session.scalars(select(UserSession))])


def test_over_https_the_cookie_never_travels_in_clear(
    acme: RunningProvider, journey: Journey, app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = app.extensions["portico_settings"]
    secure = settings.model_copy(update={"public_url": "https://market.example"})
    back = journey.choose(journey.begin(), ADA)
    monkeypatch.setitem(app.extensions, "portico_settings", secure)

    response = journey.client.get(back)

    header = next(c for c in response.headers.getlist("Set-Cookie") if c.startswith(COOKIE))
    assert "; secure" in header.lower()


def test_a_session_that_was_known_before_the_sign_in_is_worth_nothing_after_it(
    acme: RunningProvider, journey: Journey, app: Flask
) -> None:
    journey.sign_in(ADA)
    planted = journey.client.get_cookie(COOKIE)
    assert planted is not None

    journey.sign_in(BEN)

    thief = app.test_client()
    thief.set_cookie(COOKIE, planted.value)
    assert thief.get("/account").status_code == 302
    assert BEN.name in journey.client.get("/account").text


def test_signing_out_ends_the_session_on_the_server_too(
    acme: RunningProvider, journey: Journey, app: Flask
) -> None:
    journey.sign_in(ADA)
    copied = journey.client.get_cookie(COOKIE)
    assert copied is not None

    response = journey.client.post("/auth/logout")

    assert response.location == "/auth/login"
    assert journey.client.get_cookie(COOKIE) is None
    thief = app.test_client()
    thief.set_cookie(COOKIE, copied.value)
    assert thief.get("/account").status_code == 302


def test_signing_out_is_a_post(acme: RunningProvider, journey: Journey) -> None:
    journey.sign_in(ADA)
    assert journey.client.get("/auth/logout").status_code == 405
    assert journey.client.get("/account").status_code == 200


@pytest.mark.parametrize(
    "target",
    [
        "https://evil.example/",
        "//evil.example/",
        "/\\evil.example",
        "\\\\evil.example",
        "/%09/evil.example\t",
        "javascript:alert(1)",
        "/auth/logout",
    ],
)
def test_a_sign_in_never_leads_to_another_site(
    acme: RunningProvider, journey: Journey, app: Flask, target: str
) -> None:
    journey.sign_in(ADA)
    again = Journey(app.test_client())

    response = again.sign_in(ADA, next=target)

    assert response.location == "/auth/landing"


def test_who_is_signed_in_is_not_asked_again(acme: RunningProvider, journey: Journey) -> None:
    journey.sign_in(ADA)
    assert journey.client.get("/auth/login?next=/account/sessions").location == "/account/sessions"
    assert journey.client.get("/auth/login?next=//evil.example").location == "/account"


def test_a_provider_that_is_not_configured_does_not_exist(
    acme: RunningProvider, journey: Journey
) -> None:
    assert journey.client.get("/auth/other/login").status_code == 404
    assert journey.client.get("/auth/other/callback?state=x&code=y").status_code == 404


def test_too_many_sign_ins_are_slowed_down(acme: RunningProvider, journey: Journey) -> None:
    answers = [journey.client.get("/auth/acme/login") for _ in range(31)]
    assert {answer.status_code for answer in answers[:30]} == {302}
    assert answers[30].status_code == 429
    assert int(answers[30].headers["Retry-After"]) > 0


def test_a_person_acts_for_the_organization_they_worked_for_last(
    acme: RunningProvider, journey: Journey, app: Flask
) -> None:
    journey.sign_in(ADA)
    ada = db.session.scalars(select(User)).one()
    make_member(make_customer("First"), user=ada)
    second = make_customer("Second")
    make_member(second, user=ada)
    db.session.commit()
    journey.client.post("/account/organization", data={"organization_id": second.id})

    again = Journey(app.test_client())
    again.sign_in(ADA)

    assert "You work for it now" in again.client.get("/account/organizations").text
    newest = db.session.scalars(select(UserSession).order_by(UserSession.id.desc())).first()
    assert newest is not None
    assert newest.organization_id == second.id


def test_the_demo_provider_takes_only_the_request_of_its_own_client(
    acme: RunningProvider, journey: Journey
) -> None:
    url = journey.begin()
    good = requests.get(url, timeout=5)
    assert good.status_code == 200
    for part, other in (
        ("client_id=portico", "client_id=other"),
        ("redirect_uri=http%3A%2F%2Flocalhost", "redirect_uri=http%3A%2F%2Fevil.example"),
        ("code_challenge_method=S256", "code_challenge_method=plain"),
    ):
        assert part in url
        assert requests.get(url.replace(part, other), timeout=5).status_code == 400
