"""An app's health as pages show it."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from marketplace.catalogue.models import Listing
from marketplace.core import clock
from marketplace.core.permissions import Actor
from marketplace.installs.health import queries
from marketplace.installs.health.uptime import Strip, strip, uptime, uptime_text
from marketplace.installs.models import App, HealthIncident, HealthState

_LABELS = {
    HealthState.UP: ("Answering", "success"),
    HealthState.DOWN: ("Not answering", "danger"),
    HealthState.UNKNOWN: ("Not checked yet", "neutral"),
}


@dataclass(frozen=True)
class Health:
    """What the templates of health read."""

    state: str
    label: str
    tone: str
    since: datetime | None
    uptime: float | None
    uptime_text: str
    strip: Strip
    last_incident: HealthIncident | None


def health_of(app: App) -> Health | None:
    """The health of an app that is probed, None for others. Two queries."""
    if not app.status_url:
        return None
    days = queries.probes_by_day(app.id)
    incidents = queries.last_incidents(app.id, 1)
    today = clock.now().date()
    percent = uptime(days, today)
    label, tone = _LABELS[app.health]
    return Health(
        state=app.health.value,
        label=label,
        tone=tone,
        since=app.health_since,
        uptime=percent,
        uptime_text=uptime_text(percent),
        strip=strip(days, today),
        last_incident=incidents[0] if incidents else None,
    )


def health_panel(listing: Listing, _actor: Actor | None = None) -> dict[str, Any]:
    """`{"health": …}` for a listing's page; None where its app is not probed. Three queries."""
    app = queries.app_of_listing(listing.id)
    return {"health": health_of(app) if app is not None else None}
