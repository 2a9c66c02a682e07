"""Organizations that the program begins: with their owner, or with an invitation to own them."""

import secrets
from dataclasses import dataclass

from flask import g, has_request_context
from sqlalchemy.exc import IntegrityError

from marketplace.core import clock
from marketplace.core.database import db
from marketplace.core.errors import ConflictError
from marketplace.core.facts import record_fact
from marketplace.core.mail import send_mail
from marketplace.identity import queries
from marketplace.identity.events import organization_changed
from marketplace.identity.models import (
    Invitation,
    Membership,
    Organization,
    OrganizationKind,
    Role,
    UserSession,
)
from marketplace.identity.services.invitations import LIFETIME
from marketplace.identity.sessions import hash_token
from marketplace.identity.slugs import free_slug, slug_base


@dataclass(frozen=True)
class Founding:
    """What a new partner organization is called and where it is."""

    name: str
    partner_type: str
    website: str = ""
    country: str | None = None


def found_partner(founding: Founding, *, owner_user_id: int | None) -> Organization:
    """A new partner organization; `owner_user_id` becomes its owner. Flushes.

    Raises ConflictError when the name's slug was taken by somebody else at the same moment.
    """
    organization = Organization(
        name=founding.name,
        slug=free_slug(founding.name, queries.slugs_like(slug_base(founding.name))),
        kind=OrganizationKind.PARTNER,
        partner_type=founding.partner_type,
        website=founding.website,
        country=founding.country,
    )
    db.session.add(organization)
    try:
        db.session.flush()
    except IntegrityError as error:
        raise ConflictError("Somebody took this name at the same moment. Try again.") from error
    if owner_user_id is not None:
        db.session.add(
            Membership(user_id=owner_user_id, organization_id=organization.id, role=Role.OWNER)
        )
        db.session.flush()
    record_fact(
        "organization.created",
        subject=("organization", organization.id),
        actor_user_id=owner_user_id,
        organization_id=organization.id,
        data={"kind": organization.kind.value, "partner_type": organization.partner_type},
    )
    organization_changed(organization.id)
    return organization


def invite_owner(organization: Organization, email: str, *, public_url: str) -> Invitation:
    """Invite a first owner by mail; earlier invitations of the address end. Flushes."""
    now = clock.now()
    for earlier in queries.open_invitations(organization.id):
        if earlier.email == email:
            earlier.revoked_at = now
    token = secrets.token_urlsafe(32)
    invitation = Invitation(
        organization_id=organization.id,
        email=email,
        role=Role.OWNER,
        token_hash=hash_token(token),
        created_at=now,
        expires_at=now + LIFETIME,
    )
    db.session.add(invitation)
    db.session.flush()
    send_mail(
        email,
        f"{organization.name} is ready for you",
        "Hello,\n\n"
        f"{organization.name} is a partner now, and you are to be its owner. Open this link and "
        "sign in with this address:\n\n"
        f"{public_url}/invitations?token={token}\n\n"
        "The link works for seven days; after that we send you a new one.\n",
    )
    record_fact(
        "invitation.sent",
        subject=("invitation", invitation.id),
        organization_id=organization.id,
        data={"role": Role.OWNER.value},
    )
    return invitation


def act_for(session_id: int | None, organization_id: int) -> None:
    """Let a signed-in browser act for an organization from now on, within this request already."""
    row = db.session.get(UserSession, session_id) if session_id is not None else None
    if row is not None:
        row.organization_id = organization_id
        db.session.flush()
    if has_request_context():
        # Whoever asks next who acts finds the new membership.
        g.pop("actor", None)
