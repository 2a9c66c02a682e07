"""Services of the developers' pages: locks, limits, and mails that are sent once."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import func, select

from marketplace.core import clock
from marketplace.core.database import db
from marketplace.core.errors import ConflictError, ForbiddenError, InvalidError
from marketplace.core.unit_of_work import unit_of_work
from marketplace.identity.models import Membership, Role
from marketplace.identity.services import members
from marketplace.installs.developer.jobs import tell_expiring
from marketplace.installs.developer.queries.apps import installs_by_day
from marketplace.installs.developer.services import apps, clients, keys
from marketplace.installs.models import (
    AccessKey,
    App,
    ClientSecret,
    Environment,
    InstallationEvent,
)
from tests.factories.acting import actor_for
from tests.factories.apps import make_app, make_installation, make_key
from tests.factories.listings import make_listing
from tests.factories.mails import mails
from tests.factories.people import make_customer, make_member, make_organization
from tests.factories.races import at_once

LIVE = Environment.LIVE


def test_four_clicks_at_once_make_one_secret(app: Flask) -> None:
    partner = make_organization()
    app_id = make_app(make_listing(partner)).id
    actor = actor_for(make_member(partner), partner)
    db.session.commit()
    made: list[str] = []

    def click() -> None:
        with unit_of_work() as session:
            made.append(clients.make_secret(actor, session.get_one(App, app_id), LIVE, seen=""))

    refused = at_once(app, [click] * 4)
    assert len(made) == 1
    assert [type(error) for error in refused] == [ConflictError] * 3
    assert db.session.scalar(select(func.count()).select_from(ClientSecret)) == 1


def test_two_apps_at_once_do_not_share_a_listing(app: Flask) -> None:
    partner = make_organization()
    listing_id = make_listing(partner).id
    actor = actor_for(make_member(partner), partner)
    db.session.commit()

    def register(name: str) -> Callable[[], None]:
        def act() -> None:
            with unit_of_work():
                apps.register_app(actor, name=name, listing_id=listing_id, is_confidential=True)

        return act

    refused = at_once(app, [register("One"), register("Two")])
    assert [type(error) for error in refused] == [InvalidError]
    assert db.session.scalar(select(func.count()).select_from(App)) == 1


def test_two_developers_saving_at_once_leave_one_conflict(app: Flask) -> None:
    partner = make_organization()
    row = make_app(make_listing(partner))
    actor = actor_for(make_member(partner), partner)
    db.session.commit()
    app_id = row.id
    from marketplace.installs.developer import fingerprints
    from tests.factories.apps import client_of

    seen = fingerprints.of_client(client_of(row))

    def save(uri: str) -> Callable[[], None]:
        def act() -> None:
            with unit_of_work() as session:
                clients.change_client(
                    actor,
                    session.get_one(App, app_id),
                    LIVE,
                    seen=seen,
                    redirect_uris=[uri],
                    install_url="",
                    configure_url="",
                    is_confidential=True,
                )

        return act

    refused = at_once(app, [save("https://ada.example/"), save("https://ben.example/")])
    assert [type(error) for error in refused] == [apps.StaleError]


def test_a_suspended_partner_registers_and_makes_nothing(app: Flask) -> None:
    partner = make_organization(suspended_at=clock.now())
    actor = actor_for(make_member(partner), partner)
    with pytest.raises(ForbiddenError):
        apps.register_app(actor, name="Tides", listing_id=None, is_confidential=True)
    wish = keys.KeyWish("CI", True, LIVE, ["partner.listings.read"], "30")
    with pytest.raises(ForbiddenError):
        keys.make_key(actor, wish)


def test_a_key_is_not_made_for_somebody_who_was_removed_meanwhile(app: Flask) -> None:
    partner = make_organization()
    user = make_member(partner)
    actor = actor_for(user, partner)
    db.session.delete(db.session.scalars(select(Membership).filter_by(user_id=user.id)).one())
    db.session.flush()
    with pytest.raises(ForbiddenError):
        keys.make_key(actor, keys.KeyWish("CI", True, LIVE, ["partner.listings.read"], "30"))


def test_a_key_holds_the_scopes_of_the_role_as_it_is_now(app: Flask) -> None:
    partner = make_organization()
    user = make_member(partner)
    actor = actor_for(user, partner)
    membership = db.session.scalars(select(Membership).filter_by(user_id=user.id)).one()
    membership.role = Role.VIEWER
    db.session.flush()
    with pytest.raises(InvalidError) as refused:
        keys.make_key(actor, keys.KeyWish("CI", True, LIVE, ["partner.listings.write"], "30"))
    assert set(refused.value.fields) == {"scopes"}


def test_who_owns_a_key_is_told_once_a_week_before_it_expires(app: Flask) -> None:
    partner = make_organization("Quayside")
    owner, developer = make_member(partner), make_member(partner, Role.DEVELOPER)
    gone = make_member(partner, Role.ADMIN)
    at = clock.now()
    make_key(partner, "partner.listings.read", user=developer, expires_at=at + timedelta(days=6))
    make_key(partner, "partner.listings.read", expires_at=at + timedelta(days=6, hours=1))
    make_key(partner, "partner.listings.read", user=gone, expires_at=at + timedelta(days=6))
    make_key(partner, "partner.listings.read", user=developer, expires_at=at + timedelta(days=8))
    make_key(partner, "partner.listings.read", user=developer, expires_at=at - timedelta(days=1))
    make_key(
        partner,
        "partner.listings.read",
        user=developer,
        expires_at=at + timedelta(days=2),
        revoked_at=at,
    )
    make_key(partner, "partner.listings.read", user=developer)
    members.leave(actor_for(gone, partner), partner)
    db.session.commit()
    for _ in range(3):
        with unit_of_work():
            tell_expiring({})
    sent = sorted((mail["to"], mail["body"]) for mail in mails())
    assert [to for to, _body in sent] == sorted([owner.email or "", developer.email or ""])
    texts = dict(sent)
    assert "Your API key “CI”" in texts[developer.email or ""]
    assert "Quayside's API key “CI”" in texts[owner.email or ""]
    assert "/partner/keys" in texts[owner.email or ""]
    stored = db.session.scalars(select(AccessKey.token_hash)).all()
    assert not any(each in body for each in stored for _to, body in sent)


def test_installs_are_counted_by_the_day_in_utc(app: Flask) -> None:
    partner = make_organization()
    row = make_app(make_listing(partner))
    installation = make_installation(row, make_customer())
    midnight = clock.now().replace(hour=0, minute=0, second=0, microsecond=0)
    for moment in (midnight - timedelta(seconds=1), midnight, midnight + timedelta(seconds=1)):
        db.session.add(
            InstallationEvent(
                installation_id=installation.id,
                app_id=row.id,
                kind="installed",
                created_at=moment,
            )
        )
    db.session.flush()
    days = installs_by_day(row.id, midnight - timedelta(days=5))
    assert days == {
        midnight.date(): (2, 0),
        (midnight - timedelta(days=1)).date(): (1, 0),
    }
