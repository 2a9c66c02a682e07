"""Members of an organization: their roles, removal and leaving."""

from sqlalchemy import update

from marketplace.core.database import db
from marketplace.core.errors import ConflictError, ForbiddenError, InvalidError, NotFoundError
from marketplace.core.facts import record_fact
from marketplace.core.mail import send_mail
from marketplace.core.permissions import Actor
from marketplace.identity import queries
from marketplace.identity.events import member_gone
from marketplace.identity.models import Membership, Organization, OrganizationKind, Role
from marketplace.identity.roles import (
    LABELS,
    assignable_roles,
    keepers,
    may_change_member,
    may_manage,
    roles_of_kind,
)


class LastOwnerError(ConflictError):
    """The organization would have nobody left who can manage it."""

    title = "The last owner stays"


def lock_members(organization_id: int) -> None:
    """Let one transaction at a time change the members of an organization.

    An update of its row, not SELECT FOR UPDATE, because that locks on both databases: the row on
    PostgreSQL, and the whole file on SQLite, where a read alone would lock nothing.
    """
    db.session.execute(
        update(Organization)
        .where(Organization.id == organization_id)
        .values(updated_at=Organization.updated_at)
        .execution_options(synchronize_session=False)
    )


def change_role(actor: Actor, organization: Organization, user_id: int, role: str) -> Membership:
    """Give a member another role.

    Raises NotFoundError, InvalidError (a role that does not exist here), ForbiddenError (not the
    actor's to give) and LastOwnerError.
    """
    if role not in roles_of_kind(organization.kind):
        raise InvalidError({"role": "Choose a role from the list."})
    lock_members(organization.id)
    own_role = _current_role(actor, organization)
    membership = queries.find_membership(organization.id, user_id)
    if membership is None:
        raise NotFoundError
    if not may_change_member(own_role, membership.role):
        raise ForbiddenError("Only an owner can change the role of an owner.")
    wanted = Role(role)
    if wanted not in assignable_roles(own_role, organization.kind):
        raise ForbiddenError("Only an owner can make somebody an owner.")
    before = membership.role
    if before is wanted:
        return membership
    membership.role = wanted
    db.session.flush()
    _check_keepers(organization)
    record_fact(
        "member.role_changed",
        subject=("user", user_id),
        actor_user_id=actor.user_id,
        organization_id=organization.id,
        data={"before": before.value, "after": wanted.value},
    )
    return membership


def remove_member(actor: Actor, organization: Organization, user_id: int) -> Membership:
    """Take somebody out of the organization; they are told by mail.

    Memberships are read at each request, so their open sessions lose the organization at once.
    Raises NotFoundError, ForbiddenError and LastOwnerError.
    """
    if user_id == actor.user_id:
        return leave(actor, organization)
    lock_members(organization.id)
    own_role = _current_role(actor, organization)
    membership = queries.find_membership(organization.id, user_id)
    if membership is None:
        raise NotFoundError
    if not may_change_member(own_role, membership.role):
        raise ForbiddenError("Only an owner can remove an owner.")
    _end(membership, organization)
    record_fact(
        "member.removed",
        subject=("user", user_id),
        actor_user_id=actor.user_id,
        organization_id=organization.id,
        data={"role": membership.role.value},
    )
    user = membership.user
    if user.email is not None and user.email_verified:
        send_mail(
            user.email,
            f"You are no longer a member of {organization.name}",
            f"Hello {user.name},\n\n"
            f"{actor.name} removed you from {organization.name}. Your account and your other "
            "organizations stay as they are.\n",
        )
    return membership


def leave(actor: Actor, organization: Organization) -> Membership:
    """Leave an organization. Raises NotFoundError when not a member, and LastOwnerError."""
    lock_members(organization.id)
    membership = (
        queries.find_membership(organization.id, actor.user_id)
        if actor.user_id is not None
        else None
    )
    if membership is None:
        raise NotFoundError
    _end(membership, organization)
    record_fact(
        "member.left",
        subject=("user", membership.user_id),
        actor_user_id=actor.user_id,
        organization_id=organization.id,
        data={"role": membership.role.value},
    )
    return membership


def _end(membership: Membership, organization: Organization) -> None:
    db.session.delete(membership)
    db.session.flush()
    _check_keepers(organization)
    member_gone(organization.id, membership.user_id)


def _check_keepers(organization: Organization) -> None:
    """Raise (and so undo the transaction) when nobody is left to manage the organization."""
    needed = keepers(organization.kind)
    if queries.count_members(organization.id, needed) > 0:
        return
    if organization.kind is OrganizationKind.PLATFORM:
        raise LastOwnerError("The platform needs an admin. Make somebody else one first.")
    raise LastOwnerError(
        f"{organization.name} needs an {LABELS[Role.OWNER].lower()}. Make somebody else one first."
    )


def _current_role(actor: Actor, organization: Organization) -> Role:
    """The actor's role under the lock: it may have changed since the request began."""
    own = (
        queries.find_membership(organization.id, actor.user_id)
        if actor.user_id is not None
        else None
    )
    if own is None or not may_manage(own.role):
        raise ForbiddenError("Your role does not allow this.")
    return own.role
