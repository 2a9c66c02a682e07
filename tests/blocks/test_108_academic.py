"""108: a school verifies and its students get seats; a failed re-verification freezes them."""

import io
import re
from collections.abc import Callable

from flask.testing import FlaskClient

from marketplace.core import jobs
from marketplace.core.database import db
from marketplace.identity.models import Role
from tests.factories.certification_world import later
from tests.factories.name_server import name_server
from tests.factories.people import make_member, make_organization, make_platform, make_user
from tests.factories.program import make_policy, make_standing, policy_document
from tests.factories.verification_world import PDF, make_verified

SignIn = Callable[..., FlaskClient]


def _policy(seats: int) -> None:
    document = policy_document()
    document["entitlements"].append(
        {"key": "student_seats", "name": "Student seats", "kind": "limit"}
    )
    document["types"].append(
        {"key": "academic", "name": "School", "entitlements": {"student_seats": seats}}
    )
    make_policy(document)


def _submit(browser: FlaskClient, mark: bytes) -> None:
    shown = browser.post(
        "/partner/verification/documents",
        data={"kind": "accreditation", "file": (io.BytesIO(PDF + mark + b"\n%%EOF"), "a.pdf")},
    )
    assert shown.status_code == 303
    assert browser.post("/partner/verification/submission", data={}).status_code == 303


def _case(desk: FlaskClient) -> str:
    found = re.search(
        r"/staff/verifications/ver_\w+", desk.get("/staff/verifications").get_data(as_text=True)
    )
    assert found is not None
    return found[0]


def _approve(desk: FlaskClient) -> int:
    case = _case(desk)
    seen = re.search(r'name="seen" value="(\w+)"', desk.get(case).get_data(as_text=True))
    assert seen is not None
    return desk.post(f"{case}/approval", data={"seen": seen[1]}).status_code


def test_108_academic(sign_in: SignIn, run_jobs: Callable[[], int]) -> None:
    _policy(2)
    school = make_organization("Harbor University", partner_type="academic", verified_at=None)
    make_standing(school)
    owner = make_member(school)
    reviewer = make_member(make_platform(), Role.REVIEWER)
    ada, ben, eve = (
        make_user("Ada Berg", "ada@students.harbor-university.example"),
        make_user("Ben Ruiz", "ben@harbor-university.example"),
        make_user("Eve Moss", "eve@elsewhere.example"),
    )
    browser, desk = sign_in(owner, school), sign_in(reviewer)
    with name_server() as server:
        page = browser.post(
            "/partner/verification/domains",
            data={"domain": "harbor-university.example", "method": "dns"},
        ).location
        record = re.search(r"portico-verification=[\w-]+", browser.get(page).get_data(as_text=True))
        assert record is not None
        server.records["_portico.harbor-university.example"] = [record[0]]
        browser.post(f"{page}/check")
        run_jobs()
        student = sign_in(ada)
        too_early = student.post(f"/seats/at/{school.slug}", follow_redirects=True)
        assert "not verified now" in too_early.get_data(as_text=True)
        _submit(browser, b"1")
        assert _approve(desk) == 303
        run_jobs()

        stranger = sign_in(eve)
        assert "Harbor University" not in stranger.get("/seats").get_data(as_text=True)
        assert stranger.post(f"/seats/at/{school.slug}").status_code == 404
        for person in (ada, ben):
            taken = sign_in(person).post(f"/seats/at/{school.slug}")
            assert taken.status_code == 303
        cyd = make_user("Cyd Park", "cyd@harbor-university.example")
        full = sign_in(cyd).post(f"/seats/at/{school.slug}", follow_redirects=True)
        assert "All seats of the school are taken" in full.get_data(as_text=True)
        listed = browser.get("/partner/seats").get_data(as_text=True)
        assert "Ada Berg" in listed
        assert "2 of 2" in listed

        # The lab that a seat gives opens training and the developer tools.
        mine = student.get("/seats").get_data(as_text=True)
        lab = re.search(r'name="organization_id" value="(\d+)"', mine)
        assert lab is not None
        student.post("/account/organization", data={"organization_id": lab[1]})
        assert student.get("/partner/developers").status_code == 200
        assert student.get("/partner/courses").status_code == 200

        with later(days=340):
            browser, desk = sign_in(owner, school), sign_in(reviewer)
            _submit(browser, b"2")
            refused = desk.post(
                f"{_case(desk)}/refusal", data={"reason": "The accreditation was withdrawn."}
            )
            assert refused.status_code == 303
            run_jobs()
            db.session.expire_all()
            student = sign_in(ada)
            shown = student.get("/seats").get_data(as_text=True)
            assert "Your seat is frozen" in shown
            assert student.post(
                "/account/organization", data={"organization_id": lab[1]}
            ).status_code in (403, 404)
            assert "Frozen" in browser.get("/partner/seats").get_data(as_text=True)

            _submit(browser, b"3")
            assert _approve(desk) == 303
            run_jobs()
            assert "frozen" not in student.get("/seats").get_data(as_text=True)


def test_a_year_without_a_new_verification_freezes_seats_too(
    sign_in: SignIn, run_jobs: Callable[[], int]
) -> None:
    _policy(5)
    school = make_organization("Harbor University", partner_type="academic", verified_at=None)
    make_standing(school)
    make_verified(school, "harbor-university.example")
    ada = make_user("Ada Berg", "ada@harbor-university.example")
    assert sign_in(ada).post(f"/seats/at/{school.slug}").status_code == 303
    with name_server(), later(days=366):
        jobs.sweep()
        run_jobs()
        assert "Your seat is frozen" in sign_in(ada).get("/seats").get_data(as_text=True)
