"""What a partner's tier gives it of our time: an executive sponsor, and until when we answer."""

import re
from datetime import timedelta

from sqlalchemy import select

from marketplace.core.database import db
from marketplace.core.errors import ForbiddenError
from marketplace.program.contacts.models import ContactAssignment, ContactRole, RequestKind
from marketplace.program.policy.live import current_policy
from marketplace.program.standing.reading import entitlement

# Entitlements of the policy: a yes or no, and a text that begins like "4 hours" or "2 days".
SPONSOR = "executive_sponsor"
RESPONSE = "response_target"
# An escalation must be answered within this time, or sooner where the tier says so.
ANSWER_WITHIN = timedelta(days=3)
_TIME = re.compile(r"\s*(\d{1,3})\s*(hour|day)s?\b", re.IGNORECASE | re.ASCII)


class NoSponsorError(ForbiddenError):
    """A partner without an executive sponsor wants to reach one."""

    title = "Not part of your tier"


def has_sponsor(organization_id: int) -> bool:
    """Whether a partner can reach an executive sponsor: its tier gives one, or the staff named one
    for it. Where the policy does not speak of sponsors, all partners can."""
    live = current_policy()
    if live is None or all(each.key != SPONSOR for each in live.policy.entitlements):
        return True
    if entitlement(organization_id, SPONSOR):
        return True
    named = select(ContactAssignment.id).where(
        ContactAssignment.role == ContactRole.EXECUTIVE_SPONSOR,
        ContactAssignment.organization_id == organization_id,
    )
    return db.session.scalar(named) is not None


def refuse_without_sponsor(organization_id: int) -> None:
    """Raise NoSponsorError for a partner that has none."""
    if not has_sponsor(organization_id):
        raise NoSponsorError(
            "Your tier has no executive sponsor. Write to your partner manager instead."
        )


def time_in(words: str) -> timedelta | None:
    """The time that a promise begins with, such as `4 hours` or `2 days`; None for other words."""
    found = _TIME.match(words)
    if found is None or not int(found[1]):
        return None
    return timedelta(**{f"{found[2].lower()}s": int(found[1])})


def answer_within(kind: RequestKind, organization_id: int | None) -> timedelta | None:
    """How long the staff may take to answer; None where nothing is promised."""
    words = entitlement(organization_id, RESPONSE) if organization_id is not None else ""
    promised = time_in(words) if isinstance(words, str) else None
    if kind is not RequestKind.ESCALATION:
        return promised
    return ANSWER_WITHIN if promised is None else min(promised, ANSWER_WITHIN)
