"""What billing calls when what an organization has paid for changes."""

from sqlalchemy import select

from marketplace.catalogue.models import Listing
from marketplace.core.database import db
from marketplace.identity.models import Organization
from marketplace.installs.customer.entitlements import may_install
from marketplace.installs.customer.queries.policies import rules_about
from marketplace.installs.customer.services.pausing import settle
from marketplace.installs.customer.services.recording import lock_organization, record
from marketplace.installs.models import Environment, Installation, InstallationState


def entitlement_changed(listing: Listing, organization: Organization) -> Installation | None:
    """Tell the partner, and pause or resume what is installed as the entitlement says now.

    The installation, or None when the organization has not installed the listing.
    """
    lock_organization(organization.id)
    installation = db.session.scalar(
        select(Installation)
        .where(
            Installation.listing_id == listing.id,
            Installation.organization_id == organization.id,
            Installation.environment == Environment.LIVE,
            Installation.state != InstallationState.UNINSTALLED,
        )
        .execution_options(populate_existing=True)
    )
    if installation is None:
        return None
    found = may_install(listing, organization)
    entitlement = {"allowed": found.allowed, "reason": found.reason}
    record(
        installation,
        "entitlement_changed",
        None,
        data=entitlement,
        event={"entitlement": entitlement},
    )
    settle(installation, rules_about(organization.id, listing.id, listing.publisher_id), None)
    return installation
