"""Forgetting what is over, once a day."""

from datetime import timedelta

from sqlalchemy import delete, exists

from marketplace.core import clock
from marketplace.core.database import db
from marketplace.core.jobs import Payload, periodic
from marketplace.installs.models import AuthorizationCode, OAuthGrant, OAuthToken, PushedRequest

# A code or token that is presented again must be known to revoke its family, hence not at once.
# A refresh token lives for 60 days: within them its replay is noticed.
KEEP_CODES = timedelta(days=1)
KEEP_TOKENS = timedelta(days=7)
# As long as a grant has any token it stays. One without is kept for whoever looks into a leak.
KEEP_GRANTS = timedelta(days=90)


@periodic("oauth.prune", every=timedelta(days=1))
def prune(_payload: Payload) -> None:
    """Delete expired codes, pushed requests and tokens, and old grants that have none left."""
    at = clock.now()
    for query in (
        delete(AuthorizationCode).where(AuthorizationCode.expires_at < at - KEEP_CODES),
        delete(PushedRequest).where(PushedRequest.expires_at < at),
        delete(OAuthToken).where(OAuthToken.expires_at < at - KEEP_TOKENS),
        delete(OAuthGrant).where(
            OAuthGrant.created_at < at - KEEP_GRANTS,
            ~exists().where(OAuthToken.grant_id == OAuthGrant.id),
            ~exists().where(AuthorizationCode.grant_id == OAuthGrant.id),
        ),
    ):
        db.session.execute(query.execution_options(synchronize_session=False))
