"""A partner asks about a line of its earnings; finance answers, and may correct it."""

from collections.abc import Callable

from sqlalchemy import ColumnElement, func, select

from billing.accounts import PARTNER_PAYABLE, PLATFORM_FEE
from billing.formatting import format_money
from billing.ledger import credit, debit, lock_partner, post
from billing.models import Earning, Funder, Objection, ObjectionState, OrderLine
from billing.payouts.payable import payable_balance
from billing.settlement.receivables import net_partner
from marketplace.core import clock
from marketplace.core.database import db
from marketplace.core.errors import ConflictError, InvalidError
from marketplace.core.facts import record_fact
from marketplace.core.locks import lock_row
from marketplace.core.once import insert_if_new

LONGEST = 2_000
Listener = Callable[[Objection], None]
_decided: list[Listener] = []


def on_objection_decided(*listeners: Listener) -> None:
    """Call these, in the transaction that answers, for each question that was answered."""
    _decided[:] = listeners


def open_objection(earning: Earning, *, body: str, by_user_id: int) -> Objection:
    """Ask about a line. Raises InvalidError for an empty or too long question, ConflictError
    while an earlier one about the same line is open. Flushes."""
    body = body.strip()
    if not body:
        raise InvalidError({"body": "Write what you would like to know."})
    if len(body) > LONGEST:
        raise InvalidError({"body": f"At most {LONGEST:,} characters."})
    objection_id = insert_if_new(
        Objection,
        earning_id=earning.id,
        partner_id=earning.partner_id,
        author_id=by_user_id,
        body=body,
        state=ObjectionState.OPEN,
        answer="",
        adjustment=0,
    )
    if objection_id is None:
        raise ConflictError("There is an open question about this line already.")
    objection = db.session.get_one(Objection, objection_id)
    record_fact(
        "objection.opened",
        subject=("objection", objection.id),
        organization_id=earning.partner_id,
        actor_user_id=by_user_id,
        data={"earning": earning.public_id},
    )
    return objection


def objections_of(earning_id: int) -> list[Objection]:
    """All questions about a line, newest first."""
    return list(
        db.session.scalars(
            select(Objection)
            .where(Objection.earning_id == earning_id)
            .order_by(Objection.id.desc())
        )
    )


def withdraw_objection(objection_id: int, *, by_user_id: int) -> Objection:
    """The partner takes its question back. Raises ConflictError when it is answered. Flushes."""
    objection = _open(objection_id)
    objection.state, objection.decided_at = ObjectionState.WITHDRAWN, clock.now()
    objection.decided_by_id = by_user_id
    db.session.flush()
    record_fact(
        "objection.withdrawn",
        subject=("objection", objection.id),
        organization_id=objection.partner_id,
        actor_user_id=by_user_id,
    )
    return objection


def decide_objection(
    objection_id: int, *, upheld: bool, answer: str, adjustment: int = 0, by_user_id: int
) -> Objection:
    """Answer a question. An upheld one may give the partner `adjustment` minor units of the
    line's currency out of our fee, payable at once; below zero, it gives us back too much.

    Raises InvalidError without an answer, for an adjustment of a rejected question, and for one
    that gives more than we have of the line (`most_to_give`) or takes more than is left of the
    earning or payable; ConflictError when it was decided already. Flushes.
    """
    answer = answer.strip()
    if not answer:
        raise InvalidError({"answer": "Write the answer; the partner sees it."})
    objection = _open(objection_id)
    earning = objection.earning
    if adjustment and not upheld:
        raise InvalidError({"adjustment": "Only an upheld question moves money."})
    if adjustment:
        # One line may have several earnings, each with its question: they share what we took.
        lock_row(OrderLine, OrderLine.id == earning.order_line_id)
        lock_partner(earning.partner_id, earning.currency)
        _refuse_beyond_the_line(earning, adjustment)
        payable = payable_balance(earning.partner_id, earning.currency)
        if adjustment < 0 and -adjustment > payable:
            raise InvalidError(
                {
                    "adjustment": f"Only {format_money(max(payable, 0), earning.currency)} is"
                    " payable to the partner now."
                }
            )
        post(
            "adjustment",
            source=("objection", objection.id),
            key=f"objection:{objection.id}",
            order_id=earning.order_id,
            legs=[
                debit(PLATFORM_FEE, adjustment, earning.currency),
                credit(
                    PARTNER_PAYABLE, adjustment, earning.currency, earning.partner_id, earning.id
                ),
            ],
            memo=answer[:300],
        )
        net_partner(earning.partner_id, earning.currency)
    objection.state = ObjectionState.UPHELD if upheld else ObjectionState.REJECTED
    objection.answer, objection.adjustment = answer, adjustment
    objection.decided_at, objection.decided_by_id = clock.now(), by_user_id
    db.session.flush()
    record_fact(
        f"objection.{objection.state.value}",
        subject=("objection", objection.id),
        organization_id=objection.partner_id,
        actor_user_id=by_user_id,
        data={"adjustment": adjustment, "currency": earning.currency},
    )
    for listener in _decided:
        listener(objection)
    return objection


def most_to_give(earning: Earning) -> int:
    """The most that questions about this earning's line may still give, in minor units.

    It is what we took of the line and put into it: our fee, and the discount and the commission
    that we funded; less what refunds took back, and what questions about the line gave already.
    """
    line, order = earning.line, earning.line.order
    ours = line.fee_amount + line.discount_platform_amount
    if line.commission_funder is Funder.PLATFORM:
        ours += line.commission_amount
    if order.total:
        ours -= ours * order.refunded_total // order.total
    given = _adjusted(Earning.order_line_id == line.id)
    return max(0, ours - given)


def _refuse_beyond_the_line(earning: Earning, adjustment: int) -> None:
    """One person decides here, so that the line itself is the limit, either way."""
    currency = earning.currency
    most = most_to_give(earning)
    if adjustment > most:
        raise InvalidError(
            {
                "adjustment": f"At most {format_money(most, currency)}: our fee of this line and"
                " what we funded, less what was given already. What is owed beyond it is no"
                " correction of this line: pay it by an invoice of the partner to you."
            }
        )
    left = max(0, earning.net + _adjusted(Earning.id == earning.id))
    if -adjustment > left:
        raise InvalidError(
            {
                "adjustment": f"Only {format_money(left, currency)} is left of this line. What"
                " the partner owes beyond it is taken back by a refund of its own order."
            }
        )


def _adjusted(which: ColumnElement[bool]) -> int:
    """What questions about these earnings moved so far, in minor units."""
    return int(
        db.session.scalar(
            select(func.coalesce(func.sum(Objection.adjustment), 0))
            .join(Earning, Earning.id == Objection.earning_id)
            .where(which, Objection.state == ObjectionState.UPHELD)
        )
        or 0
    )


def _open(objection_id: int) -> Objection:
    objection = lock_row(Objection, Objection.id == objection_id)
    if objection is None or objection.state is not ObjectionState.OPEN:
        raise ConflictError("This question is answered or withdrawn already.")
    return objection
