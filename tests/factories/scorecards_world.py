"""A standing with a tier that a person set, and a replay, for tests of who may reach them."""

from datetime import timedelta

from billing.public_ids import new_public_id
from marketplace.catalogue.models import Listing
from marketplace.core import clock
from marketplace.core.database import db
from marketplace.identity.models import Organization, User
from marketplace.program.scorecards.models import Replay
from marketplace.program.scorecards.queries import standing_of
from marketplace.program.standing.models import TierOverride
from tests.factories.program import make_standing, policy_document


def make_scorecards_world(
    partner: Organization, _owner: User, _customer: User, _listing: Listing
) -> dict[str, object]:
    """Values of URL parameters by name."""
    if standing_of(partner.id) is None:
        make_standing(partner)
    override = TierOverride(
        public_id=new_public_id("ovr"),
        organization_id=partner.id,
        tier="registered",
        reason="While we settle a migration",
        expires_at=clock.now() + timedelta(days=30),
    )
    replay = Replay(
        public_id=new_public_id("rpl"),
        name="A draft",
        document=policy_document(),
        digest="0" * 64,
        months=1,
        starts_at=clock.now() - timedelta(days=31),
        ends_at=clock.now(),
    )
    db.session.add_all([override, replay])
    db.session.flush()
    return {
        "standing_slug": partner.slug,
        "override_id": override.public_id,
        "metric_key": "revenue",
        "replay_id": replay.public_id,
    }
