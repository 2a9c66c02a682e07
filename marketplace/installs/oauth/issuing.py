"""Making codes and tokens, and using up what works once. Only hashes are kept."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select, update

from marketplace.core import clock
from marketplace.core.database import db
from marketplace.core.facts import record_fact
from marketplace.installs.credentials import hash_secret, new_secret
from marketplace.installs.grants import revoke_grant
from marketplace.installs.models import (
    AuthorizationCode,
    Installation,
    InstallationState,
    OAuthClient,
    OAuthGrant,
    OAuthToken,
    TokenKind,
)
from marketplace.installs.oauth.tokens import grant_in_order, is_suspended, with_standing

CODE_LIFE = timedelta(seconds=60)
ACCESS_LIFE = timedelta(hours=1)
REFRESH_LIFE = timedelta(days=60)


@dataclass(frozen=True)
class PresentedCode:
    """A code that its own client presents, used or not. What Authlib asks of it, and more."""

    id: int
    grant_id: int
    redirect_uri: str
    scope: str
    code_challenge: str
    expires_at: datetime
    used_at: datetime | None
    user_id: int | None
    installation_id: int
    installation_public_id: str
    installation_state: InstallationState
    granted_scopes: list[str]
    in_order: bool
    is_suspended: bool

    @property
    def is_valid(self) -> bool:
        """Whether it is in time and nothing that it hangs on was ended. It may be blocked for now:
        paused or suspended."""
        return self.expires_at > clock.now() and self.in_order

    def get_redirect_uri(self) -> str:
        return self.redirect_uri

    def get_scope(self) -> str:
        """What was granted with it, without what the installation has lost since."""
        return " ".join(name for name in self.scope.split() if name in self.granted_scopes)


def issue_code(
    client: OAuthClient,
    installation: Installation,
    *,
    user_id: int | None,
    scopes: Sequence[str],
    redirect_uri: str,
    code_challenge: str,
) -> str:
    """A new code, the first of a new grant; it is shown only here."""
    at = clock.now()
    grant = OAuthGrant(
        client_id=client.id, installation_id=installation.id, user_id=user_id, created_at=at
    )
    db.session.add(grant)
    db.session.flush()
    code = new_secret("code")
    db.session.add(
        AuthorizationCode(
            code_hash=hash_secret(code),
            grant_id=grant.id,
            redirect_uri=redirect_uri,
            scope=" ".join(scopes),
            code_challenge=code_challenge,
            created_at=at,
            expires_at=at + CODE_LIFE,
        )
    )
    db.session.flush()
    record_fact(
        "oauth.authorized",
        subject=("installation", installation.public_id),
        actor_user_id=user_id,
        organization_id=installation.organization_id,
        data={"client_id": client.client_id, "scopes": list(scopes)},
    )
    return code


def find_code(code: str, client_row_id: int) -> PresentedCode | None:
    """The code, if it was given to this client. One query."""
    row = db.session.execute(
        with_standing(
            select(
                AuthorizationCode.id,
                AuthorizationCode.grant_id,
                AuthorizationCode.redirect_uri,
                AuthorizationCode.scope,
                AuthorizationCode.code_challenge,
                AuthorizationCode.expires_at,
                AuthorizationCode.used_at,
                OAuthGrant.user_id,
                Installation.id.label("installation_id"),
                Installation.public_id.label("installation_public_id"),
                Installation.state.label("installation_state"),
                Installation.granted_scopes,
                grant_in_order().label("in_order"),
                is_suspended().label("is_suspended"),
            ).join(OAuthGrant, AuthorizationCode.grant_id == OAuthGrant.id)
        ).where(
            AuthorizationCode.code_hash == hash_secret(code),
            OAuthGrant.client_id == client_row_id,
        )
    ).first()
    return PresentedCode(**row._asdict()) if row is not None else None


def use_up_code(code_id: int) -> bool:
    """Mark a code as used; False when somebody was faster. Two exchanges at once: one wins."""
    used = db.session.execute(
        update(AuthorizationCode)
        .where(AuthorizationCode.id == code_id, AuthorizationCode.used_at.is_(None))
        .values(used_at=clock.now())
        .execution_options(synchronize_session=False)
    )
    return getattr(used, "rowcount", 0) == 1


def use_up_refresh_token(token_id: int) -> bool:
    """The same of a refresh token."""
    used = db.session.execute(
        update(OAuthToken)
        .where(OAuthToken.id == token_id, OAuthToken.used_at.is_(None))
        .values(used_at=clock.now())
        .execution_options(synchronize_session=False)
    )
    return getattr(used, "rowcount", 0) == 1


def used_refresh_grant(token: str, client_row_id: int) -> int | None:
    """The grant of a refresh token that this client has exchanged before, else None."""
    return db.session.scalar(
        select(OAuthToken.grant_id)
        .join(OAuthGrant, OAuthToken.grant_id == OAuthGrant.id)
        .where(
            OAuthToken.token_hash == hash_secret(token),
            OAuthToken.kind == TokenKind.REFRESH,
            OAuthToken.used_at.is_not(None),
            OAuthGrant.client_id == client_row_id,
        )
    )


def revoke_family(grant_id: int, reason: str) -> None:
    """Somebody presented what had been used: end the code or token and all that came of it."""
    if revoke_grant(grant_id, reason):
        record_fact("oauth.revoked", subject=("oauth_grant", grant_id), data={"reason": reason})


def issue_tokens(grant_id: int, scope: str, *, refresh_scope: str | None) -> dict[str, Any]:
    """New tokens of a grant as the token endpoint answers them; without a `refresh_scope` there
    is no refresh token. They are shown only here."""
    at = clock.now()
    access = new_secret("access_token")
    answer: dict[str, Any] = {
        "token_type": "Bearer",
        "access_token": access,
        "expires_in": int(ACCESS_LIFE.total_seconds()),
        "scope": scope,
    }
    rows = [_token(TokenKind.ACCESS, access, grant_id, scope, at, at + ACCESS_LIFE)]
    if refresh_scope is not None:
        answer["refresh_token"] = new_secret("refresh_token")
        rows.append(
            _token(
                TokenKind.REFRESH,
                answer["refresh_token"],
                grant_id,
                refresh_scope,
                at,
                at + REFRESH_LIFE,
            )
        )
    db.session.add_all(rows)
    db.session.flush()
    return answer


def _token(
    kind: TokenKind, token: str, grant_id: int, scope: str, at: datetime, until: datetime
) -> OAuthToken:
    return OAuthToken(
        kind=kind,
        token_hash=hash_secret(token),
        grant_id=grant_id,
        scope=scope,
        issued_at=at,
        expires_at=until,
    )


def new_partner_grant(client_row_id: int) -> int:
    """A grant that speaks for the client's publisher; its id."""
    grant = OAuthGrant(client_id=client_row_id)
    db.session.add(grant)
    db.session.flush()
    return grant.id
