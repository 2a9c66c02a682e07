"""What the authorization server keeps: scopes, pushed requests, grants, codes and tokens.

Codes, tokens and request addresses are kept as SHA-256 hashes: each has 256 random bits, so
that a slow hash would protect nothing more.
"""

import enum
from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, String, Text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from marketplace.core import clock
from marketplace.core.database import Base, Id, text_enum
from marketplace.identity.models import Organization, User
from marketplace.installs.models.app import Environment, OAuthClient
from marketplace.installs.models.installation import Installation


class ScopeDirection(enum.StrEnum):
    """Whether a scope lets an app see data or change it."""

    READ = "read"
    WRITE = "write"


class TokenKind(enum.StrEnum):
    """What a token is for."""

    ACCESS = "access"
    REFRESH = "refresh"


class Scope(Base):
    """A scope of the operator's own API, in words for the people who consent to it."""

    __tablename__ = "oauth_scope"

    name: Mapped[str] = mapped_column(String(80), primary_key=True)
    # What the app may then do, such as "See contacts".
    title: Mapped[str] = mapped_column(String(80))
    description: Mapped[str] = mapped_column(String(300), default="")
    direction: Mapped[ScopeDirection] = mapped_column(text_enum(ScopeDirection))
    is_sensitive: Mapped[bool] = mapped_column(default=False)
    created_at: Mapped[datetime] = mapped_column(default=clock.now)
    updated_at: Mapped[datetime] = mapped_column(default=clock.now, onupdate=clock.now)


class PushedRequest(Base):
    """An authorization request that a client pushed beforehand (RFC 9126); used once."""

    __tablename__ = "oauth_pushed_request"

    id: Mapped[int] = mapped_column(Id, primary_key=True, autoincrement=True)
    uri_hash: Mapped[str] = mapped_column(String(64), unique=True)
    client_id: Mapped[int] = mapped_column(ForeignKey("oauth_client.id"))
    parameters: Mapped[dict[str, Any]] = mapped_column(default=dict)
    created_at: Mapped[datetime] = mapped_column(default=clock.now)
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]


class OAuthGrant(Base):
    """What a code and all tokens that came of it share: revoking it revokes the family.

    With an installation it speaks for that customer; without (client credentials) for the
    app's publisher.
    """

    __tablename__ = "oauth_grant"

    id: Mapped[int] = mapped_column(Id, primary_key=True, autoincrement=True)
    client_id: Mapped[int] = mapped_column(ForeignKey("oauth_client.id"), index=True)
    installation_id: Mapped[int | None] = mapped_column(ForeignKey("installation.id"), index=True)
    # Who was signed in when the code was given.
    user_id: Mapped[int | None] = mapped_column(ForeignKey("user_account.id"))
    created_at: Mapped[datetime] = mapped_column(default=clock.now)
    revoked_at: Mapped[datetime | None]
    # code_replayed, refresh_replayed, revoked_by_client, uninstalled, client_disabled …
    revoked_reason: Mapped[str] = mapped_column(String(40), default="")

    client: Mapped[OAuthClient] = relationship()
    installation: Mapped[Installation | None] = relationship()
    user: Mapped[User | None] = relationship()


class AuthorizationCode(Base):
    """A code that a client may exchange once, within a minute."""

    __tablename__ = "oauth_code"

    id: Mapped[int] = mapped_column(Id, primary_key=True, autoincrement=True)
    code_hash: Mapped[str] = mapped_column(String(64), unique=True)
    grant_id: Mapped[int] = mapped_column(ForeignKey("oauth_grant.id"), index=True)
    redirect_uri: Mapped[str] = mapped_column(Text)
    scope: Mapped[str] = mapped_column(Text)
    code_challenge: Mapped[str] = mapped_column(String(128))
    created_at: Mapped[datetime] = mapped_column(default=clock.now)
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]

    grant: Mapped[OAuthGrant] = relationship()


class OAuthToken(Base):
    """An access or a refresh token."""

    __tablename__ = "oauth_token"

    id: Mapped[int] = mapped_column(Id, primary_key=True, autoincrement=True)
    kind: Mapped[TokenKind] = mapped_column(text_enum(TokenKind))
    token_hash: Mapped[str] = mapped_column(String(64), unique=True)
    grant_id: Mapped[int] = mapped_column(ForeignKey("oauth_grant.id"), index=True)
    # Names parted by spaces.
    scope: Mapped[str] = mapped_column(Text)
    issued_at: Mapped[datetime] = mapped_column(default=clock.now)
    expires_at: Mapped[datetime] = mapped_column(index=True)
    # A refresh token is exchanged once; a second try revokes the whole grant.
    used_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]
    last_used_at: Mapped[datetime | None]

    grant: Mapped[OAuthGrant] = relationship()


class AccessKey(Base):
    """A key for the API that people make themselves: their own, or their organization's.

    With a `user_id` it is personal and can never do more than that person may; without, it is
    the organization's and outlives the person who made it.
    """

    __tablename__ = "access_key"

    id: Mapped[int] = mapped_column(Id, primary_key=True, autoincrement=True)
    organization_id: Mapped[int] = mapped_column(ForeignKey("organization.id"), index=True)
    user_id: Mapped[int | None] = mapped_column(ForeignKey("user_account.id"), index=True)
    environment: Mapped[Environment] = mapped_column(
        text_enum(Environment), default=Environment.LIVE
    )
    name: Mapped[str] = mapped_column(String(80))
    token_hash: Mapped[str] = mapped_column(String(64), unique=True)
    hint: Mapped[str] = mapped_column(String(8))
    scopes: Mapped[list[str]] = mapped_column(default=list)
    created_by_id: Mapped[int | None] = mapped_column(ForeignKey("user_account.id"))
    created_at: Mapped[datetime] = mapped_column(default=clock.now)
    expires_at: Mapped[datetime | None]
    last_used_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]

    organization: Mapped[Organization] = relationship()
    user: Mapped[User | None] = relationship(foreign_keys=[user_id])
    created_by: Mapped[User | None] = relationship(foreign_keys=[created_by_id])
