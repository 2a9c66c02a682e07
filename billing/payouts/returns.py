"""What happens to a transfer afterwards: paid into the partner's bank, failed there, taken back."""

from collections.abc import Iterable

from sqlalchemy import or_, select, update

from billing.accounts import PARTNER_PAYABLE, STRIPE_AVAILABLE
from billing.gateway import (
    JsonDict,
    StripeBusyError,
    StripeRejectedError,
    StripeUnknownError,
    gateway,
    retry_later,
)
from billing.ledger import credit, debit, post
from billing.models import Payout, PayoutState, TransferReversal
from billing.operations import perform
from billing.payouts.attempts import lock_payout
from billing.payouts.listeners import tell_moved
from billing.payouts.paying import items_not_live
from billing.payouts.surplus import surplus_reversed
from billing.settlement.given_back import money_came_back
from billing.settlement.receivables import net_partner
from marketplace.core import clock
from marketplace.core.database import db
from marketplace.core.errors import ConflictError, InvalidError
from marketplace.core.facts import record_fact
from marketplace.core.jobs import Payload, enqueue, job_handler
from marketplace.core.locks import lock_row
from marketplace.core.unit_of_work import unit_of_work

TAKE_BACK, LOOK_AGAIN = "payouts.take_back", "payouts.look_again"
# The money is on the partner's balance at Stripe, or went from there to its bank.
ARRIVED = (
    PayoutState.TRANSFERRED,
    PayoutState.PAID,
    PayoutState.FAILED,
    PayoutState.RETURNED,
)


def partner_was_paid(stripe_account: str, stripe_payout: JsonDict) -> int:
    """Note what Stripe's payout to a partner's own bank says of our payouts; how many moved.

    `stripe_payout` is the object as it is now, so events may come in any order: what failed in
    the end is not paid. The money is the partner's either way, and the ledger does not move.
    """
    rows = _covered_by(stripe_account, stripe_payout)
    status, moved = stripe_payout["status"], 0
    for row in rows:
        if row.state is PayoutState.REVERSING:
            # Whoever takes it back has the word; when Stripe refuses, it is asked about again.
            row.partner_payout_id = str(stripe_payout["id"])
            continue
        was_paid = row.partner_payout_id == stripe_payout["id"] and row.paid_at is not None
        if status == "paid":
            new = PayoutState.PAID
        elif status in {"failed", "canceled"}:
            new = PayoutState.RETURNED if was_paid else PayoutState.FAILED
        else:
            continue
        if row.state is new and row.partner_payout_id == stripe_payout["id"]:
            continue
        # A failure that we hear of twice does not become a return of what never arrived.
        if row.state in (PayoutState.FAILED, PayoutState.RETURNED) and new is not PayoutState.PAID:
            continue
        row.state, row.partner_payout_id = new, str(stripe_payout["id"])
        if new is PayoutState.PAID:
            row.paid_at, row.reason = clock.now(), ""
        else:
            row.paid_at = None
            said = stripe_payout.get("failure_message") or "The partner's bank did not take it."
            row.reason = str(said)[:300]
        db.session.flush()
        record_fact(
            f"payout.{new.value}",
            subject=("payout", row.id),
            organization_id=row.partner_id,
            data={"partner_payout": row.partner_payout_id, "reason": row.reason},
        )
        tell_moved(row)
        moved += 1
    db.session.flush()
    return moved


def _covered_by(stripe_account: str, stripe_payout: JsonDict) -> list[Payout]:
    """Our payouts that this payout of the partner's account brings to its bank."""
    transfers, earlier = _members(stripe_account, str(stripe_payout["id"]))
    states = (*ARRIVED, PayoutState.REVERSING)
    ids = db.session.scalars(
        select(Payout.id)
        .where(
            Payout.destination == stripe_account,
            Payout.state.in_(states),
            or_(
                Payout.transfer_id.in_(transfers),
                Payout.partner_payout_id.in_({*earlier, str(stripe_payout["id"])}),
            ),
        )
        .order_by(Payout.id)
    ).all()
    rows = [lock_row(Payout, Payout.id == each) for each in ids]
    return [row for row in rows if row is not None and row.state in states]


def _members(stripe_account: str, payout_id: str) -> tuple[set[str], set[str]]:
    """The transfers that a payout of the account consists of, and the failed payouts before it
    whose money it sends again."""
    transfers: set[str] = set()
    earlier: set[str] = set()
    try:
        for txn in gateway().pages(
            "balance_transactions",
            account=stripe_account,
            payout=payout_id,
            expand=["data.source"],
        ):
            source = txn.get("source")
            if isinstance(source, dict):
                if source.get("source_transfer"):
                    transfers.add(str(source["source_transfer"]))
                elif txn.get("type") == "payout_failure":
                    earlier.add(str(source["id"]))
    except StripeRejectedError:
        # An account that is gone tells nothing more; what is known by its id still counts.
        return transfers, earlier
    return transfers, earlier


def take_back(payout_id: int, *, by_user_id: int, reason: str) -> None:
    """Take a whole transfer back from the partner: it was paid by mistake.

    What it paid is payable again afterwards. Raises InvalidError without a reason; ConflictError
    when it did not arrive, or a part of it was taken back already.
    """
    reason = " ".join(reason.split())[:300]
    if not reason:
        raise InvalidError({"reason": "Say why; the partner sees it."})
    claimed = db.session.scalar(
        update(Payout)
        .where(
            Payout.id == payout_id,
            Payout.state.in_(ARRIVED),
            Payout.reversed_amount == 0,
            ~select(TransferReversal.id)
            .where(TransferReversal.payout_id == Payout.id, TransferReversal.state == "intended")
            .exists(),
        )
        .values(state=PayoutState.REVERSING, reason=reason)
        .returning(Payout.amount)
        .execution_options(synchronize_session=False)
    )
    if claimed is None:
        raise ConflictError("Only a transfer that arrived whole can be taken back.")
    row = TransferReversal(payout_id=payout_id, amount=claimed, reason=reason)
    db.session.add(row)
    db.session.flush()
    record_fact(
        "payout.take_back_asked",
        subject=("payout", payout_id),
        actor_user_id=by_user_id,
        data={"reason": reason},
    )
    enqueue(TAKE_BACK, {"reversal_id": row.id}, dedupe_key=f"{TAKE_BACK}:{row.id}")


@job_handler(TAKE_BACK)
def _take_back_job(payload: Payload) -> None:
    row = db.session.get(TransferReversal, payload["reversal_id"])
    if row is None or row.state != "intended":
        return
    payout = db.session.get_one(Payout, row.payout_id)
    row_id, transfer_id = row.id, payout.transfer_id
    params = {
        "id": payout.transfer_id,
        "amount": row.amount,
        "metadata": {"reversal_id": str(row.id), "payout_id": payout.public_id},
    }
    db.session.rollback()

    def find() -> JsonDict | None:
        for each in gateway().pages("transfers.reversals", parent=transfer_id):
            if (each.get("metadata") or {}).get("reversal_id") == str(row_id):
                return each
        return None

    try:
        done = perform(
            f"transfer_reversal:{row_id}", "transfers.reversals.create", params, find=find
        )
    except StripeRejectedError as error:
        with unit_of_work():
            _refused(row_id, error.message)
        return
    except (StripeUnknownError, StripeBusyError) as error:
        raise retry_later(error) from error
    with unit_of_work():
        _settle_whole(row_id, str(done["id"]))


def _refused(row_id: int, message: str) -> None:
    payout = lock_payout(db.session.get_one(TransferReversal, row_id).payout_id)
    row = lock_row(TransferReversal, TransferReversal.id == row_id)
    if payout is None or row is None or row.state != "intended":
        return
    row.state, row.reason, row.settled_at = "rejected", message[:300], clock.now()
    payout.state = PayoutState.PAID if payout.paid_at else PayoutState.TRANSFERRED
    payout.reason = f"It could not be taken back: {message}"[:300]
    db.session.flush()
    record_fact(
        "payout.take_back_refused", subject=("payout", payout.id), data={"reason": row.reason}
    )
    if payout.partner_payout_id:
        # What its bank said while it was being taken back was not written down.
        enqueue(LOOK_AGAIN, {"payout_id": payout.id}, dedupe_key=f"{LOOK_AGAIN}:{payout.id}")


@job_handler(LOOK_AGAIN)
def _look_again(payload: Payload) -> None:
    payout = db.session.get_one(Payout, payload["payout_id"])
    account, stripe_id = payout.destination or "", payout.partner_payout_id or ""
    db.session.rollback()
    try:
        found = gateway().retrieve("payouts", stripe_id, account=account)
    except StripeRejectedError:
        # The account is gone; what is known stays.
        return
    except (StripeUnknownError, StripeBusyError) as error:
        raise retry_later(error) from error
    partner_was_paid(account, found)


def _settle_whole(row_id: int, stripe_id: str) -> None:
    """The whole transfer came back: what it paid is payable again."""
    payout = lock_payout(db.session.get_one(TransferReversal, row_id).payout_id)
    row = lock_row(TransferReversal, TransferReversal.id == row_id)
    if payout is None or row is None or row.state != "intended":
        return
    row.state, row.stripe_id, row.settled_at = "succeeded", stripe_id, clock.now()
    payout.state, payout.reversed_amount = PayoutState.REVERSED, payout.amount
    items_not_live(payout.id)
    post(
        "payout_reversed",
        source=("payout", payout.id),
        key=f"payout:{payout.id}:reversed",
        legs=[
            debit(STRIPE_AVAILABLE, payout.amount, payout.currency),
            credit(PARTNER_PAYABLE, payout.amount, payout.currency, payout.partner_id),
        ],
        memo=payout.reason,
    )
    db.session.flush()
    money_came_back(payout)
    record_fact(
        "payout.reversed",
        subject=("payout", payout.id),
        organization_id=payout.partner_id,
        data={"amount": payout.amount, "currency": payout.currency, "reversal": stripe_id},
        idempotency_key=f"payout.reversed:{payout.id}",
    )
    tell_moved(payout)


def transfer_changed(transfer: JsonDict, reversals: Iterable[JsonDict]) -> bool:
    """Book reversals that somebody made in Stripe's dashboard; False when the payout is not known
    yet. Those that we asked for ourselves are booked by the jobs that asked."""
    payout_id = db.session.scalar(select(Payout.id).where(Payout.transfer_id == transfer["id"]))
    payout = None if payout_id is None else lock_payout(payout_id)
    if payout is None:
        is_ours = "payout" in (transfer.get("metadata") or {})
        return surplus_reversed(transfer, list(reversals)) or not is_ours
    for reversal in reversals:
        if (reversal.get("metadata") or {}).get("reversal_id"):
            continue
        known = db.session.scalar(
            select(TransferReversal.id).where(TransferReversal.stripe_id == reversal["id"])
        )
        if known is None:
            _book_foreign(payout, reversal)
    return True


def _book_foreign(payout: Payout, reversal: JsonDict) -> None:
    whole = reversal["amount"] == payout.amount and payout.reversed_amount == 0
    row = TransferReversal(
        payout_id=payout.id,
        amount=reversal["amount"],
        reason="Taken back in Stripe's dashboard.",
    )
    db.session.add(row)
    db.session.flush()
    if whole:
        payout.reason = row.reason
        db.session.flush()
        _settle_whole(row.id, str(reversal["id"]))
        return
    row.state, row.stripe_id, row.settled_at = "succeeded", str(reversal["id"]), clock.now()
    payout.reversed_amount += row.amount
    post(
        "reversal",
        source=("transfer_reversal", row.id),
        key=f"reversal:{row.id}",
        legs=[
            debit(STRIPE_AVAILABLE, row.amount, payout.currency),
            credit(PARTNER_PAYABLE, row.amount, payout.currency, payout.partner_id),
        ],
        memo=row.reason,
    )
    db.session.flush()
    net_partner(payout.partner_id, payout.currency)
    record_fact(
        "payout.partly_reversed",
        subject=("payout", payout.id),
        organization_id=payout.partner_id,
        data={"amount": row.amount, "currency": payout.currency, "reversal": reversal["id"]},
    )
