"""The inbox of Stripe's events: verified, kept once, handled later.

A webhook is answered as soon as its row is committed; a job handles it. Handlers get the row, not
the payload: they fetch the object anew, so that the order in which events arrive does not matter,
and move states only forward. What a webhook lost, a sweep of /v1/events finds.
"""

import json
import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import select, update

from billing.gateway import (
    StripeAccountError,
    StripeBusyError,
    StripeUnknownError,
    gateway,
    has_stripe,
    retry_later,
    verify_signature,
    webhook_secrets,
)
from billing.models.payout import ConnectedAccount
from billing.models.stripe import EventState, StripeCursor, StripeEvent
from marketplace.core import clock
from marketplace.core.database import db
from marketplace.core.errors import InvalidError
from marketplace.core.facts import record_fact
from marketplace.core.jobs import Payload, RetryLater, enqueue, job_handler, periodic
from marketplace.core.once import insert_if_new
from marketplace.core.unit_of_work import roll_back, unit_of_work

log = logging.getLogger(__name__)

Handler = Callable[[StripeEvent], None]
MAX_ATTEMPTS = 12
LONGEST_REASON = 300
# What an event speaks of may come later; after a day, a person must look.
DEFER_FOR = timedelta(days=1)
LONGEST_WAIT_SECONDS = 3_600
SWEEP_EVERY = timedelta(minutes=10)
# Stripe lists an event within seconds; the overlap covers clocks that differ.
SWEEP_OVERLAP = timedelta(hours=1)
FIRST_SWEEP = timedelta(days=3)
# Connected accounts are swept in turn, so that many of them do not make one sweep long.
ACCOUNTS_AT_ONCE = 25
# /v1/events takes so many types at once.
TYPES_AT_ONCE = 20
OPEN_STATES = (EventState.RECEIVED, EventState.PROCESSING, EventState.DEFERRED)

_handlers: dict[str, list[Handler]] = {}


class DeferEvent(Exception):  # noqa: N818 - it is an instruction, not an error
    """Raised by a handler when what the event speaks of is not here yet."""


class MalformedEventError(ValueError):
    """The payload is signed, and still no event."""


@dataclass(frozen=True)
class Told:
    """What an event says of itself. `account` is empty for the platform's own."""

    event_id: str
    type: str
    object_id: str
    account: str
    livemode: bool
    happened_at: datetime


def on_event(*types: str) -> Callable[[Handler], Handler]:
    """Register the decorated function for events of these types, like `invoice.paid`.

    It runs in a unit of work, can run twice, and may raise DeferEvent. Several functions may
    handle one type; they share the unit of work.
    """

    def register(handler: Handler) -> Handler:
        for each in types:
            known = _handlers.setdefault(each, [])
            if handler not in known:
                known.append(handler)
        return handler

    return register


def handled_types() -> list[str]:
    """The types that somebody handles: what a webhook endpoint at Stripe is set up for."""
    return sorted(_handlers)


def read_event(payload: bytes) -> Told:
    """What a payload says, of version 1 or 2. Raises MalformedEventError."""
    try:
        said = json.loads(payload)
        if said.get("object") == "v2.core.event":
            return Told(
                event_id=str(said["id"]),
                type=str(said["type"]),
                object_id=str((said.get("related_object") or {}).get("id", "")),
                account=str(said.get("context") or ""),
                livemode=bool(said["livemode"]),
                happened_at=datetime.fromisoformat(str(said["created"])).astimezone(UTC),
            )
        return told_by(said)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise MalformedEventError(str(error)) from error


def told_by(said: Mapping[str, Any]) -> Told:
    """What an event of version 1 says."""
    return Told(
        event_id=str(said["id"]),
        type=str(said["type"]),
        object_id=str(said["data"]["object"].get("id", "")),
        account=str(said.get("account") or ""),
        livemode=bool(said["livemode"]),
        happened_at=datetime.fromtimestamp(int(said["created"]), UTC),
    )


def receive(payload: bytes, signature: str) -> bool:
    """Keep a webhook's event in the current transaction; whether it was new.

    An event of a type that nobody handles, or of the other mode (a test event on the live site),
    is not kept. Raises SignatureError, MalformedEventError.
    """
    verify_signature(payload, signature, webhook_secrets())
    return _keep(read_event(payload), "webhook")


def _keep(told: Told, source: str) -> bool:
    if told.livemode != gateway().livemode:
        log.warning("an event of the other mode", extra={"event_id": told.event_id})
        return False
    if told.type not in _handlers:
        return False
    at = clock.now()
    row_id = insert_if_new(
        StripeEvent,
        account=told.account,
        event_id=told.event_id,
        type=told.type,
        object_id=told.object_id,
        livemode=told.livemode,
        source=source,
        state=EventState.RECEIVED,
        attempts=0,
        error="",
        happened_at=told.happened_at,
        received_at=at,
        next_attempt_at=at,
    )
    if row_id is None:
        return False
    # Nobody else can have a job for a row that is new.
    enqueue("stripe.event", {"id": row_id})
    return True


def _enqueue_again(row_id: int) -> None:
    enqueue("stripe.event", {"id": row_id}, dedupe_key=f"stripe.event:{row_id}")


@job_handler("stripe.event")
def handle(payload: Payload) -> None:
    """Handle one event. Raises RetryLater when it is to be tried again.

    What the handlers write, that the event is done and that the job is done are one transaction,
    the job's.
    """
    row_id = int(payload["id"])
    with unit_of_work() as session:
        taken = session.execute(
            update(StripeEvent)
            .where(StripeEvent.id == row_id, StripeEvent.state.in_(OPEN_STATES))
            .values(state=EventState.PROCESSING, attempts=StripeEvent.attempts + 1)
            .execution_options(synchronize_session=False)
        )
    db.session.expire_all()
    event = db.session.get(StripeEvent, row_id)
    if event is None or getattr(taken, "rowcount", 0) != 1:
        return
    attempts, received_at = event.attempts, event.received_at
    try:
        _check_account(event)
        for handler in _handlers.get(event.type, ()):
            handler(event)
        _finish(row_id, EventState.DONE)
    except DeferEvent as wait:
        roll_back(db.session())
        if clock.now() - received_at >= DEFER_FOR:
            _close_deferred(row_id, str(wait))
            return
        raise _put_back(row_id, EventState.DEFERRED, _wait(attempts), str(wait)) from wait
    except (StripeBusyError, StripeUnknownError) as error:
        roll_back(db.session())
        # Stripe's trouble is no fault of the event.
        after = retry_later(error).after
        raise _put_back(row_id, EventState.RECEIVED, after, str(error), failed=False) from error
    except RetryLater as later:
        roll_back(db.session())
        told = str(later)
        raise _put_back(row_id, EventState.RECEIVED, later.after, told, failed=False) from later
    except Exception as error:
        roll_back(db.session())
        text = f"{type(error).__name__}: {error}"[:2_000]
        log.warning("an event was not handled", extra={"event_row": row_id}, exc_info=error)
        if attempts >= MAX_ATTEMPTS:
            with unit_of_work():
                _finish(row_id, EventState.DEAD, text)
            return
        raise _put_back(row_id, EventState.RECEIVED, _wait(attempts), text) from error


class _UnknownAccountError(DeferEvent):
    """The connected account is none of ours, as far as we know yet."""


def _check_account(event: StripeEvent) -> None:
    """An event of a connected account is handled when the account is one of ours."""
    if not event.account:
        return
    known = db.session.scalar(
        select(ConnectedAccount.id).where(ConnectedAccount.stripe_id == event.account)
    )
    if known is None:
        raise _UnknownAccountError(f"{event.account} is no account of ours")


def _wait(attempts: int) -> timedelta:
    """The wait after attempt number `attempts` (from 1)."""
    return timedelta(seconds=min(LONGEST_WAIT_SECONDS, 5 * 2 ** min(attempts - 1, 12)))


def _put_back(
    row_id: int, state: EventState, after: timedelta, reason: str, *, failed: bool = True
) -> RetryLater:
    with unit_of_work() as session:
        session.execute(
            update(StripeEvent)
            .where(StripeEvent.id == row_id)
            .values(
                state=state,
                error=reason[:2_000],
                next_attempt_at=clock.now() + after,
                attempts=StripeEvent.attempts - (0 if failed else 1),
            )
            .execution_options(synchronize_session=False)
        )
    return RetryLater(after, reason[:300])


def _finish(row_id: int, state: EventState, error: str = "") -> None:
    db.session.execute(
        update(StripeEvent)
        .where(StripeEvent.id == row_id)
        .values(state=state, error=error, handled_at=clock.now())
        .execution_options(synchronize_session=False)
    )


def _close_deferred(row_id: int, reason: str) -> None:
    """What an event speaks of never came: dead, for a person to look."""
    with unit_of_work():
        _finish(row_id, EventState.DEAD, reason)
        record_fact("stripe_event.died", subject=("stripe_event", row_id))


def set_event_aside(row_id: int, reason: str, *, user_id: int) -> bool:
    """Say of a dead or deferred event that nothing is to be done about it, and why. True if it was
    one. A month closes with it, and it can be handled again. Raises InvalidError at `reason`."""
    reason = reason.strip()
    if not reason or len(reason) > LONGEST_REASON:
        raise InvalidError({"reason": f"Say why, in at most {LONGEST_REASON} characters."})
    changed = db.session.execute(
        update(StripeEvent)
        .where(
            StripeEvent.id == row_id,
            StripeEvent.state.in_([EventState.DEAD, EventState.DEFERRED]),
        )
        .values(state=EventState.SET_ASIDE, error=reason, handled_at=clock.now())
        .execution_options(synchronize_session=False)
    )
    if getattr(changed, "rowcount", 0) != 1:
        return False
    record_fact(
        "stripe_event.set_aside",
        subject=("stripe_event", row_id),
        actor_user_id=user_id,
        data={"reason": reason},
    )
    return True


def retry_event(row_id: int, *, user_id: int) -> bool:
    """Let a dead, deferred or set aside event be handled now (a person asked). True if it was
    one."""
    at = clock.now()
    revived = db.session.execute(
        update(StripeEvent)
        .where(
            StripeEvent.id == row_id,
            StripeEvent.state.in_([EventState.DEAD, EventState.DEFERRED, EventState.SET_ASIDE]),
        )
        .values(state=EventState.RECEIVED, attempts=0, received_at=at, next_attempt_at=at)
        .execution_options(synchronize_session=False)
    )
    if getattr(revived, "rowcount", 0) != 1:
        return False
    _enqueue_again(row_id)
    record_fact("stripe_event.retried", subject=("stripe_event", row_id), actor_user_id=user_id)
    return True


@periodic("stripe.sweep_events", SWEEP_EVERY, lease=timedelta(minutes=30))
def sweep_events(_payload: Payload) -> None:
    """Find the events whose webhooks never came, and jobs that were lost."""
    _wake_forgotten()
    if not has_stripe():
        return
    accounts = _accounts_to_sweep()
    db.session.rollback()
    for account in ("", *accounts):
        try:
            _sweep(account)
        except StripeAccountError:
            # It took our access away; the event that says so comes to the platform.
            log.info("an account cannot be swept", extra={"account": account})
            with unit_of_work():
                _reach(_cursor(account), clock.now())


def _cursor(account: str) -> str:
    return f"events:{account}" if account else "events"


def _accounts_to_sweep() -> list[str]:
    """The connected accounts that were not looked at for the longest time, a few at a time."""
    return list(
        db.session.scalars(
            select(ConnectedAccount.stripe_id)
            .outerjoin(StripeCursor, StripeCursor.name == "events:" + ConnectedAccount.stripe_id)
            .where(ConnectedAccount.disconnected_at.is_(None))
            .order_by(StripeCursor.reached_at.is_not(None), StripeCursor.reached_at)
            .limit(ACCOUNTS_AT_ONCE)
        )
    )


def _sweep(account: str) -> None:
    """List the events of the platform (or of an account) since the last time; keep what is new."""
    started = clock.now()
    cursor = db.session.get(StripeCursor, _cursor(account))
    reached = cursor.reached_at if cursor is not None else started - FIRST_SWEEP
    db.session.rollback()
    since = int((reached - SWEEP_OVERLAP).timestamp())
    types = [each for each in handled_types() if not each.startswith("v2.")]
    found = 0
    for start in range(0, len(types), TYPES_AT_ONCE):
        listed = gateway().pages(
            "events",
            account=account,
            created={"gte": since},
            types=types[start : start + TYPES_AT_ONCE],
        )
        # Asked for an account, Stripe does not say again whose they are.
        found += _keep_all(replace(told_by(each), account=account) for each in listed)
    if found:
        log.warning("webhooks had been lost", extra={"events": found, "account": account})
    with unit_of_work():
        _reach(_cursor(account), started)


def _keep_all(events: Iterable[Told], batch: int = 100) -> int:
    """Keep what is new, a transaction for each hundred: nothing is open while a page is fetched."""
    waiting: list[Told] = []
    found = 0
    for told in events:
        waiting.append(told)
        if len(waiting) == batch:
            found += _keep_batch(waiting)
            waiting = []
    return found + _keep_batch(waiting)


def _keep_batch(events: Sequence[Told]) -> int:
    if not events:
        return 0
    with unit_of_work():
        known = set(
            db.session.scalars(
                select(StripeEvent.event_id).where(
                    StripeEvent.event_id.in_([told.event_id for told in events])
                )
            )
        )
        return sum(_keep(told, "sweep") for told in events if told.event_id not in known)


def _reach(name: str, at: datetime) -> None:
    insert_if_new(StripeCursor, name=name, reached_at=at, updated_at=clock.now())
    db.session.execute(
        update(StripeCursor)
        .where(StripeCursor.name == name)
        .values(reached_at=at, updated_at=clock.now())
        .execution_options(synchronize_session=False)
    )


def _wake_forgotten() -> None:
    """Jobs are kept for a while only; an event that still waits gets another."""
    late = clock.now() - timedelta(hours=2)
    with unit_of_work():
        rows = db.session.scalars(
            select(StripeEvent.id)
            .where(StripeEvent.state.in_(OPEN_STATES), StripeEvent.next_attempt_at < late)
            .limit(500)
        ).all()
        for row_id in rows:
            _enqueue_again(row_id)
