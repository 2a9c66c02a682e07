"""When tokens and scopes were last used.

Customers read of it in days. It is written at most once in five minutes for each token and
scope, so that a busy app costs reads and no writes.
"""

from datetime import timedelta

from sqlalchemy import select, update

from marketplace.core import clock
from marketplace.core.database import db
from marketplace.core.once import insert_if_new
from marketplace.installs.models import Installation, OAuthToken, ScopeUse
from marketplace.installs.oauth.tokens import LiveToken

WRITTEN_EVERY = timedelta(minutes=5)


def note_use(token: LiveToken, *scopes: str) -> None:
    """Note that the token was used, and its `scopes` for what. At most one query when all of it
    was noted a moment ago."""
    at = clock.now()
    before = at - WRITTEN_EVERY
    if token.last_used_at is None or token.last_used_at <= before:
        db.session.execute(
            update(OAuthToken)
            .where(OAuthToken.id == token.token_id)
            .values(last_used_at=at)
            .execution_options(synchronize_session=False)
        )
        if token.installation_id is not None:
            db.session.execute(
                update(Installation)
                .where(Installation.id == token.installation_id)
                .values(last_used_at=at)
                .execution_options(synchronize_session=False)
            )
    if token.installation_id is not None and scopes:
        _note_scopes(token.installation_id, scopes)


def _note_scopes(installation_id: int, scopes: tuple[str, ...]) -> None:
    at = clock.now()
    mine = ScopeUse.installation_id == installation_id
    known = {
        row.scope: row.last_used_at
        for row in db.session.execute(
            select(ScopeUse.scope, ScopeUse.last_used_at).where(mine, ScopeUse.scope.in_(scopes))
        )
    }
    for scope in sorted(scopes):
        noted = known.get(scope)
        if noted is None:
            insert_if_new(ScopeUse, installation_id=installation_id, scope=scope, last_used_at=at)
        elif at - noted >= WRITTEN_EVERY:
            db.session.execute(
                update(ScopeUse)
                .where(mine, ScopeUse.scope == scope)
                .values(last_used_at=at)
                .execution_options(synchronize_session=False)
            )
