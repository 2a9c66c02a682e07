"""Members: roles, removal, leaving, and that somebody always stays."""

import threading
from collections.abc import Callable

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.exc import OperationalError

from marketplace.core.database import db
from marketplace.core.errors import ForbiddenError, InvalidError, NotFoundError
from marketplace.core.facts import Fact
from marketplace.core.permissions import Actor, MembershipInfo
from marketplace.core.unit_of_work import unit_of_work
from marketplace.identity.models import Membership, Organization, Role, User
from marketplace.identity.services.members import (
    LastOwnerError,
    change_role,
    leave,
    remove_member,
)
from tests.factories.people import make_member, make_organization, make_platform, make_user

pytestmark = pytest.mark.usefixtures("app")


def actor_for(user: User, organization: Organization, role: Role) -> Actor:
    """The actor as it was read at the beginning of a request."""
    info = MembershipInfo(
        organization.id, organization.slug, organization.name, organization.kind.value, role.value
    )
    return Actor(user_id=user.id, name=user.name, organization=info, organizations=(info,))


def roles_in(organization: Organization) -> dict[int, Role]:
    rows = db.session.scalars(
        select(Membership)
        .where(Membership.organization_id == organization.id)
        .execution_options(populate_existing=True)
    )
    return {row.user_id: row.role for row in rows}


def test_an_owner_gives_any_role_and_it_is_recorded() -> None:
    organization = make_organization()
    owner, member = make_member(organization), make_member(organization, Role.VIEWER)
    db.session.commit()

    change_role(actor_for(owner, organization, Role.OWNER), organization, member.id, "owner")
    db.session.commit()

    assert roles_in(organization)[member.id] is Role.OWNER
    fact = db.session.scalars(select(Fact).where(Fact.kind == "member.role_changed")).one()
    assert fact.data == {"before": "viewer", "after": "owner"}


@pytest.mark.parametrize(
    ("own", "target", "wanted"),
    [
        (Role.ADMIN, Role.OWNER, "viewer"),
        (Role.ADMIN, Role.VIEWER, "owner"),
        (Role.EDITOR, Role.VIEWER, "editor"),
    ],
)
def test_a_role_that_is_not_the_actors_to_give_is_refused(
    own: Role, target: Role, wanted: str
) -> None:
    organization = make_organization()
    make_member(organization)
    actor, member = make_member(organization, own), make_member(organization, target)
    with pytest.raises(ForbiddenError):
        change_role(actor_for(actor, organization, own), organization, member.id, wanted)


@pytest.mark.parametrize("role", ["reviewer", "king", "", "OWNER"])
def test_a_role_that_does_not_exist_here_is_refused(role: str) -> None:
    organization = make_organization()
    owner, member = make_member(organization), make_member(organization, Role.VIEWER)
    with pytest.raises(InvalidError):
        change_role(actor_for(owner, organization, Role.OWNER), organization, member.id, role)


def test_a_demotion_counts_at_once_even_within_a_request_that_began_before_it() -> None:
    organization = make_organization()
    owner, admin = make_member(organization), make_member(organization, Role.ADMIN)
    as_before = actor_for(admin, organization, Role.ADMIN)
    change_role(actor_for(owner, organization, Role.OWNER), organization, admin.id, "viewer")
    with pytest.raises(ForbiddenError):
        remove_member(as_before, organization, owner.id)


@pytest.mark.parametrize("act", ["leave", "remove", "demote"])
def test_the_last_owner_stays(act: str) -> None:
    organization = make_organization()
    owner = make_member(organization)
    make_member(organization, Role.ADMIN)
    db.session.commit()
    actor = actor_for(owner, organization, Role.OWNER)
    acts: dict[str, Callable[[], object]] = {
        "leave": lambda: leave(actor, organization),
        "remove": lambda: remove_member(actor, organization, owner.id),
        "demote": lambda: change_role(actor, organization, owner.id, "admin"),
    }
    with pytest.raises(LastOwnerError):
        acts[act]()
    db.session.rollback()
    assert roles_in(organization)[owner.id] is Role.OWNER


def test_the_platform_keeps_an_admin_where_it_has_no_owner() -> None:
    platform = make_platform()
    first, second = make_member(platform, Role.ADMIN), make_member(platform, Role.ADMIN)
    leave(actor_for(first, platform, Role.ADMIN), platform)
    db.session.commit()
    with pytest.raises(LastOwnerError):
        leave(actor_for(second, platform, Role.ADMIN), platform)


def test_somebody_who_is_not_a_member_cannot_be_removed_or_leave() -> None:
    organization = make_organization()
    owner, stranger = make_member(organization), make_user()
    actor = actor_for(owner, organization, Role.OWNER)
    with pytest.raises(NotFoundError):
        remove_member(actor, organization, stranger.id)
    with pytest.raises(NotFoundError):
        leave(Actor(user_id=stranger.id), organization)


@pytest.mark.parametrize("act", ["leave", "demote each other"])
def test_two_last_owners_who_go_at_the_same_moment_leave_one_behind(app: Flask, act: str) -> None:
    organization = make_organization()
    owners = [make_member(organization), make_member(organization)]
    db.session.commit()
    organization_id, ids = organization.id, [owner.id for owner in owners]
    actors = [actor_for(owner, organization, Role.OWNER) for owner in owners]
    db.session.remove()
    barrier, outcomes = threading.Barrier(2), []

    def go(actor: Actor, other_id: int) -> None:
        with app.app_context():
            try:
                with unit_of_work() as session:
                    here = session.get_one(Organization, organization_id)
                    barrier.wait(timeout=10)
                    if act == "leave":
                        leave(actor, here)
                    else:
                        change_role(actor, here, other_id, "admin")
                outcomes.append("done")
            except (LastOwnerError, ForbiddenError, OperationalError) as error:
                outcomes.append(type(error).__name__)
            finally:
                db.session.remove()

    threads = [
        threading.Thread(target=go, args=(actors[0], ids[1])),
        threading.Thread(target=go, args=(actors[1], ids[0])),
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert outcomes.count("done") == 1
    assert (
        list(roles_in(db.session.get_one(Organization, organization_id)).values()).count(Role.OWNER)
        == 1
    )
