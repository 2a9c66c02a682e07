"""Requested integrations over HTTP."""

from collections.abc import Callable

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from marketplace.catalogue.engagement.services import requests
from marketplace.catalogue.models import IntegrationRequest, RequestState, RequestVote
from marketplace.core.database import db
from marketplace.core.limits import limiter
from marketplace.identity.models import Role
from tests.factories.acting import actor_for
from tests.factories.listings import make_listing
from tests.factories.people import make_member, make_platform, make_user
from tests.factories.queries import count_queries

SignIn = Callable[..., FlaskClient]


@pytest.fixture(autouse=True)
def _fresh_limits(app: Flask) -> None:
    limiter.reset()


def wishes(*names: str) -> list[IntegrationRequest]:
    made = [requests.create_request(actor_for(make_user()), name, "")[0] for name in names]
    db.session.commit()
    return made


def test_a_person_asks_votes_and_takes_the_vote_back(app: Flask, sign_in: SignIn) -> None:
    client = sign_in(make_user())
    assert 'value="HubSpot"' in client.get("/requests/new?name=HubSpot").text
    sent = client.post("/requests", data={"name": "HubSpot", "details": "Contacts"})
    assert sent.status_code == 303
    made = db.session.scalars(select(IntegrationRequest)).one()
    assert sent.headers["Location"] == f"/requests/{made.id}"
    other = sign_in(make_user())
    assert other.post(f"/requests/{made.id}/vote").status_code == 303
    assert other.post(f"/requests/{made.id}/vote").status_code == 303
    db.session.expire_all()
    assert made.vote_count == 2
    other.post(f"/requests/{made.id}/vote/withdrawal")
    db.session.expire_all()
    assert made.vote_count == 1


def test_an_equal_wish_becomes_a_vote(app: Flask, sign_in: SignIn) -> None:
    (made,) = wishes("HubSpot")
    client = sign_in(make_user())
    sent = client.post("/requests", data={"name": "hub spot connector"}, follow_redirects=True)
    assert "was requested before" in sent.text
    db.session.expire_all()
    assert made.vote_count == 2


def test_what_is_listed_already_is_offered_before_it_is_requested(
    app: Flask, sign_in: SignIn
) -> None:
    make_listing(name="Tide Tables")
    client = sign_in(make_user())
    offered = client.post("/requests", data={"name": "tide tables", "details": "Kept text"})
    assert offered.status_code == 422
    assert "is listed already" in offered.text
    assert "Kept text" in offered.text
    sent = client.post("/requests", data={"name": "tide tables", "anyway": "y"})
    assert sent.status_code == 303


@pytest.mark.parametrize("name", ["", "?!", "x" * 81])
def test_a_wrong_name_is_told_with_what_was_typed(app: Flask, sign_in: SignIn, name: str) -> None:
    answer = sign_in(make_user()).post("/requests", data={"name": name, "details": "Kept text"})
    assert answer.status_code == 422
    assert "Kept text" in answer.text


def test_the_list_is_searched_filtered_and_sorted(app: Flask, client: FlaskClient) -> None:
    hubspot, notion, old = wishes("HubSpot", "Notion", "Fax")
    requests.vote(actor_for(make_user()), notion)
    old.state = RequestState.DECLINED
    db.session.commit()
    page = client.get("/requests").text
    assert page.index("Notion") < page.index("HubSpot")
    assert ">Fax<" not in page
    newest = client.get("/requests?sort=newest").text
    assert newest.index("Notion") < newest.index("HubSpot")
    assert ">Fax<" in client.get("/requests?state=declined").text
    found = client.get("/requests?q=hub-sp").text
    assert ">HubSpot<" in found
    assert ">Notion<" not in found
    nothing = client.get("/requests?q=Basecamp").text
    assert "/requests/new?name=Basecamp" in nothing
    for hostile in ("q=%25", "q=%00", "q='%20OR%201=1", "page=x", "state=x", "sort=x", "page=9999"):
        assert client.get(f"/requests?{hostile}").status_code == 200
    assert hubspot.vote_count == 1


def test_staff_say_what_becomes_of_it_and_voters_hear_when_it_is_listed(
    app: Flask, sign_in: SignIn, client: FlaskClient, run_jobs: Callable[[], int]
) -> None:
    (made,) = wishes("Tides")
    listing = make_listing(name="Tide Tables")
    platform = make_platform()
    staff = sign_in(make_member(platform, Role.PROGRAM_MANAGER), platform)
    url = f"/requests/{made.id}"
    assert "For staff" in staff.get(url).text
    assert "For staff" not in client.get(url).text
    wrong = staff.post(f"{url}/state", data={"state": "listed", "note": "Kept", "listing": "no"})
    assert wrong.status_code == 422
    assert "Kept" in wrong.text
    sent = staff.post(f"{url}/state", data={"state": "listed", "listing": listing.slug})
    assert sent.status_code == 303
    assert "Tide Tables" in client.get(url).text
    run_jobs()
    folder = app.extensions["portico_settings"].data_dir / "mail"
    assert any("what you voted for is here" in path.read_text() for path in folder.iterdir())
    assert staff.get(f"{url}/removal").status_code == 200
    assert staff.post(f"{url}/removal").status_code == 303
    assert client.get(url).status_code == 404


def test_only_signed_in_people_act_and_only_staff_manage(
    app: Flask, sign_in: SignIn, client: FlaskClient
) -> None:
    (made,) = wishes("Tides")
    person = sign_in(make_user())
    assert client.get("/requests/new").status_code == 302
    for path in ("", f"/{made.id}/vote", f"/{made.id}/vote/withdrawal"):
        assert client.post(f"/requests{path}").status_code == 401
    for path in (f"/{made.id}/state", f"/{made.id}/removal"):
        assert person.post(f"/requests{path}", data={"state": "declined"}).status_code == 404
    assert person.get(f"/requests/{made.id}/removal").status_code == 404
    assert person.post("/requests/999/vote").status_code == 404
    assert client.get("/requests/999").status_code == 404
    db.session.expire_all()
    assert made.state is RequestState.OPEN
    assert db.session.query(RequestVote).count() == 1


def test_the_number_of_queries_does_not_grow_with_the_list(app: Flask, sign_in: SignIn) -> None:
    client = sign_in(make_user())
    wishes("A1", "A2", "A3")
    client.get("/requests")
    few = count_queries(lambda: client.get("/requests"))
    wishes(*(f"B{number}" for number in range(17)))
    assert count_queries(lambda: client.get("/requests")) == few
