"""Whether an organization has paid for a listing, as billing says."""

from sqlalchemy import select

from billing.entitlements import entitlement_of, last_entitlement, on_sale_since
from marketplace.catalogue.models import Listing
from marketplace.core.database import db
from marketplace.identity.models import Organization
from marketplace.installs.customer.entitlements import Entitlement
from marketplace.installs.customer.services.entitlement import entitlement_changed
from marketplace.installs.models import Environment, Installation, InstallationState


def decide_by_plan(listing: Listing, organization: Organization) -> Entitlement:
    """Free where nothing is sold, and in a sandbox; else it takes a plan. What was installed
    before there were plans goes on without one. At most four queries."""
    since = on_sale_since(listing.id)
    if since is None or organization.sandbox_of_id is not None:
        return Entitlement()
    if entitlement_of(listing.id, organization.id) is not None:
        return Entitlement()
    older = db.session.scalar(
        select(Installation.id).where(
            Installation.listing_id == listing.id,
            Installation.organization_id == organization.id,
            Installation.environment == Environment.LIVE,
            Installation.state != InstallationState.UNINSTALLED,
            Installation.installed_at < since,
        )
    )
    last = last_entitlement(listing.id, organization.id)
    if older is not None and last is None:
        return Entitlement()
    if last is not None:
        return Entitlement(
            False, f"Your plan of {listing.name} has ended. {last.ended_reason}".strip()
        )
    return Entitlement(False, f"Choose a plan of {listing.name} first.")


def needs_plan(listing: Listing, organization: Organization) -> bool:
    """Whether the next step to this listing is to choose a plan."""
    return not decide_by_plan(listing, organization).allowed


def entitlement_moved(listing_id: int, organization_id: int) -> None:
    """Pause or resume what is installed. (A listener of billing.)"""
    listing = db.session.get(Listing, listing_id)
    organization = db.session.get(Organization, organization_id)
    if listing is not None and organization is not None:
        entitlement_changed(listing, organization)
