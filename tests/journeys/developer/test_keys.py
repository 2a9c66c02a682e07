"""Access keys in the partner portal over HTTP."""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from marketplace.core import clock
from marketplace.core.database import db
from marketplace.core.facts import Fact
from marketplace.core.limits import limiter
from marketplace.identity.models import Membership, Role
from marketplace.installs.credentials import hash_secret
from marketplace.installs.models import AccessKey, Environment
from marketplace.installs.scopes import PARTNER_SCOPES
from tests.factories.apps import make_key
from tests.factories.people import make_customer, make_member, make_organization, make_user

SignIn = Callable[..., FlaskClient]
WISH = {
    "name": "Release pipeline",
    "owner": "personal",
    "environment": "live",
    "scopes": ["partner.listings.read"],
    "lifetime": "90",
    "until": "",
}


@pytest.fixture(autouse=True)
def _fresh_limits(app: Flask) -> None:
    limiter.reset()


def shown_keys(page: str) -> list[str]:
    return re.findall(r"pk[po]_[\w-]{20,}", page)


def test_a_key_is_shown_once_and_found_by_its_hint(app: Flask, sign_in: SignIn) -> None:
    partner = make_organization()
    browser = sign_in(make_member(partner, Role.EDITOR), partner)
    assert "No key yet" in browser.get("/partner/keys").text
    assert browser.get("/partner/keys/new").status_code == 200
    answer = browser.post("/partner/keys", data=WISH)
    assert answer.status_code == 200
    assert answer.headers["Cache-Control"] == "no-store"
    assert "data-once" in answer.text
    (token,) = set(shown_keys(answer.text))
    assert token.startswith("pkp_")
    row = db.session.scalars(select(AccessKey)).one()
    assert row.token_hash == hash_secret(token)
    assert row.scopes == ["partner.listings.read"]
    assert row.environment is Environment.LIVE
    page = browser.get("/partner/keys").text
    assert token not in page
    assert f"…{row.hint}" in page
    assert "See listings" in page
    again = browser.post("/partner/keys", data=WISH)
    assert again.status_code == 422, "a reload makes no second key"
    assert "There is a key of this name" in again.text
    assert shown_keys(again.text) == []
    assert token not in str([fact.data for fact in db.session.scalars(select(Fact))])


@pytest.mark.parametrize(
    ("lifetime", "until", "expires"),
    [
        ("30", "", datetime(2026, 12, 24, 12, tzinfo=UTC)),
        ("90", "", datetime(2027, 2, 22, 12, tzinfo=UTC)),
        ("365", "", datetime(2027, 11, 24, 12, tzinfo=UTC)),
        ("date", "2026-12-01", datetime(2026, 12, 2, tzinfo=UTC)),
        ("date", "2026-11-24", datetime(2026, 11, 25, tzinfo=UTC)),
        ("never", "", None),
    ],
)
def test_a_key_lives_as_long_as_was_chosen(
    app: Flask, sign_in: SignIn, lifetime: str, until: str, expires: datetime | None
) -> None:
    partner = make_organization()
    with clock.frozen(datetime(2026, 11, 24, 12, tzinfo=UTC)):
        browser = sign_in(make_member(partner), partner)
        data = {**WISH, "lifetime": lifetime, "until": until}
        assert browser.post("/partner/keys", data=data).status_code == 200
    assert db.session.scalars(select(AccessKey)).one().expires_at == expires


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"name": " "}, "Use 2 to 80 characters."),
        ({"name": "x" * 81}, "Use 2 to 80 characters."),
        ({"scopes": []}, "Choose what the key may do."),
        ({"scopes": ["everything"]}, "Your role does not allow all of these."),
        ({"lifetime": "forever"}, "Choose how long the key lives."),
        ({"lifetime": "date"}, "Enter the last day on which the key works."),
        ({"lifetime": "date", "until": "yesterday"}, "Enter a day."),
        ({"lifetime": "date", "until": "2020-01-01"}, "This day is over."),
        ({"lifetime": "date", "until": "2999-01-01"}, "within the next two years"),
        ({"lifetime": "date", "until": "9999-12-31"}, "within the next two years"),
        ({"owner": "nobody"}, "Choose whose key it is"),
        ({"environment": "staging"}, "Choose whose key it is"),
    ],
)
def test_a_wish_for_a_key_is_told_what_is_wrong_and_kept(
    app: Flask, sign_in: SignIn, changes: dict[str, object], message: str
) -> None:
    partner = make_organization()
    browser = sign_in(make_member(partner), partner)
    wish = {**WISH, **changes}
    answer = browser.post("/partner/keys", data=wish)
    assert answer.status_code == 422
    assert message in answer.text
    assert f'value="{str(wish["name"]).strip()}' in answer.text or wish["name"] == " "
    assert db.session.scalars(select(AccessKey)).all() == []


@pytest.mark.parametrize(
    ("role", "scope", "allowed"),
    [
        (Role.VIEWER, "partner.listings.read", True),
        (Role.VIEWER, "partner.listings.write", False),
        (Role.FINANCE, "partner.erasures.write", False),
        (Role.EDITOR, "partner.reviews.write", True),
        (Role.DEVELOPER, "partner.reviews.write", False),
        (Role.DEVELOPER, "partner.listings.write", True),
    ],
)
def test_a_personal_key_may_do_no_more_than_its_persons_role(
    app: Flask, sign_in: SignIn, role: Role, scope: str, allowed: bool
) -> None:
    partner = make_organization()
    browser = sign_in(make_member(partner, role), partner)
    assert (f'value="{scope}"' in browser.get("/partner/keys/new").text) is allowed
    answer = browser.post("/partner/keys", data={**WISH, "scopes": [scope]})
    assert answer.status_code == (200 if allowed else 422)


@pytest.mark.parametrize(
    ("role", "allowed"),
    [(Role.OWNER, True), (Role.ADMIN, True), (Role.DEVELOPER, False), (Role.EDITOR, False)],
)
def test_only_owners_and_admins_make_keys_of_the_organization(
    app: Flask, sign_in: SignIn, role: Role, allowed: bool
) -> None:
    partner = make_organization()
    browser = sign_in(make_member(partner, role), partner)
    assert ('value="organization"' in browser.get("/partner/keys/new").text) is allowed
    wish = {**WISH, "owner": "organization", "scopes": list(PARTNER_SCOPES)}
    answer = browser.post("/partner/keys", data={**wish, "scopes": ["partner.listings.read"]})
    assert answer.status_code == (200 if allowed else 403)
    if allowed:
        row = db.session.scalars(select(AccessKey)).one()
        assert row.user_id is None
        assert shown_keys(answer.text)[0].startswith("pko_")


def test_people_see_their_own_keys_and_the_organizations_and_owners_see_all(
    app: Flask, sign_in: SignIn
) -> None:
    partner = make_organization()
    owner, ada, ben = make_member(partner), make_user("Ada One"), make_user("Ben Two")
    make_member(partner, Role.DEVELOPER, ada)
    make_member(partner, Role.VIEWER, ben)
    for user, name in ((ada, "Of Ada"), (ben, "Of Ben"), (None, "Of all")):
        make_key(partner, "partner.listings.read", user=user)
        newest = select(AccessKey).order_by(AccessKey.id.desc()).limit(1)
        db.session.scalars(newest).one().name = name
    keys = {key.name: key.id for key in db.session.scalars(select(AccessKey))}
    for user, seen in (
        (owner, set(keys)),
        (ada, {"Of Ada", "Of all"}),
        (ben, {"Of Ben", "Of all"}),
    ):
        browser = sign_in(user, partner)
        page = browser.get("/partner/keys").text
        assert {name for name in keys if name in page} == seen
        for name, key_id in keys.items():
            may = (
                user is owner
                or (name == "Of Ada" and user is ada)
                or (name == "Of Ben" and user is ben)
            )
            answer = browser.get(f"/partner/keys/{key_id}/revocation")
            assert answer.status_code == (200 if may else 404), (user.name, name)
            if not may:
                assert browser.post(f"/partner/keys/{key_id}/revocation").status_code == 404
    browser = sign_in(owner, partner)
    assert browser.post(f"/partner/keys/{keys['Of Ada']}/revocation").status_code == 303
    assert browser.post(f"/partner/keys/{keys['Of Ada']}/revocation").status_code == 303
    assert "Of Ada" not in sign_in(ada, partner).get("/partner/keys").text.split("<table")[-1]
    assert "Of Ada" in sign_in(ada, partner).get("/partner/keys?show=old").text
    assert list(db.session.scalars(select(Fact.kind))).count("access_key.revoked") == 1


def test_keys_of_another_organization_do_not_exist(app: Flask, sign_in: SignIn) -> None:
    partner, rival = make_organization(), make_organization("Rival")
    make_key(partner, "partner.listings.read")
    key_id = db.session.scalar(select(AccessKey.id))
    person = make_member(rival)
    make_member(partner, Role.OWNER, person)
    for browser in (sign_in(person, rival), sign_in(make_member(make_customer()))):
        assert browser.get(f"/partner/keys/{key_id}/revocation").status_code == 404
        assert browser.post(f"/partner/keys/{key_id}/revocation").status_code == 404
    assert db.session.scalar(select(AccessKey.revoked_at)) is None


def test_a_key_ends_with_its_persons_membership_and_shrinks_with_their_role(
    app: Flask, sign_in: SignIn
) -> None:
    partner = make_organization()
    owner, ada = sign_in(make_member(partner), partner), make_user("Ada One")
    make_member(partner, Role.EDITOR, ada)
    make_key(partner, "partner.listings.read", "partner.reviews.write", user=ada)
    db.session.commit()
    assert "the role changed" not in owner.get("/partner/keys").text
    membership = db.session.scalars(select(Membership).where(Membership.user_id == ada.id)).one()
    membership.role = Role.VIEWER
    db.session.commit()
    assert owner.get("/partner/keys").text.count("the role changed") == 1
    db.session.delete(db.session.scalars(select(Membership).filter_by(user_id=ada.id)).one())
    db.session.commit()
    assert "Ada One" not in owner.get("/partner/keys").text
    assert "Left" in owner.get("/partner/keys?show=old").text


def test_a_key_that_expires_soon_is_marked(app: Flask, sign_in: SignIn) -> None:
    partner = make_organization()
    make_key(partner, "partner.listings.read", expires_at=clock.now() + timedelta(days=6))
    browser = sign_in(make_member(partner), partner)
    assert "Soon" in browser.get("/partner/keys").text
    db.session.scalars(select(AccessKey)).one().expires_at = clock.now() - timedelta(seconds=1)
    db.session.commit()
    assert "No key yet" in browser.get("/partner/keys").text
    assert "Expired" in browser.get("/partner/keys?show=old").text
