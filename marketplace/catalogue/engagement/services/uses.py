"""Declaring that an organization uses a listing, and taking it back.

Installing is to declare a use as well: it calls `declare_use`.
"""

from sqlalchemy import delete

from marketplace.catalogue.engagement.services.counters import lock_listing, recount_uses
from marketplace.catalogue.models import Listing, ListingUse
from marketplace.core import clock
from marketplace.core.database import db
from marketplace.core.errors import ForbiddenError
from marketplace.core.facts import record_fact
from marketplace.core.once import insert_if_new
from marketplace.core.permissions import Actor


def declare_use(actor: Actor, listing: Listing) -> bool:
    """The active organization uses `listing`; whether that is new. Repeating it is harmless."""
    organization_id = _organization_of(actor)
    lock_listing(listing.id)
    new = insert_if_new(
        ListingUse,
        listing_id=listing.id,
        organization_id=organization_id,
        declared_by_id=actor.user_id,
        since=clock.now(),
    )
    if new:
        _fact("listing.use_declared", listing, actor)
        recount_uses(listing.id)
    return new is not None


def withdraw_use(actor: Actor, listing: Listing) -> bool:
    """The active organization does not use `listing` any more; whether it did.

    Its review stays: it tells of the time when it did.
    """
    organization_id = _organization_of(actor)
    lock_listing(listing.id)
    gone = db.session.execute(
        delete(ListingUse).where(
            ListingUse.listing_id == listing.id, ListingUse.organization_id == organization_id
        )
    )
    if getattr(gone, "rowcount", 0) == 0:
        return False
    _fact("listing.use_withdrawn", listing, actor)
    recount_uses(listing.id)
    return True


def _organization_of(actor: Actor) -> int:
    if actor.organization_id is None:
        raise ForbiddenError("Choose the organization that you act for first.")
    return actor.organization_id


def _fact(kind: str, listing: Listing, actor: Actor) -> None:
    record_fact(
        kind,
        subject=("listing", listing.id),
        actor_user_id=actor.user_id,
        organization_id=actor.organization_id,
    )
