"""Milestones of grants, gates of incubators, criteria of proofs: set, shown, accepted, paid."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import func, select

from billing.formatting import format_money
from billing.program_payments import pay_partner
from marketplace.core import clock
from marketplace.core.database import db
from marketplace.core.errors import ConflictError, InvalidError
from marketplace.core.facts import record_fact
from marketplace.core.locks import lock_row
from marketplace.core.once import id_of_form
from marketplace.core.permissions import Actor
from marketplace.core.seen import check_seen, digest_of
from marketplace.program.applications.mails import tell_gate_missed, tell_milestone_decided
from marketplace.program.applications.models import (
    Application,
    Milestone,
    MilestoneState,
    PlaceState,
    ProgramRound,
    RoundKind,
    RoundPlace,
)
from marketplace.program.applications.services.places import (
    committed,
    complete_if_done,
    locked_place,
    locked_round,
    refuse_without_terms,
)
from marketplace.program.applications.services.reviewing import refuse_conflicted
from marketplace.program.applications.words import is_web_address, line, paragraphs
from marketplace.program.standing.reading import place_of
from marketplace.program.standing.taking_part import refuse_outsiders, why_not

MOST_MILESTONES = 50
MOST_OF_A_TEXT = 5_000
# What a partner has at least to hand in again what was returned.
TIME_AGAIN = timedelta(days=3)
WAITING = (MilestoneState.OPEN, MilestoneState.RETURNED)


def milestones_of(place_id: int) -> Sequence[Milestone]:
    """The milestones of a place, in order."""
    return db.session.scalars(
        select(Milestone).where(Milestone.place_id == place_id).order_by(Milestone.position)
    ).all()


def add_milestone(
    place: RoundPlace,
    *,
    title: str,
    text: str = "",
    target: str = "",
    amount: int = 0,
    due_at: datetime | None = None,
    by_user_id: int | None,
    form_key: str = "",
) -> Milestone:
    """A milestone more, after the others: of a form, one. Flushes.

    `amount`, in minor units, is for grants: all of them together are at most the award. Raises
    InvalidError at `title`, `target`, `text` or `amount`, ConflictError when the place is over.
    """
    round_ = locked_round(place.round_id)
    row = locked_place(place, PlaceState.OFFERED, PlaceState.ACTIVE)
    title, text, target = line(title), paragraphs(text), line(target)
    there = milestones_of(row.id)
    public_id = id_of_form("mil", form_key, row.id, title, text, target, amount, due_at)
    # The place is held: whoever sends it again waits for the first.
    known = next((each for each in there if each.public_id == public_id), None)
    if known is not None:
        return known
    wrong: dict[str, str] = {}
    if not 3 <= len(title) <= 160:
        wrong["title"] = "Say in 3 to 160 characters what is shown."
    if len(text) > MOST_OF_A_TEXT:
        wrong["text"] = f"Use at most {MOST_OF_A_TEXT:,} characters."
    if round_.kind is RoundKind.PROOF_OF_CONCEPT and not 1 <= len(target) <= 160:
        wrong["target"] = "Say in numbers what must be reached, in up to 160 characters."
    if round_.kind is RoundKind.GRANT:
        left = row.award - sum(each.amount for each in there)
        if amount <= 0:
            wrong["amount"] = "Enter what is paid for it."
        elif amount > left:
            wrong["amount"] = f"{format_money(left, round_.currency)} is left of the award."
    elif amount:
        wrong["amount"] = "Only grants pay for milestones."
    if len(there) >= MOST_MILESTONES:
        wrong["title"] = f"There are {MOST_MILESTONES} already."
    if wrong:
        raise InvalidError(wrong)
    milestone = Milestone(
        public_id=public_id,
        place_id=row.id,
        position=max((each.position for each in there), default=-1) + 1,
        title=title,
        text=text,
        target=target,
        amount=amount,
        due_at=due_at,
    )
    db.session.add(milestone)
    db.session.flush()
    _fact("milestone.set", milestone, row, by_user_id, amount=amount)
    return milestone


def remove_milestone(milestone: Milestone, *, by_user_id: int | None) -> None:
    """Take away one that nothing was handed in for. Raises ConflictError otherwise."""
    place = db.session.get_one(RoundPlace, milestone.place_id)
    row = _locked(milestone, MilestoneState.OPEN)
    locked_place(place, PlaceState.OFFERED, PlaceState.ACTIVE)
    _fact("milestone.removed", row, place, by_user_id)
    db.session.delete(row)
    db.session.flush()


def submit_evidence(milestone: Milestone, evidence: str, url: str, *, by_user_id: int) -> None:
    """Show that a milestone is reached. Flushes.

    Raises InvalidError at `evidence` or `url`, ConflictError when it waits or is accepted, when an
    earlier gate was missed or is open, or when terms must be accepted first; NotTakingPartError for
    a partner that is suspended or has left the program.
    """
    place = db.session.get_one(RoundPlace, milestone.place_id)
    refuse_outsiders(place.organization_id)
    round_ = db.session.get_one(ProgramRound, place.round_id)
    locked_place(place, PlaceState.ACTIVE)
    refuse_without_terms(place, round_)
    row = _locked(milestone, *WAITING)
    if round_.kind is RoundKind.INCUBATOR:
        _refuse_out_of_order(row)
    text, link = paragraphs(evidence), line(url)
    wrong: dict[str, str] = {}
    if not 3 <= len(text) <= MOST_OF_A_TEXT:
        wrong["evidence"] = f"Describe it in 3 to {MOST_OF_A_TEXT:,} characters."
    if link and not is_web_address(link):
        wrong["url"] = "Enter a whole address, like https://example.com."
    if wrong:
        raise InvalidError(wrong)
    row.evidence, row.evidence_url = text, link
    row.state, row.submitted_at, row.submitted_by_id = (
        MilestoneState.SUBMITTED,
        clock.now(),
        by_user_id,
    )
    _fact("milestone.submitted", row, place, by_user_id)
    db.session.flush()


def shown_of(milestone: Milestone) -> str:
    """A short name for what staff are shown of a milestone and its evidence. Handed in anew, it is
    another one even with the same words."""
    at = milestone.submitted_at
    return digest_of(
        (
            milestone.title,
            milestone.text,
            milestone.target,
            milestone.amount,
            milestone.evidence,
            milestone.evidence_url,
            at.timestamp() if at else None,
        )
    )


def accept_milestone(
    milestone: Milestone, note: str, *, actor: Actor, seen: str | None = None
) -> None:
    """Accept what was handed in. A grant's milestone is payable to the partner at once. Flushes.
    `seen`: what was shown of it (`shown_of`).

    Raises ForbiddenError for a conflict of interest, ConflictError when nothing was handed in, it
    is not what was seen, the partner is suspended or has left the program, or the budget would be
    exceeded, InvalidError at `note`.
    """
    place = db.session.get_one(RoundPlace, milestone.place_id)
    application = db.session.get_one(Application, place.application_id)
    refuse_conflicted(application, actor)
    standing = place_of(place.organization_id)
    if standing.is_suspended:
        raise ConflictError("The partner is suspended. It can be accepted once it is reinstated.")
    if why_not(standing):
        raise ConflictError(
            "The partner is not in the program any more. End its place, or wait until it is back."
        )
    round_ = locked_round(place.round_id)
    locked_place(place, PlaceState.ACTIVE)
    row = _locked(milestone, MilestoneState.SUBMITTED)
    check_seen(seen, shown_of(row))
    row.state, row.note = MilestoneState.ACCEPTED, _note(note)
    row.decided_at, row.decided_by_id = clock.now(), actor.user_id
    pays = round_.kind is RoundKind.GRANT and row.amount > 0
    if pays:
        _pay(row, place, round_)
    _fact("milestone.accepted", row, place, actor.user_id, amount=row.amount)
    db.session.flush()
    tell_milestone_decided(place, round_, row, pays)
    complete_if_done(place, round_, by_user_id=actor.user_id)


def return_milestone(
    milestone: Milestone, note: str, *, actor: Actor, seen: str | None = None
) -> None:
    """Say that the evidence is not enough, and why. The partner has the time again that it had
    left when it handed in, and some days at least. Flushes. `seen`: what was shown of it.

    Raises ForbiddenError for a conflict, ConflictError, InvalidError at `note`.
    """
    place = db.session.get_one(RoundPlace, milestone.place_id)
    round_ = db.session.get_one(ProgramRound, place.round_id)
    refuse_conflicted(db.session.get_one(Application, place.application_id), actor)
    row = _locked(milestone, MilestoneState.SUBMITTED)
    check_seen(seen, shown_of(row))
    text = _note(note)
    if not text:
        raise InvalidError({"note": "Say what is missing. The partner reads it."})
    row.state, row.note = MilestoneState.RETURNED, text
    row.decided_at, row.decided_by_id = clock.now(), actor.user_id
    _give_back_time(row)
    _fact("milestone.returned", row, place, actor.user_id)
    db.session.flush()
    tell_milestone_decided(place, round_, row, False)


def _give_back_time(row: Milestone) -> None:
    """The time that the review took is not the partner's."""
    if row.due_at is not None and row.submitted_at is not None:
        left = max(row.due_at - row.submitted_at, TIME_AGAIN)
        row.due_at = max(row.due_at, clock.now() + left)


def give_more_time(milestone: Milestone, due_at: datetime, *, by_user_id: int | None) -> None:
    """A new day for a gate, also for one that was missed: it opens again. Flushes.

    Raises InvalidError at `due_on` for a day that has passed.
    """
    if due_at <= clock.now():
        raise InvalidError({"due_on": "Choose a day that lies ahead."})
    place = db.session.get_one(RoundPlace, milestone.place_id)
    row = _locked(milestone, *WAITING, MilestoneState.MISSED)
    row.due_at = due_at
    if row.state is MilestoneState.MISSED:
        row.state = MilestoneState.OPEN
    _fact("milestone.moved", row, place, by_user_id)
    db.session.flush()


def miss_due_gates(limit: int = 200) -> int:
    """Mark gates as missed whose day has passed without evidence; how many. Flushes."""
    ids = db.session.scalars(
        select(Milestone.id)
        .join(RoundPlace, RoundPlace.id == Milestone.place_id)
        .join(ProgramRound, ProgramRound.id == RoundPlace.round_id)
        .where(
            ProgramRound.kind == RoundKind.INCUBATOR,
            RoundPlace.state == PlaceState.ACTIVE,
            Milestone.state.in_(WAITING),
            Milestone.due_at <= clock.now(),
        )
        .order_by(Milestone.id)
        .limit(limit)
    ).all()
    missed = 0
    for milestone_id in ids:
        row = lock_row(Milestone, Milestone.id == milestone_id)
        if row is None or row.state not in WAITING or not row.due_at:
            continue
        if row.due_at > clock.now():
            continue
        place = db.session.get_one(RoundPlace, row.place_id)
        row.state = MilestoneState.MISSED
        _fact("milestone.missed", row, place, None)
        db.session.flush()
        tell_gate_missed(place, db.session.get_one(ProgramRound, place.round_id), row)
        missed += 1
    return missed


def _pay(row: Milestone, place: RoundPlace, round_: ProgramRound) -> None:
    paid = db.session.scalar(
        select(func.coalesce(func.sum(Milestone.amount), 0)).where(
            Milestone.place_id == place.id, Milestone.paid_at.is_not(None)
        )
    )
    if int(paid or 0) + row.amount > place.award or committed(round_.id) > round_.budget:
        raise ConflictError("This would pay more than was granted.")
    row.paid_at = clock.now()
    pay_partner(
        place.organization_id,
        row.amount,
        round_.currency,
        source=("milestone", row.id),
        key=f"milestone:{row.id}",
        memo=f"{round_.name}: {row.title}",
    )


def _refuse_out_of_order(row: Milestone) -> None:
    before = db.session.execute(
        select(Milestone.title, Milestone.state)
        .where(
            Milestone.place_id == row.place_id,
            Milestone.position < row.position,
            Milestone.state != MilestoneState.ACCEPTED,
        )
        .order_by(Milestone.position)
        .limit(1)
    ).first()
    if before is not None:
        what = "was missed" if before.state is MilestoneState.MISSED else "comes first"
        raise ConflictError(f"“{before.title}” {what}: this gate is blocked.")


def _locked(milestone: Milestone, *states: MilestoneState) -> Milestone:
    row = lock_row(Milestone, Milestone.id == milestone.id)
    if row is None or row.state not in states:
        what = {
            MilestoneState.MISSED: "Its day has passed. Ask your mentor for a new one.",
            MilestoneState.ACCEPTED: "It is accepted already.",
            MilestoneState.SUBMITTED: "It is being looked at.",
        }.get(row.state if row else MilestoneState.OPEN, "Nothing was handed in yet.")
        raise ConflictError(what)
    return row


def _note(note: str) -> str:
    text = paragraphs(note)
    if len(text) > MOST_OF_A_TEXT:
        raise InvalidError({"note": f"Use at most {MOST_OF_A_TEXT:,} characters."})
    return text


def _fact(
    kind: str, milestone: Milestone, place: RoundPlace, by_user_id: int | None, **data: object
) -> None:
    record_fact(
        kind,
        subject=("milestone", milestone.id),
        actor_user_id=by_user_id,
        organization_id=place.organization_id,
        data={"place": place.id, **data},
    )
