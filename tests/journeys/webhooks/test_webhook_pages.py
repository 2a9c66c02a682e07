"""Webhooks in the partner portal, over HTTP."""

import html
import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select
from standardwebhooks.webhooks import Webhook

from marketplace.core import clock
from marketplace.core.database import db
from marketplace.identity.models import Role
from marketplace.installs.models import (
    DeliveryState,
    EndpointState,
    Environment,
    WebhookDelivery,
    WebhookEndpoint,
)
from marketplace.installs.webhooks.event_types import EVENT_TYPES
from tests.factories.answering import Answer, AnsweringServer
from tests.factories.apps import make_app
from tests.factories.people import make_member, make_organization
from tests.factories.queries import count_queries
from tests.factories.webhooks import deliveries_of, make_endpoint, tell
from tests.journeys.webhooks.conftest import Quayside, hidden, text_of

Deliver = Callable[[], int]
SignIn = Callable[..., FlaskClient]
PAGES = "/partner/webhooks"


def endpoint_of(location: str) -> WebhookEndpoint:
    db.session.rollback()
    public_id = location.split("/")[3]
    return db.session.scalars(
        select(WebhookEndpoint).where(WebhookEndpoint.public_id == public_id)
    ).one()


def test_a_developer_adds_an_endpoint_copies_its_secret_and_tests_it(
    developer: FlaskClient, hooks: AnsweringServer, deliver: Deliver
) -> None:
    assert "No endpoint yet" in text_of(developer.get(PAGES))
    assert developer.get(f"{PAGES}/new").status_code == 200
    url = hooks.plan("/hook", Answer(200, {"X-Trace": "9"}, b"thanks"))
    added = developer.post(f"{PAGES}/new", data={"url": url, "environment": "test"})
    assert added.status_code == 303
    endpoint = endpoint_of(added.location)
    assert (endpoint.environment, endpoint.event_types) == (Environment.TEST, [])
    page = developer.get(added.location)
    assert page.headers["Cache-Control"] == "no-store"
    secret = re.search(r'value="(whsec_[^"]+)"', page.get_data(as_text=True))
    assert secret is not None
    tested = developer.post(f"{PAGES}/{endpoint.public_id}/test")
    assert "not sent yet" in text_of(developer.get(tested.location))
    assert deliver() == 1
    (received,) = hooks.received
    body = Webhook(html.unescape(secret[1])).verify(received.body, received.headers)
    assert body["type"] == "webhook.test"
    shown = text_of(developer.get(tested.location))
    for words in ("Delivered", "x-trace: 9", "thanks", "webhook-signature: v1,***", "It works."):
        assert words in shown
    assert received.headers["webhook-signature"] not in shown
    overview = text_of(developer.get(PAGES))
    assert "Working" in overview
    assert "100 % of 1" in overview


@pytest.mark.parametrize(
    ("data", "says"),
    [
        ({"url": ""}, "Enter the address"),
        ({"url": "http://hooks.tides.example/"}, "begin with https://"),
        ({"url": "https://169.254.169.254/"}, "public internet"),
        ({"url": "https://h.example", "event_types": "nope"}, "Choose from the list"),
        ({"url": "https://h.example", "app": "app_nope"}, "one of your apps"),
        ({"url": "https://h.example", "environment": "nope"}, "Choose one of the two"),
        ({"url": "https://h.example", "description": "x" * 121}, "at most 120"),
    ],
)
def test_what_is_wrong_is_said_at_its_field_and_what_was_typed_is_kept(
    developer: FlaskClient, data: dict[str, str], says: str
) -> None:
    answer = developer.post(f"{PAGES}/new", data={"environment": "live", **data})
    assert answer.status_code == 422
    assert says in text_of(answer)
    assert f'value="{data["url"]}"' in answer.get_data(as_text=True)


def test_another_partners_app_cannot_be_chosen(developer: FlaskClient) -> None:
    foreign = make_app(publisher=make_organization("Rivals"))
    db.session.commit()
    data = {"url": "https://h.example", "environment": "live", "app": foreign.public_id}
    assert developer.post(f"{PAGES}/new", data=data).status_code == 422


def test_an_endpoint_is_changed_and_keeps_its_archived_app(
    developer: FlaskClient, quayside: Quayside
) -> None:
    app_row = make_app(publisher=quayside.organization, archived_at=clock.now())
    endpoint = make_endpoint(quayside.organization, app_id=app_row.id)
    db.session.commit()
    where = f"{PAGES}/{endpoint.public_id}/edit"
    assert app_row.public_id in developer.get(where).get_data(as_text=True)
    changed = developer.post(
        where,
        data={
            "seen": hidden(developer.get(where), "seen"),
            "url": "https://hooks.tides.example/new",
            "description": "Ours",
            "app": app_row.public_id,
            "event_types": ["review.posted"],
        },
    )
    assert changed.status_code == 303
    db.session.refresh(endpoint)
    assert endpoint.url.endswith("/new")
    assert (endpoint.app_id, endpoint.event_types) == (app_row.id, ["review.posted"])
    wrong = {"url": "ftp://x", "seen": hidden(developer.get(where), "seen")}
    assert developer.post(where, data=wrong).status_code == 422


def test_the_secret_is_rotated_with_a_day_in_which_both_sign(
    developer: FlaskClient, quayside: Quayside
) -> None:
    endpoint = make_endpoint(quayside.organization)
    db.session.commit()
    where = f"{PAGES}/{endpoint.public_id}/secret"
    before = re.findall(r"whsec_[^\"]+", developer.get(where).get_data(as_text=True))
    question = developer.get(f"{where}/rotation")
    assert "24 hours" in text_of(question)
    assert "ends at once" not in text_of(question)
    data = {"seen": hidden(question, "seen")}
    rotated = developer.post(f"{where}/rotation", data=data)
    after = re.findall(r"whsec_[^\"]+", developer.get(rotated.location).get_data(as_text=True))
    assert len(after) == 2
    assert after[1:] == before
    assert "Former secret" in text_of(developer.get(where))
    # A second click changes nothing.
    assert developer.post(f"{where}/rotation", data=data).status_code == 303
    assert "rotated already" in text_of(developer.get(where))
    question = developer.get(f"{where}/rotation")
    assert "The former secret ends at once" in text_of(question)
    developer.post(f"{where}/rotation", data={"seen": hidden(question, "seen")})
    last = re.findall(r"whsec_[^\"]+", developer.get(where).get_data(as_text=True))
    assert (len(last), last[1]) == (2, after[0])
    for _number in range(7):
        developer.post(f"{where}/rotation")
    refused = developer.post(f"{where}/rotation")
    assert refused.status_code == 429
    assert "You can rotate secrets 10 times an hour" in text_of(refused)


def test_disabling_and_enabling_with_what_was_missed(
    developer: FlaskClient, quayside: Quayside, hooks: AnsweringServer, deliver: Deliver
) -> None:
    endpoint = make_endpoint(quayside.organization, hooks.url("/hook"))
    where = f"{PAGES}/{endpoint.public_id}"
    db.session.commit()
    assert "Disable this endpoint?" in text_of(developer.get(f"{where}/disabling"))
    assert developer.post(f"{where}/disabling").status_code == 303
    for _number in range(2):
        tell(quayside.organization)
    db.session.commit()
    page = text_of(developer.get(where))
    assert "This endpoint is disabled" in page
    assert "Disabled by" in page
    assert developer.post(f"{where}/test").location == where
    assert "Enable it first" in text_of(developer.get(where))
    assert "since it was disabled" in text_of(developer.get(f"{where}/enabling"))
    for data, says in (
        ({"missed": "nope"}, "Choose one of these"),
        ({"missed": "since"}, "Enter a day and a time"),
        ({"missed": "since", "since": "2999-01-01T00:00"}, "in the past"),
        ({"missed": "since", "since": "2001-01-01T00:00"}, "last 30 days"),
        ({"missed": "since", "since": "yesterday"}, "Enter a day"),
    ):
        refused = developer.post(f"{where}/enabling", data=data)
        assert (refused.status_code, says in text_of(refused)) == (422, True), data
    since = (clock.now() - timedelta(hours=1)).strftime("%Y-%m-%dT%H:%M")
    enabled = developer.post(f"{where}/enabling", data={"missed": "since", "since": since})
    assert "2 events that it missed" in text_of(developer.get(enabled.location))
    assert deliver() == 2
    assert developer.get(f"{where}/enabling").status_code == 303
    assert developer.post(f"{where}/enabling", data={"missed": "nothing"}).status_code == 303


def test_deliveries_are_filtered_paged_and_sent_again(
    developer: FlaskClient, quayside: Quayside, hooks: AnsweringServer, deliver: Deliver
) -> None:
    url = hooks.plan("/hook", *[Answer(200)] * 29, Answer(500, {}, b"<b>broken</b>"))
    endpoint = make_endpoint(quayside.organization, url)
    for number in range(29):
        tell(quayside.organization, f"inst_{number}")
    assert deliver() == 29
    failing = tell(quayside.organization, kind="listing.approved")
    assert deliver() == 1
    where = f"{PAGES}/{endpoint.public_id}"
    first = developer.get(where)
    assert "Retrying" in text_of(first)
    assert "page=2" in first.get_data(as_text=True)
    assert (
        "listing.approved"
        not in text_of(developer.get(f"{where}?page=2")).split("Any type")[1].split("When")[1]
    )
    filtered = text_of(developer.get(f"{where}?state=waiting&type=listing.approved"))
    assert "Answered" not in filtered
    assert "500" in filtered
    assert "Nothing fits" in text_of(developer.get(f"{where}?state=failed"))
    table = developer.get(f"{where}/deliveries.csv").get_data(as_text=True).splitlines()
    assert len(table) == 31
    assert failing in table[1]
    assert "waiting" in table[1]
    assert developer.get(f"{where}?state=nope&type=nope&page=x").status_code == 200
    one = f"{where}/deliveries/{failing}"
    page = developer.get(one)
    assert "<b>broken</b>" not in page.get_data(as_text=True)
    assert "&lt;b&gt;broken" in page.get_data(as_text=True)
    assert "Next try" in text_of(page)
    assert developer.post(f"{one}/repetition").location == one
    assert deliver() == 1
    shown = text_of(developer.get(one))
    assert "1." in shown
    assert "2." in shown
    again = deliveries_of(endpoint)[0]
    event_id = again.event.public_id
    developer.post(f"{where}/deliveries/{event_id}/repetition")
    assert deliver() == 1
    assert "Sent by hand" in text_of(developer.get(f"{where}/deliveries/{event_id}"))


def test_a_deleted_endpoint_is_gone(developer: FlaskClient, quayside: Quayside) -> None:
    endpoint = make_endpoint(quayside.organization)
    db.session.commit()
    where = f"{PAGES}/{endpoint.public_id}"
    assert "cannot be undone" in text_of(developer.get(f"{where}/deletion"))
    assert developer.post(f"{where}/deletion").location == PAGES
    for path in ("", "/edit", "/secret", "/deletion", "/enabling"):
        assert developer.get(where + path).status_code == 404
    assert endpoint.public_id not in developer.get(PAGES).get_data(as_text=True)


def test_there_are_at_most_twenty_endpoints(developer: FlaskClient, quayside: Quayside) -> None:
    for _number in range(20):
        make_endpoint(quayside.organization)
    db.session.commit()
    answer = developer.post(
        f"{PAGES}/new", data={"url": "https://h.example", "environment": "live"}
    )
    assert answer.status_code == 409
    assert "20 endpoints" in text_of(answer)


def test_every_event_type_is_documented_with_an_example(developer: FlaskClient) -> None:
    page = text_of(developer.get(f"{PAGES}/events"))
    for kind in EVENT_TYPES.values():
        assert kind.name in page
        assert kind.description in page


@pytest.mark.parametrize("role", [Role.EDITOR, Role.FINANCE, Role.VIEWER])
def test_other_members_read_and_change_nothing(
    quayside: Quayside, sign_in: SignIn, role: Role
) -> None:
    endpoint = make_endpoint(quayside.organization)
    event_id = tell(quayside.organization)
    db.session.commit()
    browser = sign_in(quayside.people[role], quayside.organization)
    where = f"{PAGES}/{endpoint.public_id}"
    one = f"{where}/deliveries/{event_id}"
    for path in (PAGES, where, one, f"{PAGES}/events"):
        page = browser.get(path)
        assert page.status_code == 200
        assert "Add an endpoint" not in text_of(page)
        posts = re.findall(r'<form[^>]*method="post"[^>]*>', page.get_data(as_text=True))
        assert not [form for form in posts if PAGES in form]
    for path in ("/edit", "/secret", "/secret/rotation", "/disabling", "/enabling", "/deletion"):
        assert browser.get(where + path).status_code == 403
    for path in ("/edit", "/secret/rotation", "/disabling", "/enabling", "/deletion", "/test"):
        assert browser.post(where + path).status_code == 403
    assert browser.post(f"{one}/repetition").status_code == 403
    assert browser.get(f"{PAGES}/new").status_code == 403
    db.session.refresh(endpoint)
    assert endpoint.state is EndpointState.ACTIVE


def test_to_people_of_others_an_endpoint_does_not_exist(
    quayside: Quayside, sign_in: SignIn
) -> None:
    rivals = make_organization("Rivals")
    stranger = make_member(rivals)
    endpoint = make_endpoint(quayside.organization)
    other = make_endpoint(rivals)
    event_id = tell(quayside.organization)
    db.session.commit()
    browser = sign_in(stranger, rivals)
    where = f"{PAGES}/{endpoint.public_id}"
    for path in ("", "/edit", "/secret", f"/deliveries/{event_id}"):
        assert browser.get(where + path).status_code == 404
    assert browser.post(f"{where}/test").status_code == 404
    assert browser.post(f"{where}/deliveries/{event_id}/repetition").status_code == 404
    # Nor does an event of others through an endpoint of one's own.
    mine = f"{PAGES}/{other.public_id}/deliveries/{event_id}"
    assert browser.get(mine).status_code == 404
    assert browser.get(f"{PAGES}/we_nope").status_code == 404


def test_pages_cost_the_same_whatever_they_show(
    developer: FlaskClient, quayside: Quayside, deliver: Deliver, hooks: AnsweringServer
) -> None:
    endpoint = make_endpoint(quayside.organization, hooks.url("/hook"))
    tell(quayside.organization, "inst_0")
    assert deliver() == 1
    where = f"{PAGES}/{endpoint.public_id}"

    def costs() -> list[int]:
        found: list[int] = []
        for path in (PAGES, where):
            developer.get(path)
            found.append(count_queries(lambda path=path: developer.get(path)))  # type: ignore[misc]  # a lambda's default has no type
        return found

    few = costs()
    for number in range(12):
        make_endpoint(quayside.organization, state=EndpointState.DISABLED)
        tell(quayside.organization, f"inst_{number}")
    deliver()
    assert costs() == few
    assert max(few) <= 12


def test_a_delivery_that_was_canceled_says_so(developer: FlaskClient, quayside: Quayside) -> None:
    endpoint = make_endpoint(quayside.organization)
    event_id = tell(quayside.organization)
    values: dict[str, Any] = {"state": DeliveryState.CANCELED.value}
    db.session.execute(WebhookDelivery.__table__.update().values(**values))
    db.session.commit()
    page = text_of(developer.get(f"{PAGES}/{endpoint.public_id}/deliveries/{event_id}"))
    assert "Canceled" in page
    assert "never sent" in page
