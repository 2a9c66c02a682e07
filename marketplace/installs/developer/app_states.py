"""What may be said of an app in one word, decided purely."""

from dataclasses import dataclass

from marketplace.installs.models import App, Environment, HealthState


@dataclass(frozen=True)
class AppState:
    """A label with its tone (of a badge), and what is missing in a sentence."""

    label: str
    tone: str
    note: str = ""


HEALTH = {
    HealthState.UNKNOWN: AppState("Not watched", "neutral", "Give a status address to have it."),
    HealthState.UP: AppState("Answers", "success"),
    HealthState.DOWN: AppState("Does not answer", "danger"),
}


def state_of(app: App) -> AppState:
    """Where an app is on its way to customers. Its listing and clients are loaded."""
    if app.archived_at is not None:
        return AppState("Archived", "neutral")
    live = next((client for client in app.clients if client.environment is Environment.LIVE), None)
    if live is None or live.disabled_at is not None:
        return AppState("Disabled", "danger", "The live client is disabled.")
    if app.listing is None:
        return AppState(
            "Test only", "info", "It has no listing, so only your sandbox can install it."
        )
    if app.listing.suspended_at is not None:
        return AppState("Suspended", "danger", "Its listing is suspended.")
    if app.listing.published_at is None:
        return AppState("Test only", "info", "Its listing is not public yet.")
    if not live.redirect_uris:
        return AppState("Not ready", "warning", "The live client has no redirect URI.")
    return AppState("Live", "success")
