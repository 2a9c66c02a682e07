"""Publishing a version of the policy, now or for a day to come."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError

from marketplace.core import clock
from marketplace.core.database import db
from marketplace.core.errors import ConflictError, InvalidError
from marketplace.core.facts import record_fact
from marketplace.core.jobs import enqueue
from marketplace.core.locks import lock_row
from marketplace.program.policy.document import Policy
from marketplace.program.policy.documents import DocumentError, read_policy
from marketplace.program.policy.live import forget_current_policy
from marketplace.program.policy.models import PolicyState, PolicyVersion
from marketplace.program.policy.queries import version_in_force_at
from marketplace.program.policy.removals import removals

# The job that takes the partners who are there already into a program that begins.
ADMIT_EXISTING = "standings.admit_existing"
MOST_AHEAD = timedelta(days=3 * 365)
NOT_A_DRAFT = "This version is not a draft any more."
CHANGED = "The draft has changed since you looked at it. Look at the difference once more."
OVERTAKEN = (
    "Another version was published for that moment since you looked. Publishing this one would "
    "undo it. Look at the difference once more."
)


@dataclass(frozen=True)
class Seen:
    """What somebody looked at who publishes: the draft's digest, and the public id of the version
    that it was compared with, which is the one in force at its moment; empty for none."""

    digest: str
    against: str


class SeenOtherwiseError(ConflictError):
    """What would be published, or what it replaces, is not what was looked at."""


class LeavesOutError(ConflictError):
    """Partners have a type or tier that would be gone, and nobody said that this is meant."""


def publish(
    version: PolicyVersion,
    *,
    by_user_id: int | None,
    effective_at: datetime | None = None,
    seen: Seen | None = None,
    drop: bool = False,
) -> PolicyVersion:
    """Publish a draft: from `effective_at` (now) on it is in force, and it never changes again.

    Raises ConflictError when it is no draft any more, or when somebody publishes at the same
    moment; SeenOtherwiseError when it or what it replaces is not what was `seen`; LeavesOutError
    when partners have a type or tier that it leaves out, unless they may be dropped (`drop`);
    InvalidError when its document is no policy or its time is past or too far ahead.
    """
    now = clock.now()
    draft = hold_draft(version)
    at = effective_at or now
    if at < now - timedelta(minutes=1):
        raise InvalidError({"effective_at": "This moment is past. What was decided is not redone."})
    if seen is not None and draft.digest != seen.digest:
        raise SeenOtherwiseError(CHANGED)
    written = _write(
        draft, by_user_id=by_user_id, at=max(at, now), published_at=now, seen=seen, drop=drop
    )
    if written.number == 1:
        # Nobody who sells or works with leads today is shut out by the first version.
        enqueue(ADMIT_EXISTING, {}, delay=max(at, now) - now)
    return written


def publish_as_of(
    version: PolicyVersion, *, by_user_id: int | None, effective_at: datetime
) -> PolicyVersion:
    """Publish the very first version with a past day, for a program that ran before its policy was
    written down here. Raises ConflictError once there is a published version."""
    draft = hold_draft(version)
    if db.session.scalar(select(func.max(PolicyVersion.number))) is not None:
        raise ConflictError("A policy is published already; the past stays as it was decided.")
    return _write(draft, by_user_id=by_user_id, at=effective_at, published_at=clock.now())


def hold_draft(version: PolicyVersion) -> PolicyVersion:
    """A draft, held until the transaction ends. Raises ConflictError when it is none any more."""
    draft = lock_row(
        PolicyVersion, PolicyVersion.id == version.id, PolicyVersion.state == PolicyState.DRAFT
    )
    if draft is None:
        raise ConflictError(NOT_A_DRAFT)
    return draft


def _write(
    draft: PolicyVersion,
    *,
    by_user_id: int | None,
    at: datetime,
    published_at: datetime,
    seen: Seen | None = None,
    drop: bool = False,
) -> PolicyVersion:
    if at > clock.now() + MOST_AHEAD:
        raise InvalidError({"effective_at": "At most three years ahead."})
    try:
        policy = read_policy(draft.document)
    except DocumentError as error:
        raise InvalidError({"document": str(error)}) from error
    # The number first: whoever publishes after this wants the same one, whoever did before it is
    # seen by the comparison.
    number = (db.session.scalar(select(func.max(PolicyVersion.number))) or 0) + 1
    before = version_in_force_at(at)
    if seen is not None and (before.public_id if before else "") != seen.against:
        raise SeenOtherwiseError(OVERTAKEN)
    if before is not None and not drop:
        gone = removals(Policy.model_validate(before.document), policy)
        if gone:
            raise LeavesOutError(" ".join(str(each) for each in gone))
    try:
        # Two drafts at once want the same number; one of them is told to try again.
        with db.session.begin_nested():
            draft.number = number
            draft.state = PolicyState.PUBLISHED
            draft.document = policy.as_data()
            draft.digest = policy.digest()
            draft.effective_at = at
            draft.published_at = published_at
            draft.published_by_id = by_user_id
            db.session.flush()
    except IntegrityError as error:
        raise ConflictError("Another version was published just now. Look at it first.") from error
    forget_current_policy()
    record_fact(
        "policy.published",
        subject=("policy_version", draft.id),
        actor_user_id=by_user_id,
        data={
            "number": draft.number,
            "digest": draft.digest,
            "effective_at": at.isoformat(timespec="seconds"),
        },
    )
    return draft
