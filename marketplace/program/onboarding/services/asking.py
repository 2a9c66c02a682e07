"""Asking the owners of an existing organization to be invited."""

import secrets
from datetime import timedelta

from flask import current_app
from sqlalchemy import func, select

from marketplace.core import clock
from marketplace.core.database import db
from marketplace.core.errors import ConflictError, InvalidError
from marketplace.core.facts import record_fact
from marketplace.core.locks import lock_row
from marketplace.core.permissions import Actor
from marketplace.identity import queries as identity
from marketplace.identity.models import Organization, Role
from marketplace.identity.services.invitations import invite
from marketplace.identity.services.members import lock_members
from marketplace.identity.sessions import hash_token
from marketplace.program.onboarding import mails
from marketplace.program.onboarding.models import JoinAsk

LIFETIME = timedelta(days=14)
# One address asks an organization once in this time, and an organization hears of so many.
AGAIN_AFTER = timedelta(days=7)
MOST_A_DAY = 5


def ask_owners(organization: Organization, email: str, name: str) -> bool:
    """Ask the owners and admins by mail; False when it is too soon or too much, or nobody is left
    to ask. What the caller tells the person is the same either way."""
    lock_members(organization.id)
    now = clock.now()
    lately = db.session.scalar(
        select(func.count()).where(
            JoinAsk.organization_id == organization.id,
            JoinAsk.email == email,
            JoinAsk.created_at > now - AGAIN_AFTER,
        )
    )
    today = db.session.scalar(
        select(func.count()).where(
            JoinAsk.organization_id == organization.id,
            JoinAsk.created_at > now - timedelta(days=1),
        )
    )
    people = [
        member.user
        for member in identity.members_of(organization.id)
        if member.role in (Role.OWNER, Role.ADMIN)
        and member.user.email
        and member.user.email_verified
        and member.user.deactivated_at is None
    ]
    if lately or (today or 0) >= MOST_A_DAY or not people:
        return False
    token = secrets.token_urlsafe(32)
    row = JoinAsk(
        organization_id=organization.id,
        email=email,
        name=name[:120],
        token_hash=hash_token(token),
        created_at=now,
        expires_at=now + LIFETIME,
    )
    db.session.add(row)
    db.session.flush()
    for person in people:
        mails.tell_asked(person, organization, row, token)
    record_fact("join_ask.sent", subject=("join_ask", row.id), organization_id=organization.id)
    return True


def find_ask(join_ask_token: str) -> JoinAsk | None:
    """The open request of a mailed link."""
    return db.session.scalar(
        select(JoinAsk).where(
            JoinAsk.token_hash == hash_token(join_ask_token.replace("\0", "")[:100])
        )
    )


def answer(ask: JoinAsk, *, accept: bool, actor: Actor) -> bool:
    """Invite the person, or not; False when it was answered before. Raises ConflictError when it
    is too old, or the invitation cannot be made."""
    row = lock_row(JoinAsk, JoinAsk.id == ask.id)
    if row is None or row.answered_at is not None:
        return False
    if row.expires_at <= clock.now():
        raise ConflictError("This request is too old. Invite the person on your members page.")
    organization = db.session.get_one(Organization, row.organization_id)
    if accept:
        try:
            invite(
                actor,
                organization,
                email=row.email,
                role=Role.VIEWER.value,
                public_url=str(current_app.config["PUBLIC_URL"]),
            )
        except InvalidError as error:
            raise ConflictError(" ".join(error.fields.values())) from error
    # Only now: what could not be invited is still to be answered.
    row.answered_at, row.answered_by_id, row.accepted = clock.now(), actor.user_id, accept
    record_fact(
        "join_ask.accepted" if accept else "join_ask.declined",
        subject=("join_ask", row.id),
        actor_user_id=actor.user_id,
        organization_id=row.organization_id,
    )
    db.session.flush()
    return True
