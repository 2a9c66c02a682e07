"""One payout: its transfer, and what is known of it afterwards.

The steps are commits of their own: claimed (submitting), and with it the operation intended >
Stripe is asked, with no transaction open > its answer is kept > the ledger moves. Killed anywhere
between, the next attempt goes on from what was committed, under the same idempotency key.

The row of the operation decides between two workers, and between one that sends and somebody who
releases: an intention is either sent or withdrawn, never both. Whoever says what came of an
attempt names it; said late, it says nothing about the next one.
"""

from dataclasses import dataclass
from enum import StrEnum

from sqlalchemy import select, update

from billing.accounts import PAYOUT_CLEARING, STRIPE_AVAILABLE
from billing.connect import refresh_later
from billing.gateway import (
    JsonDict,
    StripeAccountError,
    StripeBusyError,
    StripeKeyRefusedError,
    StripeKeyReusedError,
    StripeRejectedError,
    StripeUnknownError,
    gateway,
    retry_later,
)
from billing.ledger import credit, debit, post
from billing.models import (
    ConnectedAccount,
    OperationState,
    Payout,
    PayoutItem,
    PayoutRun,
    PayoutSetting,
    PayoutState,
    RunState,
    StripeOperation,
)
from billing.operations import WITHDRAWN, OperationConflictError, intend, perform, withdraw
from billing.payouts.attempts import group_of, key_of, lock_attempt, lock_payout
from billing.payouts.canceling import RUN_CANCELED, UNSENT, release
from billing.payouts.eligibility import account_obstacle, currency_obstacle
from billing.payouts.lessening import lessen
from billing.payouts.listeners import tell_moved
from billing.payouts.shortage import keeps_balance, note_shortage
from billing.payouts.surplus import book_surplus
from billing.settlement.reversals import transfer_is_there
from billing.settling_by_hand import was_settled_by_hand
from marketplace.core import clock
from marketplace.core.database import db
from marketplace.core.facts import record_fact
from marketplace.core.locks import lock_row
from marketplace.core.unit_of_work import unit_of_work

METHOD = "transfers.create"
# Codes with which Stripe refuses for want of money on the platform's balance.
_NO_MONEY = frozenset({"balance_insufficient", "insufficient_funds"})
# Codes with which it refuses because of what the partner's account is.
_ACCOUNT_CODES = frozenset(
    {
        "account_closed",
        "account_invalid",
        "account_restricted",
        "insufficient_capabilities_for_transfer",
        "resource_missing",
        "transfers_not_allowed",
    }
)
# From where it is sent, or gone on with.
_TO_BE_SENT = (PayoutState.RESERVED, PayoutState.SUBMITTING, PayoutState.UNKNOWN)
# Its money is in payout_clearing.
_SET_APART = (*UNSENT, PayoutState.SUBMITTING, PayoutState.UNKNOWN)


class Outcome(StrEnum):
    """What became of one attempt to pay."""

    TRANSFERRED = "transferred"
    # Given back to the partner's payable account: the account cannot take it.
    RELEASED = "released"
    # Stripe refused; a person tries again or cancels.
    REJECTED = "rejected"
    # Nobody knows yet: looked at again before anything else is tried.
    UNKNOWN = "unknown"
    # The balance at Stripe does not suffice: what needs as much waits, in that currency.
    NO_MONEY = "no_money"
    # Stripe does not take our own key: nothing can be paid until somebody sets it right.
    NO_KEY = "no_key"
    # Somebody else has it, or it is over.
    SKIPPED = "skipped"


@dataclass(frozen=True)
class Attempt:
    """What is asked of Stripe now: committed as intended."""

    number: int
    key: str
    params: JsonDict
    # A person said that an attempt did not happen: look once more before it is sent again.
    looks_first: bool


def pay(payout_id: int) -> Outcome:
    """Transfer one reserved payout, or go on with one that was begun.

    Commits what it does; call it with nothing of your own in the transaction. Raises RetryLater
    when Stripe asks for patience (429): nothing has happened then.
    """
    with unit_of_work():
        attempt = _begin(payout_id)
    if isinstance(attempt, Outcome):
        return attempt
    number = attempt.number
    try:
        found = _find(attempt.params) if attempt.looks_first else None
        transfer = found or perform(
            attempt.key, METHOD, attempt.params, find=lambda: _find(attempt.params)
        )
    except StripeAccountError as error:
        return _account_failed(payout_id, number, error)
    except StripeRejectedError as error:
        if error.code == WITHDRAWN:
            return Outcome.SKIPPED
        if error.code in _NO_MONEY:
            return _no_money(payout_id, number)
        if error.code in _ACCOUNT_CODES:
            return _account_failed(payout_id, number, error)
        return _rejected(payout_id, number, error)
    except StripeKeyRefusedError as error:
        return _no_key(payout_id, error)
    except StripeBusyError as error:
        raise retry_later(error) from error
    except StripeUnknownError:
        said = "Stripe did not answer; it is looked up before it is sent again."
        return _unknown(payout_id, number, said)
    except (OperationConflictError, StripeKeyReusedError) as error:
        return _unknown(payout_id, number, f"Somebody must look: {error}")
    with unit_of_work():
        record_transfer(payout_id, transfer)
        if found is not None:
            withdraw(attempt.key)
    return Outcome.TRANSFERRED


def _begin(payout_id: int) -> Attempt | Outcome:
    """Claim a payout, and write down in the same transaction what will be asked for it.

    What nothing was sent of is looked at again first, however often it was claimed before.
    """
    payout = lock_payout(payout_id)
    if payout is None or payout.state not in _TO_BE_SENT:
        return Outcome.SKIPPED
    if not _may_have_left(payout) and (reason := _stopped(payout)):
        released = release(payout_id, reason, before=_TO_BE_SENT)
        return Outcome.RELEASED if released else Outcome.SKIPPED
    payout.state = PayoutState.SUBMITTING
    db.session.flush()
    looks_first = was_settled_by_hand(f"payout:{payout.id}:a")
    attempt = Attempt(payout.attempt, key_of(payout), _params(payout), looks_first)
    intend(attempt.key, METHOD, attempt.params)
    return attempt


def _may_have_left(payout: Payout) -> bool:
    """Whether this attempt may have reached Stripe already: then it is finished, come what may.

    What Stripe turned away at the door (429) is intended still, and has not.
    """
    operation = lock_row(StripeOperation, StripeOperation.idem_key == key_of(payout))
    return operation is not None and operation.state is not OperationState.INTENDED


def _stopped(payout: Payout) -> str:
    """Why it is not sent after all; empty when it is, perhaps less of it."""
    canceled = db.session.scalar(
        select(PayoutRun.aborted_reason).where(PayoutRun.id == payout.run_id)
    )
    return RUN_CANCELED if canceled else obstacle_of(payout) or lessen(payout)


def obstacle_of(payout: Payout) -> str:
    """Why its destination cannot take it any more; empty when it can."""
    account = db.session.scalar(
        select(ConnectedAccount).where(
            ConnectedAccount.organization_id == payout.partner_id,
            ConnectedAccount.disconnected_at.is_(None),
        )
    )
    if account is not None and account.stripe_id != payout.destination:
        return "The partner's Stripe account is another one than when the run was approved."
    reason = account_obstacle(
        account.state if account else None,
        account.restriction if account else "",
        tuple(account.currencies) if account else (),
        payout.currency,
    ) or currency_obstacle(payout.currency)
    if reason:
        return reason
    frozen = db.session.scalar(
        select(PayoutSetting.frozen_reason).where(
            PayoutSetting.organization_id == payout.partner_id
        )
    )
    return f"Frozen by finance: {frozen}" if frozen else ""


def _params(payout: Payout) -> JsonDict:
    return {
        "amount": payout.amount,
        "currency": payout.currency,
        "destination": payout.destination,
        "transfer_group": group_of(payout),
        "metadata": {"payout": payout.public_id, "run": payout.run.public_id},
    }


def _find(params: JsonDict) -> JsonDict | None:
    """The transfer that was made although its answer was lost; None when there is none."""
    for found in gateway().pages("transfers", transfer_group=params["transfer_group"]):
        if found["amount"] == params["amount"] and found["destination"] == params["destination"]:
            return found
    return None


def record_transfer(payout_id: int, transfer: JsonDict) -> None:
    """Book that Stripe made this transfer; twice is the same as once.

    The money has left, whatever we think of the payout by now: what no payout waits for any more
    is booked as a surplus that the partner owes.
    """
    payout = lock_payout(payout_id)
    if payout is None or payout.transfer_id == transfer["id"]:
        return
    if payout.transfer_id is not None or payout.state not in _SET_APART:
        book_surplus(payout, transfer)
        return
    payout.state, payout.reason = PayoutState.TRANSFERRED, ""
    payout.transfer_id, payout.transferred_at = str(transfer["id"]), clock.now()
    db.session.flush()
    post(
        "payout_transfer",
        source=("payout", payout_id),
        key=f"payout:{payout_id}:transferred",
        legs=[
            debit(PAYOUT_CLEARING, payout.amount, payout.currency),
            credit(STRIPE_AVAILABLE, payout.amount, payout.currency),
        ],
        memo=str(transfer["id"]),
    )
    record_fact(
        "payout.transferred",
        subject=("payout", payout_id),
        organization_id=payout.partner_id,
        data={"amount": payout.amount, "currency": payout.currency, "transfer": transfer["id"]},
        idempotency_key=f"payout.transferred:{payout_id}",
    )
    transfer_is_there(payout_id)
    tell_moved(payout)


def _account_failed(payout_id: int, attempt: int, error: StripeRejectedError) -> Outcome:
    with unit_of_work():
        payout = lock_attempt(payout_id, attempt)
        if payout is None:
            return Outcome.SKIPPED
        released = release(
            payout_id,
            f"The partner's Stripe account cannot take it: {error.message}",
            before=_TO_BE_SENT,
        )
        refresh_later(payout.destination or "")
    return Outcome.RELEASED if released else Outcome.SKIPPED


def _rejected(payout_id: int, attempt: int, error: StripeRejectedError) -> Outcome:
    with unit_of_work():
        payout = lock_attempt(payout_id, attempt)
        if payout is None or payout.state not in _TO_BE_SENT:
            return Outcome.SKIPPED
        payout.state = PayoutState.REJECTED
        payout.reason = f"Stripe refused it: {error.message}"[:300]
        db.session.flush()
        record_fact("payout.rejected", subject=("payout", payout_id), data={"code": error.code})
        tell_moved(payout)
    return Outcome.REJECTED


def _no_money(payout_id: int, attempt: int) -> Outcome:
    """Let it wait, under a new key: Stripe remembers a refusal for a day, and would only say it
    again. The run goes on with what needs less, or other money."""
    currency = db.session.scalar(select(Payout.currency).where(Payout.id == payout_id)) or ""
    db.session.rollback()
    is_kept = keeps_balance(currency)
    with unit_of_work():
        run_id = db.session.scalar(select(Payout.run_id).where(Payout.id == payout_id))
        run = lock_row(PayoutRun, PayoutRun.id == run_id)
        payout = lock_attempt(payout_id, attempt)
        if run is None or payout is None or payout.state not in _TO_BE_SENT:
            return Outcome.SKIPPED
        payout.state, payout.reason = PayoutState.RESERVED, ""
        payout.attempt += 1
        db.session.flush()
        if run.aborted_reason:
            release(payout_id, RUN_CANCELED)
            return Outcome.RELEASED
        note_shortage(run, payout, is_kept=is_kept)
    return Outcome.NO_MONEY


def _no_key(payout_id: int, error: StripeKeyRefusedError) -> Outcome:
    """Nothing has happened, and it is the same for every payout: the run waits."""
    with unit_of_work():
        run_id = select(Payout.run_id).where(Payout.id == payout_id).scalar_subquery()
        db.session.execute(
            update(PayoutRun)
            .where(PayoutRun.id == run_id, PayoutRun.state == RunState.EXECUTING)
            .values(
                stalled_reason=f"Stripe does not take our key: {error}"[:300],
                stalled_at=clock.now(),
            )
            .execution_options(synchronize_session=False)
        )
    return Outcome.NO_KEY


def _unknown(payout_id: int, attempt: int, reason: str) -> Outcome:
    with unit_of_work():
        payout = lock_attempt(payout_id, attempt)
        if payout is None or payout.state not in _TO_BE_SENT:
            return Outcome.SKIPPED
        payout.state, payout.reason = PayoutState.UNKNOWN, reason[:300]
        # Even where nothing else changes: it is asked about again some minutes from now.
        payout.updated_at = clock.now()
        db.session.flush()
    return Outcome.UNKNOWN


def items_not_live(payout_id: int) -> None:
    """Let another payout take what this one paid: it came back."""
    db.session.execute(
        update(PayoutItem)
        .where(PayoutItem.payout_id == payout_id)
        .values(is_live=False)
        .execution_options(synchronize_session=False)
    )
