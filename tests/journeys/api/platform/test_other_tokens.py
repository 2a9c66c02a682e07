"""Every address of the platform API, tried with tokens that it is none of the business of.

The URL map is walked by permission, so that a new address is tried by itself.
"""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select

from marketplace.api.v1.platform.guard import By, TokenRule
from marketplace.core.database import db
from marketplace.core.facts import Fact
from marketplace.installs.models import Environment
from marketplace.installs.scopes import CUSTOMER_SCOPES, PARTNER_SCOPES
from tests.journeys.api.platform.conftest import Api, Partner

Client = Callable[[str | None], Api]
# What is needed so that nothing but the token can be the reason of a refusal.
BODIES: dict[str, Any] = {
    "platform_api.create_listing": {
        "name": "Moon Phases",
        "kind": "app",
        "category": "productivity",
    },
    "platform_api.change_listing": {"website_url": "https://tides.example/taken-over"},
    "platform_api.submit_listing": {},
    "platform_api.add": {"version": "9.9.9", "changelog": "Taken over."},
    "platform_api.confirm_erasure": {"receipt": "All of it was erased by somebody else."},
    "platform_api.put_answer": {"text": "We are very sorry."},
}


def routes(app: Flask) -> Iterator[tuple[str, str, str, TokenRule]]:
    """(endpoint, method, rule, what it asks of a token) of each address of the platform API."""
    for rule in app.url_map.iter_rules():
        view = app.view_functions[rule.endpoint]
        if not rule.endpoint.startswith("platform_api."):
            continue
        if str(getattr(view, "portico_permission", "")).startswith("token: "):
            (method,) = (rule.methods or set()) - {"HEAD", "OPTIONS"}
            yield rule.endpoint, method, rule.rule, view.portico_token  # type: ignore[attr-defined]  # set by token_needs


def url_of(app: Flask, endpoint: str, values: dict[str, Any]) -> str:
    with app.test_request_context():
        adapter = app.url_map.bind("localhost")
        (rule,) = app.url_map.iter_rules(endpoint)
        found = adapter.build(endpoint, {name: values[name] for name in rule.arguments})
    return found.removeprefix("/api/v1")


def attempts(
    app: Flask, partner: Partner, api: Api, *, only: Callable[[TokenRule], bool] = lambda _: True
) -> list[tuple[str, str, int, str]]:
    """Each address with the partner's things in it, asked by somebody else."""
    found = []
    for endpoint, method, _path, token in routes(app):
        if not only(token):
            continue
        url = url_of(app, endpoint, partner.values)
        body = BODIES[endpoint] if method in {"POST", "PUT", "PATCH"} else None
        response = api.send(method, url, json=body, headers={"If-Match": "*"})
        code = (response.json or {}).get("code", "") if response.status_code != 204 else ""
        found.append((method, url, response.status_code, code))
    assert found
    return found


def facts() -> int:
    db.session.rollback()
    return db.session.scalar(select(func.count()).select_from(Fact)) or 0


def with_resource(token: TokenRule) -> bool:
    return token.has_resource


def test_there_are_addresses_to_try(app: Flask) -> None:
    assert len(list(routes(app))) >= 20
    scopes = {token.scope for *_rest, token in routes(app)} - {None}
    assert scopes == {*PARTNER_SCOPES, *CUSTOMER_SCOPES}


@pytest.mark.parametrize("token", [None, "nonsense", "pat_wrong", "pkp_wrong", "pko_wrong"])
def test_nothing_opens_without_a_token_that_is_known(
    app: Flask, partner: Partner, api: Client, token: str | None
) -> None:
    before = facts()
    tried = attempts(app, partner, api(token))
    assert [each for each in tried if each[2:] != (401, "invalid-token")] == []
    assert facts() == before


@pytest.mark.parametrize("kind", ["key", "personal key", "app token"])
def test_things_of_another_partner_are_not_found(
    app: Flask, partner: Partner, stranger: Partner, api: Client, kind: str
) -> None:
    tokens = {
        "key": stranger.key,
        "personal key": lambda: stranger.key(user=stranger.owner),
        "app token": stranger.app_token,
    }
    before = facts()
    tried = attempts(app, partner, api(tokens[kind]()), only=with_resource)
    assert [each for each in tried if each[2:] != (404, "not-found")] == []
    assert facts() == before


def test_a_key_of_one_partner_does_not_reach_its_persons_other_one(
    app: Flask, partner: Partner, stranger: Partner, api: Client
) -> None:
    from tests.factories.people import make_member

    make_member(partner.organization, user=stranger.owner)
    before = facts()
    client = api(stranger.key(user=stranger.owner))
    tried = attempts(app, partner, client, only=with_resource)
    assert [each for each in tried if each[2:] != (404, "not-found")] == []
    assert facts() == before


@pytest.mark.parametrize("path", ["/partner/listings", "/partner/installations", "/events"])
def test_lists_hold_nothing_of_another_partner(
    partner: Partner, stranger: Partner, api: Client, path: str
) -> None:
    own, other = api(partner.key()).ask(path), api(stranger.key()).ask(path)
    assert own["items"]
    assert other["items"]
    names = {item.get("id") or item["slug"] for item in own["items"]}
    assert names.isdisjoint({item.get("id") or item["slug"] for item in other["items"]})


def test_an_installations_token_sees_its_own_customer_alone(
    partner: Partner, stranger: Partner, api: Client
) -> None:
    found = api(stranger.token()).ask("/installation")
    assert found["id"] == stranger.installation.public_id
    events = api(stranger.token()).ask("/installation/events")["items"]
    assert {event["installation"] for event in events} == {stranger.installation.public_id}
    members = api(stranger.token()).ask("/installation/members")["items"]
    assert [member["email"] for member in members] == [stranger.admin.email]


@pytest.mark.parametrize("by", [By.PARTNER, By.INSTALLATION])
def test_every_address_with_a_scope_is_closed_without_it(
    app: Flask, partner: Partner, api: Client, by: By
) -> None:
    before = facts()
    scopes = PARTNER_SCOPES if by is By.PARTNER else CUSTOMER_SCOPES
    make = partner.key if by is By.PARTNER else partner.token
    tried = 0
    for endpoint, method, _path, token in routes(app):
        if token.by is not by or token.scope is None:
            continue
        client = api(make(*(name for name in scopes if name != token.scope)))
        url = url_of(app, endpoint, partner.values)
        response = client.send(method, url, json=BODIES.get(endpoint), headers={"If-Match": "*"})
        assert (response.status_code, response.json["code"]) == (403, "insufficient-scope"), url
        assert f'scope="{token.scope}"' in response.headers["WWW-Authenticate"]
        tried += 1
    assert tried >= (2 if by is By.INSTALLATION else 15)
    assert facts() == before


def test_an_installations_token_opens_nothing_of_the_partner_and_the_other_way_round(
    app: Flask, partner: Partner, api: Client
) -> None:
    before = facts()
    everything = (*CUSTOMER_SCOPES, *PARTNER_SCOPES)
    for client, by in (
        (api(partner.token(*everything)), By.PARTNER),
        (api(partner.key(*everything)), By.INSTALLATION),
        (api(partner.app_token(*everything)), By.INSTALLATION),
    ):
        tried = attempts(app, partner, client, only=lambda token, by=by: token.by is by)
        assert [each for each in tried if each[2:] != (403, "wrong-credential")] == []
    assert facts() == before


def test_a_test_credential_changes_nothing_live(app: Flask, partner: Partner, api: Client) -> None:
    before = facts()
    for client in (
        api(partner.key(environment=Environment.TEST)),
        api(partner.app_token(environment=Environment.TEST)),
    ):
        tried = attempts(app, partner, client)
        wrong = [each for each in tried if each[0] != "GET" and each[2] not in {403, 404}]
        assert wrong == []
    assert facts() == before


def test_a_test_credential_sees_the_sandbox_alone(partner: Partner, api: Client) -> None:
    client = api(partner.key(environment=Environment.TEST))
    installations = client.ask("/partner/installations")["items"]
    assert [item["id"] for item in installations] == [partner.trial.public_id]
    assert client.get(f"/partner/installations/{partner.installation.public_id}").status_code == 404
    events = client.ask("/events")["items"]
    assert {event["installation"] for event in events} == {partner.trial.public_id}
    erasures = client.ask("/erasures")["items"]
    assert [item["id"] for item in erasures] == [partner.test_erasure.public_id]
    live = api(partner.key())
    assert [item["id"] for item in live.ask("/partner/installations")["items"]] == [
        partner.installation.public_id
    ]
    both = live.ask("/partner/installations?environment=test")["items"]
    assert [item["id"] for item in both] == [partner.trial.public_id]


def test_the_good_token_is_let_in_everywhere(app: Flask, partner: Partner, api: Client) -> None:
    """The other tests would pass as well if nothing ever opened."""
    key, token = api(partner.key()), api(partner.token())
    order = ["GET", "PATCH", "PUT", "POST", "DELETE"]
    for endpoint, method, _path, rule in sorted(routes(app), key=lambda r: order.index(r[1])):
        client = token if rule.by is By.INSTALLATION else key
        url = url_of(app, endpoint, partner.values)
        response = client.send(method, url, json=BODIES.get(endpoint), headers={"If-Match": "*"})
        assert response.status_code < 300, (url, response.text)
