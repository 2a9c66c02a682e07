"""Installations as their pages and lists show them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from marketplace.installs.customer.install_policy import (
    Policy,
    PolicyRule,
    is_blocked,
    rule_for,
)
from marketplace.installs.customer.queries.declines import declines_of
from marketplace.installs.customer.queries.installations import live_installations_of, scope_uses
from marketplace.installs.customer.queries.inventory import latest_versions
from marketplace.installs.customer.queries.policies import all_rules, policy_of
from marketplace.installs.customer.shared_data import SharedData, shared_data
from marketplace.installs.customer.updates import (
    NOTHING_DECLINED,
    Update,
    dropped_since,
    update_in,
)
from marketplace.installs.models import (
    Environment,
    Installation,
    InstallationEvent,
    InstallationState,
    InstallRequest,
    PauseCause,
    ScopeDirection,
)
from marketplace.installs.scopes import ScopeText, describe_scopes

PAUSED_BY = {
    PauseCause.CUSTOMER: "Paused by your organization",
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
    "erasure_reminded": ("The publisher was reminded to erase our data", "send", "info"),
    "data_erased": ("The publisher confirmed that our data are erased", "circle-check", "success"),
}


@dataclass(frozen=True)
class Suspension:
    """The operator refuses the access of an app. `reason` is what the operator says of a listing;
    of a publisher it is told to its own people alone, so it is empty."""

    reason: str = ""


@dataclass(frozen=True)
class Row:
    """An installation in the inventory, with what holds for it at this moment."""

    installation: Installation
    version: str | None
    consented_version: str | None
    update: Update | None
    suspension: Suspension | None
    is_blocked: bool

    @property
    def name(self) -> str:
        """Its listing's name, else its app's."""
        listing = self.installation.listing
        return listing.name if listing is not None else self.installation.app.name

    @property
    def wanted(self) -> tuple[str, ...]:
        """The scopes that the published listing asks for beyond what was granted."""
        return self.update.scopes if self.update is not None else ()

    @property
    def paused_because(self) -> str:
        """Why it is paused, empty when it is not. A block counts before a pause by hand."""
        if self.installation.state is not InstallationState.PAUSED:
            return ""
        if self.is_blocked:
            return PAUSED_BY[PauseCause.POLICY]
        cause = self.installation.pause_cause
        return PAUSED_BY[cause] if cause is not None else "Paused"

    @property
    def may_resume(self) -> bool:
        """Whether the customer can end the pause."""
        return (
            self.installation.state is InstallationState.PAUSED
            and not self.is_blocked
            and self.installation.pause_cause is PauseCause.CUSTOMER
        )


@dataclass(frozen=True)
class HeldScope:
    """A scope that an installation holds, and when its app last used it."""

    text: ScopeText
    reason: str
    last_used_at: datetime | None
    is_dropped: bool


def rows_of(installations: Sequence[Installation]) -> list[Row]:
    """The rows of a list of one organization. Four queries, however many there are."""
    if not installations:
        return []
    organization_id = installations[0].organization_id
    versions = latest_versions([row.listing_id for row in installations if row.listing_id])
    rules = all_rules(organization_id)
    updates = updates_of(installations, policy_of(organization_id), rules)
    return [
        Row(
            installation=row,
            version=versions.get(row.listing_id) if row.listing_id else None,
            consented_version=(row.consented_content or {}).get("version"),
            update=updates.get(row.id),
            suspension=suspension_of(row),
            is_blocked=row.is_live and is_blocked(rules, row.listing_id, row.app.publisher_id),
        )
        for row in installations
    ]


def suspension_of(installation: Installation) -> Suspension | None:
    """Whether the operator suspended the listing or its publisher of what is installed."""
    if not installation.is_live:
        return None
    listing = installation.listing
    if listing is not None and listing.suspended_at is not None:
        return Suspension(listing.suspended_reason or "")
    return Suspension() if installation.app.publisher.suspended_at is not None else None


def updates_of(
    installations: Sequence[Installation], policy: Policy, rules: Sequence[PolicyRule]
) -> dict[int, Update]:
    """What published listings ask one organization for beyond what it agreed to, by the ids of
    its installations. One query. Nothing in a sandbox, where the draft counts and the app asks
    by itself."""
    open_ones = [
        row
        for row in installations
        if row.is_live
        and row.environment is Environment.LIVE
        and row.listing is not None
        and row.listing.is_findable
    ]
    declined = declines_of([row.id for row in open_ones])
    found = {}
    for row in open_ones:
        rule = rule_for(rules, row.listing_id, row.app.publisher_id)
        update = update_in(
            row.granted_scopes,
            row.consented_content or {},
            (row.listing.content if row.listing is not None else None) or {},
            declined.get(row.id, NOTHING_DECLINED),
            is_allowed=not policy.only_allowed or rule is not None,
        )
        if update is not None:
            found[row.id] = update
    return found


def updates_asked_for(
    organization_id: int, requests: Sequence[InstallRequest]
) -> dict[int, list[str]]:
    """Of these open requests those about something that is installed, by their ids: what its
    update adds, in words. Five queries."""
    installed = live_installations_of(organization_id, [asked.listing_id for asked in requests])
    updates = updates_of(installed, policy_of(organization_id), all_rules(organization_id))
    found = {row.listing_id: updates.get(row.id) for row in installed}
    names = [name for update in found.values() if update is not None for name in update.scopes]
    titles = {text.name: text.title for text in describe_scopes(names)}
    return {
        asked.id: [
            *(titles[name] for name in (update.scopes if update is not None else ())),
            *(part.name for part in (update.data if update is not None else ())),
        ]
        for asked in requests
        if asked.listing_id in found
        for update in (found[asked.listing_id],)
    }


def moving_data(installation: Installation) -> tuple[SharedData, ...]:
    """What moves: as the published listing says, with what was not agreed to marked; in a sandbox
    and of what was removed, as was agreed."""
    agreed, listing = installation.consented_content or {}, installation.listing
    if (
        listing is None
        or not installation.is_live
        or installation.environment is not Environment.LIVE
    ):
        return shared_data(agreed)
    return shared_data(listing.content or {}, agreed)


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
    data_names = [*(data.get("added_data") or ()), *(part[0] for part in data.get("data") or ())]
    if data_names:
        parts.append(f"Data that moves: {', '.join(data_names)}.")
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
