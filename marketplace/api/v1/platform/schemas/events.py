"""The feed of events, and figures by day."""

from marketplace.api.v1.platform.schemas.me import ENVIRONMENTS
from marketplace.api.v1.platform.schemas.parts import (
    bag,
    choice,
    count,
    many,
    moment,
    page_of,
    part,
    ref,
    shape,
    text,
)

EVENT = shape(
    "Event",
    "Something that happened; webhooks tell the same with the same id.",
    id=text("Its id, the webhook-id of its deliveries.", "evt_3f9a1c0b2d4e5f6071829304"),
    type=text("What happened.", "installation.installed"),
    timestamp=moment("When."),
    environment=choice(ENVIRONMENTS, "Live, or in the sandbox.", "live"),
    app=text("The app's id, or null.", "app_3f9a1c0b2d4e5f6071829304", null=True),
    installation=text("The installation's id, or null.", "inst_3f9a1c0b2d4e5f60718293", null=True),
    data=bag(
        "As in the webhook of this type.",
        {
            "installation": {
                "id": "inst_3f9a1c0b2d4e5f6071829304",
                "state": "active",
                "environment": "live",
                "scopes": ["tides.read"],
                "installed_at": "2026-11-28T09:30:00+00:00",
                "organization": {"slug": "blue-kite", "name": "Blue Kite"},
            },
            "listing": {"slug": "tide-tables", "name": "Tide Tables"},
        },
    ),
)
EVENT_PAGE = page_of(
    "EventPage", EVENT, "Events in the order in which they happened.", endless=True
)
DAY = shape(
    "Day",
    "Figures of one day (UTC).",
    day=text("The day.", "2026-11-28", format="date"),
    installs=count("Installed on the day.", 3),
    uninstalls=count("Removed on the day.", 1),
    active=count("In use at its end; paused ones count.", 52),
    reviews=count("Reviews that were written.", 1),
)
TOTALS = shape(
    "Totals",
    "The days taken together.",
    installs=count("Installed.", 3),
    uninstalls=count("Removed.", 1),
    active=count("In use at the end.", 52),
    reviews=count("Reviews that were written.", 1),
)
ANALYTICS = shape(
    "Analytics",
    "Figures by day.",
    listing=text("Whose; null: all your listings and apps.", "tide-tables", null=True),
    environment=choice(ENVIRONMENTS, "Which installations were counted.", "live"),
    days=many(ref("Day"), "Every day asked for, the oldest first."),
    totals=part("Totals", "The same in sum."),
)
