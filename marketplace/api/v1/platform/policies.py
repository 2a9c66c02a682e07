"""Who may do what over the API, on top of a token's scope.

Scopes say what a credential is for; these say what its organization and its person are.
"""

from typing import Any

from marketplace.core.permissions import Actor, rule
from marketplace.installs.models import ErasureRequest

ERASERS = frozenset({"owner", "admin", "developer"})


@rule("platform.read")
def may_read(actor: Actor, _resource: Any = None) -> bool:
    """Everybody in the partner organization that the credential belongs to."""
    active = actor.organization
    return active is not None and active.organization_kind == "partner"


@rule("platform.confirm_erasure")
def may_confirm_erasure(actor: Actor, erasure: Any) -> bool:
    """Owners, admins and developers of the app's publisher, and the organization's own
    credentials, which only owners and admins make."""
    if not isinstance(erasure, ErasureRequest) or not may_read(actor, None):
        return False
    owner = erasure.app.publisher_id
    if actor.organization_id != owner:
        return False
    return actor.user_id is None or actor.role_in(owner) in ERASERS
