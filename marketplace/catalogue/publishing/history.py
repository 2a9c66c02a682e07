"""How the steps of a revision's review read: title, icon and tone by kind. Pure."""

from collections.abc import Mapping
from typing import Final

EVENT_TEXTS: Final[Mapping[str, tuple[str, str, str]]] = {
    "submitted": ("Submitted for review", "send", "info"),
    "held": ("Held for a closer look", "eye", "warning"),
    "withdrawn": ("Submission withdrawn", "archive", "neutral"),
    "review_started": ("Review started", "eye", "info"),
    "released": ("Back in the queue", "history", "neutral"),
    "assigned": ("Assigned", "user", "neutral"),
    "note": ("Note from the reviewer", "message-square", "info"),
    "changes_requested": ("Changes requested", "message-square", "warning"),
    "approved": ("Approved", "check", "success"),
    "first_approval": ("Approved by the first reviewer", "check", "success"),
    "published": ("Published", "globe", "success"),
    "discarded": ("Draft discarded", "trash-2", "neutral"),
    "sample_checked": ("Sample checked", "check-check", "success"),
    "reverted": ("Taken back by a reviewer", "history", "danger"),
}
