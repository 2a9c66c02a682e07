"""Giving scopes back that nobody asks for any more."""

from marketplace.core.permissions import Actor
from marketplace.installs.customer.asking import allowed_scopes
from marketplace.installs.customer.services.recording import lock_installation, record
from marketplace.installs.models import Installation


def no_longer_asked(installation: Installation) -> list[str]:
    """The granted scopes that the app may not ask for now. At most two queries."""
    client = next(
        (row for row in installation.app.clients if row.environment is installation.environment),
        None,
    )
    listed = allowed_scopes(client) if client is not None else ()
    return [name for name in installation.granted_scopes if name not in listed]


def reduce_scopes(actor: Actor, installation: Installation) -> list[str]:
    """Take back what is no longer asked for; the names. Tokens lose the scopes at once, since
    each use checks what the installation holds. Repeating it is harmless."""
    lock_installation(installation)
    gone = no_longer_asked(installation) if installation.is_live else []
    if not gone:
        return []
    kept = [name for name in installation.granted_scopes if name not in gone]
    installation.granted_scopes = kept
    record(
        installation,
        "upgraded",
        actor.user_id,
        data={"added": [], "removed": gone},
        event={"added_scopes": [], "removed_scopes": gone},
    )
    return gone
