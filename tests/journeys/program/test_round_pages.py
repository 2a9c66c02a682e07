"""Rounds over HTTP: choosing a mentor among many, and pages that stay at so many queries."""

import re

from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from marketplace.core.database import db
from marketplace.identity.models import Role
from marketplace.program.applications.models import RoundPlace
from tests.conftest import SignIn
from tests.factories.applications_world import make_applications_world
from tests.factories.listings import make_listing
from tests.factories.people import make_member, make_organization, make_platform, make_user
from tests.factories.program import make_policy, make_standing


def options_of(page: str) -> list[str]:
    """The names in the mentor's select."""
    select_ = page.split('name="mentor"')[1].split("</select>")[0]
    return [each.strip() for each in re.findall(r"<option[^>]*>([^<]+)", select_)]


def staff_of_a_round(sign_in: SignIn) -> tuple[FlaskClient, str]:
    """A manager's browser, and the page of a partner's place."""
    make_policy()
    partner = make_organization("Quayside")
    make_standing(partner)
    owner = make_member(partner, Role.OWNER, make_user("Zoe Owner"))
    make_applications_world(partner, owner, owner, make_listing(partner))
    place = db.session.scalars(select(RoundPlace)).one()
    manager = make_member(make_platform(), Role.PROGRAM_MANAGER, make_user("Zz Manager"))
    return sign_in(manager), f"/staff/rounds/places/{place.public_id}"


def test_any_mentor_is_found_however_many_there_are(app: Flask, sign_in: SignIn) -> None:
    browser, page = staff_of_a_round(sign_in)
    other = make_organization("Kitewell")
    for number in range(60):
        make_member(other, Role.EDITOR, make_user(f"Anna {number:02}"))
    last = make_member(other, Role.EDITOR, make_user("Yusuf Karim", "yusuf@kitewell.example"))
    db.session.commit()
    first = browser.get(page).text
    assert len(options_of(first)) == 51
    assert "Yusuf" not in first
    assert "These are the first 50." in first
    for sought in ("yusuf", "karim", "yusuf@kite"):
        found = browser.get(f"{page}?find={sought}").text
        assert options_of(found) == ["Nobody", "Yusuf Karim, Kitewell"]
        assert f'<option selected value="{last.id}">' in found
    assert "Nobody is found by" in browser.get(f"{page}?find=%25").text
    # Whoever works for the partner itself is not offered, and is refused.
    assert "Zoe Owner" not in "".join(options_of(browser.get(f"{page}?find=zoe").text))
    assert browser.post(f"{page}/mentor", data={"mentor": str(last.id)}).status_code == 303
    assert "Yusuf Karim" in "".join(options_of(browser.get(page).text))
    for wrong in ("-1", "99999999", "x" * 400):
        assert browser.post(f"{page}/mentor", data={"mentor": wrong}).status_code == 422


def test_people_of_the_partner_and_of_suspended_ones_are_no_mentors(
    app: Flask, sign_in: SignIn
) -> None:
    browser, page = staff_of_a_round(sign_in)
    own = db.session.scalars(select(RoundPlace)).one()
    organization = make_organization("Gone", suspended_at=own.started_at)
    gone = make_member(organization, Role.EDITOR, make_user("Gil Gone"))
    db.session.commit()
    assert browser.post(f"{page}/mentor", data={"mentor": str(gone.id)}).status_code == 422
    assert "Gil Gone" not in browser.get(f"{page}?find=gil").text.split('name="mentor"')[1]
