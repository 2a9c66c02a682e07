"""Certifying listings and verifying publishers."""

from marketplace.accreditation.certification.services.deciding import (
    certify_by_hand,
    take_back_all,
)
from marketplace.accreditation.verification.services.verifying import take_back, verify_by_hand
from marketplace.catalogue.changes import listing_changed, publisher_changed
from marketplace.catalogue.models import Listing
from marketplace.core import clock
from marketplace.core.database import db
from marketplace.core.errors import ConflictError
from marketplace.core.facts import record_fact
from marketplace.core.permissions import Actor
from marketplace.identity.models import Organization


def certify_listing(actor: Actor, listing: Listing) -> bool:
    """Certify the listing; whether that is new. Raises ConflictError before it is published."""
    if listing.published_at is None:
        raise ConflictError("Only a published listing can be certified.")
    if listing.certified_at is not None:
        return False
    certify_by_hand(listing.id, listing.publisher_id, by_user_id=actor.user_id)
    db.session.flush()
    listing.certified_at = listing.certified_at or clock.now()
    _listing_fact("listing.certified", listing, actor)
    return True


def uncertify_listing(actor: Actor, listing: Listing) -> bool:
    """Take the certification back; whether it had one."""
    if listing.certified_at is None:
        return False
    take_back_all(listing.id, by_user_id=actor.user_id)
    listing.certified_at = None
    _listing_fact("listing.certification_withdrawn", listing, actor)
    return True


def verify_publisher(actor: Actor, publisher: Organization) -> bool:
    """Note that the publisher is who it says it is; whether that is new."""
    if not verify_by_hand(publisher, by_user_id=actor.user_id):
        return False
    _publisher_fact("publisher.verified", publisher, actor)
    return True


def unverify_publisher(actor: Actor, publisher: Organization) -> bool:
    """Take the verification back; whether it had one."""
    if not take_back(publisher, by_user_id=actor.user_id):
        return False
    _publisher_fact("publisher.verification_withdrawn", publisher, actor)
    return True


def _listing_fact(kind: str, listing: Listing, actor: Actor) -> None:
    record_fact(
        kind,
        subject=("listing", listing.id),
        actor_user_id=actor.user_id,
        organization_id=listing.publisher_id,
    )
    db.session.flush()
    listing_changed(listing.id)


def _publisher_fact(kind: str, publisher: Organization, actor: Actor) -> None:
    record_fact(
        kind,
        subject=("organization", publisher.id),
        actor_user_id=actor.user_id,
        organization_id=publisher.id,
    )
    db.session.flush()
    publisher_changed(publisher.id)
