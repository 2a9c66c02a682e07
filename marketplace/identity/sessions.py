"""Signed-in browsers: a random token in the cookie, its hash in the database."""

import hashlib
import secrets
from datetime import timedelta

from flask import Flask, g, has_request_context, request
from sqlalchemy import select, update
from sqlalchemy.orm import joinedload
from werkzeug.wrappers import Response

from marketplace.core import clock
from marketplace.core.database import db
from marketplace.core.permissions import ANONYMOUS, Actor, MembershipInfo, resolve_actor_with
from marketplace.identity.events import person_active
from marketplace.identity.models import Membership, OrganizationKind, User, UserSession

COOKIE = "portico_session"
LIFETIME = timedelta(days=30)
# In a session's data: the mapped host that it was handed to.
SESSION_HOST = "host"
SEEN_EVERY = timedelta(minutes=5)


def hash_token(token: str) -> str:
    """The SHA-256 hex digest under which a token is stored."""
    return hashlib.sha256(token.encode()).hexdigest()


def start_session(
    user: User,
    *,
    organization_id: int | None = None,
    identity_id: int | None = None,
    user_agent: str = "",
    ip_address: str = "",
    host: str = "",
) -> tuple[UserSession, str]:
    """Start a session for `user`; the row and the token for the cookie (shown only here). It
    counts on the mapped host of that name alone, on the site's own hosts without one."""
    token = secrets.token_urlsafe(32)
    at = clock.now()
    row = UserSession(
        token_hash=hash_token(token),
        user_id=user.id,
        identity_id=identity_id,
        organization_id=organization_id,
        user_agent=user_agent[:300],
        ip_address=ip_address[:45],
        data={SESSION_HOST: host} if host else {},
        created_at=at,
        last_seen_at=at,
        expires_at=at + LIFETIME,
    )
    db.session.add(row)
    db.session.flush()
    return row, token


def set_session_cookie(response: Response, token: str, *, secure: bool) -> None:
    """Hand the token to the browser."""
    response.set_cookie(
        COOKIE,
        token,
        max_age=int(LIFETIME.total_seconds()),
        httponly=True,
        samesite="Lax",
        secure=secure,
    )


def find_session(token: str) -> UserSession | None:
    """The live session of a cookie's token, or None."""
    at = clock.now()
    return db.session.scalar(
        select(UserSession)
        .join(UserSession.user)
        .where(
            UserSession.token_hash == hash_token(token),
            UserSession.revoked_at.is_(None),
            UserSession.expires_at > at,
            User.deactivated_at.is_(None),
        )
        .options(joinedload(UserSession.user))
    )


def revoke_sessions(user_id: int, *, only: int | None = None, but: int | None = None) -> int:
    """Revoke the user's live sessions: all, `only` one, or all `but` one; how many ended."""
    query = update(UserSession).where(
        UserSession.user_id == user_id, UserSession.revoked_at.is_(None)
    )
    if only is not None:
        query = query.where(UserSession.id == only)
    if but is not None:
        query = query.where(UserSession.id != but)
    ended = db.session.execute(query.values(revoked_at=clock.now()))
    return int(getattr(ended, "rowcount", 0))


def actor_of(row: UserSession) -> Actor:
    """The actor that a session stands for, with all memberships (one query)."""
    memberships = db.session.scalars(
        select(Membership)
        .where(Membership.user_id == row.user_id)
        .options(joinedload(Membership.organization))
        .order_by(Membership.id)
    ).all()
    infos = tuple(
        MembershipInfo(
            organization_id=m.organization_id,
            organization_slug=m.organization.slug,
            organization_name=m.organization.name,
            organization_kind=m.organization.kind.value,
            role=m.role.value,
            partner_type=m.organization.partner_type,
        )
        for m in memberships
    )
    active = next((i for i in infos if i.organization_id == row.organization_id), None)
    return Actor(
        user_id=row.user_id,
        name=row.user.name,
        email=row.user.email or "",
        timezone=row.user.timezone,
        organization=active or (infos[0] if infos else None),
        organizations=infos,
        session_id=row.id,
    )


def tell_active(actor: Actor) -> None:
    """Tell whoever listens that the actor uses the portal of a partner, if they do."""
    active = actor.organization
    if active is not None and active.organization_kind == OrganizationKind.PARTNER:
        person_active(active.organization_id)


def _actor_of_request() -> Actor:
    if not has_request_context():
        return ANONYMOUS
    if "actor" not in g:
        g.actor = ANONYMOUS
        token = request.cookies.get(COOKIE, "")
        row = find_session(token) if token else None
        # What was given to one host is worth nothing on another.
        if row is not None and row.data.get(SESSION_HOST, "") == g.get("portico_session_host", ""):
            g.actor = actor_of(row)
            if clock.now() - row.last_seen_at > SEEN_EVERY:
                row.last_seen_at = clock.now()
                tell_active(g.actor)
    actor: Actor = g.actor
    return actor


def setup_sessions(app: Flask) -> None:
    """Let the application find the actor of each request by its cookie."""
    resolve_actor_with(_actor_of_request)
    app.jinja_env.globals["get_actor"] = _actor_of_request

    @app.before_request
    def forget_actor() -> None:
        # `g` may outlive a request (within an application context that somebody else pushed);
        # who acts may not.
        g.pop("actor", None)
