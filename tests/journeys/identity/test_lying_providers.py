"""Providers that lie, break or are gone: refused with a page, and nobody is signed in."""

import base64
import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from joserfc import jwt
from joserfc.jwk import OctKey, RSAKey
from sqlalchemy import select

from marketplace.core.database import db
from marketplace.demo.oidc_provider import (
    Grant,
    Provider,
)
from marketplace.identity.models import Identity, User, UserSession
from tests.journeys.identity.conftest import ADA, BEN, Journey, RunningProvider, start, use

Claims = dict[str, Any]
Liar = Callable[[Provider, Claims], Claims]


def lying(change: Liar) -> type[Provider]:
    """A provider whose ID tokens have changed claims, rightly signed."""

    class LyingProvider(Provider):
        def claims(self, grant: Grant) -> Claims:
            return change(self, super().claims(grant))

    return LyingProvider


def without(name: str) -> Liar:
    return lambda _provider, claims: {k: v for k, v in claims.items() if k != name}


def with_(name: str, value: Any) -> Liar:
    return lambda _provider, claims: {**claims, name: value}


def moved(name: str, seconds: int) -> Liar:
    return lambda _provider, claims: {**claims, name: claims[name] + seconds}


LIES: dict[str, Liar] = {
    "another nonce": with_("nonce", "a-nonce-of-another-sign-in"),
    "no nonce": without("nonce"),
    "an empty nonce": with_("nonce", ""),
    "another audience": with_("aud", "another-client"),
    "no audience": without("aud"),
    "a second audience": lambda p, c: {**c, "aud": [c["aud"], "other"], "azp": c["aud"]},
    "an empty list of audiences": with_("aud", []),
    "another authorized party": with_("azp", "another-client"),
    "another issuer": with_("iss", "https://evil.example"),
    "an issuer that only begins alike": lambda p, c: {**c, "iss": p.issuer + ".evil.example"},
    "an issuer with a slash more": lambda p, c: {**c, "iss": p.issuer + "/"},
    "no issuer": without("iss"),
    "expired": lambda p, c: {**c, "iat": c["iat"] - 7200, "exp": c["iat"] - 3600},
    "no expiry": without("exp"),
    "an expiry that is no number": with_("exp", "tomorrow"),
    "from the future": moved("iat", 3600),
    "not yet valid": lambda p, c: {**c, "nbf": c["iat"] + 3600},
    "no time of issue": without("iat"),
    "no subject": without("sub"),
    "an empty subject": with_("sub", ""),
    "a subject that is no text": with_("sub", {"id": 1}),
    "a subject without end": with_("sub", "x" * 5000),
    "the hash of another access token": with_("at_hash", "AAAAAAAAAAAAAAAAAAAAAA"),
    "userinfo of another person": with_("sub", BEN.subject),
}


def unsecured(provider: Provider, claims: Claims) -> str:
    """A token with `alg` none."""

    def part(value: Claims) -> str:
        return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()

    return f"{part({'alg': 'none', 'typ': 'JWT'})}.{part(claims)}."


def by_another_key(provider: Provider, claims: Claims) -> str:
    key = RSAKey.generate_key(2048, auto_kid=True)
    return jwt.encode({"alg": "RS256", "kid": key.kid}, claims, key)


def by_another_key_with_the_right_id(provider: Provider, claims: Claims) -> str:
    key = RSAKey.generate_key(2048)
    return jwt.encode({"alg": "RS256", "kid": provider.key.kid}, claims, key)


def by_the_client_secret(provider: Provider, claims: Claims) -> str:
    key = OctKey.import_key(provider.client.client_secret.ljust(32, "-"))
    return jwt.encode({"alg": "HS256"}, claims, key, algorithms=["HS256"])


def by_the_public_key_as_a_secret(provider: Provider, claims: Claims) -> str:
    key = OctKey.import_key(base64.b64encode(provider.key.as_pem(private=False)))
    return jwt.encode({"alg": "HS256", "kid": provider.key.kid}, claims, key, algorithms=["HS256"])


def cut_short(provider: Provider, claims: Claims) -> str:
    return provider.key.kid or ""


SIGNERS: dict[str, Callable[[Provider, Claims], str]] = {
    "alg none": unsecured,
    "another key": by_another_key,
    "another key under the right id": by_another_key_with_the_right_id,
    "HS256 with the client's secret": by_the_client_secret,
    "HS256 with the public key": by_the_public_key_as_a_secret,
    "not a token at all": cut_short,
}


@pytest.fixture
def provider_of(app: Flask) -> Iterator[Callable[[type[Provider]], RunningProvider]]:
    """`provider_of(kind)` starts a provider of that kind as the site's only one."""
    with ExitStack() as stack:

        def run(kind: type[Provider]) -> RunningProvider:
            running, context = start("acme", kind)
            stack.enter_context(context)
            use(app, running)
            return running

        yield run


def assert_refused(journey: Journey, back: str, *, status: int = 400, title: str = "") -> None:
    """The answer is a page of ours; nobody is signed in, nothing is written."""
    response = journey.client.get(back)
    assert response.status_code == status
    assert (title or "We could not confirm who you are") in response.text
    assert "Try again with Acme" in response.text
    assert journey.client.get("/account").status_code == 302
    for model in (User, Identity, UserSession):
        assert db.session.scalars(select(model)).all() == []


@pytest.mark.parametrize("lie", LIES)
def test_a_token_that_lies_is_refused(
    provider_of: Callable[[type[Provider]], RunningProvider], journey: Journey, lie: str
) -> None:
    provider_of(lying(LIES[lie]))
    assert_refused(journey, journey.choose(journey.begin(), ADA))


@pytest.mark.parametrize("signer", SIGNERS)
def test_a_token_that_the_provider_did_not_sign_is_refused(
    provider_of: Callable[[type[Provider]], RunningProvider], journey: Journey, signer: str
) -> None:
    class Forged(Provider):
        def sign(self, claims: Claims) -> str:
            return SIGNERS[signer](self, claims)

    provider_of(Forged)
    assert_refused(journey, journey.choose(journey.begin(), ADA))


def test_the_same_provider_telling_the_truth_is_believed(
    provider_of: Callable[[type[Provider]], RunningProvider], journey: Journey
) -> None:
    provider_of(lying(lambda _provider, claims: claims))
    assert journey.sign_in(ADA).location == "/welcome"


def test_an_unconfirmed_address_is_kept_as_unconfirmed(
    provider_of: Callable[[type[Provider]], RunningProvider], journey: Journey
) -> None:
    class Careless(Provider):
        def userinfo(self, access_token: str) -> Claims | None:
            found = super().userinfo(access_token)
            return {**found, "email_verified": False} if found else None

    provider_of(Careless)
    journey.sign_in(ADA)
    user = db.session.scalars(select(User)).one()
    assert (user.email, user.email_verified) == (ADA.email, False)
    assert "is not confirmed yet" in journey.client.get("/account").text


def test_a_new_signing_key_is_fetched(
    provider_of: Callable[[type[Provider]], RunningProvider],
    journey: Journey,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    running = provider_of(Provider)
    journey.sign_in(ADA)
    running.provider.key = RSAKey.generate_key(2048, auto_kid=True)

    # At once it could be a forger who makes us ask again and again.
    assert journey.client.get(journey.choose(journey.begin(), ADA)).status_code == 400
    monkeypatch.setattr("marketplace.identity.oidc.REFETCH_KEYS_AFTER_SECONDS", 0.0)
    assert journey.sign_in(ADA).status_code == 302


@pytest.mark.parametrize(
    "change",
    [
        lambda back: back.replace("state=", "state=x"),
        lambda back: back.replace("state=", "other="),
        lambda back: back.split("?")[0],
        lambda back: back.split("?")[0] + "?state=%00&code=%FF",
    ],
)
def test_an_answer_without_the_right_state_is_refused(
    acme: RunningProvider, journey: Journey, change: Callable[[str], str]
) -> None:
    back = journey.choose(journey.begin(), ADA)
    assert_refused(journey, change(back), title="This sign-in is no longer open")


def test_an_answer_meant_for_another_browser_is_refused(
    acme: RunningProvider, journey: Journey, app: Flask
) -> None:
    back = journey.choose(journey.begin(), ADA)
    victim = Journey(app.test_client())
    victim.begin()
    assert_refused(victim, back, title="This sign-in is no longer open")


def test_an_answer_works_once(acme: RunningProvider, journey: Journey) -> None:
    back = journey.choose(journey.begin(), ADA)
    form_cookie = journey.client.get_cookie("portico_form")
    assert form_cookie is not None
    assert journey.client.get(back).status_code == 302
    journey.client.post("/auth/logout")

    again = journey.client.get(back)
    assert again.status_code == 400
    assert "This sign-in is no longer open" in again.text
    # Even whoever kept the browser's old cookie has a code that the provider takes no more.
    journey.client.set_cookie("portico_form", form_cookie.value)
    replayed = journey.client.get(back)
    assert replayed.status_code == 400
    assert "We could not confirm who you are" in replayed.text
    assert journey.client.get("/account").status_code == 302


def test_an_answer_after_a_quarter_of_an_hour_is_refused(
    acme: RunningProvider, journey: Journey, monkeypatch: pytest.MonkeyPatch
) -> None:
    back = journey.choose(journey.begin(), ADA)
    monkeypatch.setattr("marketplace.core.clock._offset", timedelta(minutes=16))
    assert_refused(journey, back, title="This sign-in is no longer open")


def test_an_answer_of_another_provider_is_refused(acme: RunningProvider, journey: Journey) -> None:
    back = journey.choose(journey.begin(), ADA)
    mixed_up = back.replace(
        "iss=" + acme.provider.issuer.replace(":", "%3A").replace("/", "%2F"),
        "iss=https%3A%2F%2Fevil.example",
    )
    assert mixed_up != back
    assert_refused(journey, mixed_up)


def test_an_answer_that_hides_its_issuer_is_refused(
    acme: RunningProvider, journey: Journey
) -> None:
    back = journey.choose(journey.begin(), ADA)
    assert_refused(journey, back.replace("iss=", "was="))


def test_whoever_says_no_at_the_provider_is_told_so(
    acme: RunningProvider, journey: Journey
) -> None:
    assert_refused(
        journey, journey.choose(journey.begin(), None), status=403, title="You did not sign in"
    )


def test_an_error_of_the_provider_is_a_page_without_its_words(
    acme: RunningProvider, journey: Journey
) -> None:
    back = journey.choose(journey.begin(), None)
    hostile = back.replace("access_denied", "%3Cscript%3Ealert(1)%3C/script%3E")
    assert "<script>alert" not in journey.client.get(hostile).text


def test_a_verifier_that_does_not_fit_the_challenge_gets_no_token(
    acme: RunningProvider, journey: Journey
) -> None:
    back = journey.choose(journey.begin(), ADA)
    with journey.client.session_transaction() as kept:
        kept["sign_ins"] = [{**kept["sign_ins"][0], "code_verifier": "x" * 64}]
    assert_refused(journey, back)
