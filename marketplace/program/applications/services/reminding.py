"""Reminding before a day passes: milestones and gates, terms and ends of tracks, activities."""

from collections import defaultdict
from datetime import UTC, datetime, time, timedelta

from sqlalchemy import and_, select

from marketplace.core import clock
from marketplace.core.database import db
from marketplace.identity.models import Organization, User
from marketplace.program.applications import mails
from marketplace.program.applications.models import (
    BusinessPlan,
    Milestone,
    MilestoneState,
    PlaceState,
    PlanActivity,
    PlanState,
    ProgramRound,
    RoundPlace,
    RoundTerms,
)
from marketplace.program.contacts.reading import staffing
from marketplace.program.reminders import Reminder, not_reminded, remind_once

# How long before its day somebody is reminded.
SOON = timedelta(days=7)
BATCH = 500
END_OF_DAY = time(23, 59, 59)


def remind_of_milestones() -> int:
    """Tell partners and their mentors of milestones, gates and criteria that are due within a
    week and not handed in; how many. Flushes."""
    now = clock.now()
    rows = db.session.execute(
        select(Milestone, RoundPlace, ProgramRound)
        .join(RoundPlace, RoundPlace.id == Milestone.place_id)
        .join(ProgramRound, ProgramRound.id == RoundPlace.round_id)
        .where(
            RoundPlace.state == PlaceState.ACTIVE,
            Milestone.state.in_((MilestoneState.OPEN, MilestoneState.RETURNED)),
            Milestone.due_at > now,
            Milestone.due_at <= now + SOON,
            not_reminded("milestone", Milestone.id, Milestone.due_at),
        )
        .order_by(Milestone.due_at, Milestone.id)
        .limit(BATCH)
    ).all()
    told = 0
    for milestone, place, round_ in rows:
        if milestone.due_at and remind_once("milestone", milestone.id, milestone.due_at):
            mails.remind_of_milestone(place, round_, milestone)
            told += 1
    return told


def remind_of_terms() -> int:
    """Tell partners in a round whose terms have a version that they have not accepted; how many.
    Flushes."""
    rows = db.session.execute(
        select(RoundPlace, ProgramRound, RoundTerms.created_at)
        .join(ProgramRound, ProgramRound.id == RoundPlace.round_id)
        .join(
            RoundTerms,
            and_(
                RoundTerms.round_id == ProgramRound.id,
                RoundTerms.version == ProgramRound.terms_version,
            ),
        )
        .where(
            RoundPlace.state.in_((PlaceState.OFFERED, PlaceState.ACTIVE)),
            RoundPlace.terms_version < ProgramRound.terms_version,
            not_reminded("terms", RoundPlace.id, RoundTerms.created_at),
        )
        .order_by(RoundPlace.id)
        .limit(BATCH)
    ).all()
    told = 0
    for place, round_, written_at in rows:
        if remind_once("terms", place.id, written_at):
            mails.tell_terms(place, round_)
            told += 1
    return told


def remind_of_tracks() -> int:
    """Tell partners whose track ends within a week; how many. Flushes."""
    now = clock.now()
    rows = db.session.execute(
        select(RoundPlace, ProgramRound)
        .join(ProgramRound, ProgramRound.id == RoundPlace.round_id)
        .where(
            RoundPlace.state == PlaceState.ACTIVE,
            RoundPlace.ends_at > now,
            RoundPlace.ends_at <= now + SOON,
            not_reminded("track", RoundPlace.id, RoundPlace.ends_at),
        )
        .order_by(RoundPlace.ends_at, RoundPlace.id)
        .limit(BATCH)
    ).all()
    told = 0
    for place, round_ in rows:
        if place.ends_at and remind_once("track", place.id, place.ends_at):
            mails.remind_of_track(place, round_)
            told += 1
    return told


def remind_of_activities() -> int:
    """Tell whoever does it of activities of approved plans that are due within a week: the
    partner, or its manager on our side; one mail for each plan and side. Flushes."""
    today = clock.now().date()
    reminded = select(Reminder.subject_id).where(Reminder.kind == "activity")
    rows = db.session.execute(
        select(PlanActivity, BusinessPlan)
        .join(BusinessPlan, BusinessPlan.id == PlanActivity.plan_id)
        .where(
            BusinessPlan.state == PlanState.APPROVED,
            PlanActivity.done_at.is_(None),
            PlanActivity.due_on >= today,
            PlanActivity.due_on <= today + SOON,
            PlanActivity.id.not_in(reminded),
        )
        .order_by(PlanActivity.due_on, PlanActivity.id)
        .limit(BATCH)
    ).all()
    found: dict[tuple[int, str], list[PlanActivity]] = defaultdict(list)
    plans: dict[int, BusinessPlan] = {}
    for activity, plan in rows:
        due_at = datetime.combine(activity.due_on, END_OF_DAY, tzinfo=UTC)
        if remind_once("activity", activity.id, due_at):
            found[(plan.id, activity.side)].append(activity)
            plans[plan.id] = plan
    _tell_of_activities(found, plans)
    return sum(map(len, found.values()))


def _tell_of_activities(
    found: dict[tuple[int, str], list[PlanActivity]], plans: dict[int, BusinessPlan]
) -> None:
    if not found:
        return
    people = staffing()
    ids = {plan.organization_id for plan in plans.values()}
    organizations = {
        row.id: row
        for row in db.session.scalars(select(Organization).where(Organization.id.in_(ids)))
    }
    for (plan_id, side), activities in found.items():
        plan = plans[plan_id]
        if side != "operator":
            mails.remind_partner_of_activities(plan, activities)
            continue
        partner = organizations[plan.organization_id]
        contact = people.contact(
            "partner_manager", organization_id=partner.id, country=partner.country
        )
        person = db.session.get(User, contact.user_id) if contact.user_id is not None else None
        if person is not None:
            mails.remind_staff_of_activities(person, partner, plan, activities)
