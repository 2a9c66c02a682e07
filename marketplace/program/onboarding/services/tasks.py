"""The tasks of a playbook: dated on joining, done by either side, reminded of once each."""

from datetime import UTC, datetime, time, timedelta

from billing.public_ids import new_public_id
from marketplace.core import clock
from marketplace.core.database import db
from marketplace.core.errors import InvalidError, NotFoundError
from marketplace.core.facts import record_fact
from marketplace.core.locks import lock_row
from marketplace.core.once import insert_if_new
from marketplace.identity.models import Organization
from marketplace.program.onboarding.models import PartnerTask, TaskSide
from marketplace.program.policy.live import current_policy


def due_at(begun: datetime, days: int) -> datetime:
    """The last second of the day that lies so many days after another, in UTC."""
    day = begun.astimezone(UTC).date() + timedelta(days=days)
    return datetime.combine(day, time(23, 59, 59), tzinfo=UTC)


def begin_playbook(organization_id: int) -> int:
    """Give a partner and the operator the tasks of its type, counted from today; how many are new.

    The same type on the same day gets identical tasks; doing it twice on a day changes nothing.
    """
    live = current_policy()
    organization = db.session.get(Organization, organization_id)
    kind = live.policy.type(organization.partner_type) if live and organization else None
    if live is None or kind is None:
        return 0
    now, added = clock.now(), 0
    for place, task in enumerate(kind.playbook):
        added += (
            insert_if_new(
                PartnerTask,
                public_id=new_public_id("tsk"),
                organization_id=organization_id,
                policy_id=live.id,
                partner_type=kind.key,
                key=task.key,
                title=task.title,
                text=task.text,
                side=TaskSide(task.side),
                begun_on=now.astimezone(UTC).date(),
                due_at=due_at(now, task.due_days),
                place=place,
            )
            is not None
        )
    if added:
        record_fact(
            "playbook.begun",
            subject=("organization", organization_id),
            organization_id=organization_id,
            data={"tasks": added, "policy": live.number},
        )
    return added


def partner_has_joined(organization_id: int) -> None:
    """A partner joined; a listener."""
    begin_playbook(organization_id)


def set_done(task: PartnerTask, *, done: bool, user_id: int | None) -> bool:
    """Mark a task as done, or as not done after all; False when it was so already."""
    row = _hold(task)
    if (row.done_at is not None) is done:
        return False
    row.done_at, row.done_by_id = (clock.now(), user_id) if done else (None, None)
    record_fact(
        "partner_task.done" if done else "partner_task.reopened",
        subject=("partner_task", row.id),
        actor_user_id=user_id,
        organization_id=row.organization_id,
        data={"key": row.key},
    )
    db.session.flush()
    return True


def assign(
    task: PartnerTask, assignee_id: int | None, *, staff: set[int], user_id: int | None
) -> None:
    """Give a task of the operator to somebody of `staff`, or to nobody. Raises InvalidError (field
    person)."""
    if assignee_id is not None and assignee_id not in staff:
        raise InvalidError({"person": "Choose somebody of the staff."})
    row = _hold(task)
    if row.assignee_id == assignee_id:
        return
    row.assignee_id = assignee_id
    record_fact(
        "partner_task.assigned",
        subject=("partner_task", row.id),
        actor_user_id=user_id,
        organization_id=row.organization_id,
        data={"user": assignee_id},
    )
    db.session.flush()


def _hold(task: PartnerTask) -> PartnerTask:
    row = lock_row(PartnerTask, PartnerTask.id == task.id)
    if row is None:
        raise NotFoundError
    return row
