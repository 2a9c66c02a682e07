"""Apps of the demo: the words of Harbor's scopes, apps that can be installed, and who has.

One of them is real: the sample app of examples/ runs beside the demo and is registered with the
secrets that `make demo` gives to both (see `SampleApp`). The others have no server; installing
them ends on their setup guide.
"""

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

from sqlalchemy import select
from sqlalchemy.orm import joinedload

from marketplace.catalogue.models import Listing, ListingUse
from marketplace.core import clock
from marketplace.core.database import db
from marketplace.core.sealing import seal
from marketplace.identity.models import Membership, Organization, Role
from marketplace.installs.credentials import hash_secret, hint_of, new_public_id
from marketplace.installs.models import (
    App,
    ClientSecret,
    Environment,
    HealthDay,
    HealthState,
    Installation,
    InstallationEvent,
    OAuthClient,
    Scope,
    ScopeDirection,
    WebhookEndpoint,
    WebhookSecret,
)

Row = Mapping[str, Any]
PROBES_A_DAY = 288


@dataclass(frozen=True)
class SampleApp:
    """Where the sample app runs, and what it and the demo both know."""

    url: str
    client_id: str
    client_secret: str
    webhook_secret: str

    @classmethod
    def from_environment(cls, environ: Mapping[str, str] = os.environ) -> "SampleApp | None":
        """The sample app that `make demo` starts; None where it does not."""
        url = environ.get("SAMPLE_APP_URL")
        if not url:
            return None
        return cls(
            url,
            environ["SAMPLE_APP_CLIENT_ID"],
            environ["SAMPLE_APP_CLIENT_SECRET"],
            environ["SAMPLE_APP_WEBHOOK_SECRET"],
        )


def add_scopes(rows: Iterable[Row]) -> int:
    """The operator's scopes in words. How many were new."""
    known = set(db.session.scalars(select(Scope.name)))
    new = [
        Scope(
            name=row["name"],
            title=row["title"],
            description=row.get("description") or "",
            direction=ScopeDirection(row["direction"]),
            is_sensitive=bool(row.get("sensitive")),
        )
        for row in rows
        if row["name"] not in known
    ]
    db.session.add_all(new)
    db.session.flush()
    return len(new)


def add_apps(rows: Iterable[Row], sample: SampleApp | None) -> int:
    """Apps, who installed them and how they answered. How many apps were new.

    The sample app's addresses are set anew each time: the demo may run on another port.
    """
    listings = {
        listing.slug: listing
        for listing in db.session.scalars(select(Listing).options(joinedload(Listing.publisher)))
    }
    known = {app.listing_id: app for app in db.session.scalars(select(App))}
    owners = _owners()
    added = 0
    for row in rows:
        listing = listings.get(row["listing"])
        if listing is None or (row.get("sample") and sample is None):
            continue
        app = known.get(listing.id)
        if app is None:
            app = _register(listing, owners.get(listing.publisher_id))
            _install(app, listing, row, owners)
            _remember_health(app, row)
            added += 1
        if row.get("sample") and sample is not None:
            _connect_sample(app, sample)
    db.session.flush()
    return added


def _owners() -> dict[int, int]:
    return {
        row.organization_id: row.user_id
        for row in db.session.execute(
            select(Membership.organization_id, Membership.user_id)
            .where(Membership.role == Role.OWNER)
            .order_by(Membership.id.desc())
        )
    }


def _register(listing: Listing, owner_id: int | None) -> App:
    app = App(
        public_id=new_public_id("app"),
        publisher_id=listing.publisher_id,
        listing_id=listing.id,
        name=listing.name,
        created_by_id=owner_id,
        created_at=listing.published_at or clock.now(),
    )
    db.session.add(app)
    db.session.flush()
    for environment in Environment:
        db.session.add(
            OAuthClient(
                client_id=new_public_id("pcl" if environment is Environment.LIVE else "pct"),
                app_id=app.id,
                environment=environment,
                redirect_uris=[f"{_server_of(listing)}/oauth/callback"],
                created_at=app.created_at,
            )
        )
    db.session.flush()
    return app


def _server_of(listing: Listing) -> str:
    """Where the app's server would be; names below .example lead nowhere."""
    website = str(listing.content.get("website_url") or "https://apps.example")
    parts = urlsplit(website)
    return f"{parts.scheme}://{listing.slug}.{(parts.hostname or '').removeprefix('www.')}"


def _install(app: App, listing: Listing, row: Row, owners: Mapping[int, int]) -> None:
    """The first of those who say that they use the listing have installed it, since then."""
    uses = db.session.execute(
        select(ListingUse, Organization)
        .join(Organization, Organization.id == ListingUse.organization_id)
        .where(ListingUse.listing_id == listing.id)
        .order_by(ListingUse.since)
        .limit(int(row.get("installed_by_users") or 0))
    )
    asked = list(listing.content.get("scopes", []))
    for use, organization in uses:
        missing = row.get("before_last_consent", {}).get(organization.slug, [])
        scopes = [scope for scope in asked if scope["scope"] not in missing]
        user_id = owners.get(organization.id)
        installation = Installation(
            public_id=new_public_id("inst"),
            app_id=app.id,
            listing_id=listing.id,
            organization_id=organization.id,
            environment=Environment.LIVE,
            granted_scopes=[scope["scope"] for scope in scopes],
            consented_content={
                "scopes": scopes,
                "data_shared": list(listing.content.get("data_shared", [])),
                "version": None,
            },
            consented_by_id=user_id,
            consented_at=use.since,
            installed_at=use.since,
            connected_at=use.since,
        )
        db.session.add(installation)
        db.session.flush()
        db.session.add(
            InstallationEvent(
                installation_id=installation.id,
                app_id=app.id,
                kind="installed",
                user_id=user_id,
                created_at=use.since,
            )
        )


def _remember_health(app: App, row: Row) -> None:
    days = int(row.get("days") or 0)
    if not days:
        return
    today = clock.now().date()
    failed_days = row.get("failed_days", {})
    for ago in range(1, days + 1):
        failed = int(failed_days.get(str(ago), 0))
        db.session.add(
            HealthDay(
                app_id=app.id,
                day=today - timedelta(days=ago),
                answered=PROBES_A_DAY - failed,
                failed=failed,
            )
        )
    app.health, app.health_since = HealthState.UP, clock.now() - timedelta(days=2)


def _connect_sample(app: App, sample: SampleApp) -> None:
    client = db.session.scalars(
        select(OAuthClient).where(
            OAuthClient.app_id == app.id, OAuthClient.environment == Environment.LIVE
        )
    ).one()
    before = db.session.scalar(
        select(OAuthClient).where(
            OAuthClient.client_id == sample.client_id, OAuthClient.id != client.id
        )
    )
    if before is not None:  # an earlier version of the demo had another app as its sample
        before.client_id = new_public_id("pcl")
        db.session.flush()
    client.client_id = sample.client_id
    client.redirect_uris = [f"{sample.url}/oauth/callback"]
    client.install_url = f"{sample.url}/install"
    client.configure_url = sample.url
    app.status_url = f"{sample.url}/status"
    digest = hash_secret(sample.client_secret)
    if digest not in {secret.secret_hash for secret in client.secrets}:
        db.session.add(
            ClientSecret(
                client_id=client.id, secret_hash=digest, hint=hint_of(sample.client_secret)
            )
        )
    endpoint = db.session.scalar(
        select(WebhookEndpoint).where(
            WebhookEndpoint.app_id == app.id, WebhookEndpoint.deleted_at.is_(None)
        )
    )
    if endpoint is None:
        endpoint = WebhookEndpoint(
            public_id=new_public_id("we"),
            organization_id=app.publisher_id,
            app_id=app.id,
            environment=Environment.LIVE,
            url="",
            description="The sample app",
        )
        db.session.add(endpoint)
        db.session.flush()
        db.session.add(WebhookSecret(endpoint_id=endpoint.id, sealed=seal(sample.webhook_secret)))
    endpoint.url = f"{sample.url}/webhooks"
