"""Who sees the checks of an app."""

from typing import Any

from marketplace.core.permissions import Actor, rule
from marketplace.installs.models import App


@rule("app_health.read")
def may_read_health(actor: Actor, app: Any) -> bool:
    """Everybody in the app's organization, while acting for it."""
    return (
        isinstance(app, App)
        and actor.organization_id == app.publisher_id
        and actor.role_in(app.publisher_id) is not None
    )
