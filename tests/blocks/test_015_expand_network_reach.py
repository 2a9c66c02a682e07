"""P invites P: the inviter is credited once, on approval; the operator's coverage map fills."""

import re
from typing import Any

from flask.testing import FlaskClient
from sqlalchemy import func, select

from marketplace.core.database import db
from marketplace.identity.models import Organization
from marketplace.program.applications.models import Application
from marketplace.program.measures import Measure, Measurement
from tests.factories.contacts_world import make_staff
from tests.factories.mails import mails
from tests.factories.people import make_member, make_organization, make_platform, make_user
from tests.factories.program import make_policy, make_standing, policy_document


def credits_of(organization: Organization) -> int:
    return (
        db.session.scalar(
            select(func.sum(Measurement.amount)).where(
                Measurement.organization_id == organization.id,
                Measurement.measure == Measure.PARTNERS_INVITED.value,
            )
        )
        or 0
    )


def coverage_on(page: str) -> dict[str, list[str]]:
    """The rows of the cockpit's map: partners of each type, and of all, by country."""
    table = page.split('class="insight-heat"')[1].split("</table>")[0]
    rows = re.findall(r"<tr>(.*?)</tr>", table.split("<tbody>")[1], re.S)
    cells = [re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row, re.S) for row in rows]
    plain = [[re.sub(r"<[^>]+>", "", cell).strip() for cell in row] for row in cells]
    return {row[0]: row[1:] for row in plain}


def code_in(body: str) -> str:
    found = re.search(r"/join\?invite=(\S+)", body)
    assert found is not None
    return found[1]


def test_015_expand_network_reach(client: FlaskClient, sign_in: Any) -> None:
    types = policy_document()["types"]
    types[0]["stages"] = []
    make_policy(types=types)
    staff = make_staff(make_platform(), "Daniel Osei")
    inviter = make_organization("Tidewater Labs", country="NL")
    make_standing(inviter)
    owner = make_member(inviter, user=make_user("Ada", "ada@tidewater.example"))
    browser = sign_in(owner, inviter)
    desk = sign_in(staff)
    before = coverage_on(desk.get("/staff/program").text)
    assert {country: row[-1] for country, row in before.items()} == {"Netherlands": "1"}

    sent = browser.post("/partner/invites", data={"email": "vera@harbor-robotics.example"})
    assert sent.status_code == 303
    mail = next(each for each in mails() if each["to"] == "vera@harbor-robotics.example")
    code = code_in(mail["body"])
    assert "Tidewater Labs invited you" in client.get(f"/join?invite={code}").text
    assert code in client.get(f"/join/technology?invite={code}").text
    client.post(
        "/join/technology",
        data={
            "invite": code,
            "organization_name": "Harbor Robotics",
            "website": "harbor-robotics.example",
            "country": "NO",
            "name": "Vera Lund",
            "email": "vera@harbor-robotics.example",
            "answer_why": "Ports.",
        },
    )
    # Not on applying: on approval, once.
    assert credits_of(inviter) == 0
    application = db.session.scalars(select(Application)).one()
    path = f"/staff/applications/{application.public_id}/decision"
    for _ in range(2):
        desk.post(path, data={"decision": "accept", "letter": "Welcome."})
    db.session.rollback()
    assert credits_of(inviter) == 1
    assert "Joined, credited" in browser.get("/partner/invites").text
    after = coverage_on(desk.get("/staff/program").text)
    assert {country: row[-1] for country, row in after.items()} == {
        "Netherlands": "1", "Norway": "1",
    }  # fmt: skip
    assert "1" in after["Norway"][:-1]

    # The code is used up, and inviting the same address again is refused.
    assert "Tidewater Labs invited you" not in client.get(f"/join?invite={code}").text
    again = browser.post("/partner/invites", data={"email": "vera@harbor-robotics.example"})
    assert again.status_code == 422


def test_inviting_oneself_gives_nothing(client: FlaskClient, sign_in: Any) -> None:
    make_policy()
    inviter = make_organization("Tidewater Labs", website="https://tidewater.example")
    make_standing(inviter)
    owner = make_member(inviter, user=make_user("Ada", "ada@tidewater.example"))
    browser = sign_in(owner, inviter)
    for own in ("ada@tidewater.example", "bob@mail.tidewater.example", "not an address", "\0"):
        assert browser.post("/partner/invites", data={"email": own}).status_code == 422
    # By a detour: an address elsewhere, and the same person signs up with it.
    browser.post("/partner/invites", data={"email": "second@elsewhere.example"})
    code = code_in(next(m for m in mails() if m["to"] == "second@elsewhere.example")["body"])
    owner.email = "ada@gmail.com"
    db.session.commit()
    joined = browser.post(
        "/join/affiliate",
        data={
            "invite": code,
            "organization": "new",
            "organization_name": "Second Wind",
            "country": "NL",
        },
    )
    assert joined.status_code == 200
    db.session.rollback()
    assert credits_of(inviter) == 0
    assert "not credited" in sign_in(owner, inviter).get("/partner/invites").text
