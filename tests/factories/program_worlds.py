"""One of each thing of the program, for tests of who may reach it."""

from collections.abc import Callable

from marketplace.catalogue.models import Listing
from marketplace.identity.models import Organization, User
from tests.factories.applications_world import make_applications_world
from tests.factories.campaigns_world import make_campaigns_world
from tests.factories.certification_world import make_certification_world
from tests.factories.contacts_world import make_contacts_world
from tests.factories.credentials_world import make_credentials_world
from tests.factories.evidence_world import make_evidence_world
from tests.factories.handovers_world import make_handovers_world
from tests.factories.insight_world import make_insight_world
from tests.factories.onboarding_world import make_onboarding_world
from tests.factories.pipeline_world import make_pipeline_world
from tests.factories.policy_world import make_policy_world
from tests.factories.scorecards_world import make_scorecards_world
from tests.factories.verification_world import make_verification_world
from tests.factories.vouchers_world import make_vouchers_world

# A maker adds rows of the partner (or of the customer's organization) and returns URL values by
# parameter name.
Maker = Callable[[Organization, User, User, Listing], dict[str, object]]
MAKERS: tuple[Maker, ...] = (
    make_applications_world,
    make_insight_world,
    make_vouchers_world,
    make_onboarding_world,
    make_contacts_world,
    make_campaigns_world,
    make_credentials_world,
    make_handovers_world,
    make_pipeline_world,
    make_policy_world,
    make_scorecards_world,
    make_certification_world,
    make_evidence_world,
    make_verification_world,
)


def make_program_world(
    *, partner: Organization, owner: User, customer: User, listing: Listing
) -> dict[str, object]:
    """Rows of all parts of the program; URL values by parameter name."""
    values: dict[str, object] = {}
    for maker in MAKERS:
        values |= maker(partner, owner, customer, listing)
    return values
