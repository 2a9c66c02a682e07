"""Attacks by the address: where the answer goes, parameters, mix-up. All refused."""

from urllib.parse import urlencode

import pytest
from flask.testing import FlaskClient

from marketplace.core.database import db
from tests.journeys.oauth.attacks import nothing_changes, refused, refused_by_redirect
from tests.journeys.oauth.flow import (
    ISSUER,
    Customer,
    Partner,
    answer_in,
    hidden_fields,
)

REGISTERED = "https://app.tides.example/oauth/callback"
VARIANTS = {
    "another path": "https://app.tides.example/oauth/other",
    "a parent path": "https://app.tides.example/oauth",
    "a path below": "https://app.tides.example/oauth/callback/more",
    "dots in the path": "https://app.tides.example/oauth/../oauth/callback",
    "a trailing slash": f"{REGISTERED}/",
    "a query": f"{REGISTERED}?next=https://evil.example",
    "an empty query": f"{REGISTERED}?",
    "a fragment": f"{REGISTERED}#x",
    "an empty fragment": f"{REGISTERED}#",
    "a user": "https://evil@app.tides.example/oauth/callback",
    "our host as a user": "https://app.tides.example@evil.example/oauth/callback",
    "a port": "https://app.tides.example:8443/oauth/callback",
    "the default port": "https://app.tides.example:443/oauth/callback",
    "plain http": "http://app.tides.example/oauth/callback",
    "another scheme": "javascript://app.tides.example/oauth/callback",
    "script": "javascript:alert(1)",
    "data": "data:text/html,x",
    "capital letters in the host": "https://APP.tides.example/oauth/callback",
    "capital letters in the path": "https://app.tides.example/OAuth/callback",
    "capital letters in the scheme": "HTTPS://app.tides.example/oauth/callback",
    "percent-encoding": "https://app.tides.example/oauth/%63allback",
    "an encoded slash": "https://app.tides.example/oauth%2Fcallback",
    "a suffix of the domain": "https://app.tides.example.evil.example/oauth/callback",
    "a prefix of the domain": "https://evil-app.tides.example/oauth/callback",
    "a subdomain": "https://x.app.tides.example/oauth/callback",
    "a dot after the host": "https://app.tides.example./oauth/callback",
    "a backslash": "https://app.tides.example\\@evil.example/oauth/callback",
    "no scheme": "//app.tides.example/oauth/callback",
    "a path only": "/oauth/callback",
    "space around it": f" {REGISTERED} ",
    "a line break": f"{REGISTERED}\r\nSet-Cookie: x=1",
    "a null": f"{REGISTERED}\x00",
    "a look-alike letter": "https://app.tidеs.example/oauth/callback",
    "loopback": "http://127.0.0.1/oauth/callback",
    "loopback in short": "http://127.1/oauth/callback",
    "loopback as a number": "http://2130706433/oauth/callback",
    "loopback by name": "http://localhost/oauth/callback",
    "loopback in IPv6": "http://[::1]/oauth/callback",
    "empty": "",
}


@pytest.mark.parametrize("variant", VARIANTS)
def test_a_redirect_address_is_compared_to_the_letter(
    client: FlaskClient, partner: Partner, customer: Customer, variant: str
) -> None:
    address = partner.address(redirect_uri=VARIANTS[variant])
    with nothing_changes():
        for browser in (customer.browser, client):
            page = browser.get(address)
            assert page.status_code == 400
            assert "Location" not in page.headers
        if customer.browser.get(partner.address()).status_code == 200:
            form = hidden_fields(customer.browser.get(partner.address()))
            posted = customer.browser.post(address, data=form)
            assert posted.status_code == 400
            assert "Location" not in posted.headers


def test_a_loopback_address_of_a_native_app_is_compared_to_the_letter_too(
    partner: Partner, customer: Customer
) -> None:
    partner.client.redirect_uris = ["http://127.0.0.1:8765/cb"]
    db.session.commit()
    for uri in (
        "http://127.0.0.1:9999/cb",
        "http://127.0.0.1/cb",
        "http://localhost:8765/cb",
        "http://127.0.0.1:8765@evil.example/cb",
        "http://127.0.0.1.evil.example:8765/cb",
        "http://0.0.0.0:8765/cb",
        "http://[::ffff:127.0.0.1]:8765/cb",
    ):
        page = customer.browser.get(partner.address(redirect_uri=uri))
        assert page.status_code == 400, uri
        assert "Location" not in page.headers


def test_a_missing_redirect_address_is_not_guessed(partner: Partner, customer: Customer) -> None:
    page = customer.browser.get(partner.address(redirect_uri=None))
    assert page.status_code == 400
    assert "Location" not in page.headers


@pytest.mark.parametrize("order", ["good first", "bad first", "twice the same"])
def test_two_redirect_addresses_are_one_too_many(
    partner: Partner, customer: Customer, order: str
) -> None:
    evil = "https://evil.example/"
    pair = {
        "good first": [REGISTERED, evil],
        "bad first": [evil, REGISTERED],
        "twice the same": [REGISTERED, REGISTERED],
    }[order]
    query = urlencode(
        [*partner.request(redirect_uri=None).items(), *(("redirect_uri", uri) for uri in pair)]
    )
    with nothing_changes():
        page = customer.browser.get(f"/oauth/authorize?{query}")
        assert page.status_code == 400
        assert "Location" not in page.headers


def test_an_unknown_client_sends_nobody_anywhere(partner: Partner, customer: Customer) -> None:
    for client_id in ("pcl_unknown", "", "'; DROP TABLE app; --", "\x00", "x" * 5_000, "pcl_ä"):
        page = customer.browser.get(partner.address(client_id=client_id))
        assert page.status_code == 400
        assert "Location" not in page.headers
    two = f"{partner.address()}&client_id={partner.client.client_id}"
    assert customer.browser.get(two).status_code == 400


@pytest.mark.parametrize(
    "name",
    [
        "response_type",
        "scope",
        "state",
        "code_challenge",
        "code_challenge_method",
        "prompt",
        "anything",
    ],
)
def test_no_parameter_may_come_twice(partner: Partner, customer: Customer, name: str) -> None:
    value = partner.request(prompt="consent", anything="x")[name]
    address = f"{partner.address(prompt='consent', anything='x')}&{urlencode({name: value})}"
    with nothing_changes():
        state = None if name == "state" else partner.state
        refused_by_redirect(customer.browser.get(address), "invalid_request", state)


@pytest.mark.parametrize("name", ["grant_type", "code", "redirect_uri", "code_verifier", "scope"])
def test_no_parameter_of_a_token_request_may_come_twice(
    client: FlaskClient, partner: Partner, customer: Customer, name: str
) -> None:
    code = customer.code_for(partner)
    form = {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": partner.redirect_uri,
        "code_verifier": partner.verifier,
        "scope": "events.write",
    }
    body = urlencode([*form.items(), (name, form[name])])
    with nothing_changes():
        answer = client.post(
            "/oauth/token",
            data=body,
            headers=partner.header,
            content_type="application/x-www-form-urlencoded",
        )
        refused(answer, "invalid_request")


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"response_type": None}, "invalid_request"),
        ({"response_type": "token"}, "unsupported_response_type"),
        ({"response_type": "code token"}, "unsupported_response_type"),
        ({"response_type": "<script>é"}, "unsupported_response_type"),
        ({"response_mode": "fragment"}, "invalid_request"),
        ({"response_mode": "form_post"}, "invalid_request"),
        ({"request": "eyJhbGciOiJub25lIn0.e30."}, "request_not_supported"),
        ({"scope": "events.write\x00"}, "invalid_request"),
        ({"nonce": "x" * 2_001}, "invalid_request"),
    ],
)
def test_other_kinds_of_requests_are_refused_to_the_app(
    partner: Partner, customer: Customer, changes: dict[str, str | None], error: str
) -> None:
    with nothing_changes():
        refused_by_redirect(customer.browser.get(partner.address(**changes)), error, partner.state)


def test_a_state_that_could_break_something_is_not_sent_on(
    partner: Partner, customer: Customer
) -> None:
    for state in ("a\r\nSet-Cookie: x=1", "\x00", "ä", "\x7f"):
        sent = customer.browser.get(partner.address(state=state))
        refused_by_redirect(sent, "invalid_request", None)


def test_good_and_bad_answers_name_their_issuer(
    client: FlaskClient, partner: Partner, customer: Customer
) -> None:
    metadata = client.get("/.well-known/oauth-authorization-server").json
    assert metadata["authorization_response_iss_parameter_supported"] is True
    good = answer_in(customer.approve(partner))
    bad = answer_in(customer.browser.get(partner.address(scope="contacts.delete")))
    declined = answer_in(
        customer.browser.post(
            f"/oauth/authorize/decline?{urlencode(partner.request(prompt='consent'))}",
            data={"organization": customer.organization.slug},
        )
    )
    assert good["iss"] == bad["iss"] == declined["iss"] == metadata["issuer"] == ISSUER


def test_an_app_cannot_choose_the_issuer_of_its_answer(
    partner: Partner, customer: Customer
) -> None:
    answer = answer_in(customer.browser.get(partner.address(iss="https://evil.example", scope="x")))
    assert answer["iss"] == ISSUER
