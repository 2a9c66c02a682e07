"""The blueprint `identity`, its providers and the menu of the account pages."""

from typing import Any

from flask import Blueprint, Response, current_app, request, url_for
from flask.blueprints import BlueprintSetupState

from marketplace.config import Settings
from marketplace.core.permissions import current_actor
from marketplace.identity import policies  # noqa: F401 - registers the rules
from marketplace.identity.menu import waiting_apps
from marketplace.identity.providers import setup_providers
from marketplace.identity.roles import may_manage

blueprint = Blueprint("identity", __name__)

# The URL converter of a row's id: larger numbers than a database takes are simply not found.
ID = f"int(max={2**63 - 1})"

# Pages of other domains that belong to a person's account; shown where they exist.
_OTHERS = (
    ("engagement.follows", "Followed", "bell"),
    ("engagement.used_listings", "Used listings", "layout-grid"),
    ("engagement.my_reviews", "Reviews", "star"),
    ("credentials.mine", "Credentials", "award"),
)

# What people see who deal with an organization's money.
MONEY_ROLES = frozenset({"owner", "admin", "finance"})
_MONEY = (
    ("purchases.orders", "Purchases", "shopping-cart"),
    ("resale.received_quotes", "Quotes", "file-text"),
)


@blueprint.record_once
def _setup(state: BlueprintSetupState) -> None:
    setup_providers(state.app, state.app.extensions["portico_settings"])  # type: ignore[arg-type]  # a Flask


def settings() -> Settings:
    """The settings of the running application."""
    found: Settings = current_app.extensions["portico_settings"]
    return found


@blueprint.after_request
def _never_store(response: Response) -> Response:
    """Whoever uses the browser next finds nothing of an account in its cache."""
    response.headers.setdefault("Cache-Control", "no-store")
    return response


@blueprint.app_context_processor
def _account_menu() -> dict[str, Any]:
    if not request.path.startswith(("/account", "/organizations", "/welcome")):
        return {}
    actor = current_actor()
    if not actor.is_authenticated:
        return {}

    def item(endpoint: str, label: str, icon: str, **args: Any) -> dict[str, Any]:
        return {
            "label": label,
            "href": url_for(endpoint, **args) if endpoint in current_app.view_functions else None,
            "icon": icon,
            "current": request.endpoint == endpoint
            and request.view_args == ({"slug": args["slug"]} if args else {}),
        }

    groups = [
        {
            "title": "You",
            "items": [
                item("identity.account", "Profile", "user"),
                item("identity.sign_ins", "Sign-ins", "key"),
                item("identity.sessions", "Signed-in devices", "monitor"),
                item("identity.organizations", "Organizations", "building-2"),
                *(item(*other) for other in _OTHERS),
            ],
        }
    ]
    active = actor.organization
    if active is not None:
        slug = active.organization_slug
        items = [item("identity.members", "Members", "users", slug=slug)]
        if may_manage(active.role):
            items.insert(
                0, item("identity.organization_profile", "Profile", "briefcase", slug=slug)
            )
        has_apps = active.organization_kind != "platform"
        if has_apps and "installs.inventory" in current_app.view_functions:
            items.append(
                {
                    **item("installs.inventory", "Apps", "plug", slug=slug),
                    "count": waiting_apps(active) if may_manage(active.role) else None,
                    "tone": "warning",
                    "current": request.path.startswith(f"/organizations/{slug}/apps"),
                }
            )
        if has_apps and active.role in MONEY_ROLES:
            items += [
                {
                    **item(endpoint, label, icon, slug=slug),
                    "current": (request.endpoint or "").startswith(
                        endpoint.partition(".")[0] + "."
                    ),
                }
                for endpoint, label, icon in _MONEY
                if endpoint in current_app.view_functions
            ]
        groups.append({"title": active.organization_name, "items": items})
    return {"account_nav": groups}
