"""A client workspace, for tests of who may reach it."""

from billing.public_ids import new_public_id
from marketplace.catalogue.models import Listing
from marketplace.core.database import db
from marketplace.identity.models import Organization, User
from marketplace.pipeline.handovers.models import ClientWorkspace
from tests.factories.people import make_customer


def make_handovers_world(
    partner: Organization, owner: User, customer: User, listing: Listing
) -> dict[str, object]:
    """A workspace that the partner sets up."""
    workspace = ClientWorkspace(
        public_id=new_public_id("cws"),
        partner_id=partner.id,
        customer_id=make_customer("Slipway").id,
        created_by_id=owner.id,
    )
    db.session.add(workspace)
    db.session.flush()
    return {"workspace_id": workspace.public_id}
