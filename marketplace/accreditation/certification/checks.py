"""Looking ourselves: the automatic items of a checklist."""

from collections.abc import Callable
from dataclasses import dataclass

from marketplace.accreditation.certification.checklist import AutomaticCheck, Item
from marketplace.accreditation.certification.listings import listings_by_id
from marketplace.accreditation.certification.models import Certification
from marketplace.accreditation.certification.reading import certified_people
from marketplace.accreditation.verification.reading import is_verified

# How many live installations of a listing belong to others than its publisher.
CountInstalls = Callable[[int], int]
_count_installs: list[CountInstalls] = []


def count_installs_with(count: CountInstalls) -> None:
    """Ask it from now on; wiring.py says who answers."""
    _count_installs[:] = [count]


@dataclass(frozen=True)
class Found:
    """The outcome of a check, and what it says to people."""

    passed: bool
    words: str


def look(item: Item, certification: Certification) -> Found:
    """Check an automatic item now."""
    if item.check is AutomaticCheck.LIVE_INSTALLS:
        count = (
            _count_installs[0](certification.listing_id)
            if _count_installs and certification.listing_id is not None
            else 0
        )
        return Found(
            count >= item.least,
            f"{count} of {item.least} live installations by others. Your own organizations, "
            "those that share a member with you and sandboxes do not count.",
        )
    if item.check is AutomaticCheck.CERTIFIED_PEOPLE:
        people = certified_people([certification.organization_id]).get(
            certification.organization_id, 0
        )
        return Found(people >= item.least, f"{people} of {item.least} certified people.")
    if item.check is AutomaticCheck.VERIFIED:
        verified = is_verified(certification.organization_id)
        return Found(verified, "Verified." if verified else "Not verified yet.")
    listing = listings_by_id([certification.listing_id]).get(certification.listing_id or 0)
    published = listing is not None and listing.is_published
    return Found(published, "Published." if published else "Not published yet.")
