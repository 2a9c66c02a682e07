"""Looking up what was issued, also when it is over."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import select

from marketplace.core.database import db
from marketplace.installs.credentials import hash_secret
from marketplace.installs.models import (
    ClientKind,
    Installation,
    OAuthClient,
    OAuthGrant,
    OAuthToken,
    TokenKind,
)


@dataclass(frozen=True)
class IssuedToken:
    """A token in whatever state, as Authlib's revocation wants it."""

    id: int
    kind: TokenKind
    grant_id: int
    client_id: int
    installation_id: int | None

    def check_client(self, client: Any) -> bool:
        """Whether it was given to that client."""
        return bool(self.client_id == client.row.id)


def find_issued_token(token: str) -> IssuedToken | None:
    """The token, live or not. One query."""
    row = db.session.execute(
        select(
            OAuthToken.id,
            OAuthToken.kind,
            OAuthToken.grant_id,
            OAuthGrant.client_id,
            OAuthGrant.installation_id,
        )
        .join(OAuthGrant, OAuthToken.grant_id == OAuthGrant.id)
        .where(OAuthToken.token_hash == hash_secret(token))
    ).first()
    return IssuedToken(**row._asdict()) if row is not None else None


def resource_servers() -> list[OAuthClient]:
    """All resource servers, disabled ones too, in the order in which they were made."""
    return list(
        db.session.scalars(
            select(OAuthClient)
            .where(OAuthClient.kind == ClientKind.RESOURCE_SERVER)
            .order_by(OAuthClient.id)
        )
    )


def find_installation(public_id: str, client: OAuthClient) -> Installation | None:
    """The installation of the client's app and environment with that public id."""
    return db.session.scalar(
        select(Installation).where(
            Installation.public_id == public_id,
            Installation.app_id == client.app_id,
            Installation.environment == client.environment,
        )
    )
