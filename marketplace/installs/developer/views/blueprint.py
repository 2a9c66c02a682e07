"""The blueprint, and how what a URL names is found."""

from typing import Any

from flask import Blueprint, request, url_for

from marketplace.core.database import db
from marketplace.core.errors import ForbiddenError, SignInRequiredError
from marketplace.core.permissions import authorize, current_actor
from marketplace.identity.models import Organization
from marketplace.installs.developer import policies
from marketplace.installs.developer.app_states import state_of
from marketplace.installs.developer.queries import apps as app_queries
from marketplace.installs.developer.queries import keys as key_queries
from marketplace.installs.models import AccessKey, App, Environment

blueprint = Blueprint("developer", __name__, url_prefix="/partner")
PERMISSION_RULES = policies.__name__
# Both environments of an app, as a part of an address.
ENVIRONMENT = "<any(live, test):environment>"
ENVIRONMENT_LABELS = {Environment.LIVE: "Live", Environment.TEST: "Test"}


def own_app(app_id: str, **_rest: Any) -> App | None:
    """The app of a URL, for people of its partner only; to all others it does not exist.

    Raises SignInRequiredError before anything is looked up, NotFoundError for others.
    """
    actor = current_actor()
    if not actor.is_authenticated:
        raise SignInRequiredError("Sign in to go on.")
    app = app_queries.find_app(app_id)
    if app is not None:
        authorize(actor, "app.read", app, hidden=True)
    return app


def asked_environment() -> Environment:
    """The environment that the current URL names."""
    return Environment(str((request.view_args or {})["environment"]))


def own_key(key_id: int) -> AccessKey | None:
    """The key of a URL; whose it is decides the rule."""
    if not current_actor().is_authenticated:
        raise SignInRequiredError("Sign in to go on.")
    return key_queries.find_key(key_id)


def active_partner() -> Organization:
    """The partner organization that the person acts for."""
    partner = db.session.get(Organization, current_actor().organization_id)
    if partner is None or not partner.is_partner:
        raise ForbiddenError("Choose your partner organization first.")
    return partner


# The page of an app's health is of a lower layer and wears the same head: templates may ask.
blueprint.add_app_template_global(state_of, "app_state")


@blueprint.app_template_global("app_tabs")
def app_tabs(app: App, current: str) -> list[dict[str, Any]]:
    """The tabs of one app's pages; `current` is one of their keys."""
    pages = (
        ("overview", "Overview", "house", url_for("developer.app", app_id=app.public_id)),
        ("live", "Live", "rocket", _client_url(app, "live")),
        ("test", "Test", "box", _client_url(app, "test")),
        (
            "installations",
            "Installations",
            "building-2",
            url_for("developer.app_installations", app_id=app.public_id),
        ),
        ("health", "Health", "activity", url_for("app_health.page", app_id=app.public_id)),
        (
            "settings",
            "Settings",
            "settings",
            url_for("developer.app_settings", app_id=app.public_id),
        ),
    )
    return [
        {"label": label, "href": href, "icon": icon, "current": key == current}
        for key, label, icon, href in pages
    ]


def _client_url(app: App, environment: str) -> str:
    return url_for("developer.app_client", app_id=app.public_id, environment=environment)
