"""A draft of the policy, a claim of a benefit and a host, for tests of who may reach them."""

from billing.public_ids import new_public_id
from marketplace.catalogue.models import Listing
from marketplace.core import clock
from marketplace.core.database import db
from marketplace.identity.models import Organization, User
from marketplace.program.benefits.models import BenefitClaim
from marketplace.program.hosts.live import forget_hosts_after_commit
from marketplace.program.hosts.models import HostKind, HostState, MappedHost
from marketplace.program.policy.document import Policy
from marketplace.program.policy.services import drafting
from tests.factories.program import policy_document


def make_claim(organization: Organization, user: User, benefit: str = "voucher") -> BenefitClaim:
    """An open claim of this year."""
    claim = BenefitClaim(
        public_id=new_public_id("clm"),
        organization_id=organization.id,
        benefit=benefit,
        benefit_name="Exam voucher",
        tier="gold",
        year=clock.now().year,
        claimed_by_id=user.id,
    )
    db.session.add(claim)
    db.session.flush()
    return claim


def make_host(
    host: str,
    organization: Organization | None = None,
    state: HostState = HostState.ACTIVE,
    **fields: object,
) -> MappedHost:
    """A host that answers: of the program, or of a white-label partner."""
    row = MappedHost(
        public_id=new_public_id("host"),
        host=host,
        kind=HostKind.WHITE_LABEL if organization else HostKind.PROGRAM,
        state=state,
        organization_id=organization.id if organization else None,
        challenge="a-challenge-of-the-tests",
        **fields,
    )
    db.session.add(row)
    db.session.flush()
    forget_hosts_after_commit()
    return row


def make_policy_world(
    partner: Organization, owner: User, _customer: User, _listing: Listing
) -> dict[str, object]:
    """URL values by parameter name."""
    draft = drafting.begin(Policy.model_validate(policy_document()), by_user_id=None)
    return {
        "policy_id": draft.public_id,
        "policy_part": "tiers",
        "policy_item": "gold",
        "benefit_key": "voucher",
        "benefit_claim_id": make_claim(partner, owner).public_id,
        "mapped_host_id": make_host("apps.tides.example", partner).public_id,
    }
