"""Organizations over HTTP: members, invitations, profile, and everybody else's locked doors."""

import csv
import io
import re
from collections.abc import Callable
from datetime import timedelta

import pytest
from flask import Flask
from PIL import Image
from sqlalchemy import event, select
from werkzeug.datastructures import FileStorage
from werkzeug.test import encode_multipart

from marketplace.core import clock
from marketplace.core.database import db
from marketplace.core.facts import Fact
from marketplace.core.jobs import Job
from marketplace.identity.models import (
    Identity,
    Invitation,
    Membership,
    Organization,
    Role,
    User,
    UserSession,
)
from marketplace.identity.sessions import hash_token
from tests.conftest import SignIn
from tests.factories.people import (
    make_customer,
    make_member,
    make_organization,
    make_platform,
    make_user,
)
from tests.journeys.identity.conftest import ADA, BEN, Journey, RunningProvider
from tests.journeys.identity.test_account import mailed_link


def make_invitation(organization: Organization, email: str = "ben@bluekite.example") -> Invitation:
    invitation = Invitation(
        organization_id=organization.id,
        email=email,
        role=Role.EDITOR,
        token_hash=hash_token(email),
        expires_at=clock.now() + timedelta(days=7),
    )
    db.session.add(invitation)
    db.session.flush()
    return invitation


# Every route that names an organization or something of one: (method, path, least role).
MANAGER, MEMBER = "manager", "member"
ROUTES = [
    ("GET", "/organizations/{slug}/members", MEMBER),
    ("GET", "/organizations/{slug}/departure", MEMBER),
    ("POST", "/organizations/{slug}/departure", MEMBER),
    ("GET", "/organizations/{slug}/members.csv", MANAGER),
    ("GET", "/organizations/{slug}/profile", MANAGER),
    ("POST", "/organizations/{slug}/profile", MANAGER),
    ("POST", "/organizations/{slug}/invitations", MANAGER),
    ("POST", "/organizations/{slug}/members/{member}/role", MANAGER),
    ("GET", "/organizations/{slug}/members/{member}/removal", MANAGER),
    ("POST", "/organizations/{slug}/members/{member}/removal", MANAGER),
    ("POST", "/organizations/{slug}/invitations/{invitation}/sending", MANAGER),
    ("POST", "/organizations/{slug}/invitations/{invitation}/revocation", MANAGER),
]


def paths_of(organization: Organization) -> dict[str, object]:
    member = make_member(organization, Role.VIEWER, make_user("Victor Viewer"))
    invitation = make_invitation(organization)
    return {"slug": organization.slug, "member": member.id, "invitation": invitation.id}


@pytest.mark.parametrize(("method", "path", "least"), ROUTES)
def test_another_organizations_owner_finds_nothing_there(
    sign_in: SignIn, method: str, path: str, least: str
) -> None:
    theirs, mine = make_organization("Theirs"), make_organization("Mine")
    make_member(theirs)
    parts = paths_of(theirs)
    browser = sign_in(make_member(mine), mine)
    before = state()
    response = browser.open(path.format(**parts), method=method, data={"role": "owner"})
    assert response.status_code == 404
    assert state() == before


@pytest.mark.parametrize(("method", "path", "least"), ROUTES)
def test_an_id_of_another_organization_is_not_taken_under_ones_own_name(
    sign_in: SignIn, method: str, path: str, least: str
) -> None:
    theirs, mine = make_organization("Theirs"), make_organization("Mine")
    make_member(theirs)
    parts = {**paths_of(theirs), "slug": mine.slug}
    if "{member}" not in path and "{invitation}" not in path:
        return
    browser = sign_in(make_member(mine), mine)
    before = state()
    response = browser.open(path.format(**parts), method=method, data={"role": "owner"})
    assert response.status_code == 404
    assert state() == before


@pytest.mark.parametrize(("method", "path", "least"), ROUTES)
def test_a_member_who_does_not_manage_changes_nothing(
    sign_in: SignIn, method: str, path: str, least: str
) -> None:
    organization = make_organization()
    make_member(organization)
    parts = paths_of(organization)
    browser = sign_in(make_member(organization, Role.EDITOR), organization)
    if least == MEMBER:
        assert browser.open(path.format(**parts), method=method).status_code in {200, 302}
        return
    before = state()
    response = browser.open(path.format(**parts), method=method, data={"role": "owner"})
    assert response.status_code == 404
    assert state() == before


@pytest.mark.parametrize(("method", "path", "least"), ROUTES)
def test_nobody_gets_in_without_signing_in(app: Flask, method: str, path: str, least: str) -> None:
    organization = make_organization()
    make_member(organization)
    parts = paths_of(organization)
    db.session.commit()
    before = state()
    response = app.test_client().open(path.format(**parts), method=method)
    assert response.status_code in {302, 401}
    assert state() == before


def test_the_table_above_knows_every_route_of_an_organization(app: Flask) -> None:
    known = {(method, re.sub(r"\{\w+\}", "*", path)) for method, path, _ in ROUTES}
    found = {
        (method, re.sub(r"<[^>]+>", "*", rule.rule))
        for rule in app.url_map.iter_rules()
        if rule.rule.startswith("/organizations/<slug>")
        for method in (rule.methods or set()) & {"GET", "POST", "PUT", "PATCH", "DELETE"}
    }
    assert found == known


def state() -> list[object]:
    """Everything that an act on an organization could change."""
    db.session.expire_all()
    memberships = select(Membership.user_id, Membership.organization_id, Membership.role)
    invitations = select(Invitation.id, Invitation.token_hash, Invitation.revoked_at)
    organizations = select(Organization.id, Organization.name, Organization.tagline)
    return [db.session.execute(query).all() for query in (memberships, invitations, organizations)]


def test_a_removed_member_loses_the_organization_at_once_in_every_browser(
    sign_in: SignIn,
) -> None:
    organization = make_organization()
    owner, editor = make_member(organization), make_member(organization, Role.EDITOR)
    browser = sign_in(editor, organization)
    assert browser.get(f"/organizations/{organization.slug}/members").status_code == 200

    removed = sign_in(owner, organization).post(
        f"/organizations/{organization.slug}/members/{editor.id}/removal"
    )

    assert removed.location == f"/organizations/{organization.slug}/members"
    assert browser.get(f"/organizations/{organization.slug}/members").status_code == 404
    page = browser.get("/account")
    assert page.status_code == 200
    assert organization.name not in page.text
    mail = db.session.scalars(select(Job).where(Job.kind == "mail.send")).one()
    assert mail.payload["to"] == editor.email


def test_a_session_whose_organization_is_gone_goes_on_with_another(sign_in: SignIn) -> None:
    first, second = make_customer("First"), make_customer("Second")
    user = make_member(first)
    make_member(first)
    make_member(second, user=user)
    browser = sign_in(user, first)
    browser.post(f"/organizations/{first.slug}/departure")
    page = browser.get("/account/organizations").text
    assert "Second" in page
    assert "You work for it now" in page


def test_the_last_owner_is_told_why_they_cannot_leave(sign_in: SignIn) -> None:
    organization = make_organization()
    browser = sign_in(make_member(organization))
    response = browser.post(f"/organizations/{organization.slug}/departure")
    assert response.status_code == 409
    assert "Make somebody else one first." in response.text


def test_an_invitation_goes_from_the_form_through_the_mail_to_a_new_member(
    acme: RunningProvider,
    journey: Journey,
    sign_in: SignIn,
    app: Flask,
    run_jobs: Callable[[], int],
) -> None:
    organization = make_organization("Quayside")
    owner = make_member(organization)
    browser = sign_in(owner, organization)

    sent = browser.post(
        f"/organizations/{organization.slug}/invitations",
        data={"email": ADA.email, "role": "editor"},
    )
    assert sent.status_code == 302
    assert ADA.email in browser.get(f"/organizations/{organization.slug}/members").text
    run_jobs()
    link = mailed_link(app, ADA.email)

    page = journey.client.get(link)
    assert "Join Quayside" in page.text
    back = re.search(r'href="/auth/login\?next=([^"]+)"', page.text)
    assert back is not None
    # The person signs in for the first time, and comes back to the invitation.
    signed_in = journey.sign_in(ADA, next=link)
    assert signed_in.location.startswith("/welcome?next=/invitations?token")
    assert "invites you to Quayside" in journey.client.get("/welcome").text
    accepted = journey.client.post(
        "/invitations/acceptance", data={"token": link.split("token=")[1]}
    )
    assert accepted.status_code == 302
    ada = db.session.scalars(select(User).where(User.email == ADA.email)).one()
    membership = db.session.scalars(select(Membership).where(Membership.user_id == ada.id)).one()
    assert membership.role is Role.EDITOR
    closed = journey.client.get(link)
    assert closed.status_code == 410
    assert "accepted already" in closed.text


def test_opening_the_link_changes_nothing(sign_in: SignIn) -> None:
    organization = make_organization()
    make_invitation(organization, "ben@bluekite.example")
    browser = sign_in(make_user(email="ben@bluekite.example"))
    before = state()
    page = browser.get("/invitations?token=ben@bluekite.example")
    assert page.status_code == 200
    assert ">Accept<" in page.text
    assert page.headers["Referrer-Policy"] == "no-referrer"
    assert state() == before


def test_the_link_in_other_hands_says_whose_it_is_and_lets_nobody_in(sign_in: SignIn) -> None:
    organization = make_organization()
    make_invitation(organization, "ben@bluekite.example")
    browser = sign_in(make_user(email="ada@quayside.example"))
    page = browser.get("/invitations?token=ben@bluekite.example").text
    assert "You are signed in with another address" in page
    assert "ben@bluekite.example" in page
    assert ">Accept<" not in page

    response = browser.post("/invitations/acceptance", data={"token": "ben@bluekite.example"})
    assert response.status_code == 403
    assert "It was sent to ben@bluekite.example" in response.text
    assert db.session.scalars(select(Membership)).all() == []


@pytest.mark.parametrize("token", ["", "x", "x" * 5000, "%00", "a/b"])
def test_a_link_that_is_none_is_not_found(sign_in: SignIn, token: str) -> None:
    browser = sign_in(make_user())
    assert browser.get("/invitations", query_string={"token": token}).status_code == 404
    assert browser.post("/invitations/acceptance", data={"token": token}).status_code == 404


def test_an_invitation_is_answered_from_the_account_by_its_addressee_alone(
    sign_in: SignIn,
) -> None:
    organization = make_organization()
    invitation = make_invitation(organization, "ben@bluekite.example")
    stranger, ben = sign_in(make_user()), sign_in(make_user(email="ben@bluekite.example"))
    for act in ("acceptance", "refusal"):
        assert stranger.post(f"/account/invitations/{invitation.id}/{act}").status_code == 404
    assert organization.name in ben.get("/account/organizations").text
    assert ben.post(f"/account/invitations/{invitation.id}/refusal").status_code == 302
    assert ben.post(f"/account/invitations/{invitation.id}/acceptance").status_code == 409
    kinds = list(db.session.scalars(select(Fact.kind).order_by(Fact.id)))
    assert kinds == ["invitation.declined"]


def test_a_wrong_invitation_is_told_at_its_field_with_what_was_typed(sign_in: SignIn) -> None:
    organization = make_organization()
    browser = sign_in(make_member(organization))
    response = browser.post(
        f"/organizations/{organization.slug}/invitations",
        data={"email": "ben at bluekite", "role": "editor"},
    )
    assert response.status_code == 422
    assert "Enter an e-mail address, like" in response.text
    assert 'value="ben at bluekite"' in response.text


def test_the_members_file_holds_text_and_no_formulas(sign_in: SignIn) -> None:
    organization = make_organization()
    owner = make_member(organization)
    make_member(organization, Role.VIEWER, make_user("=cmd|' /C calc'!A0", "eve@evil.example"))
    response = sign_in(owner).get(f"/organizations/{organization.slug}/members.csv")
    assert response.mimetype == "text/csv"
    assert f"{organization.slug}-members.csv" in response.headers["Content-Disposition"]
    rows = list(csv.reader(io.StringIO(response.text)))
    assert rows[0] == ["Name", "E-mail", "Role", "Member since"]
    assert [row[0] for row in rows[1:]] == ["'=cmd|' /C calc'!A0", owner.name]


@pytest.mark.parametrize("path", ["members", "members.csv"])
def test_a_list_of_members_costs_the_same_queries_however_long_it_is(
    sign_in: SignIn, path: str
) -> None:
    organization = make_organization()
    browser = sign_in(make_member(organization), organization)

    def queries(count: int) -> int:
        for _ in range(count):
            make_member(organization, Role.VIEWER)
            make_invitation(organization, f"guest-{db.session.query(Invitation).count()}@x.example")
        db.session.commit()
        db.session.remove()
        seen: list[str] = []

        def note(*args: object) -> None:
            seen.append(str(args[2]))

        event.listen(db.engine, "before_cursor_execute", note)
        try:
            assert browser.get(f"/organizations/{organization_slug}/{path}").status_code == 200
        finally:
            event.remove(db.engine, "before_cursor_execute", note)
        return len(seen)

    organization_slug = organization.slug
    few = queries(3)
    organization = db.session.scalars(select(Organization)).one()
    assert queries(27) == few
    assert few <= 6


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
        browser.post("/organizations/new", data={"organization_name": "Ocean", "kind": "customer"})
        for _ in range(11)
    ]
    assert [answer.status_code for answer in answers] == [302] * 10 + [409]


def test_an_address_that_has_an_account_is_told_how_to_link(
    acme: RunningProvider, journey: Journey, app: Flask
) -> None:
    user = make_user(email=ADA.email)
    db.session.add(
        Identity(
            user_id=user.id,
            provider="google",
            issuer="https://accounts.google.com",
            subject="1",
            email=ADA.email,
            email_verified=True,
        )
    )
    db.session.commit()
    response = journey.sign_in(ADA)
    assert response.status_code == 409
    assert "Sign in with Google" in response.text
    assert "Choose to add Acme" in response.text
    assert journey.client.get("/account").status_code == 302
    assert len(db.session.scalars(select(User)).all()) == 1


def test_somebody_elses_identity_is_neither_linked_nor_unlinked(
    acme: RunningProvider, journey: Journey, sign_in: SignIn
) -> None:
    journey.sign_in(ADA)
    theirs = db.session.scalars(select(Identity)).one()
    me = make_user("Grace Hill")
    browser = Journey(sign_in(me))

    taken = browser.client.get(browser.choose(browser.begin(link="1"), ADA))
    assert taken.status_code == 409
    assert "belongs to another account" in taken.text
    for method in ("GET", "POST"):
        path = f"/account/sign-ins/{theirs.id}/removal"
        assert browser.client.open(path, method=method).status_code == 404
    assert db.session.scalars(select(Identity.user_id)).one() != me.id


def test_the_last_sign_in_cannot_be_unlinked(acme: RunningProvider, journey: Journey) -> None:
    journey.sign_in(ADA)
    identity = db.session.scalars(select(Identity)).one()
    assert "Your only sign-in stays" in journey.client.get("/account/sign-ins").text
    response = journey.client.post(f"/account/sign-ins/{identity.id}/removal")
    assert response.status_code == 409
    assert "Link another sign-in first" in response.text


def test_a_link_begun_by_one_person_is_not_finished_by_another(
    acme: RunningProvider, journey: Journey, sign_in: SignIn
) -> None:
    browser = Journey(sign_in(make_user("Grace Hill")))
    back = browser.choose(browser.begin(link="1"), BEN)
    other = sign_in(make_user("Heidi Lang"))
    cookie = other.get_cookie("portico_session")
    assert cookie is not None
    browser.client.set_cookie("portico_session", cookie.value)
    response = browser.client.get(back)
    assert response.status_code == 403
    assert "Nothing was linked" in response.text
    assert browser.client.get("/account/sign-ins/new").location == "/account/sign-ins"


def test_linking_needs_somebody_signed_in(acme: RunningProvider, journey: Journey) -> None:
    response = journey.client.get("/auth/acme/login?link=1")
    assert response.status_code == 302
    assert response.location.startswith("/auth/login")


def test_every_route_of_identity_has_a_permission(app: Flask) -> None:
    views = {name: view for name, view in app.view_functions.items() if name[:9] == "identity."}
    assert len(views) > 30
    bare = [name for name, view in views.items() if not hasattr(view, "portico_permission")]
    assert bare == []
