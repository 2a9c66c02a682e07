"""Asking program managers to confirm, and reminding sponsors of what they owe."""

from datetime import timedelta

from sqlalchemy import select, update

from marketplace.core import clock
from marketplace.core.database import db
from marketplace.core.jobs import Payload, periodic
from marketplace.identity.models import Organization, User
from marketplace.program.contacts import mails, manager_mails
from marketplace.program.contacts.manager_state import ASK_BEFORE, GRACE
from marketplace.program.contacts.models import ContactRequest, ProgramManager, RequestState

BATCH = 500


@periodic("contacts.ask_managers", every=timedelta(hours=6))
def ask_managers(_payload: Payload) -> None:
    """Ask each program manager once before the quarter ends, and warn once when it has."""
    now = clock.now()
    rows = db.session.execute(
        select(ProgramManager, Organization, User)
        .join(Organization, Organization.id == ProgramManager.organization_id)
        .join(User, User.id == ProgramManager.user_id)
        .where(
            ProgramManager.departed_at.is_(None),
            ProgramManager.confirm_by < now + ASK_BEFORE,
            ProgramManager.ends_at > now,
        )
        .order_by(ProgramManager.id)
        .limit(BATCH)
    ).all()
    for row, organization, person in rows:
        due = row.confirm_by
        if due is None:
            continue
        if row.asked_for != due and _mark(row, "asked_for"):
            manager_mails.ask_to_confirm(person, organization, due)
        elif now >= due and row.warned_for != due and _mark(row, "warned_for"):
            manager_mails.warn_of_end(organization, person, due + GRACE)


@periodic("contacts.remind_of_escalations", every=timedelta(hours=1))
def remind_of_escalations(_payload: Payload) -> None:
    """Remind whoever owes an answer that was promised, once when it is overdue."""
    now = clock.now()
    rows = db.session.scalars(
        select(ContactRequest)
        .where(
            ContactRequest.due_at < now,
            ContactRequest.answered_at.is_(None),
            ContactRequest.state != RequestState.CLOSED,
            (ContactRequest.reminded_for.is_(None))
            | (ContactRequest.reminded_for != ContactRequest.due_at),
        )
        .order_by(ContactRequest.due_at)
        .limit(BATCH)
    ).all()
    for request in rows:
        request.reminded_for = request.due_at
        mails.remind_of_answer(request)


def _mark(row: ProgramManager, column: str) -> bool:
    """Note that it was done for this quarter; False when another worker did."""
    field = getattr(ProgramManager, column)
    done = db.session.execute(
        update(ProgramManager)
        .where(
            ProgramManager.id == row.id,
            ProgramManager.confirm_by == row.confirm_by,
            field.is_(None) | (field != row.confirm_by),
        )
        .values({column: row.confirm_by})
        .execution_options(synchronize_session=False)
    )
    return getattr(done, "rowcount", 0) == 1
