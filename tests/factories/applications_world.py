"""One of each thing of applications, rounds, plans and ideas, of one partner."""

from datetime import timedelta

from billing.public_ids import new_public_id
from marketplace.catalogue.models import Listing
from marketplace.core import clock
from marketplace.core.database import db
from marketplace.identity.models import Organization, User
from marketplace.pipeline.ideas.models import ClaimState, Idea, IdeaClaim, IdeaState
from marketplace.program.applications.models import (
    Application,
    ApplicationState,
    BusinessPlan,
    Milestone,
    PlaceState,
    PlanActivity,
    PlanState,
    RoundPlace,
)
from tests.factories.rounds import make_round


def make_applications_world(
    partner: Organization, owner: User, _customer: User, _listing: Listing
) -> dict[str, object]:
    """A round that the partner takes part in, its application, milestone, plan and claim."""
    now = clock.now()
    round_ = make_round(terms="Be kind.", terms_version=1)
    application = Application(
        public_id=new_public_id("app"),
        kind=f"program:{round_.public_id}",
        title="Autumn round: Quayside",
        organization_id=partner.id,
        applicant_user_id=owner.id,
        email=owner.email or "",
        name=owner.name,
        answers={"why": "To build."},
        form=round_.form,
        stages=round_.stages,
        stage="review",
        state=ApplicationState.IN_REVIEW,
        status_token_hash="0" * 64,
        status_token_sealed="",
        round_id=round_.id,
        submitted_at=now,
        queued_at=now,
    )
    db.session.add(application)
    db.session.flush()
    place = RoundPlace(
        public_id=new_public_id("plc"),
        round_id=round_.id,
        application_id=application.id,
        organization_id=partner.id,
        state=PlaceState.ACTIVE,
        award=100_000,
        figures=[],
        started_at=now,
    )
    plan = BusinessPlan(
        public_id=new_public_id("pln"),
        organization_id=partner.id,
        year=now.year,
        state=PlanState.SUBMITTED,
        summary="Together.",
        goals=[],
        submitted_at=now,
    )
    idea = Idea(
        public_id=new_public_id("idea"),
        title="Tide feed",
        state=IdeaState.CLAIMED,
        opened_at=now,
    )
    db.session.add_all([place, plan, idea])
    db.session.flush()
    milestone = Milestone(
        public_id=new_public_id("mil"), place_id=place.id, position=0, title="Beta", amount=50_000
    )
    activity = PlanActivity(plan_id=plan.id, title="A webinar", due_on=now.date())
    claim = IdeaClaim(
        public_id=new_public_id("clm"),
        idea_id=idea.id,
        active_idea_id=idea.id,
        organization_id=partner.id,
        state=ClaimState.ACTIVE,
        claimed_at=now,
        protected_until=now + timedelta(days=60),
    )
    db.session.add_all([milestone, activity, claim])
    db.session.flush()
    return {
        "application_id": application.public_id,
        "round_id": round_.public_id,
        "place_id": place.public_id,
        "milestone_id": milestone.public_id,
        "business_plan_id": plan.public_id,
        "business_activity_id": activity.id,
        "idea_id": idea.public_id,
        "claim_id": claim.public_id,
        "status_token": "x" * 32,
    }
