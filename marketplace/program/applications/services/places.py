"""Taking part in a round: the place, its terms, its track, and its end."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy import ColumnElement, func, or_, select

from billing.formatting import format_money
from billing.public_ids import new_public_id
from marketplace.core import clock
from marketplace.core.database import db
from marketplace.core.errors import ConflictError, InvalidError
from marketplace.core.facts import record_fact
from marketplace.core.locks import lock_row
from marketplace.core.once import insert_if_new
from marketplace.identity.models import Membership, Organization, OrganizationKind, User
from marketplace.program.applications.models import (
    Application,
    Milestone,
    MilestoneState,
    PlaceState,
    ProgramRound,
    RoundKind,
    RoundPlace,
    TermsAcceptance,
)
from marketplace.program.applications.tracking import unit_of, values_between
from marketplace.program.events import Graduation, graduated
from marketplace.program.policy.document import How
from marketplace.program.policy.live import current_policy

# How many people a page offers at once; the search finds the others.
MOST_MENTORS = 50
TAKEN = (PlaceState.OFFERED, PlaceState.ACTIVE, PlaceState.COMPLETED)


def locked_round(round_id: int) -> ProgramRound:
    """A round, held until this transaction ends: money and places are decided under it."""
    row = lock_row(ProgramRound, ProgramRound.id == round_id)
    if row is None:
        raise ConflictError("The round is not there any more.")
    return row


def locked_place(place: RoundPlace, *states: PlaceState) -> RoundPlace:
    """A place, held until this transaction ends. Raises ConflictError in none of these states."""
    row = lock_row(RoundPlace, RoundPlace.id == place.id)
    if row is None or row.state not in states:
        raise ConflictError("This has moved on. Look at it again.")
    return row


def committed(round_id: int) -> int:
    """What of a round's budget is spoken for, in minor units: awards of those who take part, and
    what was paid to those who left."""
    awards = db.session.scalar(
        select(func.coalesce(func.sum(RoundPlace.award), 0)).where(
            RoundPlace.round_id == round_id, RoundPlace.state.in_(TAKEN)
        )
    )
    paid = db.session.scalar(
        select(func.coalesce(func.sum(Milestone.amount), 0))
        .join(RoundPlace, RoundPlace.id == Milestone.place_id)
        .where(
            RoundPlace.round_id == round_id,
            RoundPlace.state == PlaceState.ENDED,
            Milestone.paid_at.is_not(None),
        )
    )
    return int(awards or 0) + int(paid or 0)


def give_place(
    application: Application, *, award: int | None, by_user_id: int | None
) -> RoundPlace:
    """A place for an accepted application; it begins at once unless terms come first. Flushes.

    Raises InvalidError at `award`, ConflictError when the round is full.
    """
    if application.round_id is None or application.organization_id is None:
        raise ConflictError("Only partners take part in a round.")
    round_ = locked_round(application.round_id)
    taken = db.session.scalar(
        select(func.count()).where(RoundPlace.round_id == round_.id, RoundPlace.state.in_(TAKEN))
    )
    if round_.places is not None and int(taken or 0) >= round_.places:
        raise ConflictError(f"All {round_.places} places are taken.")
    amount = 0
    if round_.kind is RoundKind.GRANT:
        left = round_.budget - committed(round_.id)
        if award is None or award <= 0:
            raise InvalidError({"award": "Enter what is granted."})
        if award > left:
            raise InvalidError(
                {"award": f"{format_money(left, round_.currency)} is left of the budget."}
            )
        amount = award
    place = RoundPlace(
        public_id=new_public_id("plc"),
        round_id=round_.id,
        application_id=application.id,
        organization_id=application.organization_id,
        award=amount,
        figures=[],
    )
    db.session.add(place)
    db.session.flush()
    record_fact(
        "round_place.given",
        subject=("round_place", place.id),
        actor_user_id=by_user_id,
        organization_id=place.organization_id,
        data={"round": round_.id, "award": amount, "currency": round_.currency},
    )
    if not round_.terms_version:
        _begin(place, round_)
    return place


def accept_terms(place: RoundPlace, version: int, *, user_id: int) -> None:
    """Accept the terms as they were shown; the place begins with the first time. Flushes.

    Raises ConflictError when the terms have changed since they were shown.
    """
    round_ = locked_round(place.round_id)
    row = locked_place(place, PlaceState.OFFERED, PlaceState.ACTIVE)
    if version != round_.terms_version or not round_.terms_version:
        raise ConflictError("The terms have changed while you were reading. Read them once more.")
    made = insert_if_new(
        TermsAcceptance,
        place_id=row.id,
        version=version,
        digest=hashlib.sha256(round_.terms.encode()).hexdigest(),
        user_id=user_id,
        at=clock.now(),
    )
    if made is None:
        return
    row.terms_version = version
    record_fact(
        "round_terms.accepted",
        subject=("round_place", row.id),
        actor_user_id=user_id,
        organization_id=row.organization_id,
        data={"version": version},
    )
    if row.state is PlaceState.OFFERED:
        _begin(row, round_)
    db.session.flush()


def refuse_without_terms(place: RoundPlace, round_: ProgramRound) -> None:
    """Raise ConflictError while the terms in force are not accepted."""
    if place.terms_version < round_.terms_version:
        raise ConflictError(f"Accept version {round_.terms_version} of the terms first.")


def name_mentor(place: RoundPlace, user_id: int | None, *, by_user_id: int | None) -> None:
    """Say who mentors a partner: staff, or somebody of a partner. Raises InvalidError."""
    row = locked_place(place, PlaceState.OFFERED, PlaceState.ACTIVE)
    if user_id is not None and not may_mentor(user_id, row.organization_id):
        raise InvalidError({"mentor": "Choose a mentor."})
    row.mentor_user_id = user_id
    record_fact(
        "round_place.mentor_named",
        subject=("round_place", row.id),
        actor_user_id=by_user_id,
        organization_id=row.organization_id,
        data={"mentor": user_id},
    )
    db.session.flush()


@dataclass(frozen=True)
class Mentor:
    """Somebody who can mentor, and of which organization."""

    user_id: int
    name: str
    organization: str


def mentors(organization_id: int, text: str = "", most: int = MOST_MENTORS) -> list[Mentor]:
    """Who can mentor a partner, by name: staff, and people of other partners. `text` is part of
    their name, address or organization. One query."""
    query = (
        select(User.id, User.name, func.min(Organization.name))
        .join(Membership, Membership.user_id == User.id)
        .join(Organization, Organization.id == Membership.organization_id)
        .where(*_mentoring(organization_id))
        .group_by(User.id, User.name)
        .order_by(func.lower(User.name), User.id)
        .limit(most)
    )
    if text:
        columns = (User.name, User.email, Organization.name)
        query = query.where(or_(*(each.icontains(text, autoescape=True) for each in columns)))
    return [Mentor(*row) for row in db.session.execute(query)]


def may_mentor(user_id: int, organization_id: int) -> bool:
    """Whether a person can mentor a partner. One query."""
    found = db.session.scalar(
        select(User.id)
        .join(Membership, Membership.user_id == User.id)
        .join(Organization, Organization.id == Membership.organization_id)
        .where(*_mentoring(organization_id), User.id == user_id)
        .limit(1)
    )
    return found is not None


def _mentoring(organization_id: int) -> tuple[ColumnElement[bool], ...]:
    return (
        Organization.kind.in_((OrganizationKind.PLATFORM, OrganizationKind.PARTNER)),
        Organization.id != organization_id,
        Organization.suspended_at.is_(None),
        User.deactivated_at.is_(None),
    )


def end_place(place: RoundPlace, *, by_user_id: int | None) -> None:
    """Let a partner go, or let it leave. What was not paid goes back to the budget. Flushes."""
    row = locked_place(place, PlaceState.OFFERED, PlaceState.ACTIVE)
    row.state, row.completed_at = PlaceState.ENDED, clock.now()
    record_fact(
        "round_place.ended",
        subject=("round_place", row.id),
        actor_user_id=by_user_id,
        organization_id=row.organization_id,
    )
    db.session.flush()


def complete_if_done(place: RoundPlace, round_: ProgramRound, *, by_user_id: int | None) -> bool:
    """Complete a place when all its milestones are accepted; whether it is. Flushes.

    A grant is complete once the whole award is paid. Graduates of an incubator and proofs that met
    their criteria are told to whoever listens, and get a draft of a listing.
    """
    states = db.session.execute(
        select(Milestone.state, Milestone.amount).where(Milestone.place_id == place.id)
    ).all()
    if not states or any(state is not MilestoneState.ACCEPTED for state, _ in states):
        return False
    if round_.kind is RoundKind.GRANT and sum(amount for _, amount in states) < place.award:
        return False
    place.state, place.completed_at = PlaceState.COMPLETED, clock.now()
    record_fact(
        "round_place.completed",
        subject=("round_place", place.id),
        actor_user_id=by_user_id,
        organization_id=place.organization_id,
        data={"round": round_.id, "kind": round_.kind.value},
        idempotency_key=f"round_place.completed:{place.id}",
    )
    db.session.flush()
    if round_.kind in {RoundKind.INCUBATOR, RoundKind.PROOF_OF_CONCEPT}:
        application = db.session.get_one(Application, place.application_id)
        outcomes = graduated(
            Graduation(
                place_id=place.id,
                public_id=place.public_id,
                organization_id=place.organization_id,
                round_kind=round_.kind.value,
                name=str(application.answers.get("product") or round_.name),
                by_user_id=application.applicant_user_id,
            )
        )
        place.outcome = next((each for each in outcomes if each), "")[:200]
        db.session.flush()
    return True


def end_track(place_id: int) -> bool:
    """Write the last values of an accelerator's track and complete the place; whether it was due.
    Flushes."""
    row = lock_row(RoundPlace, RoundPlace.id == place_id)
    if row is None or row.state is not PlaceState.ACTIVE or not row.ends_at:
        return False
    if row.ends_at > clock.now() or row.started_at is None:
        return False
    values = _values(row.organization_id, row.figures, row)
    row.figures = [{**each, "end": values.get(each["metric"])} for each in row.figures]
    row.state, row.completed_at = PlaceState.COMPLETED, clock.now()
    record_fact(
        "round_place.completed",
        subject=("round_place", row.id),
        organization_id=row.organization_id,
        data={"round": row.round_id, "kind": RoundKind.ACCELERATOR.value},
        idempotency_key=f"round_place.completed:{row.id}",
    )
    db.session.flush()
    return True


def _begin(place: RoundPlace, round_: ProgramRound) -> None:
    now = clock.now()
    place.state, place.started_at = PlaceState.ACTIVE, now
    if round_.kind is RoundKind.INCUBATOR:
        for position, gate in enumerate(round_.gates):
            db.session.add(
                Milestone(
                    public_id=new_public_id("mil"),
                    place_id=place.id,
                    position=position,
                    title=gate["title"],
                    text=gate.get("text", ""),
                    due_at=now + timedelta(days=int(gate["days"])),
                )
            )
    if round_.kind is RoundKind.ACCELERATOR:
        place.ends_at = now + timedelta(days=round_.track_days)
        place.figures = _figures(place.organization_id, round_, place)
    db.session.flush()


def _figures(organization_id: int, round_: ProgramRound, place: RoundPlace) -> list[dict[str, Any]]:
    live = current_policy()
    if live is None:
        return []
    found: list[dict[str, Any]] = []
    for each in round_.figures:
        metric = live.policy.metric(each["metric"])
        if metric is not None:
            found.append(
                {
                    "metric": metric.key,
                    "name": metric.name,
                    "unit": unit_of(live.policy, metric),
                    "target": int(each["target"]),
                    "is_level": metric.how is How.LEVEL,
                }
            )
    values = _values(organization_id, found, place)
    # What is counted from the beginning on begins with nothing.
    return [
        {**each, "start": values.get(each["metric"]) if each["is_level"] else 0, "end": None}
        for each in found
    ]


def _values(
    organization_id: int, figures: Sequence[dict[str, Any]], place: RoundPlace
) -> dict[str, int | None]:
    live = current_policy()
    if live is None or place.started_at is None:
        return {}
    metrics = [
        metric for each in figures if (metric := live.policy.metric(each["metric"])) is not None
    ]
    until = min(clock.now(), place.ends_at) if place.ends_at else clock.now()
    return values_between(organization_id, live.policy, metrics, place.started_at, until)


def values_of_track(place: RoundPlace) -> dict[str, int | None]:
    """What an accelerator's figures came to so far."""
    return _values(place.organization_id, place.figures, place)
