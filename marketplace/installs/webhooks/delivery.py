"""One delivery: find the head of a key, send it, write down what was answered.

No transaction is open during the request. Before it, everything is checked again: the endpoint is
active, the lease is ours. A process that is killed at any point leaves the delivery waiting, so it
is sent again under the same id: at least once.
"""

import logging
import random
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, cast

from sqlalchemy import Table, Update, bindparam, func, insert, select, update
from sqlalchemy.exc import OperationalError

from marketplace.core import clock
from marketplace.core.database import db
from marketplace.core.logging import redact_text
from marketplace.core.outbound import OutboundFailedError, OutboundRefusedError, send
from marketplace.core.sealing import unseal
from marketplace.core.unit_of_work import unit_of_work
from marketplace.installs.models import (
    DeliveryAttempt,
    DeliveryState,
    EndpointState,
    WebhookDelivery,
    WebhookEndpoint,
)
from marketplace.installs.webhooks import leases, queue, retry, signing
from marketplace.installs.webhooks.services.switching import switch_off

log = logging.getLogger(__name__)

CONNECT_SECONDS, TOTAL_SECONDS = 3, 10
WRITE_TRIES, WRITE_PAUSE_SECONDS = 3, 0.5
# A success is noted at the endpoint this often at most: each note is one more write.
NOTE_SUCCESS_EVERY = timedelta(seconds=60)
GONE_REASON = "It answered 410 Gone, which asks for no more events."
USED_UP_REASON = "It failed for about three days."


# Built once, as in queue.py.
_A, _D, _EP = (
    cast(Table, model.__table__) for model in (DeliveryAttempt, WebhookDelivery, WebhookEndpoint)
)
_LOCKED_ENDPOINT = (
    select(_EP.c.state, _EP.c.failing_since, _EP.c.last_success_at)
    .where(_EP.c.id == bindparam("of_endpoint"))
    .with_for_update(key_share=True)
)
_IS_OURS = (_D.c.id == bindparam("of_delivery"), _D.c.created_at == bindparam("of_told"))
# A row that is deleted meanwhile is waited for, on PostgreSQL.
_LOCKED_DELIVERY = select(_D.c.delivered_at).where(*_IS_OURS).with_for_update(key_share=True)
_LAST_NUMBER = select(func.max(_A.c.number)).where(_A.c.delivery_id == bindparam("of_delivery"))
_NEW_ATTEMPT = insert(_A)
_MOVED = {
    "attempts": bindparam("to_attempts"),
    "next_attempt_at": bindparam("to_moment"),
    "last_status": bindparam("to_status"),
    "last_error": bindparam("to_error"),
    "is_manual": False,
}
_DELIVERED = (
    update(_D)
    # Canceled or given up while it was on its way, it arrived all the same.
    .where(*_IS_OURS, _D.c.state != DeliveryState.DELIVERED)
    .values(**_MOVED, state=DeliveryState.DELIVERED, delivered_at=bindparam("to_moment"))
)
_NOT_DELIVERED = (
    update(_D)
    # One that was canceled and begun anew meanwhile has all its tries before it.
    .where(
        *_IS_OURS,
        _D.c.state == DeliveryState.WAITING,
        _D.c.attempts == bindparam("of_attempts"),
    )
    .values(**_MOVED, state=bindparam("to_state"))
)


@dataclass(frozen=True)
class Step:
    """What came of one step. `has_next`: the key has another delivery that may go at once;
    `is_lost`: the lease is not ours any more."""

    sent: bool
    delivered: bool = False
    has_next: bool = False
    is_lost: bool = False


@dataclass(frozen=True)
class _Answered:
    """What a try met: a status, or a problem in plain words."""

    started_at: datetime
    duration_ms: int
    request_headers: Mapping[str, str]
    status: int | None = None
    headers: Mapping[str, str] | None = None
    body: str = ""
    error: str = ""


def deliver_head(endpoint_id: int, key: str, lease_id: str) -> Step:
    """Send the head of the key if it is due; needs an application context."""
    head = queue.find_head(endpoint_id, key, lease_id)
    db.session.rollback()
    if head is None:
        is_ours = leases.is_held(endpoint_id, lease_id)
        db.session.rollback()
        return Step(sent=False, is_lost=not is_ours)
    if not head.is_due:
        with unit_of_work():
            queue.park_behind(endpoint_id, key, head.event_row_id)
        return Step(sent=False)
    is_short = head.lease_until - clock.now() < leases.SAFE_REST
    if is_short and not leases.renew(endpoint_id, lease_id):
        return Step(sent=False, is_lost=True)
    answered = _send(head)
    for number in range(1, WRITE_TRIES):
        try:
            return _write_down(endpoint_id, key, head, answered)
        except OperationalError as error:
            # Locked for too long, or away for a moment. What is not written down is sent again.
            log.warning(
                "an answer is not written down yet",
                extra={"endpoint_id": endpoint_id, "event_id": head.event_id},
                exc_info=error,
            )
            time.sleep(WRITE_PAUSE_SECONDS * number)
    return _write_down(endpoint_id, key, head, answered)


def _send(head: queue.Head) -> _Answered:
    at = clock.now()
    body = signing.body_of(head.kind, head.happened_at, head.data)
    try:
        signing_secrets = [unseal(sealed) for sealed in head.sealed_secrets]
        headers = signing.headers_of(head.event_id, body, signing_secrets, at=at)
    except ValueError:
        # SealBrokenError, or a secret that is none. Nothing is ever sent unsigned.
        return _Answered(at, 0, {}, error="The signing secret cannot be read. Rotate it.")
    shown = signing.shown_request_headers(headers)
    began = time.monotonic()
    try:
        answer = send(
            "POST",
            head.url,
            headers=headers,
            body=body,
            connect_timeout=CONNECT_SECONDS,
            total_timeout=TOTAL_SECONDS,
        )
    except (OutboundFailedError, OutboundRefusedError) as error:
        spent = round((time.monotonic() - began) * 1000)
        return _Answered(at, spent, shown, error=redact_text(error.detail)[:300])
    return _Answered(
        at,
        answer.duration_ms,
        shown,
        status=answer.status,
        headers=answer.headers,
        body=signing.shown_body(answer.body),
        error=_fault_of(answer.status),
    )


def _fault_of(status: int) -> str:
    if 200 <= status < 300:
        return ""
    if 300 <= status < 400:
        return f"Answered {status}. Redirects are not followed."
    return f"Answered {status}."


def _write_down(endpoint_id: int, key: str, head: queue.Head, answered: _Answered) -> Step:
    at = clock.now()
    verdict = retry.judge(
        answered.status,
        tries=head.tries + 1,
        jitter=random.uniform(-1, 1),  # noqa: S311 - spreads load, guards nothing
        retry_after=retry.parse_retry_after((answered.headers or {}).get("retry-after"), at=at),
    )
    is_waiting = verdict.wait is not None and not head.is_manual
    with unit_of_work():
        # The endpoint first, always: whoever disables it does so too, and never in a deadlock.
        endpoint = db.session.execute(_LOCKED_ENDPOINT, {"of_endpoint": endpoint_id}).one()
        if not _move(head, answered, verdict, at, is_waiting=is_waiting):
            # Deleted while it was on its way, as by a reset of the sandbox.
            has_next = queue.call_up_next(endpoint_id, key)
            return Step(sent=True, delivered=verdict.delivered, has_next=has_next)
        _note_attempt(head, answered)
        failing_since = _note_endpoint(
            endpoint_id, endpoint.failing_since, endpoint.last_success_at, verdict, at
        )
        has_next = False
        if is_waiting:
            queue.park_behind(endpoint_id, key, head.event_row_id)
        else:
            has_next = queue.call_up_next(endpoint_id, key)
        if endpoint.state is EndpointState.ACTIVE:
            used_up = not verdict.delivered and not is_waiting and not head.is_manual
            if verdict.disable:
                switch_off(endpoint_id, GONE_REASON, at=at)
            elif used_up and retry.must_disable(failing_since, at=at):
                switch_off(endpoint_id, USED_UP_REASON, at=at)
    return Step(sent=True, delivered=verdict.delivered, has_next=has_next)


def _note_attempt(head: queue.Head, answered: _Answered) -> None:
    number = db.session.scalar(_LAST_NUMBER, {"of_delivery": head.delivery_id}) or 0
    db.session.execute(
        _NEW_ATTEMPT,
        {
            "delivery_id": head.delivery_id,
            "number": number + 1,
            "is_manual": head.is_manual,
            "started_at": answered.started_at,
            "duration_ms": answered.duration_ms,
            "request_headers": dict(answered.request_headers),
            "response_status": answered.status,
            "response_headers": signing.shown_response_headers(answered.headers or {}),
            "response_body": answered.body,
            "error": answered.error,
        },
    )


def _move(
    head: queue.Head,
    answered: _Answered,
    verdict: retry.Verdict,
    at: datetime,
    *,
    is_waiting: bool,
) -> bool:
    """Note the outcome at the delivery; whether there is such a delivery still.

    It begins with a write, so that SQLite has one writer from there on.
    """
    values: dict[str, Any] = {
        "of_delivery": head.delivery_id,
        "of_told": head.told_at,
        "of_attempts": head.tries,
        "to_attempts": head.tries + (not head.is_manual),
        "to_status": answered.status,
        "to_error": answered.error,
        "to_moment": at,
    }
    if verdict.delivered:
        return _has_moved(_DELIVERED, values)
    if is_waiting and verdict.wait is not None:
        values |= {"to_state": DeliveryState.WAITING, "to_moment": at + verdict.wait}
    else:
        # What was delivered once and is sent again in vain stays delivered.
        earlier = db.session.scalar(
            select(WebhookDelivery.delivered_at).where(WebhookDelivery.id == head.delivery_id)
        )
        values["to_state"] = DeliveryState.FAILED if earlier is None else DeliveryState.DELIVERED
    return _has_moved(_NOT_DELIVERED, values)


def _has_moved(statement: Update, values: dict[str, Any]) -> bool:
    moved = db.session.execute(statement, values)
    if getattr(moved, "rowcount", 0) == 1:
        return True
    # Canceled meanwhile, or gone.
    key = {name: values[name] for name in ("of_delivery", "of_told")}
    return db.session.execute(_LOCKED_DELIVERY, key).first() is not None


def _note_endpoint(
    endpoint_id: int,
    failing_since: datetime | None,
    last_success_at: datetime | None,
    verdict: retry.Verdict,
    at: datetime,
) -> datetime | None:
    """Keep the endpoint's own record; since when it fails, None when it does not."""
    if verdict.delivered:
        is_old = last_success_at is None or at - last_success_at >= NOTE_SUCCESS_EVERY
        if is_old or failing_since is not None:
            _set(endpoint_id, failing_since=None, warned_at=None, last_success_at=at)
        return None
    if failing_since is None:
        _set(endpoint_id, failing_since=at)
        return at
    return failing_since


def _set(endpoint_id: int, **values: datetime | None) -> None:
    db.session.execute(
        update(WebhookEndpoint)
        .where(WebhookEndpoint.id == endpoint_id)
        .values(**values)
        .execution_options(synchronize_session=False)
    )
