"""Organizations over HTTP: members, invitations, profile, and everybody else's locked doors."""

import csv
import io
import re
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import event, select

from marketplace.core import clock
from marketplace.core.database import db
from marketplace.core.jobs import Job
from marketplace.identity.models import (
    Invitation,
    Membership,
    Organization,
    Role,
)
from marketplace.identity.sessions import hash_token
from tests.conftest import SignIn
from tests.factories.people import (
    make_customer,
    make_member,
    make_organization,
    make_user,
)


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


# Every route of identity about an organization or something of one: (method, path, least role).
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
        if rule.rule.startswith("/organizations/<slug>") and rule.endpoint.startswith("identity.")
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


def test_every_route_of_identity_has_a_permission(app: Flask) -> None:
    views = {name: view for name, view in app.view_functions.items() if name[:9] == "identity."}
    assert len(views) > 30
    bare = [name for name, view in views.items() if not hasattr(view, "portico_permission")]
    assert bare == []
