"""Reading what Stripe told us and what we asked of it."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select

from billing.models.stripe import (
    EventState,
    OperationState,
    StripeCursor,
    StripeEvent,
    StripeOperation,
)
from marketplace.core.database import db
from marketplace.core.pagination import Page, paginate

PER_PAGE = 50
OPEN_OPERATIONS = (OperationState.SENT, OperationState.UNKNOWN)


@dataclass(frozen=True)
class Standing:
    """How many events and operations are in which state, and when the last sweep was."""

    events: dict[EventState, int]
    operations: dict[OperationState, int]
    swept_at: datetime | None

    @property
    def waiting(self) -> int:
        """Events that wait to be handled."""
        return sum(
            self.events[state]
            for state in (EventState.RECEIVED, EventState.PROCESSING, EventState.DEFERRED)
        )

    @property
    def unknown(self) -> int:
        """Operations of which nobody knows whether they happened."""
        return sum(self.operations[state] for state in OPEN_OPERATIONS)


def standing() -> Standing:
    """Three queries, however many rows there are."""
    events = dict(
        db.session.execute(
            select(StripeEvent.state, func.count()).group_by(StripeEvent.state)
        ).all()
    )
    operations = dict(
        db.session.execute(
            select(StripeOperation.state, func.count()).group_by(StripeOperation.state)
        ).all()
    )
    swept = db.session.scalar(select(StripeCursor.reached_at).where(StripeCursor.name == "events"))
    return Standing(
        {state: events.get(state, 0) for state in EventState},
        {state: operations.get(state, 0) for state in OperationState},
        swept,
    )


def page_of_events(state: EventState | None, page: int) -> Page[StripeEvent]:
    """Events in that state (dead and deferred ones without any), the newest first."""
    states = (EventState.DEAD, EventState.DEFERRED) if state is None else (state,)
    query = select(StripeEvent).where(StripeEvent.state.in_(states)).order_by(StripeEvent.id.desc())
    return paginate(query, page=page, per_page=PER_PAGE)


def page_of_operations(page: int) -> Page[StripeOperation]:
    """Operations whose end nobody knows, the oldest first."""
    query = (
        select(StripeOperation)
        .where(StripeOperation.state.in_(OPEN_OPERATIONS))
        .order_by(StripeOperation.id)
    )
    return paginate(query, page=page, per_page=PER_PAGE)


def find_event(stripe_event_id: int) -> StripeEvent | None:
    """The event with that row id."""
    return db.session.get(StripeEvent, stripe_event_id)


def find_operation(operation_id: int) -> StripeOperation | None:
    """The operation with that row id."""
    return db.session.get(StripeOperation, operation_id)
