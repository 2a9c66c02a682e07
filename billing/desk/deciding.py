"""Deciding what customers asked back."""

from billing.models import Refund, RefundRequest, RequestState
from billing.settlement.locks import lock_order
from billing.settlement.parts import SettlementError
from billing.settlement.refunds import request_refund
from marketplace.core import clock
from marketplace.core.database import db
from marketplace.core.errors import ConflictError, InvalidError
from marketplace.core.facts import record_fact
from marketplace.core.locks import lock_row

DECIDED = "This request was decided or withdrawn already."


def grant_request(
    request: RefundRequest, *, amount: int, answer: str, by_user_id: int | None
) -> Refund:
    """Refund `amount` minor units, with tax, of what was asked. Flushes.

    Raises InvalidError at `amount` when that cannot be refunded, ConflictError when the request
    is not open any more.
    """
    # In the order of everybody who holds both: an order, then what hangs on it.
    lock_order(request.order_id)
    _lock(request)
    try:
        refund = request_refund(
            request.order,
            amount,
            reason="The customer asked for it.",
            by_user_id=by_user_id,
            request_id=request.id,
        )
    except SettlementError as error:
        raise InvalidError({"amount": str(error)}) from error
    _decide(request, RequestState.GRANTED, answer, by_user_id, {"amount": amount})
    return refund


def refuse_request(request: RefundRequest, *, answer: str, by_user_id: int | None) -> None:
    """Say no, with a reason. Flushes. Raises InvalidError without one, ConflictError when the
    request is not open any more."""
    if not answer.strip():
        raise InvalidError({"answer": "Say why. The customer reads it."})
    _lock(request)
    _decide(request, RequestState.REFUSED, answer, by_user_id, {})


def _lock(request: RefundRequest) -> None:
    locked = lock_row(RefundRequest, RefundRequest.id == request.id)
    if locked is None or locked.state is not RequestState.OPEN:
        raise ConflictError(DECIDED)


def _decide(
    request: RefundRequest,
    state: RequestState,
    answer: str,
    by_user_id: int | None,
    data: dict[str, object],
) -> None:
    request.state, request.answer = state, answer.strip()
    request.decided_at, request.decided_by_id = clock.now(), by_user_id
    db.session.flush()
    record_fact(
        f"refund_request.{state.value}",
        subject=("refund_request", request.id),
        organization_id=request.order.organization_id,
        actor_user_id=by_user_id,
        data={"order": request.order_id, **data},
    )
