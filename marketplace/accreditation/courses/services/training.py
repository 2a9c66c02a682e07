"""Trainers that partners register, and the sessions that those hold."""

from datetime import UTC, date, datetime, time

from sqlalchemy import select

from billing.public_ids import new_public_id
from marketplace.accreditation.courses.counting import (
    TRAINING,
    recount_person,
    trainer_credentials,
)
from marketplace.accreditation.courses.models import Trainer, TrainingSession
from marketplace.accreditation.credentials.models import Credential
from marketplace.accreditation.credentials.queries import member_ids
from marketplace.core import clock
from marketplace.core.database import db
from marketplace.core.errors import InvalidError
from marketplace.core.facts import record_fact
from marketplace.core.locks import lock_row
from marketplace.core.once import insert_if_new
from marketplace.identity.models import User
from marketplace.program.measures import Measure, measure

MOST_PEOPLE = 10_000


def register_trainer(organization_id: int, user_id: int, *, by_user_id: int | None) -> Trainer:
    """Register a member who holds a valid trainer credential; again is harmless.

    Raises InvalidError (field `member`).
    """
    if user_id not in trainer_credentials(organization_id, clock.now()):
        raise InvalidError({"member": "Choose a member who holds a valid trainer credential."})
    name = db.session.get_one(User, user_id).name
    insert_if_new(
        Trainer,
        public_id=new_public_id("trn"),
        organization_id=organization_id,
        user_id=user_id,
        name=name,
        registered_at=clock.now(),
        ended_at=clock.now(),
    )
    trainer = lock_row(
        Trainer, Trainer.organization_id == organization_id, Trainer.user_id == user_id
    )
    if trainer is None:
        raise InvalidError({"member": "Choose a member."})
    if trainer.ended_at is None:
        return trainer
    trainer.ended_at, trainer.registered_at, trainer.name = None, clock.now(), name
    db.session.flush()
    record_fact(
        "trainer.registered",
        subject=("trainer", trainer.id),
        actor_user_id=by_user_id,
        organization_id=organization_id,
    )
    recount_person(organization_id, user_id)
    return trainer


def end_trainer(trainer: Trainer, *, by_user_id: int | None) -> bool:
    """Take a trainer off. Sessions stay. False when it was done before."""
    row = lock_row(Trainer, Trainer.id == trainer.id)
    if row is None or row.ended_at is not None:
        return False
    row.ended_at = clock.now()
    db.session.flush()
    record_fact(
        "trainer.ended",
        subject=("trainer", row.id),
        actor_user_id=by_user_id,
        organization_id=row.organization_id,
    )
    recount_person(row.organization_id, row.user_id)
    return True


def log_session(
    organization_id: int,
    trainer: Trainer | None,
    *,
    held_on: date | None,
    title: str,
    people: int | None,
    notes: str,
    nonce: str,
    by_user_id: int | None,
    timezone: str = "UTC",
) -> TrainingSession:
    """Write down a training that was held; it counts on its day, once for each `nonce`. `timezone`:
    of the person, who cannot log what is not yet today there.

    Raises InvalidError with messages for the fields.
    """
    errors: dict[str, str] = {}
    today = clock.today_in(timezone)
    if trainer is None or trainer.ended_at is not None:
        errors["trainer"] = "Choose a registered trainer."
    elif trainer.user_id not in member_ids(organization_id):
        errors["trainer"] = f"{trainer.name} is not a member any more."
    if held_on is None:
        errors["held_on"] = "Say on which day it was held."
    elif held_on > today:
        errors["held_on"] = "Log it once it was held."
    elif trainer is not None and not _was_certified(trainer, held_on):
        errors["held_on"] = f"{trainer.name} held no valid trainer credential on that day."
    if people is None or not 1 <= people <= MOST_PEOPLE:
        errors["people"] = f"From 1 to {MOST_PEOPLE:,} people."
    if not title.strip():
        errors["title"] = "Say what it was about."
    for name, text in (("title", title), ("notes", notes)):
        if "\x00" in text:
            errors[name] = "It holds a character that cannot be stored."
    if errors or trainer is None or held_on is None or people is None:
        raise InvalidError(errors)
    public_id = f"trs_{nonce}" if nonce else new_public_id("trs")
    made = insert_if_new(
        TrainingSession,
        public_id=public_id,
        organization_id=organization_id,
        trainer_id=trainer.id,
        held_on=held_on,
        title=title.strip(),
        people=people,
        notes=notes.strip(),
        created_at=clock.now(),
        created_by_id=by_user_id,
    )
    row = db.session.scalars(
        select(TrainingSession).where(TrainingSession.public_id == public_id)
    ).one()
    if made is None:
        if row.organization_id != organization_id:
            raise InvalidError({"title": "Open the form again."})
        return row
    measure(
        organization_id,
        Measure.TRAINING_SESSIONS,
        key=f"training:{row.id}:held",
        source=("training_session", row.id),
        at=_counts_at(row),
    )
    record_fact(
        "training.held",
        subject=("training_session", row.id),
        actor_user_id=by_user_id,
        organization_id=organization_id,
        data={"people": people, "on": held_on.isoformat()},
    )
    return row


def withdraw_session(session: TrainingSession, *, by_user_id: int | None) -> bool:
    """Take back a session that was logged by mistake. False when it was done before."""
    row = lock_row(TrainingSession, TrainingSession.id == session.id)
    if row is None or row.withdrawn_at is not None:
        return False
    row.withdrawn_at = clock.now()
    db.session.flush()
    measure(
        row.organization_id,
        Measure.TRAINING_SESSIONS,
        -1,
        key=f"training:{row.id}:withdrawn",
        source=("training_session", row.id),
        at=_counts_at(row),
    )
    record_fact(
        "training.withdrawn",
        subject=("training_session", row.id),
        actor_user_id=by_user_id,
        organization_id=row.organization_id,
    )
    return True


def _counts_at(session: TrainingSession) -> datetime:
    """The beginning of its day in UTC: a session counts on the day that it was held. Where that day
    began earlier, since it was written down."""
    return min(datetime.combine(session.held_on, time(0), tzinfo=UTC), session.created_at)


def _was_certified(trainer: Trainer, day: date) -> bool:
    """Whether the trainer held a valid credential at some time of that day."""
    begins = datetime.combine(day, time(0), tzinfo=UTC)
    ends = datetime.combine(day, time(23, 59, 59), tzinfo=UTC)
    rows = db.session.scalars(
        select(Credential).where(
            Credential.organization_id == trainer.organization_id,
            Credential.user_id == trainer.user_id,
            Credential.achievement.startswith(TRAINING),
            Credential.issued_at <= ends,
        )
    )
    return any(
        (row.expires_at is None or row.expires_at > begins)
        and (row.revoked_at is None or row.revoked_at > begins)
        for row in rows
    )
