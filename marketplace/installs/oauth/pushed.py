"""Authorization requests that wait here: pushed by a client (RFC 9126), or on their way through
a sign-in, whose return address must be short. Both are kept under the hash of a random handle."""

import secrets
from datetime import timedelta

from sqlalchemy import select, update

from marketplace.core import clock
from marketplace.core.database import db
from marketplace.installs.credentials import PREFIXES, hash_secret, new_secret
from marketplace.installs.models import OAuthClient, PushedRequest
from marketplace.installs.oauth.parameters import Parameters, from_pairs

PUSHED_LIFE = timedelta(seconds=90)
# Time to sign in, perhaps for the first time, and to read the consent page.
CONTINUE_LIFE = timedelta(hours=1)
MAX_HANDLE_LENGTH = 200


def push(client: OAuthClient, parameters: Parameters) -> str:
    """Keep a client's request; its request_uri, which works once within 90 seconds."""
    uri = new_secret("pushed_request")
    _keep(uri, client, parameters, PUSHED_LIFE)
    return uri


def take_pushed(request_uri: str, client: OAuthClient) -> Parameters | None:
    """The parameters that this client pushed; None when they were taken before, are too old or
    are another client's."""
    if not request_uri.startswith(PREFIXES["pushed_request"]):
        return None
    if len(request_uri) > MAX_HANDLE_LENGTH:
        return None
    at = clock.now()
    kept = db.session.execute(
        update(PushedRequest)
        .where(
            PushedRequest.uri_hash == hash_secret(request_uri),
            PushedRequest.client_id == client.id,
            PushedRequest.used_at.is_(None),
            PushedRequest.expires_at > at,
        )
        .values(used_at=at)
        .returning(PushedRequest.parameters)
        .execution_options(synchronize_session=False)
    ).scalar_one_or_none()
    return from_pairs(kept["pairs"]) if kept is not None else None


def keep_for_later(client: OAuthClient, parameters: Parameters) -> str:
    """Keep a request while its person signs in and reads; a handle for addresses on this site.

    The handle guards nothing: whoever has it could as well begin the same request anew.
    """
    handle = secrets.token_urlsafe(24)
    _keep(_continued(handle), client, parameters, CONTINUE_LIFE)
    return handle


def find_kept(handle: str) -> Parameters | None:
    """The request of a handle, within an hour. One query."""
    if len(handle) > MAX_HANDLE_LENGTH:
        return None
    kept = db.session.scalar(
        select(PushedRequest.parameters).where(
            PushedRequest.uri_hash == hash_secret(_continued(handle)),
            PushedRequest.expires_at > clock.now(),
        )
    )
    return from_pairs(kept["pairs"]) if kept is not None else None


def _continued(handle: str) -> str:
    # So that a handle is never taken for a request_uri, nor the other way round.
    return f"continue:{handle}"


def _keep(secret: str, client: OAuthClient, parameters: Parameters, life: timedelta) -> None:
    at = clock.now()
    db.session.add(
        PushedRequest(
            uri_hash=hash_secret(secret),
            client_id=client.id,
            parameters={"pairs": [list(pair) for pair in parameters.items(multi=True)]},
            created_at=at,
            expires_at=at + life,
        )
    )
    db.session.flush()
