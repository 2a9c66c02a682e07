"""Events made up in the test environment, so that an endpoint can be tried without a customer."""

import copy
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import joinedload

from marketplace.core import clock
from marketplace.core.database import db
from marketplace.core.errors import InvalidError
from marketplace.core.facts import record_fact
from marketplace.core.permissions import Actor
from marketplace.identity.models import Organization
from marketplace.installs.credentials import new_public_id
from marketplace.installs.customer.event_data import installation_data
from marketplace.installs.developer.services.sandbox import ensure_sandbox
from marketplace.installs.models import App, Environment, Installation, InstallationState
from marketplace.installs.webhooks.event_types import CHOOSABLE, EVENT_TYPES
from marketplace.installs.webhooks.events import emit

TYPES = tuple(kind.name for kind in CHOOSABLE)
# The state that an installation has in an event of this type.
_STATES = {
    "installation.paused": "paused",
    "installation.uninstalled": "uninstalled",
    "data.erasure_requested": "uninstalled",
}


def simulate(actor: Actor, partner: Organization, *, app_id: str, types: Sequence[str]) -> int:
    """Emit an event of each type, in the order in which they would happen; how many.

    `app_id` is an app's public id, or empty for events of the organization alone. The data names
    the app's installation in the sandbox where there is one, and is made up otherwise; nothing
    but the events themselves is written. Raises InvalidError (fields app, types).
    """
    chosen = [name for name in TYPES if name in set(types)]
    if not chosen or set(types) - set(TYPES):
        raise InvalidError({"types": "Choose one or more events from the list."})
    app = _app(partner, app_id)
    sandbox = ensure_sandbox(partner, actor)
    installation = _installation(app, sandbox) if app is not None else None
    made_up = new_public_id("inst")
    key = f"sim_{made_up}"
    for name in chosen:
        emit(
            name,
            organization_id=partner.id,
            environment=Environment.TEST,
            data=_data(name, app, sandbox, installation, made_up),
            app=app,
            installation=installation,
            ordering_key=None if installation is not None else key[:60],
        )
    record_fact(
        "sandbox.events_simulated",
        subject=("organization", sandbox.id),
        actor_user_id=actor.user_id,
        organization_id=partner.id,
        data={"types": chosen, "app": app.public_id if app is not None else None},
    )
    return len(chosen)


def _app(partner: Organization, app_id: str) -> App | None:
    if not app_id:
        return None
    app = db.session.scalar(
        select(App)
        .where(
            App.public_id == app_id.replace("\0", ""),
            App.publisher_id == partner.id,
            App.archived_at.is_(None),
        )
        .options(joinedload(App.listing))
    )
    if app is None:
        raise InvalidError({"app": "Choose one of your apps."})
    return app


def _installation(app: App, sandbox: Organization) -> Installation | None:
    return db.session.scalar(
        select(Installation)
        .where(
            Installation.app_id == app.id,
            Installation.organization_id == sandbox.id,
            Installation.state != InstallationState.UNINSTALLED,
        )
        .options(joinedload(Installation.listing), joinedload(Installation.organization))
    )


def _data(
    name: str,
    app: App | None,
    sandbox: Organization,
    installation: Installation | None,
    made_up: str,
) -> dict[str, Any]:
    """The example of the type with the partner's own names and the times of now."""
    at = clock.now().replace(microsecond=0)
    data = copy.deepcopy(dict(EVENT_TYPES[name].example))
    listing = app.listing if app is not None else None
    if "listing" in data and app is not None:
        data["listing"] = (
            {"slug": listing.slug, "name": listing.name} if listing is not None else None
        )
    if "installation" in data:
        if installation is not None:
            data |= installation_data(installation)
        else:
            data["installation"] |= {
                "id": made_up,
                "environment": Environment.TEST.value,
                "installed_at": at.isoformat(),
                "organization": {"slug": sandbox.slug, "name": sandbox.name},
            }
        data["installation"]["state"] = _STATES.get(name, "active")
    if "erasure" in data:
        data["erasure"] = {
            "id": new_public_id("er"),
            "requested_at": at.isoformat(),
            "due_at": (at + timedelta(days=30)).isoformat(),
        }
    return data
