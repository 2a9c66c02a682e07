"""Apps that partners register, their OAuth clients and the clients' secrets."""

import enum
from datetime import datetime

from sqlalchemy import ForeignKey, Index, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from marketplace.catalogue.models import Listing
from marketplace.core import clock
from marketplace.core.database import Base, Id, text_enum
from marketplace.identity.models import Organization


class Environment(enum.StrEnum):
    """Where a credential works: on real organizations, or on the partner's sandbox alone."""

    LIVE = "live"
    TEST = "test"


class ClientKind(enum.StrEnum):
    """An app of a partner, or a service of the operator that only introspects tokens."""

    APP = "app"
    RESOURCE_SERVER = "resource_server"


class HealthState(enum.StrEnum):
    """What the probes of an app's status address say of late."""

    UNKNOWN = "unknown"
    UP = "up"
    DOWN = "down"


class App(Base):
    """What a partner registers so that its listing can be installed. One for a listing.

    An app without a listing, or whose listing is not public, works in the sandbox alone.
    """

    __tablename__ = "app"
    __table_args__ = (
        Index(
            "uq_app_listing",
            "listing_id",
            unique=True,
            sqlite_where=text("archived_at IS NULL"),
            postgresql_where=text("archived_at IS NULL"),
        ),
    )

    id: Mapped[int] = mapped_column(Id, primary_key=True, autoincrement=True)
    # Random, like all public ids here: `app_…`. Row numbers would tell how many there are.
    public_id: Mapped[str] = mapped_column(String(40), unique=True)
    publisher_id: Mapped[int] = mapped_column(ForeignKey("organization.id"), index=True)
    listing_id: Mapped[int | None] = mapped_column(ForeignKey("listing.id"))
    name: Mapped[str] = mapped_column(String(60))
    # Answers 200 within 3 s while the app works; empty: not probed.
    status_url: Mapped[str] = mapped_column(String(500), default="")
    health: Mapped[HealthState] = mapped_column(text_enum(HealthState), default=HealthState.UNKNOWN)
    health_since: Mapped[datetime | None]
    failed_probes: Mapped[int] = mapped_column(default=0)
    probed_at: Mapped[datetime | None]
    # When its publisher was told that no more uncertified installations are possible.
    cap_told_at: Mapped[datetime | None]
    created_by_id: Mapped[int | None] = mapped_column(ForeignKey("user_account.id"))
    created_at: Mapped[datetime] = mapped_column(default=clock.now)
    updated_at: Mapped[datetime] = mapped_column(default=clock.now, onupdate=clock.now)
    archived_at: Mapped[datetime | None]

    publisher: Mapped[Organization] = relationship()
    listing: Mapped[Listing | None] = relationship()
    clients: Mapped[list["OAuthClient"]] = relationship(
        back_populates="app", order_by="OAuthClient.environment"
    )


class OAuthClient(Base):
    """The credentials of an app in one environment, or of a resource server."""

    __tablename__ = "oauth_client"
    __table_args__ = (UniqueConstraint("app_id", "environment"),)

    id: Mapped[int] = mapped_column(Id, primary_key=True, autoincrement=True)
    client_id: Mapped[str] = mapped_column(String(60), unique=True)
    kind: Mapped[ClientKind] = mapped_column(text_enum(ClientKind), default=ClientKind.APP)
    app_id: Mapped[int | None] = mapped_column(ForeignKey("app.id"))
    name: Mapped[str] = mapped_column(String(60), default="")
    environment: Mapped[Environment] = mapped_column(
        text_enum(Environment), default=Environment.LIVE
    )
    # A public client (a native or browser app) has no secret and proves itself by PKCE alone.
    is_confidential: Mapped[bool] = mapped_column(default=True)
    # Compared as whole strings; none may be left out of a request.
    redirect_uris: Mapped[list[str]] = mapped_column(default=list)
    # Where a customer who installs from the marketplace is sent; the app then begins the
    # authorization itself, so that every code is bound to a PKCE challenge of the app's own.
    install_url: Mapped[str] = mapped_column(String(500), default="")
    # Where a customer changes the app's settings; empty: nowhere.
    configure_url: Mapped[str] = mapped_column(String(500), default="")
    created_at: Mapped[datetime] = mapped_column(default=clock.now)
    disabled_at: Mapped[datetime | None]

    app: Mapped[App | None] = relationship(back_populates="clients")
    secrets: Mapped[list["ClientSecret"]] = relationship(
        back_populates="client", order_by="ClientSecret.id"
    )


class ClientSecret(Base):
    """A secret of a confidential client, kept as a hash. Two may be live, so that one can be
    exchanged without an outage."""

    __tablename__ = "client_secret"

    id: Mapped[int] = mapped_column(Id, primary_key=True, autoincrement=True)
    client_id: Mapped[int] = mapped_column(ForeignKey("oauth_client.id"), index=True)
    secret_hash: Mapped[str] = mapped_column(String(64), unique=True)
    # Its last four characters, by which a person tells two apart.
    hint: Mapped[str] = mapped_column(String(8))
    created_by_id: Mapped[int | None] = mapped_column(ForeignKey("user_account.id"))
    created_at: Mapped[datetime] = mapped_column(default=clock.now)
    last_used_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]

    client: Mapped[OAuthClient] = relationship(back_populates="secrets")
