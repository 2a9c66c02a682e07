"""Revoking tokens (RFC 7009) and asking about them (RFC 7662)."""

from typing import Any

from authlib.oauth2.rfc6749 import InvalidRequestError
from authlib.oauth2.rfc7009 import RevocationEndpoint
from authlib.oauth2.rfc7662 import IntrospectionEndpoint
from sqlalchemy import update

from marketplace.core import clock
from marketplace.core.database import db
from marketplace.core.facts import record_fact
from marketplace.installs.grants import revoke_grant
from marketplace.installs.models import ClientKind, OAuthToken, TokenKind
from marketplace.installs.oauth.answers import issuer
from marketplace.installs.oauth.clients import BASIC, NONE, POST, Client
from marketplace.installs.oauth.parameters import ServerRequest, scope_names
from marketplace.installs.oauth.queries import IssuedToken, find_issued_token
from marketplace.installs.oauth.tokens import LiveToken, find_access_token, find_refresh_token
from marketplace.installs.oauth.usage import note_use


class Revocation(RevocationEndpoint):  # type: ignore[misc]  # Authlib has no types
    """A client gives a token of its own back. Unknown tokens are no error (RFC 7009, 2.2)."""

    CLIENT_AUTH_METHODS = [BASIC, POST, NONE]

    def check_params(self, request: ServerRequest, client: Client) -> None:
        """A hint may be wrong or unknown: our tokens say by themselves what they are."""
        if not request.form.get("token"):
            raise InvalidRequestError("The token is missing.")

    def query_token(self, token_string: str, token_type_hint: str | None) -> IssuedToken | None:
        return find_issued_token(token_string)

    def revoke_token(self, token: IssuedToken, request: ServerRequest) -> None:
        """A refresh token takes everything with it; an access token goes alone, unless it is all
        that its grant has."""
        if token.kind is TokenKind.REFRESH or token.installation_id is None:
            if revoke_grant(token.grant_id, "revoked_by_client"):
                record_fact(
                    "oauth.revoked",
                    subject=("oauth_grant", token.grant_id),
                    data={"reason": "revoked_by_client"},
                )
            return
        db.session.execute(
            update(OAuthToken)
            .where(OAuthToken.id == token.id, OAuthToken.revoked_at.is_(None))
            .values(revoked_at=clock.now())
            .execution_options(synchronize_session=False)
        )


class Introspection(IntrospectionEndpoint):  # type: ignore[misc]  # Authlib has no types
    """Tells a resource server what an access token may do, and a client what its own may."""

    CLIENT_AUTH_METHODS = [BASIC, POST]

    def authenticate_token(self, request: ServerRequest, client: Client) -> LiveToken | None:
        """The live token, if the asker may know of it and it has every scope that was named."""
        shown = request.form.get("token")
        if not shown:
            raise InvalidRequestError("The token is missing.")
        live = find_access_token(shown)
        if live is None and client.row.kind is ClientKind.APP:
            live = find_refresh_token(shown)
        if live is None or not live.is_usable:
            return None
        if client.row.kind is ClientKind.APP and live.client_id != client.row.id:
            return None
        # Client credentials speak for a partner, at our own API alone: no customer granted them.
        if client.row.kind is ClientKind.RESOURCE_SERVER and live.installation_id is None:
            return None
        wanted = scope_names(request.form.get("scope"))
        if not set(wanted) <= live.scopes:
            return None
        if client.row.kind is ClientKind.RESOURCE_SERVER:
            note_use(live, *wanted)
        return live

    def create_introspection_payload(self, token: LiveToken | None) -> dict[str, Any]:
        if token is None:
            return {"active": False}
        answer: dict[str, Any] = {
            "active": True,
            "iss": issuer(),
            "client_id": token.client_public_id,
            "sub": token.installation_public_id or token.client_public_id,
            "scope": " ".join(sorted(token.scopes)),
            "exp": int(token.expires_at.timestamp()),
            "iat": int(token.issued_at.timestamp()),
            "app": token.app_public_id,
            "environment": token.environment.value,
        }
        if not token.is_refresh:
            answer |= {"token_type": "Bearer"}
        if token.installation_public_id is not None:
            answer["installation"] = token.installation_public_id
            answer["organization"] = token.organization_slug
        return answer
