"""Joining and what follows, over HTTP."""

import re
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select

from marketplace.core import clock
from marketplace.core.database import db
from marketplace.core.limits import limiter
from marketplace.identity.models import Organization, OrganizationKind, Role
from marketplace.program.onboarding.models import PartnerTask, TaskSide
from marketplace.program.standing.reading import place_of
from tests.factories.contacts_world import make_staff
from tests.factories.mails import mails
from tests.factories.onboarding_world import make_task
from tests.factories.people import (
    make_customer,
    make_member,
    make_organization,
    make_platform,
    make_user,
)
from tests.factories.program import make_policy, make_standing, policy_document
from tests.factories.queries import count_queries


def test_without_a_policy_the_page_says_so(client: FlaskClient) -> None:
    page = client.get("/join")
    assert page.status_code == 200
    assert "The program is not open yet" in page.text
    assert client.get("/join/technology").status_code == 404


def test_a_closed_type_is_not_offered(client: FlaskClient) -> None:
    types = policy_document()["types"]
    types[2]["is_open"] = False
    make_policy(types=types)
    db.session.commit()
    assert "Reseller" not in client.get("/join").text
    assert client.get("/join/reseller").location == "/join"
    answer = client.post("/join/reseller", data={"organization_name": "Late", "country": "DE"})
    assert answer.status_code == 409


def test_visitors_find_the_way_in(client: FlaskClient) -> None:
    make_policy()
    db.session.commit()
    for page in ("/", "/partners"):
        assert 'href="/join"' in client.get(page).text


def test_an_affiliate_signs_in_and_is_in(client: FlaskClient, sign_in: Any) -> None:
    make_policy()
    db.session.commit()
    asked = client.get("/join/affiliate").text
    assert "Your e-mail address" not in asked
    sent = client.post("/join/affiliate", data={"organization_name": "Kite Notes", "country": "SE"})
    assert sent.status_code == 303
    page = client.get(sent.location)
    assert "Almost there" in page.text
    token = sent.location.partition("token=")[2]
    browser = sign_in(make_user("Priya Raman"))
    # Who is not signed in makes nothing.
    assert client.post("/join/finish", data={"token": token}).status_code == 401
    welcome = browser.post("/join/finish", data={"token": token})
    assert "Welcome, Kite Notes" in welcome.text
    made = db.session.scalars(select(Organization)).one()
    assert place_of(made.id).tier == "registered"
    assert made.country == "SE"
    # They act for it from now on.
    assert "Kite Notes" in browser.get("/partner/start").text


def test_a_link_ends_after_three_days(client: FlaskClient) -> None:
    make_policy()
    db.session.commit()
    sent = client.post("/join/affiliate", data={"organization_name": "Kite Notes", "country": "SE"})
    assert client.get(sent.location).status_code == 200
    with clock.frozen(clock.now() + timedelta(days=3, minutes=1)):
        assert client.get(sent.location).status_code == 404


def test_a_customer_becomes_a_partner_with_its_own_organization(sign_in: Any) -> None:
    make_policy()
    customer = make_customer("Blue Kite")
    browser = sign_in(make_member(customer), customer)
    page = browser.get("/join/affiliate").text
    assert "Blue Kite" in page
    joined = browser.post("/join/affiliate", data={"organization": str(customer.id)})
    assert joined.status_code == 200
    db.session.rollback()
    found = db.session.get_one(Organization, customer.id)
    assert (found.kind, found.partner_type) == (OrganizationKind.PARTNER, "affiliate")
    again = browser.post("/join/affiliate", data={"organization": str(customer.id)})
    assert again.status_code == 422
    assert "is in the program as this type already" in again.text
    other = browser.post("/join/developer", data={"organization": str(customer.id)})
    assert other.status_code == 422
    assert "Ask your partner manager" in re.sub(r"\s+", " ", other.text)


def test_nobody_joins_for_somebody_elses_organization(sign_in: Any) -> None:
    make_policy()
    partner, own = make_organization("Tidewater"), make_organization("Own")
    member = make_member(own, Role.OWNER)
    viewer = make_member(partner, Role.VIEWER, user=make_user("Vic"))
    for browser in (sign_in(member, own), sign_in(viewer, partner)):
        answer = browser.post("/join/affiliate", data={"organization": str(partner.id)})
        assert answer.status_code == 422
    assert place_of(partner.id).tier == ""


def test_a_type_in_the_program_is_not_changed_on_the_profile(sign_in: Any) -> None:
    make_policy()
    partner = make_organization("Tidewater", verified_at=None)
    browser = sign_in(make_member(partner), partner)
    profile = {"name": "Tidewater", "partner_type": "reseller"}
    path = f"/organizations/{partner.slug}/profile"
    assert browser.post(path, data=profile).status_code == 302
    make_standing(partner)
    db.session.commit()
    refused = browser.post(path, data={**profile, "partner_type": "technology"})
    assert refused.status_code == 422
    assert "Your type is part of the program" in refused.text


def test_a_second_application_of_a_signed_in_person_is_told_at_once(sign_in: Any) -> None:
    make_policy()
    partner = make_organization("Tidewater")
    browser = sign_in(make_member(partner), partner)
    data = {"organization": str(partner.id), "answer_why": "Why not."}
    assert browser.post("/join/technology", data=data).status_code == 303
    again = browser.post("/join/technology", data=data)
    assert again.status_code == 422
    assert "applied for this already" in again.text


def test_one_address_gets_few_mails_a_day(client: FlaskClient) -> None:
    make_policy()
    db.session.commit()
    for n in range(8):
        sent = client.post(
            "/join/developer",
            data={
                "organization_name": f"Byte Harbor {n}",
                "country": "DE",
                "name": "Dee",
                "email": "dee@byte-harbor.example",
            },
        )
        assert sent.status_code == 303
    assert len(mails()) == 5


def test_tasks_are_done_by_members_of_the_partner_and_by_its_staff(sign_in: Any) -> None:
    policy = make_policy()
    partner = make_organization("Tidewater")
    make_standing(partner)
    own = make_task(partner, policy.id, title="Send the logo", days=-3)
    ours = make_task(partner, policy.id, title="Welcome pack", side=TaskSide.OPERATOR)
    daniel = make_staff(make_platform(), "Daniel Osei")
    browser = sign_in(make_member(partner), partner)
    viewer = sign_in(make_member(partner, Role.VIEWER, user=make_user("Vic")), partner)
    page = browser.get("/partner/tasks").text
    assert "Send the logo" in page
    assert "Late" in page
    assert "Welcome pack" in page
    assert viewer.post(f"/partner/tasks/{own.public_id}/done").status_code == 404
    # Each side does its own.
    assert browser.post(f"/partner/tasks/{ours.public_id}/done").status_code == 404
    desk = sign_in(daniel)
    assert desk.post(f"/staff/tasks/{own.public_id}/done").status_code == 404
    for _ in range(2):
        assert browser.post(f"/partner/tasks/{own.public_id}/done").status_code == 303
    assert "Done" in browser.get("/partner/tasks").text
    assert browser.post(f"/partner/tasks/{own.public_id}/reopening").status_code == 303
    assert desk.post(f"/staff/tasks/{ours.public_id}/done?q=tide&show=open").location == (
        "/staff/tasks?show=open&q=tide"
    )
    assert "Welcome pack" in desk.get("/staff/tasks?show=done").text
    for person in ("", "x", "9" * 30, "-1", "0"):
        path = f"/staff/tasks/{ours.public_id}/assignee"
        assert desk.post(path, data={"person": person}).status_code == 303


@pytest.mark.parametrize(
    "query", ["page=-1", "page=99999999999", "q=%00x", "show=odd", "mine=1", "q=" + "x" * 5_000]
)
def test_odd_questions_to_the_queue_are_answered(sign_in: Any, query: str) -> None:
    desk = sign_in(make_staff(make_platform(), "Daniel Osei"))
    assert desk.get(f"/staff/tasks?{query}").status_code == 200
    assert desk.get(f"/staff/tasks.csv?{query}").status_code == 200


def test_the_queue_costs_the_same_for_one_task_and_for_many(sign_in: Any) -> None:
    policy = make_policy()
    daniel = make_staff(make_platform(), "Daniel Osei")
    make_task(make_organization("One"), policy.id, side=TaskSide.OPERATOR)
    desk = sign_in(daniel)
    desk.get("/staff/tasks")
    few = count_queries(lambda: desk.get("/staff/tasks"))
    for n in range(12):
        task = make_task(make_organization(f"Org {n}"), policy.id, side=TaskSide.OPERATOR)
        task.assignee_id = daniel.id
    db.session.commit()
    assert count_queries(lambda: desk.get("/staff/tasks")) <= few + 1
    assert db.session.scalar(select(func.count()).select_from(PartnerTask)) == 13


def test_what_is_wrong_stands_in_one_box(client: FlaskClient) -> None:
    make_policy()
    refused = client.post("/join/technology", data={"organization_name": "Blue Kite"})
    assert refused.status_code == 422
    html = refused.text
    assert html.count("data-error-summary") == 1
    assert '<a href="#answer_why">Why do you apply?: ' in html
    assert '<a href="#website">' in html


def test_refused_forms_do_not_count_and_a_limit_says_for_how_long(
    app: Flask, client: FlaskClient
) -> None:
    make_policy()
    db.session.commit()
    app.config["RATELIMIT_ENABLED"] = True
    limiter.reset()
    for _ in range(12):
        assert client.post("/join/technology", data={}).status_code == 422
    answers = [
        client.post(
            "/join/technology",
            data={
                "organization_name": f"Number {number}",
                "website": f"https://number{number}.example",
                "country": "DE",
                "name": "Ada",
                "email": f"ada@number{number}.example",
                "answer_why": "Why not.",
            },
        )
        for number in range(11)
    ]
    assert [each.status_code for each in answers] == [303] * 10 + [429]
    assert re.search(r"you can try again in about \d+ minutes", answers[10].text)
    assert 3_000 < int(answers[10].headers["Retry-After"]) <= 3_600
