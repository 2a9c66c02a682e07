"""A client's addresses and kind, disabling it, and its secrets."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import update

from marketplace.core import clock
from marketplace.core.database import db
from marketplace.core.errors import ConflictError, InvalidError
from marketplace.core.facts import record_fact
from marketplace.core.permissions import Actor
from marketplace.installs.credentials import hash_secret, hint_of, new_secret
from marketplace.installs.developer import fingerprints
from marketplace.installs.developer.addresses import (
    MOST_REDIRECT_URIS,
    page_url_problem,
    redirect_uri_problems,
)
from marketplace.installs.developer.queries import apps as queries
from marketplace.installs.developer.services.apps import StaleError, refuse_archived
from marketplace.installs.developer.services.locks import lock_client
from marketplace.installs.grants import revoke_client_grants
from marketplace.installs.models import App, ClientSecret, Environment, OAuthClient

MOST_SECRETS = 2


def change_client(
    actor: Actor,
    app: App,
    environment: Environment,
    *,
    seen: str,
    redirect_uris: Sequence[str],
    install_url: str,
    configure_url: str,
    is_confidential: bool,
) -> bool:
    """Replace the client's addresses and kind; whether anything changed.

    Made public, its secrets end: it can keep none. `seen` is the fingerprint of the values that
    the form was filled in from. Raises StaleError, ConflictError when archived, and InvalidError
    (fields redirect_uris-<n>, redirect_uris, install_url, configure_url).
    """
    refuse_archived(app)
    client = lock_client(app, environment)
    if seen != fingerprints.of_client(client):
        raise StaleError
    uris = [uri.strip() for uri in redirect_uris]
    # What is registered already stays possible, whoever registered it.
    known = {client.install_url, client.configure_url, *client.redirect_uris}
    errors = {
        f"redirect_uris-{position}": text
        for position, text in redirect_uri_problems(uris, environment, known).items()
        if uris[position]
    }
    kept = [uri for uri in uris if uri]
    if len(kept) > MOST_REDIRECT_URIS:
        errors["redirect_uris"] = f"Use at most {MOST_REDIRECT_URIS} addresses."
    pages = {"install_url": install_url.strip(), "configure_url": configure_url.strip()}
    for field, url in pages.items():
        if url and url not in known and (problem := page_url_problem(url, environment)):
            errors[field] = problem
    if errors:
        raise InvalidError(errors)
    values: dict[str, Any] = {
        "redirect_uris": kept,
        "is_confidential": is_confidential,
        **pages,
    }
    changed = sorted(key for key, value in values.items() if getattr(client, key) != value)
    if not changed:
        return False
    for key in changed:
        setattr(client, key, values[key])
    if not is_confidential:
        _end_secrets(client)
    db.session.flush()
    _record("client.changed", app, client, actor, fields=changed)
    return True


def disable_client(actor: Actor, app: App, environment: Environment) -> int:
    """Refuse the client from now on and end all its tokens; how many grants were live."""
    client = lock_client(app, environment)
    if client.disabled_at is not None:
        return 0
    client.disabled_at = clock.now()
    db.session.flush()
    ended = revoke_client_grants(client.id, "client_disabled")
    _record("client.disabled", app, client, actor, grants=ended)
    return ended


def enable_client(actor: Actor, app: App, environment: Environment) -> None:
    """Take the client again; installations have to connect anew. Raises ConflictError when the
    app is archived."""
    refuse_archived(app)
    client = lock_client(app, environment)
    if client.disabled_at is None:
        return
    client.disabled_at = None
    db.session.flush()
    _record("client.enabled", app, client, actor)


def make_secret(actor: Actor, app: App, environment: Environment, *, seen: str) -> str:
    """A new secret of the client, which can be shown this once: only its hash is kept.

    `seen` names the secrets that the page showed (see `secrets_seen`): the same form sent twice,
    by a reload or by two people, makes one. Raises ConflictError then, for a public client, for
    an archived app, and when two are live.
    """
    refuse_archived(app)
    client = lock_client(app, environment)
    if not client.is_confidential:
        raise ConflictError("A public client has no secret.")
    live = queries.live_secrets(client.id)
    if seen != secrets_seen(live):
        raise ConflictError(
            "The secrets changed since the page was loaded, or this form was sent twice. A secret "
            "is shown once only; revoke one that nobody kept."
        )
    if len(live) >= MOST_SECRETS:
        raise ConflictError(
            f"A client has at most {MOST_SECRETS} secrets. Revoke the one that is out of use first."
        )
    secret = new_secret("client_secret")
    row = ClientSecret(
        client_id=client.id,
        secret_hash=hash_secret(secret),
        hint=hint_of(secret),
        created_by_id=actor.user_id,
    )
    db.session.add(row)
    db.session.flush()
    _record("client.secret_made", app, client, actor, secret_id=row.id)
    return secret


def revoke_secret(actor: Actor, app: App, environment: Environment, secret_id: int) -> bool:
    """Refuse a secret from now on; False when it was gone. Tokens that it fetched stay."""
    client = lock_client(app, environment)
    done = db.session.scalar(
        update(ClientSecret)
        .where(
            ClientSecret.id == secret_id,
            ClientSecret.client_id == client.id,
            ClientSecret.revoked_at.is_(None),
        )
        .values(revoked_at=clock.now())
        .returning(ClientSecret.id)
        .execution_options(synchronize_session=False)
    )
    if done is None:
        return False
    db.session.expire(client, ["secrets"])
    _record("client.secret_revoked", app, client, actor, secret_id=secret_id)
    return True


def secrets_seen(secrets: Sequence[ClientSecret]) -> str:
    """The ids of these secrets, as a form hands them back."""
    return "-".join(str(secret.id) for secret in sorted(secrets, key=lambda row: row.id))


def _end_secrets(client: OAuthClient) -> None:
    db.session.execute(
        update(ClientSecret)
        .where(ClientSecret.client_id == client.id, ClientSecret.revoked_at.is_(None))
        .values(revoked_at=clock.now())
        .execution_options(synchronize_session=False)
    )
    db.session.expire(client, ["secrets"])


def _record(kind: str, app: App, client: OAuthClient, actor: Actor, **data: Any) -> None:
    record_fact(
        kind,
        subject=("app", app.public_id),
        actor_user_id=actor.user_id,
        organization_id=app.publisher_id,
        data={"environment": client.environment.value, **data},
    )
