"""What applications, rounds and business plans ask of both sides, as obligations; wiring.py
connects it."""

from datetime import UTC, datetime, time

from sqlalchemy import select

from marketplace.core import clock
from marketplace.core.database import db
from marketplace.program.applications.models import (
    Application,
    ApplicationState,
    BusinessPlan,
    Milestone,
    MilestoneState,
    PlaceState,
    PlanActivity,
    PlanState,
    ProgramRound,
    RoundPlace,
)
from marketplace.program.scorecards.obligations import OPERATOR, PARTNER, Obligation

END_OF_DAY = time(23, 59, 59)


def round_and_plan_obligations(organization_id: int) -> list[Obligation]:
    """Everything of a partner's applications, places in rounds and plans; a provider."""
    return [
        *_applications(organization_id),
        *_milestones(organization_id),
        *_terms(organization_id),
        *_plans(organization_id),
    ]


def _applications(organization_id: int) -> list[Obligation]:
    rows = db.session.scalars(
        select(Application)
        .where(
            Application.organization_id == organization_id,
            Application.state.in_((ApplicationState.IN_REVIEW, ApplicationState.MORE_ASKED)),
        )
        .order_by(Application.id)
    )
    found = []
    for row in rows:
        href = f"/partner/applications/{row.public_id}"
        if row.state is ApplicationState.MORE_ASKED:
            title = f"Answer our question about the application: {row.title}"
            found.append(Obligation(title, PARTNER, None, href=href))
        else:
            title = f"Decide on the application: {row.title}"
            found.append(Obligation(title, OPERATOR, row.promised_until, href=href))
    return found


def _milestones(organization_id: int) -> list[Obligation]:
    """Milestones, gates and criteria of rounds that the partner takes part in: evidence is the
    partner's to give, and the operator's to look at."""
    rows = db.session.execute(
        select(Milestone, RoundPlace.public_id, ProgramRound.name)
        .join(RoundPlace, RoundPlace.id == Milestone.place_id)
        .join(ProgramRound, ProgramRound.id == RoundPlace.round_id)
        .where(RoundPlace.organization_id == organization_id, RoundPlace.state == PlaceState.ACTIVE)
        .order_by(Milestone.place_id, Milestone.position)
    )
    found = []
    for row, place_id, name in rows:
        href = f"/partner/rounds/places/{place_id}"
        if row.state is MilestoneState.SUBMITTED:
            title = f"{name}: look at the evidence for “{row.title}”"
            found.append(Obligation(title, OPERATOR, None, href=href))
        else:
            is_done = row.state is MilestoneState.ACCEPTED
            # What the partner did in time was not late because we were slow.
            done_at = row.submitted_at or row.decided_at if is_done else None
            found.append(
                Obligation(f"{name}: show “{row.title}”", PARTNER, row.due_at, done_at, href)
            )
    return found


def _terms(organization_id: int) -> list[Obligation]:
    rows = db.session.execute(
        select(RoundPlace.public_id, ProgramRound.name, ProgramRound.terms_version)
        .join(ProgramRound, ProgramRound.id == RoundPlace.round_id)
        .where(
            RoundPlace.organization_id == organization_id,
            RoundPlace.state.in_((PlaceState.OFFERED, PlaceState.ACTIVE)),
            RoundPlace.terms_version < ProgramRound.terms_version,
        )
        .order_by(RoundPlace.id)
    )
    return [
        Obligation(
            f"{name}: accept version {version} of the terms",
            PARTNER,
            None,
            href=f"/partner/rounds/places/{place_id}",
        )
        for place_id, name, version in rows
    ]


def _plans(organization_id: int) -> list[Obligation]:
    """Plans of this year and the next that wait for a side, and activities of approved ones."""
    plans = {
        row.id: row
        for row in db.session.scalars(
            select(BusinessPlan)
            .where(
                BusinessPlan.organization_id == organization_id,
                BusinessPlan.year >= clock.now().year,
                BusinessPlan.state != PlanState.DRAFT,
            )
            .order_by(BusinessPlan.id)
        )
    }
    found = [
        Obligation(
            f"Answer the business plan for {row.year}",
            OPERATOR,
            None,
            href=f"/partner/business-plans/{row.public_id}",
        )
        for row in plans.values()
        if row.state is PlanState.SUBMITTED
    ]
    found += [
        Obligation(
            f"Change the business plan for {row.year} and hand it in again",
            PARTNER,
            None,
            href=f"/partner/business-plans/{row.public_id}",
        )
        for row in plans.values()
        if row.state is PlanState.RETURNED
    ]
    approved = [row.id for row in plans.values() if row.state is PlanState.APPROVED]
    activities = db.session.scalars(
        select(PlanActivity)
        .where(PlanActivity.plan_id.in_(approved))
        .order_by(PlanActivity.due_on, PlanActivity.id)
    )
    for each in activities:
        plan = plans[each.plan_id]
        found.append(
            Obligation(
                f"Plan for {plan.year}: {each.title}",
                OPERATOR if each.side == OPERATOR else PARTNER,
                datetime.combine(each.due_on, END_OF_DAY, tzinfo=UTC),
                each.done_at,
                f"/partner/business-plans/{plan.public_id}",
            )
        )
    return found
