"""Taking back what has not left yet: a run, or one payout of it."""

from sqlalchemy import select, update

from billing.accounts import PARTNER_PAYABLE, PAYOUT_CLEARING
from billing.ledger import credit, debit, lock_partners, post
from billing.models import Payout, PayoutItem, PayoutRun, PayoutState, RunState
from billing.operations import withdraw
from billing.payouts.attempts import key_of, lock_payout
from billing.payouts.listeners import tell_moved
from billing.settlement.given_back import money_came_back
from marketplace.core.database import db
from marketplace.core.errors import ConflictError, InvalidError
from marketplace.core.facts import record_fact

OPEN_RUNS = (RunState.DRAFT, RunState.COMPUTED, RunState.APPROVED, RunState.EXECUTING)
# What is at Stripe, or may be: it is finished before the run ends.
IN_FLIGHT = (PayoutState.SUBMITTING, PayoutState.UNKNOWN)
# What is set apart and certainly not at Stripe.
UNSENT = (PayoutState.RESERVED, PayoutState.REJECTED)
RUN_CANCELED = "The run was canceled."


def abort(run_id: int, *, by_user_id: int, reason: str) -> PayoutRun:
    """Cancel a run that is not finished: what was not sent is payable again.

    What is under way at Stripe is finished first; until then the run stays executing. Raises
    InvalidError without a reason, ConflictError when the run is over.
    """
    reason = " ".join(reason.split())[:300]
    if not reason:
        raise InvalidError({"reason": "Say why, for those who look at it later."})
    # Nobody approves it or claims its payouts from here on.
    claimed = db.session.scalar(
        update(PayoutRun)
        .where(
            PayoutRun.id == run_id, PayoutRun.state.in_(OPEN_RUNS), PayoutRun.aborted_reason == ""
        )
        .values(aborted_reason=reason, open_slot=None)
        .returning(PayoutRun.id)
        .execution_options(synchronize_session=False)
    )
    if claimed is None:
        raise ConflictError("This run is over, or is being canceled already.")
    run = db.session.get_one(PayoutRun, run_id, populate_existing=True)
    if run.state in (RunState.DRAFT, RunState.COMPUTED):
        _drop_computed(run_id, reason)
    else:
        release_unsent(run_id)
    left = db.session.scalar(
        select(Payout.id)
        .where(Payout.run_id == run_id, Payout.state.in_((*IN_FLIGHT, *UNSENT)))
        .limit(1)
    )
    if left is None:
        run.state = RunState.ABORTED
    db.session.flush()
    record_fact(
        "payout_run.canceled",
        subject=("payout_run", run.id),
        actor_user_id=by_user_id,
        data={"reason": reason},
    )
    return run


def release_unsent(run_id: int) -> None:
    """Give back what of a run is set apart and was not sent. Lock the run's row before."""
    rows = db.session.execute(
        select(Payout.id, Payout.partner_id, Payout.currency)
        .where(Payout.run_id == run_id, Payout.state.in_(UNSENT))
        .order_by(Payout.id)
    ).all()
    # All at once, as everybody takes them.
    lock_partners({(row.partner_id, row.currency) for row in rows})
    for row in rows:
        release(row.id, RUN_CANCELED)


def _drop_computed(run_id: int, reason: str) -> None:
    of_run = select(Payout.id).where(Payout.run_id == run_id)
    db.session.execute(
        update(PayoutItem)
        .where(PayoutItem.payout_id.in_(of_run))
        .values(is_live=False)
        .execution_options(synchronize_session=False)
    )
    db.session.execute(
        update(Payout)
        .where(Payout.run_id == run_id, Payout.state == PayoutState.COMPUTED)
        .values(state=PayoutState.CANCELED, reason=reason)
        .execution_options(synchronize_session=False)
    )


def cancel_payout(payout_id: int, *, by_user_id: int, reason: str) -> None:
    """Cancel one payout that was reserved or rejected: its money is payable again.

    Raises InvalidError without a reason, ConflictError when it left, or may have left, already.
    """
    reason = " ".join(reason.split())[:300]
    if not reason:
        raise InvalidError({"reason": "Say why; the partner sees it."})
    if not release(payout_id, reason):
        raise ConflictError("This payout cannot be canceled any more.")
    record_fact(
        "payout.canceled",
        subject=("payout", payout_id),
        actor_user_id=by_user_id,
        data={"reason": reason},
    )


def release(
    payout_id: int,
    reason: str,
    *,
    before: tuple[PayoutState, ...] = UNSENT,
) -> bool:
    """Give a reserved payout's money back to the partner's payable account, for good.

    True if it was in one of the states `before`, nothing of its present attempt was sent, and so
    nothing ever will be: of two who decide, one who releases and one who sends, one does.
    """
    payout = lock_payout(payout_id)
    if payout is None or payout.state not in before or not withdraw(key_of(payout)):
        return False
    payout.state, payout.reason = PayoutState.CANCELED, reason[:300]
    db.session.flush()
    db.session.execute(
        update(PayoutItem)
        .where(PayoutItem.payout_id == payout_id)
        .values(is_live=False)
        .execution_options(synchronize_session=False)
    )
    post(
        "payout_release",
        source=("payout", payout_id),
        key=f"payout:{payout_id}:released",
        legs=[
            debit(PAYOUT_CLEARING, payout.amount, payout.currency),
            credit(PARTNER_PAYABLE, payout.amount, payout.currency, payout.partner_id),
        ],
        memo=reason[:300],
    )
    money_came_back(payout)
    tell_moved(payout)
    return True
