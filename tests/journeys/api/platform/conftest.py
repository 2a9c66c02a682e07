"""A partner with everything the platform API can be asked about, and tokens for it."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from marketplace.api.v1.rate import RateLimit
from marketplace.catalogue.models import Listing, ListingReview, ListingVersion
from marketplace.core import clock
from marketplace.core.database import db
from marketplace.identity.models import Organization, Role, User
from marketplace.installs.credentials import new_public_id
from marketplace.installs.models import (
    App,
    Environment,
    ErasureRequest,
    Installation,
)
from marketplace.installs.scopes import CUSTOMER_SCOPES, PARTNER_SCOPES
from marketplace.installs.webhooks.events import emit
from tests.factories.apps import (
    client_of,
    make_access_token,
    make_app,
    make_installation,
    make_key,
    make_sandbox,
)
from tests.factories.listings import make_listing
from tests.factories.people import make_customer, make_member, make_organization, make_user

Answer = Any


@dataclass
class Partner:
    """A partner's world; `key()` and `token()` make credentials of it."""

    organization: Organization
    owner: User
    listing: Listing
    draft: Listing
    app: App
    customer: Organization
    admin: User
    installation: Installation
    sandbox: Organization
    trial: Installation
    review: ListingReview
    version: ListingVersion
    erasure: ErasureRequest
    test_erasure: ErasureRequest
    events: list[str] = field(default_factory=list)

    def key(
        self,
        *scopes: str,
        user: User | None = None,
        environment: Environment = Environment.LIVE,
        **fields: Any,
    ) -> str:
        """A key with these scopes (none named: all)."""
        made = make_key(
            self.organization,
            *(scopes or PARTNER_SCOPES),
            user=user,
            environment=environment,
            **fields,
        )
        db.session.commit()
        return made

    def token(
        self,
        *scopes: str,
        installation: Installation | None = None,
        **fields: Any,
    ) -> str:
        """A token of an installation (by default the live one), with all customer scopes."""
        found = installation or self.installation
        client = client_of(self.app, found.environment)
        made = make_access_token(client, *(scopes or CUSTOMER_SCOPES), installation=found, **fields)
        db.session.commit()
        return made

    def app_token(self, *scopes: str, environment: Environment = Environment.LIVE) -> str:
        """A token by client credentials."""
        client = client_of(self.app, environment)
        made = make_access_token(client, *(scopes or PARTNER_SCOPES))
        db.session.commit()
        return made

    @property
    def values(self) -> dict[str, Any]:
        """What stands in addresses."""
        return {
            "slug": self.listing.slug,
            "installation_id": self.installation.public_id,
            "erasure_id": self.erasure.public_id,
            "review_id": self.review.id,
        }


def make_partner(name: str = "Quayside", listing_name: str = "Tide Tables") -> Partner:
    """A partner whose app one customer installed, and its sandbox."""
    organization = make_organization(name)
    owner = make_member(organization)
    listing = make_listing(organization, name=listing_name)
    draft = make_listing(organization, name=f"{listing_name} Draft", published=False)
    app = make_app(listing)
    customer = make_customer(f"Blue Kite of {name}")
    admin = make_member(customer, Role.ADMIN, make_user("Bo Lind"))
    scopes = ("events.write", *CUSTOMER_SCOPES)
    installation = make_installation(app, customer, admin, scopes=scopes)
    sandbox = make_sandbox(organization)
    trial = make_installation(app, sandbox, owner, environment=Environment.TEST, scopes=scopes)
    review = ListingReview(
        listing_id=listing.id,
        organization_id=customer.id,
        author_id=admin.id,
        author_name=admin.name,
        rating=4,
        title="Good",
        body="It works.",
    )
    version = ListingVersion(
        listing_id=listing.id,
        version="1.0.0",
        released_on=clock.now().date(),
        changelog="First.",
    )
    erasures = [
        ErasureRequest(
            public_id=new_public_id("er"),
            installation_id=found.id,
            app_id=app.id,
            environment=found.environment,
            due_at=clock.now() + timedelta(days=30),
        )
        for found in (installation, trial)
    ]
    db.session.add_all([review, version, *erasures])
    db.session.flush()
    events = [
        str(
            emit(
                "installation.installed",
                organization_id=organization.id,
                environment=found.environment,
                data={"installation": {"id": found.public_id}},
                installation=found,
            )
        )
        for found in (installation, trial)
    ]
    db.session.commit()
    return Partner(
        organization,
        owner,
        listing,
        draft,
        app,
        customer,
        admin,
        installation,
        sandbox,
        trial,
        review,
        version,
        erasures[0],
        erasures[1],
        events,
    )


@pytest.fixture
def partner(app: Flask) -> Partner:
    """The partner whose tokens ask."""
    assert app
    return make_partner()


@pytest.fixture
def stranger(app: Flask) -> Partner:
    """Another partner, whose things are none of the first one's business."""
    assert app
    return make_partner("Lantern", "Lamp Switch")


@pytest.fixture(autouse=True)
def _wide_token_limit(app: Flask) -> Iterator[None]:
    before = app.extensions["portico_token_limit"]
    app.extensions["portico_token_limit"] = RateLimit("100000 per minute")
    yield
    app.extensions["portico_token_limit"] = before


class Api:
    """A client with a token."""

    def __init__(self, client: FlaskClient, token: str | None) -> None:
        self.client = client
        self.token = token

    def send(self, method: str, path: str, **options: Any) -> TestResponse:
        headers = dict(options.pop("headers", None) or {})
        if self.token is not None:
            headers["Authorization"] = f"Bearer {self.token}"
        return self.client.open(f"/api/v1{path}", method=method, headers=headers, **options)

    def get(self, path: str, **options: Any) -> TestResponse:
        return self.send("GET", path, **options)

    def post(self, path: str, json: Any = None, **options: Any) -> TestResponse:
        return self.send("POST", path, json=json, **options)

    def patch(self, path: str, json: Any, **options: Any) -> TestResponse:
        return self.send("PATCH", path, json=json, **options)

    def ask(self, path: str, **options: Any) -> Answer:
        """The JSON of a successful GET."""
        response = self.get(path, **options)
        assert response.status_code == 200, response.text
        assert response.content_type == "application/json"
        return response.json

    def pages(self, path: str) -> Iterator[Answer]:
        """Each page of a list."""
        following: str | None = path
        while following is not None:
            page = self.ask(following.removeprefix("http://localhost/api/v1"))
            yield page
            following = page["next"] if page["has_more"] else None


@pytest.fixture
def api(app: Flask) -> Callable[[str | None], Api]:
    """`api(token)` is a client that sends the token."""
    return lambda token: Api(app.test_client(), token)
