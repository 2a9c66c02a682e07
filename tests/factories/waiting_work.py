"""One thing of each kind that waits for the staff, for tests. All of it is flushed."""

from datetime import timedelta

from sqlalchemy import select, update

from billing.public_ids import new_public_id
from marketplace.accreditation.certification.models import Certification, CertificationState
from marketplace.accreditation.verification.models import (
    DomainProof,
    ProofState,
    Verification,
    VerificationState,
)
from marketplace.core import clock
from marketplace.core.database import db
from marketplace.identity.models import Organization
from marketplace.pipeline.campaigns.models import Campaign, CampaignState
from marketplace.pipeline.deals.models import Deal, DealStage, DealState
from marketplace.pipeline.ideas.models import Idea, IdeaState
from marketplace.pipeline.leads.models import Lead, LeadState
from marketplace.program.applications.models import Milestone, MilestoneState
from marketplace.program.contacts.models import ContactRequest, ContactRole, RequestKind
from marketplace.program.onboarding.models import PartnerTask, TaskSide
from tests.factories.listings import make_listing
from tests.factories.people import make_customer, make_member, make_organization
from tests.factories.program import make_policy
from tests.factories.program_worlds import make_program_world


def make_waiting_work() -> Organization:
    """A partner of which something waits in each queue of `observability.waiting`, since two days
    ago; the partner."""
    make_policy()
    partner = make_organization("Quayside")
    owner, customer = make_member(partner), make_member(make_customer())
    listing = make_listing(partner)
    make_program_world(partner=partner, owner=owner, customer=customer, listing=listing)
    since = clock.now() - timedelta(days=2)
    states = {
        Certification: {"state": CertificationState.SUBMITTED, "submitted_at": since},
        DomainProof: {"state": ProofState.DISPUTED},
        Verification: {"state": VerificationState.SUBMITTED, "submitted_at": since},
        Campaign: {"state": CampaignState.REQUESTED},
        Idea: {"state": IdeaState.PROPOSED},
        Milestone: {"state": MilestoneState.SUBMITTED, "submitted_at": since},
        PartnerTask: {"side": TaskSide.OPERATOR, "due_at": since, "done_at": None},
    }
    for model, values in states.items():
        first = db.session.scalars(select(model.id).order_by(model.id)).first()
        assert first is not None, model
        db.session.execute(update(model).where(model.id == first).values(**values))
    db.session.execute(update(Lead).where(Lead.state == LeadState.OFFERED).values(state="unplaced"))
    deal = db.session.scalars(select(Deal)).one()
    for state, stage in (
        (DealState.CONFLICT, DealStage.DISCOVERY),
        (DealState.APPROVED, DealStage.WON),
    ):
        db.session.add(
            Deal(
                public_id=new_public_id("deal"),
                organization_id=partner.id,
                state=state,
                stage=stage,
                title="Another office",
                customer_name="Blue Kite",
                customer_domain="bluekite.example",
                claim_key=deal.claim_key,
                amount=1,
                currency="EUR",
                won_at=since if stage is DealStage.WON else None,
            )
        )
    db.session.add(
        ContactRequest(
            public_id=new_public_id("con"),
            kind=RequestKind.ESCALATION,
            role=ContactRole.EXECUTIVE_SPONSOR,
            subject="Nobody answers",
            organization_id=partner.id,
            due_at=clock.now() + timedelta(days=1),
        )
    )
    db.session.flush()
    db.session.expire_all()
    return partner
