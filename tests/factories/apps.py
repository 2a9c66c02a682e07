"""Apps, installations and credentials for tests. All of it is flushed, nothing committed."""

from datetime import timedelta
from typing import Any

from marketplace.catalogue.models import Listing
from marketplace.core import clock
from marketplace.core.database import db
from marketplace.identity.models import Organization, User
from marketplace.installs.credentials import hash_secret, hint_of, new_public_id, new_secret
from marketplace.installs.models import (
    AccessKey,
    App,
    ClientSecret,
    Environment,
    Installation,
    InstallationState,
    OAuthClient,
    OAuthGrant,
    OAuthToken,
    TokenKind,
)

REDIRECT_URI = "https://app.tides.example/oauth/callback"


def make_app(
    listing: Listing | None = None, publisher: Organization | None = None, **fields: Any
) -> App:
    """An app with a live and a test client; `app.clients` has both."""
    if publisher is None:
        assert listing is not None
        publisher = listing.publisher
    app = App(
        public_id=new_public_id("app"),
        publisher_id=publisher.id,
        listing_id=listing.id if listing else None,
        name=listing.name if listing else "Tide Tables",
        **fields,
    )
    db.session.add(app)
    db.session.flush()
    for environment in Environment:
        db.session.add(
            OAuthClient(
                client_id=new_public_id(f"pc{environment.value[0]}"),
                app_id=app.id,
                environment=environment,
                redirect_uris=[REDIRECT_URI],
                install_url="https://app.tides.example/install",
            )
        )
    db.session.flush()
    db.session.refresh(app)
    return app


def client_of(app: App, environment: Environment = Environment.LIVE) -> OAuthClient:
    """The app's client in that environment."""
    return next(client for client in app.clients if client.environment is environment)


def make_client_secret(client: OAuthClient) -> str:
    """A new secret of the client, as its developer was shown it."""
    secret = new_secret("client_secret")
    db.session.add(
        ClientSecret(client_id=client.id, secret_hash=hash_secret(secret), hint=hint_of(secret))
    )
    db.session.flush()
    return secret


def make_sandbox(partner: Organization) -> Organization:
    """The partner's sandbox organization."""
    from marketplace.identity.models import OrganizationKind
    from tests.factories.people import make_organization

    return make_organization(
        f"{partner.name} sandbox", OrganizationKind.CUSTOMER, sandbox_of_id=partner.id
    )


def make_installation(
    app: App,
    organization: Organization,
    user: User | None = None,
    *,
    scopes: tuple[str, ...] = ("events.write",),
    environment: Environment = Environment.LIVE,
    **fields: Any,
) -> Installation:
    """An active installation that `user` consented to."""
    at = clock.now()
    installation = Installation(
        **{
            "public_id": new_public_id("inst"),
            "app_id": app.id,
            "listing_id": app.listing_id,
            "organization_id": organization.id,
            "environment": environment,
            "state": InstallationState.ACTIVE,
            "granted_scopes": list(scopes),
            "consented_content": {
                "scopes": [
                    {"scope": name, "reason": "To add the tides to your calendar"}
                    for name in scopes
                ],
                "data_shared": (app.listing.content or {}).get("data_shared", [])
                if app.listing
                else [],
                "version": None,
            },
            "consented_by_id": user.id if user else None,
            "consented_at": at,
            "installed_at": at,
            **fields,
        }
    )
    db.session.add(installation)
    db.session.flush()
    return installation


def make_key(
    organization: Organization,
    *scopes: str,
    user: User | None = None,
    environment: Environment = Environment.LIVE,
    **fields: Any,
) -> str:
    """A new access key as its maker was shown it: personal with a user, else the organization's."""
    token = new_secret("personal_key" if user else "organization_key")
    db.session.add(
        AccessKey(
            organization_id=organization.id,
            user_id=user.id if user else None,
            environment=environment,
            name="CI",
            token_hash=hash_secret(token),
            hint=hint_of(token),
            scopes=list(scopes),
            created_by_id=user.id if user else None,
            **fields,
        )
    )
    db.session.flush()
    return token


def make_grant(
    client: OAuthClient,
    installation: Installation | None = None,
    user: User | None = None,
    **fields: Any,
) -> OAuthGrant:
    """A live grant: for an installation, or without one as client credentials give."""
    grant = OAuthGrant(
        client_id=client.id,
        installation_id=installation.id if installation else None,
        user_id=user.id if user else None,
        **fields,
    )
    db.session.add(grant)
    db.session.flush()
    return grant


def make_access_token(
    client: OAuthClient,
    *scopes: str,
    installation: Installation | None = None,
    grant: OAuthGrant | None = None,
    **fields: Any,
) -> str:
    """A live access token as the client was given it. Scopes default to all that the
    installation has."""
    return _make_token("access_token", client, scopes, installation, grant, fields)


def make_refresh_token(
    client: OAuthClient,
    *scopes: str,
    installation: Installation | None = None,
    grant: OAuthGrant | None = None,
    **fields: Any,
) -> str:
    """A live refresh token as the client was given it."""
    return _make_token("refresh_token", client, scopes, installation, grant, fields)


def _make_token(
    kind: str,
    client: OAuthClient,
    scopes: tuple[str, ...],
    installation: Installation | None,
    grant: OAuthGrant | None,
    fields: dict[str, Any],
) -> str:
    grant = grant or make_grant(client, installation)
    token = new_secret(kind)
    at = clock.now()
    is_access = kind == "access_token"
    db.session.add(
        OAuthToken(
            **{
                "kind": TokenKind.ACCESS if is_access else TokenKind.REFRESH,
                "token_hash": hash_secret(token),
                "grant_id": grant.id,
                "scope": " ".join(scopes or (installation.granted_scopes if installation else ())),
                "issued_at": at,
                "expires_at": at + (timedelta(hours=1) if is_access else timedelta(days=60)),
                **fields,
            }
        )
    )
    db.session.flush()
    return token
