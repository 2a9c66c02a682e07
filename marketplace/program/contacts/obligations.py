"""What a partner's manager and the operator's people owe each other, as obligations; wiring.py
connects it."""

from datetime import datetime

from sqlalchemy import select

from marketplace.core import clock
from marketplace.core.database import db
from marketplace.program.contacts.manager_state import ManagerState, state_at
from marketplace.program.contacts.models import ContactRequest, RequestKind, RequestState
from marketplace.program.contacts.reading import sponsor_contact_due
from marketplace.program.contacts.services.managers import facts_of, find_manager
from marketplace.program.measures import Measure
from marketplace.program.scorecards.obligations import OPERATOR, PARTNER, Obligation

MANAGER_PAGE = "/partner/contacts/manager"


def contact_obligations(organization_id: int) -> list[Obligation]:
    """The manager's confirmation, escalations without an answer, and the sponsor's next contact;
    a provider."""
    return [
        *manager_obligations(organization_id),
        *_escalations(organization_id),
        *_sponsor(organization_id),
    ]


def manager_obligations(organization_id: int) -> list[Obligation]:
    """What the requirement of a program manager asks of a partner that has named one; a provider.
    One query."""
    row = find_manager(organization_id)
    if row is None:
        return []
    state = state_at(facts_of(row), clock.now())
    is_amber = state in (ManagerState.DUE, ManagerState.DEPARTED)
    due_at: datetime | None
    if row.departed_at is not None:
        title, due_at = "Name another program manager", row.ends_at or row.departed_at
    else:
        # Somebody else was named: what the one before had confirmed counts until `ends_at`.
        title, due_at = "The program manager confirms", row.confirm_by or row.ends_at
    return [
        Obligation(
            title,
            PARTNER,
            due_at,
            href=MANAGER_PAGE,
            is_amber=is_amber,
            measure=Measure.MANAGERS.value,
        )
    ]


def _escalations(organization_id: int) -> list[Obligation]:
    rows = db.session.execute(
        select(ContactRequest.public_id, ContactRequest.subject, ContactRequest.due_at)
        .where(
            ContactRequest.organization_id == organization_id,
            ContactRequest.kind == RequestKind.ESCALATION,
            ContactRequest.state == RequestState.WAITING,
        )
        .order_by(ContactRequest.id)
    )
    return [
        Obligation(
            f"Answer the escalation “{subject}”",
            OPERATOR,
            due_at,
            href=f"/partner/contacts/requests/{public_id}",
        )
        for public_id, subject, due_at in rows
    ]


def _sponsor(organization_id: int) -> list[Obligation]:
    due_at = sponsor_contact_due(organization_id)
    if due_at is None:
        return []
    title = "The executive sponsor speaks with the partner"
    return [Obligation(title, OPERATOR, due_at, href="/partner/contacts")]
