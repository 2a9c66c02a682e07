"""Starting and ending signed-in browsers, with their facts."""

from datetime import timedelta

from sqlalchemy import delete, or_

from marketplace.core import clock
from marketplace.core.database import db
from marketplace.core.errors import NotFoundError
from marketplace.core.facts import record_fact
from marketplace.core.jobs import Payload, periodic
from marketplace.core.permissions import Actor
from marketplace.identity import queries
from marketplace.identity.models import Identity, User, UserSession
from marketplace.identity.profiles import Profile
from marketplace.identity.second_factor import note_second_factor
from marketplace.identity.sessions import (
    actor_of,
    find_session,
    revoke_sessions,
    start_session,
    tell_active,
)

KEEP_ENDED_FOR = timedelta(days=30)


def begin_session(
    user: User,
    identity: Identity,
    *,
    user_agent: str,
    ip_address: str,
    old_token: str = "",
    second_factor: bool = False,
) -> str:
    """Sign a browser in; the token for its cookie.

    The browser's earlier session (`old_token`), whoever's it was, ends: one browser, one session,
    and a token that was known before the sign-in is worth nothing after it.
    """
    before = find_session(old_token) if old_token else None
    if before is not None:
        before.revoked_at = clock.now()
    row, token = start_session(
        user,
        organization_id=queries.last_active_organization(user.id),
        identity_id=identity.id,
        user_agent=user_agent,
        ip_address=ip_address,
    )
    if second_factor:
        note_second_factor(row)
    tell_active(actor_of(row))
    record_fact(
        "session.started",
        subject=("user_session", row.id),
        actor_user_id=user.id,
        data={"identity_id": identity.id},
    )
    return token


def confirm_second_factor(actor: Actor, profile: Profile) -> bool:
    """Note that the actor proved a second factor at one of their own identities; False when it is
    another person's, or when the provider does not say so."""
    identity = queries.find_identity(profile.issuer, profile.subject)
    row = db.session.get(UserSession, actor.session_id) if actor.session_id else None
    proven = profile.second_factor and profile.just_now
    if row is None or identity is None or identity.user_id != actor.user_id or not proven:
        return False
    note_second_factor(row)
    record_fact(
        "session.second_factor_proven",
        subject=("user_session", row.id),
        actor_user_id=actor.user_id,
        data={"identity_id": identity.id},
    )
    return True


def end_session(actor: Actor, session_id: int) -> None:
    """End one of the actor's sessions. Raises NotFoundError when it is not theirs or has ended."""
    if actor.user_id is None or not revoke_sessions(actor.user_id, only=session_id):
        raise NotFoundError
    record_fact(
        "session.revoked", subject=("user_session", session_id), actor_user_id=actor.user_id
    )


def end_sessions(actor: Actor, *, but_current: bool) -> int:
    """End all sessions of the actor, or all but the current one; how many ended."""
    if actor.user_id is None:
        raise NotFoundError
    ended = revoke_sessions(actor.user_id, but=actor.session_id if but_current else None)
    record_fact(
        "session.all_revoked",
        subject=("user", actor.user_id),
        actor_user_id=actor.user_id,
        data={"ended": ended, "but_current": but_current},
    )
    return ended


@periodic("identity.forget_sessions", every=timedelta(days=1))
def forget_sessions(_payload: Payload) -> None:
    """Delete sessions that ended long ago."""
    before = clock.now() - KEEP_ENDED_FOR
    db.session.execute(
        delete(UserSession).where(
            or_(UserSession.expires_at < before, UserSession.revoked_at < before)
        )
    )
