"""Reports, suspensions and appeals over HTTP."""

from collections.abc import Callable

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from marketplace.catalogue.engagement.services import cases
from marketplace.catalogue.models import AbuseCase, Appeal, CaseState, Listing
from marketplace.core.database import db
from marketplace.core.limits import limiter
from marketplace.core.permissions import ANONYMOUS
from marketplace.identity.models import Role
from tests.factories.listings import make_listing
from tests.factories.people import (
    make_customer,
    make_member,
    make_organization,
    make_platform,
    make_user,
)

SignIn = Callable[..., FlaskClient]
DETAILS = "It asks for my password in a window of its own."


@pytest.fixture(autouse=True)
def _fresh_limits(app: Flask) -> None:
    limiter.reset()


def a_case(listing: Listing) -> AbuseCase:
    case = cases.report_listing(ANONYMOUS, listing, "malware", DETAILS, "eve@people.example")
    db.session.commit()
    return case


def test_from_report_to_appeal_to_reinstatement(
    app: Flask, sign_in: SignIn, client: FlaskClient, run_jobs: Callable[[], int]
) -> None:
    publisher = make_organization()
    listing = make_listing(publisher, name="Tide Tables")
    slug = listing.slug
    owner = sign_in(make_member(publisher), publisher)
    platform = make_platform()
    first = sign_in(make_member(platform, Role.REVIEWER), platform)
    second = sign_in(make_member(platform, Role.PROGRAM_MANAGER), platform)

    assert client.get(f"/listings/{slug}/report").status_code == 200
    sent = client.post(
        f"/listings/{slug}/report",
        data={"reason": "malware", "details": DETAILS, "email": "eve@people.example"},
    )
    assert sent.status_code == 303
    case = db.session.scalars(select(AbuseCase)).one()
    number = case.number
    assert number in client.get(sent.headers["Location"]).text

    assert number in first.get("/staff/abuse").text
    assert DETAILS in first.get(f"/staff/abuse/{number}").text
    assert first.post(f"/staff/abuse/{number}/assignment").status_code == 303
    empty = first.post(f"/staff/abuse/{number}/suspension", data={"suspension-reason": " "})
    assert empty.status_code == 422
    assert client.get(f"/listings/{slug}/reviews").status_code == 200
    done = first.post(
        f"/staff/abuse/{number}/suspension", data={"suspension-reason": "It collects passwords."}
    )
    assert done.status_code == 303
    assert client.get(f"/listings/{slug}/reviews").status_code == 404

    page = owner.get(f"/partner/cases/{number}").text
    assert "It collects passwords." in page
    assert "eve@people.example" not in page
    assert DETAILS not in page
    assert number in owner.get("/partner/cases").text
    short = owner.post(f"/partner/cases/{number}/appeal", data={"body": "No."})
    assert short.status_code == 422
    body = "The window is our own sign-in, as our guide says."
    assert owner.post(f"/partner/cases/{number}/appeal", data={"body": body}).status_code == 303
    assert owner.post(f"/partner/cases/{number}/appeal", data={"body": body}).status_code == 409

    made = db.session.scalars(select(Appeal)).one()
    assert number in second.get("/staff/abuse?show=appealed").text
    own = first.post(f"/staff/appeals/{made.id}/grant", data={"grant-reason": "They are right."})
    assert own.status_code == 403
    granted = second.post(
        f"/staff/appeals/{made.id}/grant", data={"grant-reason": "They are right."}
    )
    assert granted.status_code == 303
    assert client.get(f"/listings/{slug}/reviews").status_code == 200
    run_jobs()
    assert "They are right." in owner.get(f"/partner/cases/{number}").text


def test_a_report_is_told_what_it_lacks_and_keeps_what_was_typed(
    app: Flask, client: FlaskClient
) -> None:
    listing = make_listing()
    db.session.commit()
    answer = client.post(
        f"/listings/{listing.slug}/report", data={"details": DETAILS, "email": "nobody"}
    )
    assert answer.status_code == 422
    assert "Choose what is wrong." in answer.text
    assert "Enter your address" in answer.text
    assert DETAILS in answer.text


def test_the_sixth_report_within_an_hour_has_to_wait(app: Flask, client: FlaskClient) -> None:
    listing = make_listing()
    db.session.commit()
    url = f"/listings/{listing.slug}/report"
    data = {"reason": "broken", "details": DETAILS, "email": "eve@people.example"}
    assert client.post(url, data={}).status_code == 422
    for _ in range(5):
        assert client.post(url, data=data).status_code == 303
    refused = client.post(url, data=data)
    assert refused.status_code == 429
    assert int(refused.headers["Retry-After"]) > 0
    assert db.session.query(AbuseCase).count() == 5


def test_the_case_number_is_shown_to_the_browser_that_reported_only(
    app: Flask, client: FlaskClient, sign_in: SignIn
) -> None:
    listing = make_listing()
    db.session.commit()
    url = f"/listings/{listing.slug}/report"
    assert client.get(f"{url}/received").status_code == 404
    client.post(url, data={"reason": "broken", "details": DETAILS, "email": "eve@people.example"})
    assert client.get(f"{url}/received").status_code == 200
    assert sign_in(make_user()).get(f"{url}/received").status_code == 404


def test_cases_are_refused_to_those_they_are_not_for(app: Flask, sign_in: SignIn) -> None:
    publisher, rival = make_organization(), make_organization("Rival")
    listing = make_listing(publisher)
    case = a_case(listing)
    number = case.number
    customer, platform = make_customer(), make_platform()
    owner = sign_in(make_member(publisher), publisher)
    assert owner.get(f"/partner/cases/{number}").status_code == 404, "not before it is decided"
    case.state, case.decision_reason = CaseState.SUSPENDED, "It collects passwords."
    case.decided_at = case.created_at
    db.session.commit()
    viewer = sign_in(make_member(publisher, Role.VIEWER), publisher)
    stranger = sign_in(make_member(rival), rival)
    buyer = sign_in(make_member(customer), customer)
    finance = sign_in(make_member(platform, Role.FINANCE), platform)
    support = sign_in(make_member(platform, Role.SUPPORT), platform)
    body = {"body": "There is nothing wrong with it at all.", "reinstatement-reason": "Because."}
    assert viewer.get(f"/partner/cases/{number}").status_code == 200
    for client, method, url in (
        (stranger, "GET", f"/partner/cases/{number}"),
        (stranger, "POST", f"/partner/cases/{number}/appeal"),
        (viewer, "POST", f"/partner/cases/{number}/appeal"),
        (buyer, "GET", f"/partner/cases/{number}"),
        (owner, "GET", f"/staff/abuse/{number}"),
        (owner, "POST", f"/staff/abuse/{number}/reinstatement"),
        (finance, "GET", f"/staff/abuse/{number}"),
        (support, "POST", f"/staff/abuse/{number}/reinstatement"),
        (support, "POST", f"/staff/abuse/{number}/assignment"),
        (support, "POST", f"/staff/abuse/{number}/dismissal"),
        (support, "POST", f"/staff/abuse/{number}/suspension"),
        (owner, "GET", "/partner/cases/AB-2026-99999"),
    ):
        assert client.open(url, method=method, data=body).status_code == 404, (method, url)
    assert support.get(f"/staff/abuse/{number}").status_code == 200
    for client, url in (
        (owner, "/staff/abuse"),
        (finance, "/staff/abuse"),
        (buyer, "/partner/cases"),
    ):
        assert client.get(url).status_code == 403
    assert db.session.query(Appeal).count() == 0


def test_a_member_of_the_publisher_on_the_staff_decides_nothing(
    app: Flask, sign_in: SignIn
) -> None:
    publisher, platform = make_organization(), make_platform()
    case = a_case(make_listing(publisher))
    person = make_member(platform, Role.ADMIN)
    make_member(publisher, Role.VIEWER, person)
    client = sign_in(person, platform)
    for act in ("assignment", "dismissal", "suspension", "reinstatement"):
        data = {f"{act}-reason": "Because I say so."}
        assert client.post(f"/staff/abuse/{case.number}/{act}", data=data).status_code == 404


def test_a_decision_made_meanwhile_is_told(app: Flask, sign_in: SignIn) -> None:
    platform = make_platform()
    case = a_case(make_listing())
    client = sign_in(make_member(platform, Role.REVIEWER), platform)
    url = f"/staff/abuse/{case.number}/dismissal"
    data = {"dismissal-reason": "It is what it says."}
    assert client.post(url, data=data).status_code == 303
    again = client.post(url, data=data)
    assert again.status_code == 409
    assert "Somebody was faster" in again.text
    assert client.post(f"/staff/abuse/{case.number}/assignment").status_code == 303
