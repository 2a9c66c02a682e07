"""Business plans: written by a partner, approved by the operator, followed through the year."""

from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

from sqlalchemy import select

from billing.public_ids import new_public_id
from marketplace.core import clock
from marketplace.core.database import db
from marketplace.core.errors import ConflictError, InvalidError
from marketplace.core.facts import Fact, record_fact
from marketplace.core.locks import lock_row
from marketplace.core.once import insert_if_new
from marketplace.core.permissions import Actor
from marketplace.core.seen import ChangedMeanwhileError, check_seen, digest_of
from marketplace.identity.own_partner import refuse_members
from marketplace.program.applications.mails import tell_plan_decided
from marketplace.program.applications.models import BusinessPlan, PlanActivity, PlanState
from marketplace.program.applications.tracking import (
    Progress,
    directions,
    progress_of,
    unit_of,
    values_between,
)
from marketplace.program.applications.words import line, paragraphs
from marketplace.program.measures import Measure, measure
from marketplace.program.policy.live import current_policy
from marketplace.program.standing.reading import place_of
from marketplace.program.standing.taking_part import why_not

MOST_OF_A_TEXT = 10_000
MOST_GOALS = 20
MOST_ACTIVITIES = 60
MOST_OF_A_TARGET = 10**13
WRITABLE = (PlanState.DRAFT, PlanState.RETURNED)


@dataclass(frozen=True)
class Activity:
    """Something that a side does by a day."""

    title: str
    due_on: date | None
    side: str


def begin_plan(organization_id: int, year: int, *, by_user_id: int | None) -> BusinessPlan:
    """The partner's plan for a year, begun if there is none. Flushes. Raises InvalidError at
    `year` for a year that is not this one or the next."""
    this_year = clock.now().year
    if year not in (this_year, this_year + 1):
        raise InvalidError({"year": "Plan this year or the next one."})
    made = insert_if_new(
        BusinessPlan,
        public_id=new_public_id("pln"),
        organization_id=organization_id,
        year=year,
        state=PlanState.DRAFT,
        summary="",
        goals=[],
        note="",
        created_at=clock.now(),
        created_by_id=by_user_id,
        edition=1,
    )
    plan = db.session.scalars(
        select(BusinessPlan).where(
            BusinessPlan.organization_id == organization_id, BusinessPlan.year == year
        )
    ).one()
    if made is not None:
        _fact("plan.begun", plan, by_user_id)
    return plan


def save_plan(
    plan: BusinessPlan,
    *,
    summary: str,
    goals: list[tuple[str, int | None]],
    activities: list[Activity],
    edition: int,
    by_user_id: int | None,
) -> None:
    """Write a plan that is a draft or was returned. `goals`: (metric, target in its unit). Flushes.

    Raises InvalidError at `summary`, `goals` or `activities`, ChangedMeanwhileError when it is not
    to be written any more or was saved meanwhile.
    """
    row = _locked(plan)
    if row.state is PlanState.SUBMITTED:
        raise ChangedMeanwhileError(
            "This plan was handed in meanwhile. Take it back in another tab, then save here: that "
            "replaces what was handed in."
        )
    if row.state is PlanState.APPROVED:
        raise ChangedMeanwhileError(
            "This plan was approved meanwhile. It can be saved again once it is reopened."
        )
    if row.edition != edition:
        raise ChangedMeanwhileError(
            "This plan was saved meanwhile, by somebody else or in another tab. Saving yours "
            "replaces what was saved there."
        )
    live = current_policy()
    wrong: dict[str, str] = {}
    text = paragraphs(summary)
    if len(text) > MOST_OF_A_TEXT:
        wrong["summary"] = f"Use at most {MOST_OF_A_TEXT:,} characters."
    found: list[dict[str, Any]] = []
    for key, target in goals:
        metric = live.policy.metric(key) if live else None
        if metric is None or live is None:
            wrong["goals"] = "Choose metrics of the program."
        elif target is None or not 0 < target <= MOST_OF_A_TARGET:
            wrong["goals"] = "Each goal has a target above zero."
        elif key in {each["metric"] for each in found}:
            wrong["goals"] = f"{metric.name} is there twice."
        else:
            found.append(
                {
                    "metric": key,
                    "name": metric.name,
                    "unit": unit_of(live.policy, metric),
                    "target": target,
                }
            )
    if len(goals) > MOST_GOALS:
        wrong["goals"] = f"Choose at most {MOST_GOALS} goals."
    if len(activities) > MOST_ACTIVITIES:
        wrong["activities"] = f"Plan at most {MOST_ACTIVITIES} activities."
    for each in activities:
        if not 3 <= len(line(each.title)) <= 160:
            wrong["activities"] = "Each activity says in 3 to 160 characters what is done."
        elif each.due_on is None or each.due_on.year != row.year:
            wrong["activities"] = f"Each activity has a day in {row.year}."
        elif each.side not in ("partner", "operator"):
            wrong["activities"] = "Choose who does it."
    if wrong:
        raise InvalidError(wrong)
    row.summary, row.goals = text, found
    row.edition += 1
    # What was ticked before a plan was reopened stays ticked.
    done: dict[tuple[str, str], PlanActivity] = {}
    for old in activities_of(row):
        if old.done_at is not None:
            done[(old.title, old.side)] = old
        db.session.delete(old)
    db.session.flush()
    for each in activities:
        before = done.get((line(each.title), each.side))
        db.session.add(
            PlanActivity(
                plan_id=row.id,
                title=line(each.title),
                due_on=each.due_on,
                side=each.side,
                done_at=before.done_at if before else None,
                done_by_id=before.done_by_id if before else None,
            )
        )
    _fact("plan.saved", row, by_user_id)
    db.session.flush()


def submit_plan(plan: BusinessPlan, *, by_user_id: int | None) -> None:
    """Hand the plan to the operator. Flushes. Raises ConflictError, InvalidError at `goals` or
    `summary` when it says too little."""
    row = _locked(plan, *WRITABLE)
    wrong = {}
    if not row.goals:
        wrong["goals"] = "Set at least one goal."
    if len(row.summary) < 20:
        wrong["summary"] = "Say in a few sentences what you mean to do together."
    if wrong:
        raise InvalidError(wrong)
    row.state, row.submitted_at, row.submitted_by_id = PlanState.SUBMITTED, clock.now(), by_user_id
    _fact("plan.submitted", row, by_user_id)
    db.session.flush()


def shown_of(plan: BusinessPlan) -> str:
    """A short name for what staff are shown of a plan: saved or handed in anew it is another."""
    at = plan.submitted_at
    return digest_of((plan.id, plan.edition, at.timestamp() if at else None))


def approve_plan(plan: BusinessPlan, note: str, *, actor: Actor, seen: str | None = None) -> None:
    """Approve it: it counts for the partner from now to the end of its year. Flushes. `seen`: what
    was shown of it (`shown_of`).

    Raises ForbiddenError for who works for the partner, ConflictError for a partner that does not
    take part in the program and ChangedMeanwhileError when the plan is not what was seen,
    InvalidError at `note`.
    """
    refuse_members(actor.user_id, plan.organization_id)
    standing = place_of(plan.organization_id)
    if standing.is_suspended:
        raise ConflictError(
            "The partner is suspended. Its plan can be approved once it is reinstated."
        )
    if why_not(standing):
        raise ConflictError(
            "The partner is not in the program. Its plan can be approved once it is, and returned "
            "until then."
        )
    row = _decide(plan, PlanState.APPROVED, note, actor, seen=seen)
    _count(row, 1, "begun", "ended")
    tell_plan_decided(row)


def return_plan(plan: BusinessPlan, note: str, *, actor: Actor, seen: str | None = None) -> None:
    """Ask for changes, with a reason; also of who does not take part. Flushes. Raises like
    approve_plan otherwise."""
    tell_plan_decided(_decide(plan, PlanState.RETURNED, note, actor, seen=seen))


def taken_back_at(plan: BusinessPlan) -> datetime | None:
    """When the partner took back what it had handed in; None unless it still has it."""
    if plan.submitted_at is not None:
        return None
    return db.session.scalar(
        select(Fact.happened_at)
        .where(
            Fact.subject_type == "business_plan",
            Fact.subject_id == str(plan.id),
            Fact.kind == "plan.taken_back",
        )
        .order_by(Fact.id.desc())
        .limit(1)
    )


def take_back_plan(plan: BusinessPlan, *, by_user_id: int | None) -> None:
    """The partner takes back what it handed in and nobody has answered yet; it is a draft again.
    Flushes. Raises ConflictError."""
    row = _locked(plan, PlanState.SUBMITTED)
    row.state, row.submitted_at, row.submitted_by_id = PlanState.DRAFT, None, None
    _fact("plan.taken_back", row, by_user_id)
    db.session.flush()


def reopen_plan(plan: BusinessPlan, note: str, *, actor: Actor) -> None:
    """Let the partner write an approved plan again, e.g. for a wrong target. It counts no more
    until it is approved anew; what was done of it stays done. Flushes. Raises like return_plan."""
    row = _decide(plan, PlanState.RETURNED, note, actor, of=PlanState.APPROVED)
    _count(row, -1, "reopened", "back")
    # The next approval is another one.
    row.edition += 1
    db.session.flush()
    tell_plan_decided(row)


def _count(row: BusinessPlan, amount: int, begun: str, ended: str) -> None:
    """Write that a plan counts from now to the end of its year (1), or no more (-1). One for next
    year counts when its year begins."""
    begins, ends = max(clock.now(), _start(row.year)), _start(row.year + 1)
    if begins >= ends:
        return
    for each, at, what in ((amount, begins, begun), (-amount, ends, ended)):
        measure(
            row.organization_id,
            Measure.PLANS,
            each,
            key=f"plan:{row.id}:{row.edition}:{what}",
            source=("business_plan", row.id),
            at=at,
        )


def tick_activity(
    activity: PlanActivity, plan: BusinessPlan, done: bool, *, side: str, by_user_id: int | None
) -> None:
    """Say that an activity is done, or not yet; each side ticks its own. Flushes.

    Raises ForbiddenError for who ticks the platform's own and works for the partner, ConflictError
    before the plan is approved or for the other side's.
    """
    if side == "operator":
        refuse_members(by_user_id, plan.organization_id)
    _locked(plan, PlanState.APPROVED)
    if activity.side != side:
        raise ConflictError("The other side ticks this one.")
    activity.done_at = clock.now() if done else None
    activity.done_by_id = by_user_id if done else None
    _fact("plan.activity_ticked", plan, by_user_id)
    db.session.flush()


def activities_of(plan: BusinessPlan) -> list[PlanActivity]:
    """A plan's activities by their days."""
    return list(
        db.session.scalars(
            select(PlanActivity)
            .where(PlanActivity.plan_id == plan.id)
            .order_by(PlanActivity.due_on, PlanActivity.id)
        )
    )


def progress(plan: BusinessPlan) -> list[Progress]:
    """A plan's goals against what was measured in its year so far. One query."""
    live = current_policy()
    values: dict[str, int | None] = {}
    if live is not None:
        metrics = [
            metric
            for each in plan.goals
            if (metric := live.policy.metric(each["metric"])) is not None
        ]
        until = min(clock.now(), _start(plan.year + 1))
        values = values_between(
            plan.organization_id, live.policy, metrics, _start(plan.year), until
        )
    return progress_of(plan.goals, values, directions(live.policy) if live else {})


def _decide(
    plan: BusinessPlan,
    state: PlanState,
    note: str,
    actor: Actor,
    *,
    of: PlanState = PlanState.SUBMITTED,
    seen: str | None = None,
) -> BusinessPlan:
    refuse_members(actor.user_id, plan.organization_id)
    row = _locked(plan, of)
    check_seen(seen, shown_of(row))
    text = paragraphs(note)
    if state is PlanState.RETURNED and not text:
        raise InvalidError({"note": "Say what must change. The partner reads it."})
    if len(text) > MOST_OF_A_TEXT:
        raise InvalidError({"note": f"Use at most {MOST_OF_A_TEXT:,} characters."})
    row.state, row.note = state, text
    row.decided_at, row.decided_by_id = clock.now(), actor.user_id
    _fact(f"plan.{state.value}", row, actor.user_id)
    db.session.flush()
    return row


def _locked(plan: BusinessPlan, *states: PlanState) -> BusinessPlan:
    row = lock_row(BusinessPlan, BusinessPlan.id == plan.id)
    if row is None or (states and row.state not in states):
        raise ChangedMeanwhileError("This plan has moved on. Look at it again.")
    return row


def _start(year: int) -> datetime:
    return datetime(year, 1, 1, tzinfo=UTC)


def _fact(kind: str, plan: BusinessPlan, by_user_id: int | None) -> None:
    record_fact(
        kind,
        subject=("business_plan", plan.id),
        actor_user_id=by_user_id,
        organization_id=plan.organization_id,
        data={"year": plan.year},
    )
