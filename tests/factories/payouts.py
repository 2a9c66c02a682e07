"""What partners can be paid, and the Stripe accounts that it goes to. Flushed, not committed."""

import itertools

from billing.accounts import PARTNER_PAYABLE, STRIPE_AVAILABLE
from billing.ledger import credit, debit, post
from billing.models import AccountState, ConnectedAccount, LedgerTransaction, PayoutRun
from billing.payouts.approving import approve
from billing.payouts.computing import compute, start_run
from billing.payouts.digest import digest_of
from marketplace.core.database import db

_numbers = itertools.count(1)


def make_payable(
    partner_id: int, amount: int, currency: str = "EUR", earning_id: int | None = None
) -> LedgerTransaction:
    """Money of a partner that the next run may pay; a negative amount was taken back."""
    number = next(_numbers)
    txn = post(
        "release",
        source=("test", number),
        key=f"test:payable:{number}",
        legs=[
            debit(STRIPE_AVAILABLE, amount, currency),
            credit(PARTNER_PAYABLE, amount, currency, partner_id, earning_id),
        ],
    )
    assert txn is not None
    return txn


def make_account(
    partner_id: int,
    state: AccountState = AccountState.READY,
    stripe_id: str | None = None,
    **fields: object,
) -> ConnectedAccount:
    """A partner's Stripe account; one that Stripe knows of when `stripe_id` is given."""
    account = ConnectedAccount(
        organization_id=partner_id,
        stripe_id=stripe_id or f"acct_test{next(_numbers)}",
        state=state,
        country="DE",
        default_currency="EUR",
        **fields,
    )
    db.session.add(account)
    db.session.flush()
    return account


def make_computed_run(by_user_id: int | None = 1) -> PayoutRun:
    """A run over all that is payable now."""
    return compute(start_run(by_user_id).id)


def make_approved_run(by_user_id: int = 1, approved_by_id: int = 2) -> PayoutRun:
    """The same, approved by somebody else."""
    run = make_computed_run(by_user_id)
    return approve(run.id, by_user_id=approved_by_id, digest=digest_of(run.id))
