"""Creating organizations and saying what they are."""

import io
import re

import pytest
from flask import Flask
from PIL import Image
from sqlalchemy import select
from werkzeug.datastructures import FileStorage
from werkzeug.test import encode_multipart

from marketplace.core.database import db
from marketplace.core.facts import Fact
from marketplace.core.jobs import Job
from marketplace.identity.models import (
    Organization,
    Role,
    UserSession,
)
from tests.conftest import SignIn
from tests.factories.people import (
    make_customer,
    make_member,
    make_organization,
    make_platform,
    make_user,
)
from tests.journeys.identity.test_organizations import state

PROFILE = {
    "name": "Quayside Two",
    "partner_type": "agency",
    "tagline": "Software for harbours",
    "about": "We **build**.",
    "website": "https://quayside.example",
    "country": "NL",
    "brand_color": "#0F766E",
}


def test_a_partner_fills_in_its_profile_and_search_is_told(sign_in: SignIn) -> None:
    organization = make_organization(verified_at=None)
    browser = sign_in(make_member(organization))
    response = browser.post(f"/organizations/{organization.slug}/profile", data=PROFILE)
    assert response.status_code == 302
    db.session.expire_all()
    saved = {key: getattr(organization, key) for key in PROFILE}
    assert saved == {**PROFILE, "brand_color": "#0f766e"}
    job = db.session.scalars(select(Job)).one()
    assert job.payload == {"organization_id": organization.id}
    fact = db.session.scalars(select(Fact)).one()
    assert fact.kind == "organization.profile_changed"
    assert set(fact.data["fields"]) == set(PROFILE)


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("name", "", "Enter the name."),
        ("name", "x" * 81, "Use at most 80 characters."),
        ("tagline", "x" * 121, "Use at most 120 characters."),
        ("about", "x" * 4001, "Use at most 4,000 characters."),
        ("website", "quayside", "Enter a whole address"),
        ("website", "javascript:alert(1)", "Enter a whole address"),
        ("website", "https://user:pass@quayside.example", "Enter a whole address"),
        ("website", 'https://a.example/"onload=x', "Enter a whole address"),
        ("country", "XX", "Choose a country from the list."),
        ("brand_color", "red;}", "Use six hexadecimal digits"),
        ("partner_type", "king", "Choose what kind of partner you are."),
    ],
)
def test_a_wrong_profile_field_is_told_and_nothing_is_saved(
    sign_in: SignIn, field: str, value: str, message: str
) -> None:
    organization = make_organization(verified_at=None)
    browser = sign_in(make_member(organization))
    before = state()
    response = browser.post(
        f"/organizations/{organization.slug}/profile", data={**PROFILE, field: value}
    )
    assert response.status_code == 422
    assert message in response.text
    assert PROFILE["tagline"] in response.text or field == "tagline"
    assert state() == before


def test_the_name_of_a_verified_partner_is_for_staff_to_change(sign_in: SignIn) -> None:
    organization = make_organization("Quayside")
    path = f"/organizations/{organization.slug}/profile"
    browser = sign_in(make_member(organization))
    assert "only our staff can change it" in browser.get(path).text
    refused = browser.post(path, data=PROFILE)
    assert refused.status_code == 422
    assert "only our staff can change it" in refused.text
    # A disabled field is not sent; the rest of the form is saved all the same.
    rest = {key: value for key, value in PROFILE.items() if key != "name"}
    assert browser.post(path, data=rest).status_code == 302
    staff = sign_in(make_member(make_platform(), Role.PROGRAM_MANAGER))
    assert staff.post(path, data=PROFILE).status_code == 302
    db.session.expire_all()
    assert organization.name == "Quayside Two"
    reviewer = sign_in(make_member(make_customer(), Role.REVIEWER))
    assert reviewer.get(path).status_code == 404


def picture(size: tuple[int, int], form: str = "PNG") -> io.BytesIO:
    data = io.BytesIO()
    Image.new("RGB", size, "#0f766e").save(data, form)
    data.seek(0)
    return data


def test_a_logo_is_stored_anew_and_can_be_removed(sign_in: SignIn, app: Flask) -> None:
    organization = make_organization(verified_at=None)
    path = f"/organizations/{organization.slug}/profile"
    browser = sign_in(make_member(organization))
    browser.post(path, data={**PROFILE, "logo": (picture((600, 600)), "../../logo.png")})
    db.session.expire_all()
    key = organization.logo_key
    assert key is not None
    served = browser.get(f"/media/{key}")
    assert served.mimetype == "image/png"
    assert Image.open(io.BytesIO(served.data)).size == (512, 512)

    browser.post(path, data={**PROFILE, "remove_logo": "y"})
    db.session.expire_all()
    assert organization.logo_key is None


@pytest.mark.parametrize(
    ("upload", "message"),
    [
        (picture((64, 64)), "at least 128 by 128"),
        (picture((400, 200)), "must be square"),
        (picture((200, 200), "GIF"), "Use a PNG, JPEG or WebP image."),
        (io.BytesIO(b"<svg onload='alert(1)'/>"), "Use a PNG, JPEG or WebP image."),
        (io.BytesIO(b"\x89PNG\r\n\x1a\n" + b"0" * 100), "PNG, JPEG or WebP"),
        (io.BytesIO(b"x" * (5 * 1024 * 1024 + 1)), "larger than 5 MB"),
    ],
)
def test_a_logo_that_cannot_be_used_is_told_at_its_field(
    sign_in: SignIn, upload: io.BytesIO, message: str
) -> None:
    organization = make_organization(verified_at=None)
    browser = sign_in(make_member(organization))
    # Encoded here: the test client would leave a temporary file open for a body of this size.
    file = FileStorage(io.BytesIO(upload.getvalue()), "logo.png", content_type="image/png")
    boundary, body = encode_multipart({**PROFILE, "logo": file})
    response = browser.post(
        f"/organizations/{organization.slug}/profile",
        data=body,
        content_type=f'multipart/form-data; boundary="{boundary}"',
    )
    assert response.status_code == 422
    assert message in response.text
    db.session.expire_all()
    assert organization.logo_key is None
    assert organization.name != PROFILE["name"]


def test_an_organization_is_created_and_its_owner_works_for_it(sign_in: SignIn) -> None:
    make_organization("Ocean", slug="ocean-data")
    browser = sign_in(make_user())
    response = browser.post(
        "/organizations/new", data={"organization_name": "Ocean Data", "kind": "customer"}
    )
    assert response.location == "/organizations/ocean-data-2/profile"
    session = db.session.scalars(select(UserSession)).one()
    created = db.session.scalars(select(Organization).where(Organization.slug == "ocean-data-2"))
    assert session.organization_id == created.one().id


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ({"organization_name": "", "kind": "customer"}, "Enter the organization"),
        ({"organization_name": "x", "kind": "customer"}, "Use 2 to 80 characters."),
        ({"organization_name": "Ocean", "kind": "platform"}, "Not a valid choice"),
        ({"organization_name": "Ocean", "kind": "partner"}, "what kind of partner"),
    ],
)
def test_a_wrong_new_organization_is_told_at_its_field(
    sign_in: SignIn, data: dict[str, str], message: str
) -> None:
    response = sign_in(make_user()).post("/organizations/new", data=data)
    assert response.status_code == 422
    assert message in response.text
    assert db.session.scalars(select(Organization)).all() == []


def test_nobody_creates_organizations_without_end(sign_in: SignIn) -> None:
    browser = sign_in(make_user())
    answers = [
        browser.post(
            "/organizations/new", data={"organization_name": f"Ocean {n}", "kind": "customer"}
        )
        for n in range(11)
    ]
    assert [answer.status_code for answer in answers] == [302] * 10 + [409]


@pytest.mark.parametrize("name", ["Quayside", "QUAYSIDE", "  quayside "])
def test_a_partner_cannot_take_the_name_of_a_verified_one(sign_in: SignIn, name: str) -> None:
    make_organization("Quayside")
    mine = make_organization("Mine", verified_at=None)
    browser = sign_in(make_member(mine))
    answers = {"organization_name": name, "kind": "partner", "partner_type": "agency"}
    created = browser.post("/organizations/new", data=answers)
    renamed = browser.post(f"/organizations/{mine.slug}/profile", data={**PROFILE, "name": name})
    for response in (created, renamed):
        assert response.status_code == 422
        assert "A verified organization has this name." in response.text
    # A customer is seen by nobody and may be called as it is.
    answers["kind"] = "customer"
    assert browser.post("/organizations/new", data=answers).status_code == 302


def test_a_double_click_creates_one_organization(sign_in: SignIn) -> None:
    browser = sign_in(make_user())
    answers = {"organization_name": "Ocean", "kind": "customer"}
    first, second = (browser.post("/organizations/new", data=answers) for _ in range(2))
    assert first.location == second.location
    assert len(db.session.scalars(select(Organization)).all()) == 1
    assert list(db.session.scalars(select(Fact.kind))) == ["organization.created"]


def test_of_two_tabs_the_second_is_told_and_loses_nothing(sign_in: SignIn) -> None:
    organization = make_organization(verified_at=None)
    path = f"/organizations/{organization.slug}/profile"
    browser = sign_in(make_member(organization))

    def version() -> str:
        found = re.search(r'name="version"[^>]*value="([^"]+)"', browser.get(path).text)
        assert found is not None
        return found[1]

    both = version()
    first = {**PROFILE, "tagline": "From the first tab", "version": both}
    assert browser.post(path, data=first).status_code == 302
    second = {**PROFILE, "tagline": "From the second tab", "version": both}
    told = browser.post(path, data=second)
    assert told.status_code == 409
    assert "Somebody saved this profile while you were writing" in told.text
    assert "From the second tab" in told.text
    db.session.expire_all()
    assert organization.tagline == "From the first tab"

    meant = {**second, "version": version()}
    assert browser.post(path, data=meant).status_code == 302
    db.session.expire_all()
    assert organization.tagline == "From the second tab"
