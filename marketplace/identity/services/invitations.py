"""Invitations by mail: a link with a token that only its hash is kept of, for seven days."""

import secrets
from datetime import timedelta

from sqlalchemy import update

from marketplace.core import clock
from marketplace.core.database import db
from marketplace.core.errors import ConflictError, ForbiddenError, InvalidError, NotFoundError
from marketplace.core.facts import record_fact
from marketplace.core.mail import send_mail
from marketplace.core.permissions import Actor
from marketplace.identity import queries
from marketplace.identity.models import (
    Invitation,
    Membership,
    Organization,
    Role,
    UserSession,
)
from marketplace.identity.one_person import FOR_ONE_PERSON, is_for_one_person
from marketplace.identity.profiles import clean_email
from marketplace.identity.roles import LABELS, assignable_roles, may_manage, roles_of_kind
from marketplace.identity.services.members import lock_members
from marketplace.identity.sessions import hash_token

LIFETIME = timedelta(days=7)
MOST_OPEN = 100
RESEND_AFTER = timedelta(minutes=1)


class InvitationClosedError(ConflictError):
    """The invitation was accepted, declined, revoked, or is too old."""

    title = "This invitation is closed"


class OtherAddressError(ForbiddenError):
    """The invitation is for an address that is not proven to be the actor's."""

    title = "The invitation is for another address"


def invite(
    actor: Actor, organization: Organization, *, email: str, role: str, public_url: str
) -> Invitation:
    """Invite an address. Raises InvalidError, and ConflictError when too many are open."""
    wanted = clean_email(email)
    if wanted is None:
        raise InvalidError({"email": "Enter an e-mail address, like ada@example.com."})
    if role not in roles_of_kind(organization.kind):
        raise InvalidError({"role": "Choose a role from the list."})
    lock_members(organization.id)
    # Read under the lock: whoever waited for it may have been taken out meanwhile.
    own = (
        queries.find_membership(organization.id, actor.user_id)
        if actor.user_id is not None
        else None
    )
    own_role = own.role if own is not None else None
    if not may_manage(own_role):
        raise ForbiddenError("Your role does not allow this.")
    if Role(role) not in assignable_roles(own_role, organization.kind):
        raise InvalidError({"role": "Only an owner can invite an owner."})
    if is_for_one_person(organization.id):
        raise InvalidError({"email": FOR_ONE_PERSON})
    member = queries.find_user_by_verified_email(wanted)
    if member is not None and queries.find_membership(organization.id, member.id) is not None:
        raise InvalidError({"email": "This person is a member already."})
    open_ones = queries.open_invitations(organization.id)
    if any(found.email == wanted for found in open_ones):
        raise InvalidError({"email": "This address has an invitation. Send it again below."})
    if len(open_ones) >= MOST_OPEN:
        raise ConflictError(f"There are {MOST_OPEN} open invitations. Revoke some first.")
    token = secrets.token_urlsafe(32)
    invitation = Invitation(
        organization_id=organization.id,
        email=wanted,
        role=Role(role),
        token_hash=hash_token(token),
        invited_by_id=actor.user_id,
        created_at=clock.now(),
        expires_at=clock.now() + LIFETIME,
    )
    db.session.add(invitation)
    db.session.flush()
    _mail(actor, organization, invitation, token, public_url)
    _record("invitation.sent", actor, invitation, role=role)
    return invitation


def resend(actor: Actor, invitation: Invitation, *, public_url: str) -> Invitation:
    """Send an open invitation again with a new link for seven more days; the old link ends.

    Raises InvitationClosedError, and ConflictError within a minute of the last sending.
    """
    _check_not_ended(invitation)
    if invitation.expires_at - LIFETIME > clock.now() - RESEND_AFTER:
        raise ConflictError("The invitation was sent less than a minute ago. Wait a little.")
    token = secrets.token_urlsafe(32)
    invitation.token_hash = hash_token(token)
    invitation.expires_at = clock.now() + LIFETIME
    db.session.flush()
    _mail(actor, invitation.organization, invitation, token, public_url)
    _record("invitation.resent", actor, invitation)
    return invitation


def revoke(actor: Actor, invitation: Invitation) -> Invitation:
    """Take an open invitation back. Raises InvitationClosedError."""
    _close(invitation)
    _record("invitation.revoked", actor, invitation)
    return invitation


def revoke_all(actor: Actor, organization_id: int) -> None:
    """Take every open invitation of an organization back, for those who take it over. Hold its
    members (`lock_members`)."""
    for invitation in queries.open_invitations(organization_id):
        revoke(actor, invitation)


def decline(actor: Actor, invitation: Invitation) -> Invitation:
    """Say no to an invitation to one of the actor's proven addresses.

    Raises OtherAddressError and InvitationClosedError.
    """
    _check_address(actor, invitation)
    _close(invitation)
    _record("invitation.declined", actor, invitation)
    return invitation


def find_by_token(token: str) -> Invitation | None:
    """The invitation of a link's token, whatever became of it."""
    return queries.find_invitation_by_hash(hash_token(token)) if token else None


def why_closed(invitation: Invitation) -> str:
    """A sentence for the person why the invitation cannot be accepted; empty when it can."""
    if invitation.accepted_at is not None:
        return "It was accepted already."
    if invitation.revoked_at is not None:
        return "It was taken back or declined."
    if invitation.expires_at <= clock.now():
        return "It was open for seven days, which are over. Ask for a new one."
    return ""


def is_addressed_to(actor: Actor, invitation: Invitation) -> bool:
    """Whether the invited address is proven to be the actor's."""
    return actor.user_id is not None and invitation.email in queries.verified_emails(actor.user_id)


def accept(actor: Actor, invitation: Invitation) -> Membership:
    """Join the organization, and act for it from now on. A member keeps the role they have.

    Raises OtherAddressError and InvitationClosedError.
    """
    if actor.user_id is None:
        raise NotFoundError
    _check_address(actor, invitation)
    lock_members(invitation.organization_id)
    reason = why_closed(invitation)
    if not reason and is_for_one_person(invitation.organization_id):
        reason = FOR_ONE_PERSON
    taken = db.session.execute(
        update(Invitation)
        .where(
            Invitation.id == invitation.id,
            Invitation.accepted_at.is_(None),
            Invitation.revoked_at.is_(None),
        )
        .values(accepted_at=clock.now())
    )
    if reason or getattr(taken, "rowcount", 0) != 1:
        raise InvitationClosedError(reason or "It was accepted already.")
    membership = queries.find_membership(invitation.organization_id, actor.user_id)
    if membership is None:
        membership = Membership(
            user_id=actor.user_id,
            organization_id=invitation.organization_id,
            role=invitation.role,
        )
        db.session.add(membership)
    row = db.session.get(UserSession, actor.session_id) if actor.session_id is not None else None
    if row is not None:
        row.organization_id = invitation.organization_id
    db.session.flush()
    _record("invitation.accepted", actor, invitation, role=membership.role.value)
    return membership


def _check_address(actor: Actor, invitation: Invitation) -> None:
    if not is_addressed_to(actor, invitation):
        raise OtherAddressError(
            f"It was sent to {invitation.email}. Sign in with an account that has this address, "
            "or confirm the address on your account page, then open the link again."
        )


def _check_not_ended(invitation: Invitation) -> None:
    if invitation.accepted_at is not None or invitation.revoked_at is not None:
        raise InvitationClosedError(why_closed(invitation))


def _close(invitation: Invitation) -> None:
    closed = db.session.execute(
        update(Invitation)
        .where(
            Invitation.id == invitation.id,
            Invitation.accepted_at.is_(None),
            Invitation.revoked_at.is_(None),
        )
        .values(revoked_at=clock.now())
    )
    if getattr(closed, "rowcount", 0) != 1:
        db.session.refresh(invitation)
        raise InvitationClosedError(why_closed(invitation))


def _mail(
    actor: Actor, organization: Organization, invitation: Invitation, token: str, public_url: str
) -> None:
    send_mail(
        invitation.email,
        f"{actor.name} invites you to {organization.name}",
        "Hello,\n\n"
        f"{actor.name} invites you to join {organization.name} as "
        f"{LABELS[invitation.role].lower()}. Open this link and sign in with this address:\n\n"
        f"{public_url}/invitations?token={token}\n\n"
        "The link works for seven days. If you do not know who this is, ignore this message.\n",
    )


def _record(kind: str, actor: Actor, invitation: Invitation, **data: object) -> None:
    record_fact(
        kind,
        subject=("invitation", invitation.id),
        actor_user_id=actor.user_id,
        organization_id=invitation.organization_id,
        data=data,
    )
