"""Training, credentials, embeds and passports take any input without failing."""

from collections.abc import Callable

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from marketplace.accreditation.courses.models import Attempt, Course
from marketplace.accreditation.credentials.models import Credential
from marketplace.core.database import db
from marketplace.identity.models import Organization, Role, User
from tests.factories.courses import make_course, make_credential
from tests.factories.credentials_world import make_credentials_world
from tests.factories.listings import make_listing
from tests.factories.people import make_customer, make_member, make_organization, make_platform
from tests.factories.queries import count_queries

SignIn = Callable[..., FlaskClient]

HOSTILE = (
    "",
    "\x00",
    "x" * 10_000,
    str(2**63),
    "-1",
    "<script>alert(1)</script>",
    "☃",
    "1e9",
    "[]",
)
FIELDS = (
    "title", "summary", "types", "min_tier", "validity_months", "pass_percent", "drawn",
    "attempts_allowed", "wait_hours", "time_limit_minutes", "body", "video_url", "kind", "text",
    "options", "explanation", "seen", "member", "trainer", "held_on", "people", "notes", "nonce",
    "partner", "email", "description", "criteria", "expires_on", "reason", "token", "known",
    "audience", "address", "name", "thumbprint", "items", "shown", "asked", "q_000000000001",
)  # fmt: skip


@pytest.fixture
def values(app: Flask) -> dict[str, object]:
    """A partner with one of each, whose owner is `owner`, and a program manager."""
    partner = make_organization("Quayside")
    owner, customer = make_member(partner), make_member(make_customer())
    found = make_credentials_world(partner, owner, customer, make_listing(partner))
    manager = make_member(make_platform(), Role.PROGRAM_MANAGER)
    db.session.commit()
    return {**found, "partner": partner, "owner": owner, "manager": manager}


def paths(values: dict[str, object], side: str) -> list[str]:
    course = f"/staff/courses/{values['course_id']}"
    if side == "staff":
        return [
            "/staff/courses/new",
            f"{course}/settings",
            f"{course}/lessons/new",
            f"{course}/lessons/{values['lesson_key']}",
            f"{course}/questions/new",
            f"{course}/questions/{values['question_key']}",
            f"{course}/parts/%00/remove",
            f"{course}/learners/{2**63 - 1}/attempts",
            "/staff/credentials/new",
            f"/staff/credentials/{values['credential_id']}/revoke",
            "/staff/passports/import",
            "/staff/passports/accept",
            "/staff/passports/issuers",
        ]
    return [
        f"/partner/courses/attempts/{values['attempt_id']}/answers",
        "/partner/courses/trainers",
        "/partner/courses/sessions/new",
        f"/partner/courses/{values['course_id']}/lessons/%00",
        "/partner/passport",
        "/credentials/verify",
        f"/credentials/{values['credential_id']}/name",
        "/passports/receipts",
    ]


@pytest.mark.parametrize("side", ["staff", "partner"])
def test_every_form_survives_anything(
    app: Flask, values: dict[str, object], sign_in: SignIn, side: str
) -> None:
    app.config["RATELIMIT_ENABLED"] = False
    person = values["manager"] if side == "staff" else values["owner"]
    browser = sign_in(person, None if side == "staff" else values["partner"])
    for path in paths(values, side):
        for hostile in HOSTILE:
            answer = browser.post(path, data=dict.fromkeys(FIELDS, hostile))
            assert answer.status_code < 500, (path, hostile[:30])
            if "<script>" in hostile:
                assert "<script>alert(1)" not in answer.text, path
        assert browser.post(path, data=b"\xff\xfe", content_type="text/plain").status_code < 500


def test_every_list_survives_any_query(
    app: Flask, values: dict[str, object], sign_in: SignIn
) -> None:
    owner = sign_in(values["owner"], values["partner"])
    staff = sign_in(values["manager"])
    for browser, path in (
        (owner, "/partner/credentials"),
        (owner, "/partner/credentials.csv"),
        (owner, "/partner/courses/trainers"),
        (owner, "/partner/embeds"),
        (owner, "/partner/passport"),
        (staff, "/staff/credentials"),
        (staff, "/staff/credentials.csv"),
        (staff, f"/staff/courses/{values['course_id']}/learners"),
        (staff, "/staff/passports"),
        (owner, "/credentials/verify"),
        (owner, "/badges/partner/x.svg"),
    ):
        for hostile in ("-1", "99999999999999999999", "%00", "%25%5F", "x" * 3_000, "%F0%9F"):
            answer = browser.get(
                f"{path}?page={hostile}&q={hostile}&state={hostile}&theme={hostile}"
                f"&size={hostile}&listing={hostile}&credential={hostile}"
            )
            assert answer.status_code < 500, (path, hostile[:20])


def test_unknown_ids_are_not_found(app: Flask, values: dict[str, object], sign_in: SignIn) -> None:
    owner = sign_in(values["owner"], values["partner"])
    staff = sign_in(values["manager"])
    for wrong in ("nobody", "%00", "x" * 500, "-1"):
        for browser, path in (
            (owner, f"/partner/courses/{wrong}"),
            (owner, f"/partner/courses/attempts/{wrong}"),
            (owner, f"/partner/courses/trainers/{wrong}/end"),
            (owner, f"/partner/courses/sessions/{wrong}/withdraw"),
            (owner, f"/partner/passport/{wrong}/passport.jwt"),
            (owner, f"/credentials/{wrong}"),
            (owner, f"/credentials/{wrong}/credential.jwt"),
            (owner, f"/credentials/keys/{wrong}"),
            (owner, f"/credentials/status/{wrong}"),
            (staff, f"/staff/courses/{wrong}"),
            (staff, f"/staff/credentials/{wrong}/revoke"),
            (staff, f"/staff/passports/issuers/{wrong}/remove"),
        ):
            assert browser.get(path).status_code == 404, path
    for number in (0, 2, 99_999, 2**63 - 1, 2**70):
        assert owner.get(f"/credentials/status/{number}").status_code == 404


def test_what_was_typed_stays_when_it_is_refused(
    app: Flask, values: dict[str, object], sign_in: SignIn
) -> None:
    staff = sign_in(values["manager"])
    course = f"/staff/courses/{values['course_id']}"
    page = staff.post(
        f"{course}/questions/new",
        data={"kind": "single", "text": "My question?", "options": "Yes\nNo", "explanation": "E"},
    )
    assert page.status_code == 422
    assert "Put a star (*) before each right answer." in page.text
    assert "My question?" in page.text
    page = staff.post(
        f"{course}/lessons/new", data={"title": "Mine", "body": "Text", "video_url": "http://x"}
    )
    assert page.status_code == 422
    assert "The address must begin with https://." in page.text
    page = staff.post("/staff/credentials/new", data={"partner": "nobody", "title": "T"})
    assert page.status_code == 422
    assert "Say what it stands for." in page.text


def test_a_credential_by_hand_is_issued_once_for_each_form(
    app: Flask, values: dict[str, object], sign_in: SignIn
) -> None:
    staff = sign_in(values["manager"])
    partner, owner = values["partner"], values["owner"]
    assert isinstance(partner, Organization)
    assert isinstance(owner, User)
    form = {
        "nonce": "abc", "partner": partner.slug, "email": owner.email or "", "title": "Speaker",
        "description": "Gave a talk.", "criteria": "", "expires_on": "",
    }  # fmt: skip
    for _click in range(2):
        assert staff.post("/staff/credentials/new", data=form).status_code == 303
    db.session.rollback()
    rows = db.session.scalars(select(Credential).where(Credential.title == "Speaker")).all()
    assert len(rows) == 1
    assert rows[0].user_id == owner.id
    for wrong in (
        {"email": "nobody@elsewhere.example"},
        {"expires_on": "2020-01-01"},
        {"expires_on": "9999-12-31x"},
        {"expires_on": "9999-12-31"},
        {"expires_on": "2126-01-01"},
    ):
        page = staff.post("/staff/credentials/new", data={**form, "nonce": "n", **wrong})
        assert page.status_code == 422, wrong


def test_a_name_is_public_only_when_its_holder_wants(
    app: Flask, client: FlaskClient, sign_in: SignIn
) -> None:
    partner = make_organization("Quayside")
    holder, colleague = make_member(partner), make_member(partner, Role.EDITOR)
    holder.name = "Ada Lovelace"
    credential = make_credential(partner, holder)
    db.session.commit()
    path = f"/credentials/{credential.public_id}"
    shown = client.get(path)
    assert 'name="robots" content="noindex"' in shown.text
    assert "Ada Lovelace" not in shown.text
    assert "Quayside" not in shown.text
    assert (
        sign_in(colleague, partner).post(f"{path}/name", data={"shown": "yes"}).status_code == 404
    )
    assert sign_in(colleague, partner).get(f"{path}/credential.jwt").status_code == 404
    mine = sign_in(holder, partner)
    assert mine.post(f"{path}/name", data={"shown": "yes"}).status_code == 303
    assert "Ada Lovelace" in client.get(path).text
    assert mine.post(f"{path}/name", data={"shown": "no"}).status_code == 303
    assert "Ada Lovelace" not in client.get(path).text


def test_pages_ask_the_database_no_more_for_more_rows(app: Flask, sign_in: SignIn) -> None:
    partner = make_organization("Quayside")
    people = [make_member(partner) for _each in range(8)]
    manager = make_member(make_platform(), Role.PROGRAM_MANAGER)
    courses = [make_course(title="Course 1")]
    make_credential(partner, people[0])
    db.session.commit()
    owner, staff = sign_in(people[0], partner), sign_in(manager)
    pages = (
        (owner, "/partner/courses"),
        (owner, "/partner/credentials"),
        (staff, "/staff/credentials"),
        (staff, "/staff/courses"),
        (staff, f"/staff/courses/{courses[0].public_id}/learners"),
    )

    def counted() -> list[int]:
        found = []
        for browser, path in pages:
            browser.get(path)
            found.append(count_queries(lambda b=browser, p=path: b.get(p)))
        return found

    few = counted()
    for number in range(2, 8):
        make_course(title=f"Course {number}")
    for person in people:
        make_credential(partner, person)
    assert db.session.scalar(select(Course.id)) is not None
    assert db.session.scalar(select(Attempt.id)) is None
    db.session.commit()
    assert counted() == few
