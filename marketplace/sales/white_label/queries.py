"""What a white-label partner offers."""

from sqlalchemy import Select, or_, select

from billing.models import AgreementState, ResellerAgreement
from marketplace.catalogue.discovery.cards import ListingCard, load_in_order
from marketplace.catalogue.discovery.queries import findable_ids
from marketplace.catalogue.models import Listing
from marketplace.catalogue.pages.queries import public_listing
from marketplace.core.database import db

MOST = 200


def offered_cards(organization_id: int) -> tuple[ListingCard, ...]:
    """The cards of the partner's own and resold listings, by name."""
    return load_in_order(
        findable_ids()
        .where(
            or_(
                Listing.publisher_id == organization_id,
                Listing.id.in_(_resold(organization_id)),
            )
        )
        .order_by(Listing.name)
        .limit(MOST)
    )


def offered_listing(organization_id: int, slug: str) -> Listing | None:
    """The public listing of that address, when the partner offers it."""
    listing: Listing | None = db.session.scalar(public_listing(slug))
    if listing is None:
        return None
    if listing.publisher_id == organization_id:
        return listing
    resold = db.session.scalar(
        _resold(organization_id).where(ResellerAgreement.listing_id == listing.id).limit(1)
    )
    return listing if resold is not None else None


def _resold(organization_id: int) -> Select[int]:
    return select(ResellerAgreement.listing_id).where(
        ResellerAgreement.reseller_id == organization_id,
        ResellerAgreement.state == AgreementState.ACTIVE,
    )
