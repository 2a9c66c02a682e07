"""The operator's own services, which ask what a token may do."""

from dataclasses import dataclass

from marketplace.core import clock
from marketplace.core.database import db
from marketplace.core.errors import InvalidError, NotFoundError
from marketplace.core.facts import record_fact
from marketplace.installs.credentials import hash_secret, hint_of, new_public_id, new_secret
from marketplace.installs.models import ClientKind, ClientSecret, OAuthClient
from marketplace.installs.oauth.queries import resource_servers


@dataclass(frozen=True)
class NewResourceServer:
    """A resource server with its secret, which is shown only here."""

    client_id: str
    secret: str


def create_resource_server(name: str) -> NewResourceServer:
    """Let a service of the operator's introspect tokens. Raises InvalidError (field `name`)."""
    name = name.strip()
    if not name or len(name) > 60 or not name.isprintable():
        raise InvalidError({"name": "Use 1 to 60 printable characters."})
    client = OAuthClient(
        client_id=new_public_id("prs"), kind=ClientKind.RESOURCE_SERVER, name=name, redirect_uris=[]
    )
    db.session.add(client)
    db.session.flush()
    secret = new_secret("client_secret")
    db.session.add(
        ClientSecret(client_id=client.id, secret_hash=hash_secret(secret), hint=hint_of(secret))
    )
    db.session.flush()
    record_fact("resource_server.created", subject=("oauth_client", client.client_id))
    return NewResourceServer(client.client_id, secret)


def disable_resource_server(client_id: str) -> OAuthClient:
    """End a resource server at once. Raises NotFoundError."""
    for client in resource_servers():
        if client.client_id == client_id:
            if client.disabled_at is None:
                client.disabled_at = clock.now()
                record_fact("resource_server.disabled", subject=("oauth_client", client_id))
            return client
    raise NotFoundError("There is no resource server with this id.")
