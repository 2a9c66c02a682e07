"""Who has installed an app."""

from flask import render_template, request
from flask.typing import ResponseReturnValue

from marketplace.catalogue.engagement.csv_export import csv_response
from marketplace.core import clock
from marketplace.core.database import db
from marketplace.core.pagination import page_number, paginate
from marketplace.core.permissions import needs
from marketplace.installs.developer.app_states import state_of
from marketplace.installs.developer.queries import apps as queries
from marketplace.installs.developer.views.blueprint import app_tabs, blueprint, own_app
from marketplace.installs.models import App, Environment, Installation, InstallationState

PER_PAGE, MOST_IN_A_FILE, MAX_TEXT = 25, 10_000, 80
STATE_LABELS = {
    InstallationState.ACTIVE: "Active",
    InstallationState.PAUSED: "Paused",
    InstallationState.UNINSTALLED: "Removed",
}
STATE_TONES = {
    InstallationState.ACTIVE: "success",
    InstallationState.PAUSED: "warning",
    InstallationState.UNINSTALLED: "neutral",
}


@blueprint.get("/apps/<app_id>/installations")
@needs("app.read", load=own_app, name="app")
def app_installations(app: App) -> ResponseReturnValue:
    """The installations of an app in one environment."""
    environment, state, text = _asked()
    page = paginate(
        queries.installations(app.id, environment, state, text),
        page=page_number(request.args.get("page")),
        per_page=PER_PAGE,
    )
    return render_template(
        "developer/app_installations.html",
        app=app,
        tabs=app_tabs(app, "installations"),
        state=state_of(app),
        page=page,
        environment=environment,
        chosen=state,
        q=text,
        args={
            "app_id": app.public_id,
            "environment": environment.value,
            "state": state.value if state else None,
            "q": text or None,
        },
        labels=STATE_LABELS,
        tones=STATE_TONES,
    )


@blueprint.get("/apps/<app_id>/installations.csv")
@needs("app.read", load=own_app, name="app")
def app_installations_csv(app: App) -> ResponseReturnValue:
    """The same as a file, the newest 10,000."""
    environment, state, text = _asked()
    rows = db.session.scalars(
        queries.installations(app.id, environment, state, text).limit(MOST_IN_A_FILE)
    )
    day = clock.now().date().isoformat()
    return csv_response(
        f"installations-{environment.value}-{day}.csv",
        [
            "Installation",
            "Organization",
            "Organization address",
            "Environment",
            "State",
            "Installed at",
            "Connected at",
            "Last used at",
            "Removed at",
            "Scopes",
        ],
        (_cells(row) for row in rows),
    )


def _cells(row: Installation) -> list[object]:
    return [
        row.public_id,
        row.organization.name,
        row.organization.slug,
        row.environment.value,
        row.state.value,
        row.installed_at,
        row.connected_at,
        row.last_used_at,
        row.uninstalled_at,
        " ".join(row.granted_scopes),
    ]


def _asked() -> tuple[Environment, InstallationState | None, str]:
    environment = request.args.get("environment", "live")
    state = request.args.get("state", "")
    text = " ".join(request.args.get("q", "").replace("\0", "").split())[:MAX_TEXT]
    return (
        Environment.TEST if environment == "test" else Environment.LIVE,
        InstallationState(state) if state in set(InstallationState) else None,
        text,
    )
