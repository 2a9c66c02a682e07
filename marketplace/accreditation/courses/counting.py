"""How many certified people and trainers an organization has, as levels over time.

Certified people are distinct people: a member counts once while they hold at least one valid
credential of a certifying course, or of a certification program, that they earned for the
organization. Whoever leaves takes the
credential along and counts no more.
"""

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import or_, select

from marketplace.accreditation.courses.models import Trainer
from marketplace.accreditation.credentials.models import Credential
from marketplace.accreditation.credentials.queries import valid_at
from marketplace.core import clock
from marketplace.core.database import db
from marketplace.identity.models import Membership
from marketplace.identity.services.members import lock_members
from marketplace.program.measures import Measure, Measurement, measure

# How achievements of courses begin: those that certify, those that make trainers (and certify),
# and those that do neither.
CERTIFYING, TRAINING, PLAIN = "course:", "trainer:", "training:"
# What a certification program for people gives; its holder is a certified person too.
REVIEWED = "certification:"
CERTIFIES = (CERTIFYING, TRAINING, REVIEWED)
_PERSON, _TRAINER = "certified_person", "trainer"


def achievement_of(public_id: str, *, is_certifying: bool, is_trainer: bool) -> str:
    """What passing a course achieves."""
    kind = TRAINING if is_trainer else CERTIFYING if is_certifying else PLAIN
    return f"{kind}{public_id}"


def recount_person(organization_id: int, user_id: int) -> None:
    """Let the levels say what holds from now on for a person of an organization: as a certified
    person and as a trainer. What was true before stays as it was written."""
    lock_members(organization_id)
    now = clock.now()
    is_member = (
        db.session.scalar(
            select(Membership.id).where(
                Membership.organization_id == organization_id, Membership.user_id == user_id
            )
        )
        is not None
    )
    ends = _ends(organization_id, user_id, CERTIFIES, now) if is_member else []
    hold_level(organization_id, Measure.CERTIFIED_PEOPLE, (_PERSON, user_id), ends)
    trainer = db.session.scalar(
        select(Trainer).where(
            Trainer.organization_id == organization_id, Trainer.user_id == user_id
        )
    )
    if trainer is not None:
        counts = is_member and trainer.ended_at is None
        ends = _ends(organization_id, user_id, (TRAINING,), now) if counts else []
        hold_level(organization_id, Measure.TRAINERS, (_TRAINER, trainer.id), ends)


def recount_credential(credential: Credential) -> None:
    """A credential was taken back; a listener."""
    if credential.user_id is not None:
        recount_person(credential.organization_id, credential.user_id)


def recount_gone(organization_id: int, user_id: int) -> None:
    """Somebody left; a listener."""
    recount_person(organization_id, user_id)


def hold_level(
    organization_id: int,
    what: Measure,
    source: tuple[str, int],
    ends: Iterable[datetime | None],
) -> None:
    """Let one thing count from now on until the last of `ends` (None: without an end), or not
    count when there are none. Only the difference to what was written before is written."""
    now = clock.now()
    rows = db.session.execute(
        select(Measurement.counts_at, Measurement.amount).where(
            Measurement.organization_id == organization_id,
            Measurement.measure == what.value,
            Measurement.source_type == source[0],
            Measurement.source_id == str(source[1]),
        )
    ).all()
    moves: dict[datetime, int] = {}
    found = list(ends)
    level = sum(amount for at, amount in rows if at <= now)
    wanted = 1 if found else 0
    if wanted != level:
        moves[now] = wanted - level
    for at, amount in rows:
        if at > now:
            moves[at] = moves.get(at, 0) - amount
    if found and None not in found:
        last = max(at for at in found if at is not None)
        moves[last] = moves.get(last, 0) - 1
    for place, (at, amount) in enumerate(sorted(moves.items())):
        if amount:
            measure(
                organization_id,
                what,
                amount,
                key=f"{organization_id}:{source[0]}:{source[1]}:{len(rows)}:{place}",
                source=source,
                at=at,
            )


def trainer_credentials(organization_id: int, at: datetime) -> dict[int, Credential]:
    """The valid trainer credential of each member that has one, the one that lasts longest."""
    rows = db.session.scalars(
        select(Credential)
        .join(
            Membership,
            (Membership.user_id == Credential.user_id)
            & (Membership.organization_id == Credential.organization_id),
        )
        .where(
            Credential.organization_id == organization_id,
            Credential.achievement.startswith(TRAINING),
            Credential.issued_at <= at,
            valid_at(at),
        )
        .order_by(Credential.expires_at.is_(None), Credential.expires_at)
    )
    return {row.user_id: row for row in rows if row.user_id is not None}


def _ends(
    organization_id: int, user_id: int, kinds: tuple[str, ...], now: datetime
) -> list[datetime | None]:
    """When each credential that holds now ends."""
    return list(
        db.session.scalars(
            select(Credential.expires_at).where(
                Credential.organization_id == organization_id,
                Credential.user_id == user_id,
                or_(*(Credential.achievement.startswith(kind) for kind in kinds)),
                valid_at(now),
            )
        )
    )
