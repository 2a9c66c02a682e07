"""What a presented token stands for, looked up in one query.

A token counts only while everything above it does: its grant, the client, the app and the
installation. Revoking any of them ends it at once, for nothing is kept between requests.
"""

import functools
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, and_, bindparam, case, or_, select
from sqlalchemy.orm import aliased

from marketplace.catalogue.models import Listing
from marketplace.core import clock
from marketplace.core.database import db
from marketplace.identity.models import Organization
from marketplace.installs.credentials import PREFIXES, hash_secret
from marketplace.installs.models import (
    App,
    Environment,
    Installation,
    InstallationState,
    OAuthClient,
    OAuthGrant,
    OAuthToken,
    TokenKind,
)

# Longer than any of ours; more is not hashed.
MAX_TOKEN_LENGTH = 200


@dataclass(frozen=True)
class LiveToken:
    """A token that is neither expired nor revoked, nor is anything that it hangs on.

    The asker still has to refuse it while `installation_state` is paused or `is_suspended`:
    both end by themselves, so that an answer may say why. With an installation it speaks for
    the customer `organization_id`; without one (client credentials) for the publisher.
    """

    token_id: int
    grant_id: int
    # The row of the client; `client_public_id` is what partners know as client_id.
    client_id: int
    client_public_id: str
    app_id: int
    app_public_id: str
    publisher_id: int
    environment: Environment
    scopes: frozenset[str]
    installation_id: int | None
    installation_public_id: str | None
    organization_id: int | None
    organization_slug: str | None
    installation_state: InstallationState | None
    # The listing, its publisher or the customer is suspended.
    is_suspended: bool
    issued_at: datetime
    expires_at: datetime
    last_used_at: datetime | None
    user_id: int | None
    is_refresh: bool

    @property
    def is_usable(self) -> bool:
        """Whether it opens anything right now."""
        return not self.is_suspended and self.installation_state in {
            None,
            InstallationState.ACTIVE,
        }


_publisher = aliased(Organization)
_customer = aliased(Organization)


def find_access_token(token: str, connection: Connection | None = None) -> LiveToken | None:
    """What an access token stands for, or None when it is unknown, expired or revoked, or its
    installation was removed. One query, on the session's connection if none is given."""
    return _find(token, TokenKind.ACCESS, connection)


def find_refresh_token(token: str) -> LiveToken | None:
    """The same of a refresh token that was not exchanged yet. One query."""
    return _find(token, TokenKind.REFRESH)


def _find(token: str, kind: TokenKind, connection: Connection | None = None) -> LiveToken | None:
    prefix = PREFIXES["access_token" if kind is TokenKind.ACCESS else "refresh_token"]
    if not token.startswith(prefix) or len(token) > MAX_TOKEN_LENGTH:
        return None
    asked = {"hash": hash_secret(token), "kind": kind, "now": clock.now()}
    connection = connection if connection is not None else db.session.connection()
    row = connection.execute(_live_tokens(), asked).first()
    if row is None:
        return None
    values = row._asdict()
    scopes = frozenset(values["scopes"].split())
    granted = values.pop("granted_scopes")
    if values["installation_id"] is not None:
        # An update of the app may have given scopes back.
        scopes &= frozenset(granted)
    return LiveToken(**{**values, "scopes": scopes, "is_refresh": kind is TokenKind.REFRESH})


def grant_in_order() -> ColumnElement[bool]:
    """Nothing above a grant was ended. Needs the joins of `with_standing`."""
    return and_(
        OAuthGrant.revoked_at.is_(None),
        OAuthClient.disabled_at.is_(None),
        App.archived_at.is_(None),
        or_(
            OAuthGrant.installation_id.is_(None),
            Installation.state != InstallationState.UNINSTALLED,
        ),
    )


def is_suspended() -> ColumnElement[bool]:
    """The listing, its publisher or the customer is suspended. Needs the same joins."""
    return case(
        (
            or_(
                _publisher.suspended_at.is_not(None),
                Listing.suspended_at.is_not(None),
                _customer.suspended_at.is_not(None),
            ),
            True,
        ),
        else_=False,
    )


def with_standing(query: Select[*tuple[Any, ...]]) -> Select[*tuple[Any, ...]]:
    """`query`, which selects from OAuthGrant, joined with all that a grant hangs on."""
    return (
        query.join(OAuthClient, OAuthGrant.client_id == OAuthClient.id)
        .join(App, OAuthClient.app_id == App.id)
        .join(_publisher, App.publisher_id == _publisher.id)
        .outerjoin(Listing, App.listing_id == Listing.id)
        .outerjoin(Installation, OAuthGrant.installation_id == Installation.id)
        .outerjoin(_customer, Installation.organization_id == _customer.id)
    )


@functools.cache
def _live_tokens() -> Select[*tuple[Any, ...]]:
    # Made once: every call of the API asks it, and to make it takes longer than to run it.
    query = select(
        OAuthToken.id.label("token_id"),
        OAuthGrant.id.label("grant_id"),
        OAuthClient.id.label("client_id"),
        OAuthClient.client_id.label("client_public_id"),
        App.id.label("app_id"),
        App.public_id.label("app_public_id"),
        App.publisher_id,
        OAuthClient.environment,
        OAuthToken.scope.label("scopes"),
        Installation.id.label("installation_id"),
        Installation.public_id.label("installation_public_id"),
        _customer.id.label("organization_id"),
        _customer.slug.label("organization_slug"),
        Installation.state.label("installation_state"),
        Installation.granted_scopes,
        is_suspended().label("is_suspended"),
        OAuthToken.issued_at,
        OAuthToken.expires_at,
        OAuthToken.last_used_at,
        OAuthGrant.user_id,
    ).join(OAuthGrant, OAuthToken.grant_id == OAuthGrant.id)
    return with_standing(query).where(
        grant_in_order(),
        OAuthToken.revoked_at.is_(None),
        OAuthToken.used_at.is_(None),
        OAuthToken.expires_at > bindparam("now"),
        OAuthToken.token_hash == bindparam("hash"),
        OAuthToken.kind == bindparam("kind"),
    )
