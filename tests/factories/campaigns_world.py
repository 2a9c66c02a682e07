"""A campaign, for tests of who may reach it."""

from marketplace.catalogue.models import Listing
from marketplace.identity.models import Organization, User
from tests.factories.campaigns import make_campaign


def make_campaigns_world(
    partner: Organization, owner: User, customer: User, listing: Listing
) -> dict[str, object]:
    """A running campaign of the partner."""
    return {"campaign_id": make_campaign(partner).public_id}
