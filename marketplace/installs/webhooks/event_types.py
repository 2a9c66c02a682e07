"""What partners can be told, in words for people, each with an example of its data."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

_INSTALLATION: Mapping[str, Any] = {
    "id": "inst_5b1f0c9e2d7a4468b3c0e1f2",
    "state": "active",
    "environment": "live",
    "scopes": ["organization.read", "contacts.read"],
    "installed_at": "2026-11-23T18:40:12+00:00",
    "organization": {"slug": "blue-kite", "name": "Blue Kite"},
}
_LISTING: Mapping[str, Any] = {"slug": "tide-tables", "name": "Tide Tables"}
TEST = "webhook.test"


@dataclass(frozen=True)
class EventType:
    """One type. `example` is the event's `data`."""

    name: str
    title: str
    description: str
    example: Mapping[str, Any]


def _of_installation(state: str = "active", **more: Any) -> dict[str, Any]:
    return {"installation": {**_INSTALLATION, "state": state}, "listing": dict(_LISTING), **more}


EVENT_TYPES: Mapping[str, EventType] = {
    kind.name: kind
    for kind in (
        EventType(
            "installation.installed",
            "Installed",
            "A customer consented and installed your app.",
            _of_installation(),
        ),
        EventType(
            "installation.upgraded",
            "Scopes changed",
            "A customer consented to more scopes, or took some back. The token keeps working with "
            "the scopes that are granted now.",
            _of_installation(added_scopes=["contacts.write"], removed_scopes=[]),
        ),
        EventType(
            "installation.paused",
            "Paused",
            "A customer, or its policy, paused the installation. Its tokens are refused until it "
            "is resumed.",
            _of_installation("paused", cause="customer"),
        ),
        EventType(
            "installation.resumed",
            "Resumed",
            "A paused installation works again.",
            _of_installation(),
        ),
        EventType(
            "installation.uninstalled",
            "Uninstalled",
            "A customer removed your app. Its tokens ended at once.",
            _of_installation("uninstalled", reason="not_needed", note=""),
        ),
        EventType(
            "installation.entitlement_changed",
            "Entitlement changed",
            "What the customer may use of your app changed.",
            _of_installation(entitlement={"active": True, "plan": "free"}),
        ),
        EventType(
            "data.erasure_requested",
            "Erasure requested",
            "You must erase the customer's data by the time in `due_at` and confirm it, by the API "
            "or in the partner portal. It follows every removal.",
            _of_installation(
                "uninstalled",
                erasure={
                    "id": "er_0a4c2b7d9e1f43658c7d6e5f",
                    "requested_at": "2026-11-23T18:52:00+00:00",
                    "due_at": "2026-12-23T18:52:00+00:00",
                },
            ),
        ),
        EventType(
            "review.posted",
            "Review posted",
            "A customer reviewed one of your listings for the first time.",
            {
                "listing": dict(_LISTING),
                "review": {
                    "id": 41,
                    "rating": 4,
                    "title": "Reliable tides",
                    "body": "Set up in an hour, and right ever since.",
                    "author": "Ada Okafor",
                },
            },
        ),
        EventType(
            "listing.approved",
            "Listing approved",
            "What you submitted was approved and is public.",
            {"listing": dict(_LISTING), "note": ""},
        ),
        EventType(
            "listing.rejected",
            "Changes requested",
            "A reviewer sent back what you submitted. `note` holds the reviewer's words.",
            {"listing": dict(_LISTING), "note": "Please say what the app does with e-mails."},
        ),
        EventType(
            TEST,
            "Test event",
            "Sent when somebody presses “Send a test event”, to that endpoint alone.",
            {"message": "It works."},
        ),
    )
}
# What an endpoint can choose; a test event is sent to whoever asks for it.
CHOOSABLE = tuple(kind for kind in EVENT_TYPES.values() if kind.name != TEST)
