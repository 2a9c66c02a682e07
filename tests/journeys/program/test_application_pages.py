"""Applying, reviewing and following an application over HTTP."""

from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from billing.models import BillingProfile, FeeKind, FeeRule
from marketplace.core.database import db
from marketplace.identity.models import Role
from marketplace.identity.queries import find_membership
from marketplace.program.applications.mails import tell_fee_paid
from marketplace.program.applications.models import (
    Application,
    ApplicationState,
    ProgramRound,
    RoundKind,
    RoundState,
)
from marketplace.program.applications.services.opening import Opened, open_application
from marketplace.program.applications.services.reviewing import ask_for_more
from marketplace.program.policy.document import FormField, Stage
from tests.conftest import SignIn
from tests.factories.applications_world import make_applications_world
from tests.factories.desk import make_schedule
from tests.factories.listings import make_listing
from tests.factories.mails import mails
from tests.factories.people import make_member, make_organization, make_user
from tests.factories.program import make_policy, make_standing
from tests.factories.queries import count_queries
from tests.factories.rounds import Judges, actor_of, make_application, make_judges, make_round

WHY = FormField.model_validate({"key": "why", "label": "Why?", "kind": "long_text"})
REVIEW = Stage(key="review", name="Review", reviewers=1)
HOSTILE = ("", "\x00", "x" * 10_000, str(2**63), "-1", "<b>")


def joining(email: str = "vera@new.example") -> Opened:
    opened = open_application(
        "admission:technology",
        answers={"why": "We build for harbors."},
        organization_id=None,
        applicant_user_id=None,
        email=email,
        name="Vera Lund",
        form=(WHY,),
        stages=(REVIEW,),
        title="Joining as a technology partner",
    )
    db.session.commit()
    return opened


def the_state() -> ApplicationState:
    db.session.expire_all()
    return db.session.scalars(select(Application.state)).one()


def test_an_applicant_follows_answers_and_withdraws_by_the_status_link(
    app: Flask, client: FlaskClient, sign_in: SignIn
) -> None:
    make_policy()
    opened = joining()
    judges = make_judges()
    db.session.commit()
    here = f"/applications/status/{opened.status_token}"
    page = client.get(here)
    assert page.status_code == 200
    assert "We build for harbors." in page.text
    assert "Number 1 of 1 in the queue" in page.text
    assert 'content="no-referrer"' in page.text
    assert client.get(here + "x").status_code == 404
    assert client.post(f"{here}/answer", data={"answer": "Now."}).status_code == 409
    boss = sign_in(judges.manager, judges.platform)
    desk = f"/staff/applications/{opened.application.public_id}"
    assert boss.post(f"{desk}/question", data={"question": ""}).status_code == 422
    assert boss.post(f"{desk}/question", data={"question": "Which harbors?"}).status_code == 303
    assert any(here in each["body"] and "Which harbors?" in each["body"] for each in mails())
    assert "Which harbors?" in client.get(here).text
    assert client.post(f"{here}/answer", data={"answer": " "}).status_code == 422
    assert client.post(f"{here}/answer", data={"answer": "Three."}).status_code == 303
    assert "Three." in boss.get(desk).text
    assert client.get(f"{here}/withdrawal").status_code == 200
    assert client.post(f"{here}/withdrawal").status_code == 303
    assert the_state() is ApplicationState.WITHDRAWN
    assert client.post(f"{here}/withdrawal").status_code == 409


def test_who_has_left_a_partner_neither_hears_of_its_application_nor_answers_it(
    app: Flask, client: FlaskClient
) -> None:
    make_policy()
    partner = make_organization("Quayside")
    make_member(partner, Role.OWNER, make_user("Ada Okafor", "ada@quayside.example"))
    left = make_member(partner, Role.EDITOR, make_user("Bo Lind", "bo@private.example"))
    opened = open_application(
        "admission:technology", answers={}, organization_id=partner.id,
        applicant_user_id=left.id, email=left.email or "", name=left.name, form=(),
        stages=(REVIEW,), title="Joining as a technology partner",
    )  # fmt: skip
    judges = make_judges()
    reviewer = actor_of(judges.reviewer, judges.platform)
    ask_for_more(opened.application, "Since when?", actor=reviewer)
    own = f"/partner/applications/{opened.application.public_id}"
    assert [(each["to"], own in each["body"]) for each in mails()][-1] == (
        "bo@private.example", True,
    )  # fmt: skip
    db.session.delete(find_membership(partner.id, left.id))
    db.session.commit()
    here = f"/applications/status/{opened.status_token}"
    assert client.get(here).status_code == 200
    assert client.post(f"{here}/answer", data={"answer": "Never."}).status_code == 403
    assert client.post(f"{here}/withdrawal").status_code == 403
    assert the_state() is ApplicationState.MORE_ASKED
    tell_fee_paid(opened.application)
    assert mails()[-1]["to"] == "ada@quayside.example"


def test_a_fee_is_paid_at_checkout_and_two_webhooks_unlock_the_review_once(
    app: Flask, sign_in: SignIn, stripe: Any
) -> None:
    make_policy()
    make_schedule(
        FeeRule(kind=FeeKind.SALE, bps=2_000),
        FeeRule(kind=FeeKind.APPLICATION, currency="EUR", fixed=4_900),
    )
    partner = make_organization("Quayside")
    owner = make_member(partner, Role.OWNER, make_user("Ada Okafor", "ada@quayside.example"))
    db.session.add(
        BillingProfile(
            organization_id=partner.id,
            legal_name="Quayside GmbH",
            country="DE",
            email="bills@quayside.example",
        )
    )
    application = open_application(
        "admission:technology", answers={}, organization_id=partner.id,
        applicant_user_id=owner.id, email=owner.email or "", name=owner.name, form=(),
        stages=(REVIEW,), title="Joining as a technology partner",
    ).application  # fmt: skip
    db.session.commit()
    browser = sign_in(owner, partner)
    here = f"/partner/applications/{application.public_id}"
    page = browser.get(here).text
    assert "The fee is due" in page
    assert "/partner/fees/payment?fee=application" in page
    paying = browser.post(
        "/partner/fees/payment", data={"fee": "application", "currency": "EUR", "shown": "4900"}
    )
    stripe.pay(paying.location)
    stripe.deliver(browser)
    stripe.deliver(browser)
    assert the_state() is ApplicationState.IN_REVIEW
    page = browser.get(here).text
    assert "Number 1 of 1" in page
    assert page.count("Fee paid") == 1
    told = [each for each in mails() if "your fee has arrived" in each["subject"]]
    assert len(told) == 1


def test_the_queue_filters_searches_and_exports(app: Flask, sign_in: SignIn) -> None:
    make_policy()
    joining()
    partner = make_organization("Quayside")
    make_standing(partner)
    owner = make_member(partner, Role.OWNER, make_user("Ada Okafor", "ada@quayside.example"))
    make_application(make_round(name="=Seed"), partner, owner)
    judges = make_judges()
    db.session.commit()
    boss = sign_in(judges.manager, judges.platform)
    assert "Joining as a technology partner" in boss.get("/staff/applications").text
    grants = boss.get("/staff/applications?kind=grant").text
    assert "=Seed: Quayside" in grants
    assert "Joining as a technology partner" not in grants
    assert "=Seed: Quayside" not in boss.get("/staff/applications?q=vera").text
    assert "Vera" not in boss.get("/staff/applications?mine=1").text
    file = boss.get("/staff/applications?format=csv")
    assert file.mimetype == "text/csv"
    assert "'=Seed: Quayside" in file.text
    for name in ("kind", "state", "stage", "q", "page", "mine", "format"):
        for value in HOSTILE:
            assert boss.get("/staff/applications", query_string={name: value}).status_code == 200


def test_the_review_clock_is_public(app: Flask, client: FlaskClient) -> None:
    assert client.get("/applications/clock").status_code == 200
    make_policy()
    joining()
    page = client.get("/applications/clock").text
    assert "Technology partner" in page
    assert "Vera" not in page


def test_lists_take_the_same_queries_however_long(app: Flask, sign_in: SignIn) -> None:
    make_policy()
    judges = make_judges()
    joining("one@one.example")
    boss = sign_in(judges.manager, judges.platform)
    boss.get("/staff/applications")
    few = count_queries(lambda: boss.get("/staff/applications"))
    for number in range(6):
        joining(f"v{number}@new{number}.example")
    assert count_queries(lambda: boss.get("/staff/applications")) <= few


def round_form(kind: RoundKind, **more: str) -> dict[str, str]:
    return {
        "kind": kind.value,
        "name": "Autumn",
        "text": "Money for harbors.",
        "opens_on": "2020-01-01",
        "closes_on": "2100-01-01",
        "currency": "EUR",
        "budget": "10,000.00",
        "track_days": "90",
        "questions-0-label": "What do you want to do?",
        "questions-0-kind": "long_text",
        "questions-1-label": "Which kind?",
        "questions-1-kind": "choice",
        "questions-1-options": "New, Old",
        "stages-0-name": "Review",
        "stages-0-reviewers": "2",
        "stages-0-pass_score": "60",
        "stages-0-criteria": "Impact, Team",
        **more,
    }


def test_a_round_is_written_opened_changed_and_closed(app: Flask, sign_in: SignIn) -> None:
    make_policy()
    judges = make_judges()
    partner = make_organization("Quayside")
    make_standing(partner)
    owner = make_member(partner, Role.OWNER, make_user("Ada Okafor", "ada@quayside.example"))
    db.session.commit()
    boss, mine = sign_in(judges.manager, judges.platform), sign_in(owner, partner)
    assert sign_in(judges.reviewer, judges.platform).get("/staff/rounds/new").status_code == 403
    for kind in RoundKind:
        assert boss.get(f"/staff/rounds/new?kind={kind.value}").status_code == 200
    wrong = boss.post("/staff/rounds/new", data=round_form(RoundKind.GRANT, name="", budget="x"))
    assert wrong.status_code == 422
    assert "Money for harbors." in wrong.text
    one_option = round_form(RoundKind.GRANT, **{"questions-1-options": "New"})
    assert boss.post("/staff/rounds/new", data=one_option).status_code == 422
    more = {**round_form(RoundKind.GRANT), "add_row": "questions"}
    assert "questions-2-label" in boss.post("/staff/rounds/new", data=more).text
    assert boss.post("/staff/rounds/new", data=round_form(RoundKind.GRANT)).status_code == 303
    round_ = db.session.scalars(select(ProgramRound)).one()
    assert round_.budget == 1_000_000
    assert round_.stages[0]["criteria"] == ["Impact", "Team"]
    here = f"/staff/rounds/{round_.public_id}"
    assert mine.get(f"/partner/rounds/{round_.public_id}").status_code == 404
    assert boss.post(f"{here}/opening").status_code == 303
    assert boss.post(f"{here}/opening").status_code == 409
    assert "Autumn" in mine.get(f"/partner/rounds/{round_.public_id}").text
    old = {**round_form(RoundKind.GRANT, name="Winter"), "edition": "7"}
    assert boss.post(f"{here}/edit", data=old).status_code == 409
    # A grant may have more than can be charged at once.
    new = {**round_form(RoundKind.GRANT, name="Winter", budget="2,000,000.00"), "edition": "1"}
    assert boss.post(f"{here}/edit", data=new).status_code == 303
    assert boss.get(f"{here}/edit").status_code == 200
    assert boss.get(f"{here}/closing").status_code == 200
    assert boss.post(f"{here}/closing").status_code == 303
    db.session.expire_all()
    assert db.session.scalars(select(ProgramRound.state)).one() is RoundState.CLOSED
    assert db.session.scalars(select(ProgramRound.budget)).one() == 200_000_000
    apply = f"/partner/rounds/{round_.public_id}/application"
    answers = {"answer_what_do_you_want_to_do": "Build.", "answer_which_kind": "New"}
    assert mine.post(apply, data=answers).status_code == 409


@pytest.fixture
def everything(app: Flask) -> tuple[Judges, Any, Any, dict[str, object]]:
    """A partner with one of each thing."""

    make_policy()
    judges = make_judges()
    partner = make_organization("Quayside")
    make_standing(partner)
    owner = make_member(partner, Role.OWNER, make_user("Ada Okafor", "ada@quayside.example"))
    values = make_applications_world(partner, owner, owner, make_listing(partner))
    db.session.commit()
    return judges, partner, owner, values


def test_no_form_falls_over_whatever_is_typed(
    app: Flask, sign_in: SignIn, everything: tuple[Judges, Any, Any, dict[str, object]]
) -> None:
    judges, partner, owner, values = everything
    browsers = (sign_in(owner, partner), sign_in(judges.manager, judges.platform))
    blueprints = ("applications", "applications_staff", "ideas", "ideas_staff")
    names = (
        "answer", "question", "reason", "reviewer", "decision", "letter", "award", "to", "version",
        "title", "target", "amount", "text", "due_on", "evidence", "url", "note", "mentor", "year",
        "summary", "goals-0-metric", "goals-0-target", "activities-0-due_on", "edition", "name",
        "opens_on", "places", "budget", "currency", "stages-0-reviewers", "gates-0-days", "kind",
        "figures-0-target", "score_0", "requests", "answer_why", "done", "add_row", "remove_row",
    )  # fmt: skip
    tried = 0
    for rule in list(app.url_map.iter_rules()):
        if rule.endpoint.split(".")[0] not in blueprints:
            continue
        with app.test_request_context():
            url = app.url_map.bind("localhost").build(
                rule.endpoint, {name: values[name] for name in rule.arguments}
            )
        browser = browsers[url.startswith("/staff")]
        if "GET" in (rule.methods or ()):
            assert browser.get(url).status_code < 500
        if "POST" not in (rule.methods or ()):
            continue
        for value in ("", "\x00", "x" * 10_000, str(2**63)):
            status = browser.post(url, data=dict.fromkeys(names, value)).status_code
            assert status < 500, (url, value[:20], status)
            tried += 1
    assert tried > 100


def test_ids_that_there_are_not_are_not_found(
    app: Flask, sign_in: SignIn, everything: tuple[Judges, Any, Any, dict[str, object]]
) -> None:
    judges, partner, owner, _values = everything
    mine, boss = sign_in(owner, partner), sign_in(judges.manager, judges.platform)
    for path in (
        "/partner/applications/x", "/partner/rounds/x", "/partner/rounds/places/x",
        "/partner/business-plans/x", "/partner/ideas/x", "/ideas/x",
    ):  # fmt: skip
        assert mine.get(path).status_code == 404, path
    for path in (
        "/staff/applications/x", "/staff/rounds/x", "/staff/rounds/places/x",
        "/staff/business-plans/x", "/staff/ideas/x",
    ):  # fmt: skip
        assert boss.get(path).status_code == 404, path
