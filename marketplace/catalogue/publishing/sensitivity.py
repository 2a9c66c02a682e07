"""Which changes need a reviewer, and why. Pure.

Sensitive is what a customer relies on when they trust a listing: who it is, where its links
lead, what it may do with their data. All else is published at once and sampled.
"""

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from marketplace.catalogue.publishing.blank import is_blank

SENSITIVE_FIELDS: Final = frozenset(
    {
        "name",
        "publisher",
        "kind",
        "website_url",
        "support_url",
        "documentation_url",
        "privacy_url",
        "terms_url",
        "video_url",
        "support_email",
        "auth_kinds",
        "scopes",
        "data_shared",
        # A logo speaks for its owner as a name does.
        "logo",
    }
)
MARKDOWN_FIELDS: Final = ("description", "setup_guide")
SAMPLE_ONE_IN: Final = 10

NEW_LISTING = "new_listing"
SENSITIVE = "sensitive"
NEW_SCOPES = "new_scopes"
NEW_LINKS = "new_links"
CLOSE_NAME = "close_name"
SENT_BACK = "sent_back"

REASONS: Final[Mapping[str, str]] = {
    NEW_LISTING: "It is a new listing.",
    SENSITIVE: "It changes what customers rely on, such as the name, links or data access.",
    NEW_SCOPES: "It asks for new scopes, so two reviewers look at it.",
    NEW_LINKS: "A text has links that were not there before.",
    CLOSE_NAME: "The name is close to another publisher's.",
    SENT_BACK: "A reviewer asked for changes before.",
}
_LINK = re.compile(r"(?:https?://|mailto:|www\.)[^\s<>()\[\]\"']+", re.IGNORECASE)
_TRAILING = ".,;:!?*_~`"


@dataclass(frozen=True)
class ReviewPlan:
    """What becomes of a submission: `reasons` are the keys of REASONS; none means no review."""

    changed: tuple[str, ...]
    reasons: tuple[str, ...]
    needs_second: bool = False

    @property
    def needs_review(self) -> bool:
        return bool(self.reasons)


def changed_fields(before: Mapping[str, Any], after: Mapping[str, Any]) -> tuple[str, ...]:
    """The fields whose values differ, sorted; an empty value and a missing one are the same."""
    names = before.keys() | after.keys()
    return tuple(
        sorted(
            name
            for name in names
            if before.get(name) != after.get(name)
            and not (is_blank(before.get(name)) and is_blank(after.get(name)))
        )
    )


def sensitive_changes(before: Mapping[str, Any], after: Mapping[str, Any]) -> tuple[str, ...]:
    """The changed fields that need review, sorted. Of pricing only its link does."""
    found = [name for name in changed_fields(before, after) if name in SENSITIVE_FIELDS]
    if _pricing_url(before) != _pricing_url(after):
        found.append("pricing")
    return tuple(sorted(found))


def new_scopes(before: Mapping[str, Any], after: Mapping[str, Any]) -> tuple[str, ...]:
    """The scopes that are asked now and were not before, in their order."""
    known = {str(row.get("scope", "")) for row in before.get("scopes") or ()}
    return tuple(
        str(row.get("scope", ""))
        for row in after.get("scopes") or ()
        if str(row.get("scope", "")) not in known
    )


def new_links(before: Mapping[str, Any], after: Mapping[str, Any]) -> tuple[str, ...]:
    """The addresses in Markdown texts that no text of the listing had before, sorted."""
    return tuple(sorted(_links(after) - _links(before)))


def review_plan(
    before: Mapping[str, Any],
    after: Mapping[str, Any],
    *,
    is_new: bool,
    sent_back: bool = False,
    close_names: Sequence[str] = (),
) -> ReviewPlan:
    """Decide from the published content `before` and the proposed one `after`.

    `is_new`: the listing was never public. `sent_back`: this revision was in review before.
    `close_names`: other publishers' names that this one could be taken for.
    """
    reasons: list[str] = []
    if is_new:
        reasons.append(NEW_LISTING)
    elif sensitive_changes(before, after):
        reasons.append(SENSITIVE)
    scopes = new_scopes(before, after)
    if scopes:
        reasons.append(NEW_SCOPES)
    if not is_new and new_links(before, after):
        reasons.append(NEW_LINKS)
    if close_names:
        reasons.append(CLOSE_NAME)
    if sent_back and not is_new:
        reasons.append(SENT_BACK)
    return ReviewPlan(changed_fields(before, after), tuple(reasons), needs_second=bool(scopes))


def is_sampled(listing_id: int, revision_number: int) -> bool:
    """Whether an unreviewed publication is looked at afterwards: one in ten, always the same."""
    digest = hashlib.sha256(f"{listing_id}:{revision_number}".encode()).digest()
    return int.from_bytes(digest[:8], "big") % SAMPLE_ONE_IN == 0


def _pricing_url(content: Mapping[str, Any]) -> str:
    pricing = content.get("pricing")
    return str(pricing.get("url") or "") if isinstance(pricing, Mapping) else ""


def _links(content: Mapping[str, Any]) -> set[str]:
    return {
        match.group().rstrip(_TRAILING).lower()
        for name in MARKDOWN_FIELDS
        for match in _LINK.finditer(str(content.get(name) or ""))
    }
