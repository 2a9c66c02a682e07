"""The checks of an app, for its publisher."""

from typing import Any

from flask import Blueprint, render_template
from flask.typing import ResponseReturnValue

from marketplace.core.errors import SignInRequiredError
from marketplace.core.permissions import current_actor, needs
from marketplace.installs.health import policies, queries
from marketplace.installs.health.panel import health_of
from marketplace.installs.models import App

blueprint = Blueprint("app_health", __name__, url_prefix="/partner/apps")
PERMISSION_RULES = policies.__name__
ON_PAGE = 20


def _own_app(app_id: str, **_rest: Any) -> App | None:
    if not current_actor().is_authenticated:
        raise SignInRequiredError("Sign in to go on.")
    return queries.find_app(app_id)


@blueprint.get("/<app_id>/health")
@needs("app_health.read", load=_own_app, name="app")
def page(app: App) -> ResponseReturnValue:
    """Uptime, days and incidents."""
    return render_template(
        "health/app.html",
        app=app,
        health=health_of(app),
        incidents=queries.last_incidents(app.id, ON_PAGE),
    )
