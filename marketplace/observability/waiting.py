"""What of the program waits for the staff: how much of it, and since when. One query for all."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, and_, func, literal, select, union_all

from marketplace.accreditation.authorizations.models import Authorization, CheckState
from marketplace.accreditation.certification.models import Certification, CertificationState
from marketplace.accreditation.managed_services.models import ServiceEvidence, ServiceEvidenceState
from marketplace.accreditation.verification.models import (
    DomainProof,
    ProofState,
    Verification,
    VerificationState,
)
from marketplace.core.database import db
from marketplace.pipeline.campaigns.models import Campaign, CampaignState
from marketplace.pipeline.deals.models import CreditSplit, Deal, DealStage, DealState
from marketplace.pipeline.ideas.models import Idea, IdeaState
from marketplace.pipeline.leads.models import Lead, LeadState, Review
from marketplace.program.applications.models import (
    Application,
    ApplicationState,
    BusinessPlan,
    Milestone,
    MilestoneState,
    PlaceState,
    PlanState,
    RoundPlace,
)
from marketplace.program.benefits.models import BenefitClaim, ClaimState
from marketplace.program.contacts.models import ContactRequest, RequestKind, RequestState
from marketplace.program.contacts.queries import is_with
from marketplace.program.onboarding.models import PartnerTask, TaskSide


@dataclass(frozen=True)
class Work:
    """A kind of work: the page that lists it, and the entry of the staff's menu that leads there.

    `args` are the query arguments of the page.
    """

    key: str
    label: str
    endpoint: str
    menu: str
    icon: str
    args: tuple[tuple[str, Any], ...] = ()


@dataclass(frozen=True)
class Queue:
    """What waits of a kind of work: how many, and since when the oldest."""

    work: Work
    count: int
    oldest: datetime | None

    @property
    def label(self) -> str:
        """Its name."""
        return self.work.label


WORK: tuple[Work, ...] = (
    Work(
        "applications", "Applications", "applications_staff.queue", "applications_staff.queue",
        "file-text",
    ),
    Work(
        "plans", "Business plans to approve", "applications_staff.plans",
        "applications_staff.queue", "target", (("state", "submitted"),),
    ),
    Work(
        "milestones", "Evidence for milestones and gates", "applications_staff.evidence",
        "applications_staff.rounds", "calendar-range",
    ),
    Work(
        "escalations", "Escalations", "contacts_staff.inbox", "contacts_staff.inbox",
        "life-buoy", (("whose", "all"), ("state", "waiting")),
    ),
    Work(
        "contact_requests", "Messages and meetings", "contacts_staff.inbox",
        "contacts_staff.inbox", "inbox", (("whose", "all"), ("state", "waiting")),
    ),
    Work(
        "late_tasks", "Late tasks of ours", "onboarding_staff.tasks", "onboarding_staff.tasks",
        "list-checks",
    ),
    Work(
        "benefits", "Claims of benefits", "benefits_staff.claims", "benefits_staff.claims", "gift"
    ),
    Work(
        "verifications", "Verifications", "verification_staff.queue", "verification_staff.queue",
        "badge-check",
    ),
    Work(
        "disputed_domains", "Disputed domains", "verification_staff.disputes",
        "verification_staff.queue", "globe",
    ),
    Work(
        "certifications", "Certifications", "certification_staff.queue",
        "certification_staff.queue", "shield-check",
    ),
    Work(
        "service_evidence", "Evidence of managed services", "managed_services_staff.queue",
        "certification_staff.queue", "file-text",
    ),
    Work(
        "authorizations", "Authorizations", "authorizations_staff.queue",
        "certification_staff.queue", "landmark",
    ),
    Work(
        "unplaced_leads", "Leads without a partner", "leads_staff.index", "leads_staff.index",
        "inbox",
    ),
    Work(
        "leads_to_qualify", "Leads to qualify", "leads_staff.index", "leads_staff.index", "inbox",
        (("show", "to_qualify"),),
    ),
    Work("deals", "Deals to decide", "deals_staff.index", "deals_staff.index", "handshake"),
    Work(
        "conflicts", "Conflicts of deals", "deals_staff.index", "deals_staff.index", "handshake",
        (("show", "conflicts"),),
    ),
    Work(
        "unsplit_deals", "Won deals to split", "deals_staff.index", "deals_staff.index",
        "handshake", (("show", "won"),),
    ),
    Work(
        "ideas", "Proposed ideas", "ideas_staff.index", "ideas_staff.index", "lightbulb",
        (("state", "proposed"),),
    ),
    Work(
        "campaigns", "Co-marketing requests", "campaigns_staff.index", "campaigns_staff.index",
        "megaphone", (("state", "requested"),),
    ),
)  # fmt: skip


def waiting(
    now: datetime, keys: Collection[str] | None = None, *, inbox_of: int | None = None
) -> list[Queue]:
    """The queues of these kinds of work (None: of all), in the order of `WORK`. One query.

    `inbox_of`: of what partners wrote, only what is with this person, or with nobody.
    """
    asked = [work for work in WORK if keys is None or work.key in keys]
    if not asked:
        return []
    rules = _rules(now, inbox_of)
    parts = [
        select(literal(work.key).label("key"), func.count().label("count"), func.min(since))
        .select_from(model)
        .where(*where)
        for work in asked
        for model, since, where in (rules[work.key],)
    ]
    rows = {row[0]: row for row in db.session.execute(union_all(*parts))}
    return [Queue(work, int(rows[work.key][1]), rows[work.key][2]) for work in asked]


def _rules(
    now: datetime, inbox_of: int | None
) -> Mapping[str, tuple[Any, Any, list[ColumnElement[bool]]]]:
    """Of each kind of work: the table, since when a row waits, and which rows do."""
    # A lost deal keeps the state that it had and is over all the same.
    going_on = Deal.stage != DealStage.LOST
    split = select(CreditSplit.id).where(CreditSplit.deal_id == Deal.id).exists()
    is_escalation = ContactRequest.kind == RequestKind.ESCALATION
    waits = ContactRequest.state == RequestState.WAITING
    if inbox_of is not None:
        waits = and_(waits, is_with(inbox_of))
    going_places = select(RoundPlace.id).where(RoundPlace.state == PlaceState.ACTIVE)
    return {
        "applications": (
            Application,
            func.coalesce(Application.queued_at, Application.submitted_at),
            [Application.state == ApplicationState.IN_REVIEW],
        ),
        "plans": (
            BusinessPlan,
            BusinessPlan.submitted_at,
            [BusinessPlan.state == PlanState.SUBMITTED],
        ),
        "milestones": (
            Milestone,
            Milestone.submitted_at,
            [Milestone.state == MilestoneState.SUBMITTED, Milestone.place_id.in_(going_places)],
        ),
        "escalations": (ContactRequest, ContactRequest.updated_at, [waits, is_escalation]),
        "contact_requests": (ContactRequest, ContactRequest.updated_at, [waits, ~is_escalation]),
        "late_tasks": (
            PartnerTask,
            PartnerTask.due_at,
            [
                PartnerTask.side == TaskSide.OPERATOR,
                PartnerTask.done_at.is_(None),
                PartnerTask.due_at < now,
            ],
        ),
        "benefits": (
            BenefitClaim,
            BenefitClaim.claimed_at,
            [BenefitClaim.state == ClaimState.CLAIMED],
        ),
        "verifications": (
            Verification,
            Verification.submitted_at,
            [Verification.state == VerificationState.SUBMITTED],
        ),
        "disputed_domains": (
            DomainProof,
            DomainProof.created_at,
            [DomainProof.state == ProofState.DISPUTED],
        ),
        "certifications": (
            Certification,
            Certification.submitted_at,
            [Certification.state == CertificationState.SUBMITTED],
        ),
        "service_evidence": (
            ServiceEvidence,
            ServiceEvidence.submitted_at,
            [ServiceEvidence.state == ServiceEvidenceState.SUBMITTED],
        ),
        "authorizations": (
            Authorization,
            Authorization.submitted_at,
            [Authorization.check == CheckState.SUBMITTED],
        ),
        "unplaced_leads": (Lead, Lead.created_at, [Lead.state == LeadState.UNPLACED]),
        "leads_to_qualify": (
            Lead,
            Lead.created_at,
            [
                Lead.state == LeadState.ACCEPTED,
                Lead.review == Review.PENDING,
                Lead.duplicate_of_id.is_(None),
            ],
        ),
        "deals": (Deal, Deal.submitted_at, [Deal.state == DealState.SUBMITTED, going_on]),
        "conflicts": (Deal, Deal.submitted_at, [Deal.state == DealState.CONFLICT, going_on]),
        "unsplit_deals": (Deal, Deal.won_at, [Deal.stage == DealStage.WON, ~split]),
        "ideas": (Idea, Idea.created_at, [Idea.state == IdeaState.PROPOSED]),
        "campaigns": (Campaign, Campaign.created_at, [Campaign.state == CampaignState.REQUESTED]),
    }
