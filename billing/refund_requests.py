"""Customers ask for money back; finance decides (the refund itself is settlement's)."""

from collections.abc import Sequence

from sqlalchemy import select

from billing.formatting import format_money
from billing.models import Order, OrderState, RefundRequest, RequestState
from marketplace.core import clock
from marketplace.core.database import db
from marketplace.core.errors import ConflictError, InvalidError, NotFoundError
from marketplace.core.facts import record_fact
from marketplace.core.locks import lock_row

MAX_BODY = 2_000


def requests_of(order_id: int) -> Sequence[RefundRequest]:
    """What was asked for an order, newest first."""
    return db.session.scalars(
        select(RefundRequest)
        .where(RefundRequest.order_id == order_id)
        .order_by(RefundRequest.id.desc())
    ).all()


def find_request(request_id: int) -> RefundRequest | None:
    """The request of that id."""
    return db.session.get(RefundRequest, request_id)


def may_ask(order: Order, requests: Sequence[RefundRequest]) -> bool:
    """Whether something is left to ask for, and nothing is open."""
    return (
        order.state is OrderState.PAID
        and order.refunded_total < order.total
        and not any(each.state is RequestState.OPEN for each in requests)
    )


def ask_for_refund(
    order: Order, amount: int | None, body: str, *, by_user_id: int
) -> RefundRequest:
    """Ask for `amount` (minor units, with tax) of a paid order. Raises InvalidError,
    ConflictError when a request is open or nothing is left."""
    locked = lock_row(Order, Order.id == order.id)
    if locked is None:
        raise NotFoundError
    if locked.state is not OrderState.PAID or locked.refunded_total >= locked.total:
        raise ConflictError("There is nothing left of this order to give back.")
    if not may_ask(locked, requests_of(locked.id)):
        raise ConflictError("You have asked already. We will answer you.")
    left = locked.total - locked.refunded_total
    wrong = {}
    if amount is None or not 0 < amount <= left:
        wrong["amount"] = f"Up to {format_money(left, locked.currency)}."
    text = body.strip()
    if len(text) < 3:
        wrong["body"] = "Say in a few words why."
    elif len(text) > MAX_BODY:
        wrong["body"] = f"At most {MAX_BODY:,} characters."
    if wrong or amount is None:
        raise InvalidError(wrong)
    request = RefundRequest(order_id=locked.id, author_id=by_user_id, amount=amount, body=text)
    db.session.add(request)
    db.session.flush()
    record_fact(
        "refund_request.opened",
        subject=("order", locked.id),
        organization_id=locked.organization_id,
        actor_user_id=by_user_id,
        data={"amount": amount, "currency": locked.currency},
    )
    return request


def withdraw_request(request: RefundRequest, *, by_user_id: int) -> None:
    """Ask no more. Raises ConflictError once it was decided."""
    locked = lock_row(RefundRequest, RefundRequest.id == request.id)
    if locked is None or locked.state is not RequestState.OPEN:
        raise ConflictError("It was decided already.")
    request.state, request.decided_at = RequestState.WITHDRAWN, clock.now()
    request.decided_by_id = by_user_id
    record_fact(
        "refund_request.withdrawn",
        subject=("order", request.order_id),
        organization_id=request.order.organization_id,
        actor_user_id=by_user_id,
    )
    db.session.flush()
