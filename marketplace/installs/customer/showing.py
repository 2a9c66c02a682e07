"""Installations as their pages and lists show them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from marketplace.installs.customer.queries.installations import scope_uses
from marketplace.installs.customer.queries.inventory import latest_versions
from marketplace.installs.customer.updates import dropped_since, wanted_beyond
from marketplace.installs.models import (
    Environment,
    Installation,
    InstallationEvent,
    InstallationState,
    PauseCause,
    ScopeDirection,
)
from marketplace.installs.scopes import ScopeText, describe_scopes

PAUSED_BY = {
    PauseCause.CUSTOMER: "Paused by you",
    PauseCause.POLICY: "Blocked by a rule",
    PauseCause.ENTITLEMENT: "Not in your plan",
}

# kind: title, icon, tone
_EVENTS = {
    "installed": ("Installed", "circle-check", "success"),
    "connected": ("Connected", "plug", "success"),
    "upgraded": ("Access changed", "arrow-up", "info"),
    "update_offered": ("The listing asks for more access", "bell", "info"),
    "update_declined": ("More access declined", "x", "neutral"),
    "paused": ("Paused", "ban", "warning"),
    "resumed": ("Resumed", "refresh-cw", "success"),
    "entitlement_changed": ("The plan changed", "tag", "info"),
    "uninstalled": ("Uninstalled", "trash-2", "danger"),
    "erasure_asked_again": ("Asked again to erase our data", "send", "info"),
    "data_erased": ("The publisher confirmed that our data are erased", "circle-check", "success"),
}


@dataclass(frozen=True)
class Row:
    """An installation in the inventory."""

    installation: Installation
    version: str | None
    consented_version: str | None
    wanted: tuple[str, ...]

    @property
    def name(self) -> str:
        """Its listing's name, else its app's."""
        listing = self.installation.listing
        return listing.name if listing is not None else self.installation.app.name


@dataclass(frozen=True)
class HeldScope:
    """A scope that an installation holds, and when its app last used it."""

    text: ScopeText
    reason: str
    last_used_at: datetime | None
    is_dropped: bool


def rows_of(installations: Sequence[Installation]) -> list[Row]:
    """The rows of a list. One query, however many there are."""
    versions = latest_versions([row.listing_id for row in installations if row.listing_id])
    return [
        Row(
            installation=row,
            version=versions.get(row.listing_id) if row.listing_id else None,
            consented_version=(row.consented_content or {}).get("version"),
            wanted=tuple(wanted_of(row)),
        )
        for row in installations
    ]


def wanted_of(installation: Installation) -> list[str]:
    """What the published listing asks for beyond what was granted; nothing in a sandbox, where
    the draft counts and the app asks by itself."""
    listing = installation.listing
    if (
        listing is None
        or installation.environment is not Environment.LIVE
        or installation.state is InstallationState.UNINSTALLED
        or not listing.is_findable
    ):
        return []
    return wanted_beyond(installation.granted_scopes, listing.content or {})


def dropped_of(installation: Installation) -> list[str]:
    """What was granted and the published listing asks for no more."""
    listing = installation.listing
    if listing is None or installation.environment is not Environment.LIVE or not listing.content:
        return []
    return dropped_since(installation.granted_scopes, listing.content)


def held_scopes(installation: Installation) -> list[HeldScope]:
    """The scopes it holds, in words: what it may see before what it may change. Two queries."""
    uses = {use.scope: use.last_used_at for use in scope_uses([installation.id])}
    reasons = {
        str(part.get("scope")): str(part.get("reason") or "")
        for part in (installation.consented_content or {}).get("scopes") or ()
    }
    dropped = dropped_of(installation)
    found = [
        HeldScope(
            text, reasons.get(text.name, ""), uses.get(text.name), is_dropped=text.name in dropped
        )
        for text in describe_scopes(installation.granted_scopes)
    ]
    return sorted(found, key=lambda scope: scope.text.direction is not ScopeDirection.READ)


def uses_by_installation(installation_ids: Sequence[int]) -> Mapping[int, Mapping[str, datetime]]:
    """When each installation's app last used each scope. One query."""
    found: dict[int, dict[str, datetime]] = {}
    for use in scope_uses(installation_ids):
        found.setdefault(use.installation_id, {})[use.scope] = use.last_used_at
    return found


def timeline_of(
    events: Sequence[InstallationEvent], titles: Mapping[str, str]
) -> list[dict[str, Any]]:
    """The events as items of the timeline; `titles` are the scopes' words by name."""
    return [
        {
            "title": _title(event),
            "at": event.created_at,
            "icon": _EVENTS.get(event.kind, ("", "circle-dot", ""))[1],
            "tone": _EVENTS.get(event.kind, ("", "", "neutral"))[2],
            "body": _body(event, titles),
        }
        for event in events
    ]


def _title(event: InstallationEvent) -> str:
    title = _EVENTS.get(event.kind, (event.kind.replace("_", " ").capitalize(), "", ""))[0]
    # Whoever left the organization, or closed the account, stays named in its history.
    return f"{title} by {event.user.name}" if event.user is not None else title


def _body(event: InstallationEvent, titles: Mapping[str, str]) -> str | None:
    data = event.data or {}

    def words(names: Sequence[str]) -> str:
        return ", ".join(titles.get(name, name) for name in names)

    parts = []
    for key, label in (("scopes", ""), ("added", "Added: "), ("removed", "Given back: ")):
        if data.get(key):
            parts.append(f"{label}{words(data[key])}.")
    if event.kind == "paused" and data.get("cause") == PauseCause.POLICY.value:
        parts.append("A rule of the organization blocks it.")
    if data.get("cause") == PauseCause.ENTITLEMENT.value:
        parts.append("The plan does not include it.")
    return " ".join(parts) or None


def scope_names_in(events: Sequence[InstallationEvent]) -> list[str]:
    """All scopes that the events speak of, for one query of their words."""
    names: dict[str, None] = {}
    for event in events:
        for key in ("scopes", "added", "removed"):
            names.update(dict.fromkeys((event.data or {}).get(key) or ()))
    return list(names)
