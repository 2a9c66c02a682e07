"""What others may learn of credentials; wiring.py says who listens, in the same transaction."""

from collections.abc import Callable

from marketplace.accreditation.credentials.models import Credential

Listener = Callable[[Credential], None]
_on_revoked: list[Listener] = []


def on_credential_revoked(*listeners: Listener) -> None:
    """Call each with a credential that was taken back."""
    _on_revoked[:] = listeners


def credential_revoked(credential: Credential) -> None:
    """A credential was taken back."""
    for listener in _on_revoked:
        listener(credential)
