"""Ending grants: whoever revokes one ends its code and all its tokens at once."""

from sqlalchemy import ColumnElement, update

from marketplace.core import clock
from marketplace.core.database import db
from marketplace.installs.models import OAuthGrant


def revoke_grant(grant_id: int, reason: str) -> bool:
    """Revoke one grant; whether it was live. `reason` is one of those at OAuthGrant."""
    return _revoke(reason, OAuthGrant.id == grant_id) == 1


def revoke_installation_grants(installation_id: int, reason: str) -> int:
    """Revoke everything that speaks for an installation; how many grants were live."""
    return _revoke(reason, OAuthGrant.installation_id == installation_id)


def revoke_client_grants(client_row_id: int, reason: str) -> int:
    """Revoke everything that a client (its row's id) was ever given; how many were live."""
    return _revoke(reason, OAuthGrant.client_id == client_row_id)


def _revoke(reason: str, which: ColumnElement[bool]) -> int:
    done = db.session.execute(
        update(OAuthGrant)
        .where(which, OAuthGrant.revoked_at.is_(None))
        .values(revoked_at=clock.now(), revoked_reason=reason)
        .execution_options(synchronize_session=False)
    )
    db.session.expire_all()
    return int(getattr(done, "rowcount", 0))
