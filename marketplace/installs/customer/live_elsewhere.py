"""Live installations of a listing by others than its publisher."""

from sqlalchemy import distinct, exists, func, select
from sqlalchemy.orm import aliased

from marketplace.catalogue.models import Listing
from marketplace.core.database import db
from marketplace.identity.models import Membership, Organization, OrganizationKind
from marketplace.installs.models import Environment, Installation, InstallationState


def count_live_elsewhere(listing_id: int) -> int:
    """How many organizations have it in use. Not counted: the publisher itself, organizations that
    share a member with it, sandboxes, the platform. One query."""
    theirs, ours = aliased(Membership), aliased(Membership)
    shares_a_member = exists().where(
        theirs.organization_id == Installation.organization_id,
        ours.organization_id == Listing.publisher_id,
        ours.user_id == theirs.user_id,
    )
    return (
        db.session.scalar(
            select(func.count(distinct(Installation.organization_id)))
            .join(Listing, Listing.id == Installation.listing_id)
            .join(Organization, Organization.id == Installation.organization_id)
            .where(
                Installation.listing_id == listing_id,
                Installation.environment == Environment.LIVE,
                Installation.state != InstallationState.UNINSTALLED,
                Installation.organization_id != Listing.publisher_id,
                Organization.sandbox_of_id.is_(None),
                Organization.kind != OrganizationKind.PLATFORM,
                ~shares_a_member,
            )
        )
        or 0
    )
