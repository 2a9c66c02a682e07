"""Asking Stripe to do something, once.

What is to be asked is committed before it is asked, and what came of it after: a worker that is
killed in between leaves a row that says so. The same key never does two things.
"""

import hashlib
import json
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any

from sqlalchemy import func, select, update

from billing.gateway import (
    StripeBusyError,
    StripeError,
    StripeKeyReusedError,
    StripeRejectedError,
    StripeUnknownError,
    gateway,
    retry_later,
)
from billing.models.stripe import OperationState, StripeOperation
from marketplace.core import clock
from marketplace.core.database import db
from marketplace.core.facts import record_fact
from marketplace.core.locks import lock_row
from marketplace.core.once import insert_if_new
from marketplace.core.unit_of_work import unit_of_work

# Stripe forgets a key after 24 hours; an hour before, we do not count on it any more.
KEY_LIVES = timedelta(hours=23)
UNANSWERED = (OperationState.SENT, OperationState.UNKNOWN)
# The code of what was rejected by ourselves, before anybody asked.
WITHDRAWN = "withdrawn"

JsonDict = dict[str, Any]
Find = Callable[[], JsonDict | None]


class OperationConflictError(StripeError):
    """The key was used for another request."""


def perform(
    key: str,
    method: str,
    params: Mapping[str, Any],
    *,
    account: str = "",
    find: Find | None = None,
) -> JsonDict:
    """Ask Stripe to do `method` (like `transfers.create`) once; the object it made or changed.

    Called without an open transaction: what this session has written so far is committed first,
    and nothing is open while Stripe is asked. A key that has succeeded gives its object again, as
    it is now. A request whose answer was lost is sent again to the letter for 23 hours; after
    that, `find` looks whether it happened (the object, or None), and only then is it sent anew.

    Raises StripeRejectedError (also for a key that was rejected before: a new try needs a new
    key), OperationConflictError for other params under the same key, and StripeUnknownError or
    StripeBusyError, which a job turns into `retry_later(error)`.
    """
    request: JsonDict = json.loads(json.dumps(dict(params)))
    while True:
        row = _intend(key, method, request, account)
        if row.state is OperationState.REJECTED:
            raise StripeRejectedError(row.error_code, row.error)
        if row.state is OperationState.SUCCEEDED:
            return _again(row)
        is_open = row.state in UNANSWERED
        if is_open and (row.sent_at is None or clock.now() - row.sent_at >= KEY_LIVES):
            if find is None:
                raise StripeUnknownError(
                    f"{key} was sent long ago; look at Stripe what became of it"
                )
            found = find()
            if found is not None:
                _note(row, OperationState.SUCCEEDED, stripe_id=str(found.get("id", "")))
                return found
            is_open = False
        if _mark_sent(row, begins=not is_open):
            break
    try:
        done = gateway().call(method, request, idem_key=key, account=account)
    except StripeRejectedError as error:
        if not _note(row, OperationState.REJECTED, code=error.code, text=error.message):
            # Somebody asks under the same key just now, and it is theirs to say how it ended.
            raise StripeUnknownError(f"{key} is being asked by somebody else: {error}") from error
        raise
    except StripeKeyReusedError as error:
        # Somebody used our key. Whatever happened under it is not known to be ours.
        _note(row, OperationState.UNKNOWN, code="idempotency_error", text=str(error))
        raise OperationConflictError(str(error)) from error
    except StripeBusyError as error:
        # Turned away at the door: nothing happened, unless it was under way before.
        is_known = not is_open and not error.under_way
        state = OperationState.INTENDED if is_known else OperationState.UNKNOWN
        _note(row, state, code="busy", text=str(error))
        raise
    except StripeUnknownError as error:
        _note(row, OperationState.UNKNOWN, code="unknown", text=str(error))
        raise
    _note(row, OperationState.SUCCEEDED, stripe_id=str(done.get("id", "")))
    return done


def perform_anew(
    base: str, method: str, params: Mapping[str, Any], *, account: str = ""
) -> JsonDict:
    """`perform`, for what does no harm when it is there twice (a product, a customer, a tax rate).

    Its key is `base` with the request and with how often that was refused: where a name was
    changed since, or what Stripe refused was put right, it is asked again. Raises what `perform`
    raises.
    """
    request: JsonDict = json.loads(json.dumps(dict(params)))
    stem = f"{base}:{request_hash(method, request, account)[:16]}"
    refused = db.session.scalar(
        select(func.count())
        .select_from(StripeOperation)
        .where(
            StripeOperation.idem_key.startswith(f"{stem}:", autoescape=True),
            StripeOperation.state == OperationState.REJECTED,
        )
    )
    key = f"{stem}:{refused or 0}"
    # Sent long ago and never answered: once more, rather than waiting for somebody to look.
    return perform(key, method, request, account=account, find=lambda: None)


def request_hash(method: str, request: Mapping[str, Any], account: str) -> str:
    """What makes two requests the same, as hex digits."""
    said = json.dumps([method, account, request], sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(said.encode()).hexdigest()


def intend(key: str, method: str, params: Mapping[str, Any], *, account: str = "") -> None:
    """Write down, in the current transaction, that this will be asked; `perform` asks it.

    For who decides that it may be asked, so that the decision and the intention are one commit.
    """
    request: JsonDict = json.loads(json.dumps(dict(params)))
    insert_if_new(
        StripeOperation,
        idem_key=key,
        method=method,
        account=account,
        request_hash=request_hash(method, request, account),
        request=request,
        state=OperationState.INTENDED,
        attempt=0,
        error_code="",
        error="",
        created_at=clock.now(),
    )


def withdraw(key: str) -> bool:
    """Take an intention back, in the current transaction: whoever was about to ask does not.

    True when nothing was sent under this key and nothing will be; False when it may have been.
    """
    row = lock_row(StripeOperation, StripeOperation.idem_key == key)
    if row is None or row.state is OperationState.REJECTED:
        return True
    if row.state is not OperationState.INTENDED:
        return False
    row.state, row.error_code = OperationState.REJECTED, WITHDRAWN
    row.error = "It was taken back before it was sent."
    row.finished_at, row.request = clock.now(), _left_of(row.request)
    db.session.flush()
    return True


def _intend(key: str, method: str, request: JsonDict, account: str) -> StripeOperation:
    """The row of this key, committed. Raises OperationConflictError."""
    with unit_of_work():
        intend(key, method, request, account=account)
    wanted = request_hash(method, request, account)
    row = db.session.scalars(
        select(StripeOperation)
        .where(StripeOperation.idem_key == key)
        .execution_options(populate_existing=True)
    ).one()
    db.session.expunge(row)
    db.session.rollback()
    if row.request_hash != wanted:
        raise OperationConflictError(f"{key} was meant for another request")
    return row


def _mark_sent(row: StripeOperation, *, begins: bool) -> bool:
    """The key's day begins when it is first sent, and anew when it is known to be unused.

    False when somebody else has moved the row since it was read: what it says now counts.
    """
    values: JsonDict = {"state": OperationState.SENT, "attempt": StripeOperation.attempt + 1}
    if begins or row.sent_at is None:
        values["sent_at"] = clock.now()
    with unit_of_work() as session:
        marked = session.execute(
            update(StripeOperation)
            .where(
                StripeOperation.id == row.id,
                StripeOperation.state == row.state,
                StripeOperation.attempt == row.attempt,
            )
            .values(**values)
            .execution_options(synchronize_session=False)
        )
    row.attempt += 1
    return getattr(marked, "rowcount", 0) == 1


def _note(
    row: StripeOperation,
    state: OperationState,
    *,
    stripe_id: str = "",
    code: str = "",
    text: str = "",
) -> bool:
    """What came of it; False when it is not ours to say: it is over, or somebody asks anew. That
    it happened is always said."""
    is_over = state in {OperationState.SUCCEEDED, OperationState.REJECTED}
    values: JsonDict = {"state": state, "error_code": code[:80], "error": text[:2_000]}
    if stripe_id:
        values["stripe_id"] = stripe_id
    if is_over:
        values |= {"finished_at": clock.now(), "request": _left_of(row.request)}
    noting = update(StripeOperation).where(StripeOperation.id == row.id)
    if state is not OperationState.SUCCEEDED:
        # Of two that asked at once, the one that heard nothing says nothing about the other.
        noting = noting.where(
            StripeOperation.state == OperationState.SENT, StripeOperation.attempt == row.attempt
        )
    with unit_of_work() as session:
        noted = session.execute(
            noting.values(**values).execution_options(synchronize_session=False)
        )
    return getattr(noted, "rowcount", 0) == 1


def _left_of(request: JsonDict) -> JsonDict:
    """What is kept of a request that is over: which object it was about. The rest, people's names
    and addresses among it, was kept to be sent again to the letter, which it never is now."""
    return {"id": request["id"]} if request.get("id") else {}


def _again(row: StripeOperation) -> JsonDict:
    """What a finished operation made, as it is now."""
    resource = row.method.rpartition(".")[0]
    # A nested object (a reversal) is asked for through the one that it belongs to.
    parent = str(row.request.get("id", ""))
    stripe_id = row.stripe_id or ""
    return gateway().retrieve(
        resource,
        stripe_id,
        account=row.account,
        parent="" if parent == stripe_id else parent,
    )


def settle_if_unanswered(key: str, stripe_id: str) -> bool:
    """What was asked under this key is seen to have happened, although its answer was lost; in the
    current transaction. False where there is nothing to settle."""
    row = lock_row(
        StripeOperation, StripeOperation.idem_key == key, StripeOperation.state.in_(UNANSWERED)
    )
    if row is None:
        return False
    row.state, row.stripe_id = OperationState.SUCCEEDED, stripe_id
    row.finished_at, row.request = clock.now(), _left_of(row.request)
    db.session.flush()
    return True


def settle_by_hand(operation_id: int, *, happened: bool, stripe_id: str, user_id: int) -> bool:
    """A person has looked at Stripe what became of an unknown operation. True if it was unknown."""
    row = lock_row(StripeOperation, StripeOperation.id == operation_id)
    if row is None or row.state not in UNANSWERED:
        return False
    state = OperationState.SUCCEEDED if happened else OperationState.REJECTED
    row.state, row.stripe_id = state, stripe_id or None
    row.error_code = "" if happened else "did_not_happen"
    row.error = "" if happened else "A person looked: it did not happen."
    row.finished_at, row.request = clock.now(), _left_of(row.request)
    db.session.flush()
    record_fact(
        "stripe_operation.settled",
        subject=("stripe_operation", operation_id),
        actor_user_id=user_id,
        data={"happened": happened, "stripe_id": stripe_id},
    )
    return True


__all__ = [
    "Find",
    "OperationConflictError",
    "intend",
    "perform",
    "perform_anew",
    "request_hash",
    "retry_later",
    "settle_by_hand",
    "settle_if_unanswered",
    "withdraw",
]
