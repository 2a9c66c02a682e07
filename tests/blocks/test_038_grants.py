"""38 Grants: R scores a round, O accepts, P shows milestones, and each accepted one is paid."""

from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from billing.ledger import balance
from billing.payouts.payable import payable_balance
from billing.verify import verify
from marketplace.core.database import db
from marketplace.identity.models import Organization, Role, User
from marketplace.program.applications.models import Application, Milestone, RoundPlace
from tests.conftest import SignIn
from tests.factories.mails import mails
from tests.factories.people import make_member, make_organization, make_user
from tests.factories.program import make_policy, make_standing
from tests.factories.rounds import make_judges, make_round, seen_on


def a_partner(
    name: str = "Quayside", domain: str = "quayside.example"
) -> tuple[Organization, User]:
    partner = make_organization(name)
    make_standing(partner, "silver")
    return partner, make_member(
        partner, Role.OWNER, make_user("Ada Okafor", "ada@quayside.example")
    )


def the_application() -> Application:
    db.session.expire_all()
    return db.session.scalars(select(Application)).one()


def test_038_grants(app: Flask, sign_in: SignIn) -> None:
    make_policy()
    judges = make_judges()
    partner, owner = a_partner()
    conflicted = make_member(
        judges.platform, Role.REVIEWER, make_user("Rhys Calloway", "rhys@quayside.example")
    )
    round_ = make_round(name="Seed money")
    db.session.commit()
    mine = sign_in(owner, partner)

    assert "Seed money" in mine.get("/partner/rounds").text
    form = mine.get(f"/partner/rounds/{round_.public_id}/application")
    assert 'name="answer_why"' in form.text
    empty = mine.post(f"/partner/rounds/{round_.public_id}/application", data={})
    assert empty.status_code == 422
    done = mine.post(
        f"/partner/rounds/{round_.public_id}/application", data={"answer_why": "A connector."}
    )
    assert done.status_code == 303
    again = mine.post(
        f"/partner/rounds/{round_.public_id}/application", data={"answer_why": "A connector."}
    )
    assert again.status_code == 409
    address = f"/staff/applications/{the_application().public_id}"

    # Whoever has a conflict of interest reads it, and neither scores nor decides.
    friend = sign_in(conflicted, judges.platform)
    assert "Conflict of interest" in friend.get(address).text
    assert friend.post(f"{address}/score", data={"score_0": 100}).status_code == 403
    assert friend.get(f"{address}/decision?accept=1").status_code == 403
    decision = {"decision": "accept", "letter": "Dear {name}, {title}.", "award": "1000"}
    assert friend.post(f"{address}/decision", data=decision).status_code == 403

    first = sign_in(judges.reviewer, judges.platform)
    second = sign_in(judges.second, judges.platform)
    assert first.post(f"{address}/score", data={"score_0": "x"}).status_code == 422
    given = first.post(f"{address}/score", data={"score_0": "80", "comment": "Strong team."})
    assert given.status_code == 303
    # The other one does not see it before they have scored themselves.
    assert "Strong team." not in second.get(address).text
    boss = sign_in(judges.manager, judges.platform)
    assert boss.post(f"{address}/decision", data=decision).status_code == 409
    assert second.post(f"{address}/score", data={"score_0": "70"}).status_code == 303
    assert "Strong team." in second.get(address).text

    too_much = boss.post(f"{address}/decision", data={**decision, "award": "10000.01"})
    assert too_much.status_code == 422
    assert the_application().state.value == "in_review"
    preview = boss.post(f"{address}/decision", data={**decision, "preview": "1"})
    assert "Dear Ada Okafor, Seed money: Quayside." in preview.text
    assert boss.post(f"{address}/decision", data=decision).status_code == 303
    assert any("Dear Ada Okafor" in each["body"] for each in mails())

    place = db.session.scalars(select(RoundPlace)).one()
    assert place.award == 100_000
    here = f"/staff/rounds/places/{place.public_id}"
    for title, amount, status in (
        ("Beta", "600", 303),
        ("Launch", "400.01", 422),
        ("Launch", "400", 303),
    ):
        answer = boss.post(f"{here}/milestones", data={"title": title, "amount": amount})
        assert answer.status_code == status
    beta, launch = db.session.scalars(select(Milestone).order_by(Milestone.position)).all()

    shown = mine.post(
        f"/partner/rounds/milestones/{beta.public_id}/evidence",
        data={"evidence": "It runs at three customers.", "url": "https://quayside.example/beta"},
    )
    assert shown.status_code == 303
    # What is not accepted is not paid.
    assert payable_balance(partner.id, "EUR") == 0
    step = f"/staff/rounds/milestones/{beta.public_id}/acceptance"
    assert friend.post(step, data={}).status_code == 403
    assert payable_balance(partner.id, "EUR") == 0
    seen = seen_on(boss.get(here).text, step)
    assert boss.post(step, data={"note": "Well done.", **seen}).status_code == 303
    assert payable_balance(partner.id, "EUR") == 60_000
    assert balance("program_expense", "EUR") == 60_000
    # Twice is once, and what nothing was handed in for stays unpaid.
    assert boss.post(step, data=seen).status_code == 409
    other = f"/staff/rounds/milestones/{launch.public_id}/acceptance"
    assert boss.post(other, data={}).status_code == 409
    assert payable_balance(partner.id, "EUR") == 60_000
    assert list(verify()) == []
    page = mine.get(f"/partner/rounds/places/{place.public_id}")
    assert "€600.00" in page.text
    assert "payable since" in page.text
    _see_statement(mine)


def _see_statement(browser: FlaskClient) -> None:
    page = browser.get("/partner/earnings")
    assert page.status_code == 200
    assert "€600.00" in page.text
