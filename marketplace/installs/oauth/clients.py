"""Who calls: clients as Authlib sees them, and how they authenticate."""

import base64
import binascii
import hmac
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from urllib.parse import unquote_plus

from authlib.oauth2.rfc6749 import ClientMixin, InvalidClientError, InvalidRequestError
from sqlalchemy import select
from sqlalchemy.orm import joinedload

from marketplace.core import clock
from marketplace.core.database import db
from marketplace.installs.credentials import hash_secret
from marketplace.installs.models import App, ClientKind, ClientSecret, OAuthClient

BASIC, POST, NONE = "client_secret_basic", "client_secret_post", "none"
_CLIENT_ID = re.compile(r"[A-Za-z0-9_]{1,60}")
# A resource server asks for each call that it gets; writing each time would cost more than asking.
USED_EVERY = timedelta(minutes=1)


@dataclass(frozen=True)
class Credentials:
    """What a client showed of itself. `secret` is None with the method `none`."""

    client_id: str
    secret: str | None
    method: str


class UnknownClientError(InvalidClientError):  # type: ignore[misc]  # Authlib has no types
    """The client did not prove who it is. One answer for all reasons."""

    def __init__(self, description: str = "The client could not be authenticated.") -> None:
        super().__init__(description=description, status_code=401)

    def get_headers(self) -> list[tuple[str, str]]:
        headers = [pair for pair in super().get_headers() if pair[0] != "WWW-Authenticate"]
        return [*headers, ("WWW-Authenticate", 'Basic realm="oauth"')]


def read_credentials(authorization: str | None, form: Mapping[str, str]) -> Credentials:
    """What the client showed, by one method (RFC 6749 section 2.3).

    Raises UnknownClientError when nothing usable was shown, InvalidRequestError when more than
    one method was used.
    """
    client_id, secret = form.get("client_id"), form.get("client_secret")
    if authorization:
        basic = _basic(authorization)
        if secret is not None or client_id not in {None, basic.client_id}:
            raise InvalidRequestError("The client used more than one way to authenticate.")
        return basic
    if not client_id:
        raise UnknownClientError
    if secret is not None:
        return Credentials(client_id, secret, POST)
    return Credentials(client_id, None, NONE)


def _basic(authorization: str) -> Credentials:
    scheme, _space, encoded = authorization.partition(" ")
    if scheme.lower() != "basic":
        raise UnknownClientError
    try:
        # RFC 6749, 2.3.1: both parts are form-urlencoded before they are joined.
        joined = base64.b64decode(encoded.strip(), validate=True).decode("ascii")
    except (binascii.Error, UnicodeDecodeError, ValueError):
        raise UnknownClientError from None
    client_id, colon, secret = joined.partition(":")
    if not colon or not client_id:
        raise UnknownClientError
    return Credentials(unquote_plus(client_id), unquote_plus(secret), BASIC)


def find_client(client_id: str) -> OAuthClient | None:
    """The client that may act right now, with its app and publisher; None when it is unknown or
    disabled, or its app is archived."""
    if not _CLIENT_ID.fullmatch(client_id):
        return None
    row = db.session.scalar(
        select(OAuthClient)
        .where(OAuthClient.client_id == client_id, OAuthClient.disabled_at.is_(None))
        .options(
            joinedload(OAuthClient.app).joinedload(App.publisher),
            joinedload(OAuthClient.app).joinedload(App.listing),
        )
    )
    if row is None or row.kind is ClientKind.RESOURCE_SERVER:
        return row
    return row if row.app is not None and row.app.archived_at is None else None


def authenticate(credentials: Credentials, methods: Sequence[str]) -> "Client":
    """The client that these credentials prove, by one of `methods`. Raises UnknownClientError."""
    row = find_client(credentials.client_id)
    if row is None or credentials.method not in methods:
        raise UnknownClientError
    if credentials.secret is None:
        if row.is_confidential:
            raise UnknownClientError
        return Client(row)
    # A public client has no secret: one that it shows comes from somewhere else.
    if not row.is_confidential or not _knows_secret(row, credentials.secret):
        raise UnknownClientError
    return Client(row)


def _knows_secret(row: OAuthClient, secret: str) -> bool:
    shown = hash_secret(secret)
    live = db.session.scalars(
        select(ClientSecret).where(
            ClientSecret.client_id == row.id, ClientSecret.revoked_at.is_(None)
        )
    )
    found = None
    for candidate in live:
        if hmac.compare_digest(candidate.secret_hash, shown):
            found = candidate
    if found is None:
        return False
    at = clock.now()
    if found.last_used_at is None or at - found.last_used_at >= USED_EVERY:
        found.last_used_at = at
    return True


class Client(ClientMixin):  # type: ignore[misc]  # Authlib has no types
    """A client as Authlib sees it."""

    def __init__(self, row: OAuthClient) -> None:
        self.row = row

    def __repr__(self) -> str:
        return f"<client {self.row.client_id}>"

    @property
    def is_suspended(self) -> bool:
        """Whether its listing or its publisher is suspended."""
        app = self.row.app
        if app is None:
            return False
        listing = app.listing
        return app.publisher.suspended_at is not None or (
            listing is not None and listing.suspended_at is not None
        )

    def get_client_id(self) -> str:
        return self.row.client_id

    def get_default_redirect_uri(self) -> None:
        """There is none: each request names the whole address."""

    def check_redirect_uri(self, redirect_uri: str) -> bool:
        return redirect_uri in self.row.redirect_uris

    def check_response_type(self, response_type: str) -> bool:
        return response_type == "code" and self.row.kind is ClientKind.APP

    def check_grant_type(self, grant_type: str) -> bool:
        if self.row.kind is not ClientKind.APP:
            return False
        return grant_type != "client_credentials" or self.row.is_confidential

    def check_endpoint_auth_method(self, method: str, endpoint: str) -> bool:
        return (method != NONE) is self.row.is_confidential

    def get_allowed_scope(self, scope: Any) -> Any:
        """Scopes are decided by the grants, which know for whom they are."""
        return scope or ""
