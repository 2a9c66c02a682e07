"""What Stripe tells of partners' accounts and payouts. Every handler looks at the object anew."""

from sqlalchemy import select

from billing.connect import disconnect, refresh_later
from billing.events import DeferEvent, on_event
from billing.gateway import gateway
from billing.models import ConnectedAccount, StripeEvent
from billing.payouts.returns import partner_was_paid, transfer_changed
from marketplace.core.database import db


@on_event(
    "account.updated",
    "v2.core.account[requirements].updated",
    "v2.core.account[configuration.recipient].capability_status_updated",
)
def account_updated(event: StripeEvent) -> None:
    """Ask what the account can do now, after this event is marked as handled."""
    refresh_later(event.account or event.object_id)


@on_event("account.application.deauthorized")
def account_deauthorized(event: StripeEvent) -> None:
    """The partner took our access away: nothing can be sent there any more."""
    row = db.session.scalar(
        select(ConnectedAccount).where(ConnectedAccount.stripe_id == event.account)
    )
    if row is not None:
        disconnect(row, by_user_id=None, why="The access was taken away at Stripe.")


@on_event("payout.paid", "payout.failed", "payout.canceled")
def partner_payout_moved(event: StripeEvent) -> None:
    """A payout from a partner's account to its bank; the platform's own are reconciliation's."""
    if not event.account:
        return
    found = gateway().retrieve("payouts", event.object_id, account=event.account)
    partner_was_paid(event.account, found)


@on_event("transfer.reversed")
def transfer_reversed(event: StripeEvent) -> None:
    """A part of a transfer was taken back, by us or in Stripe's dashboard."""
    transfer = gateway().retrieve("transfers", event.object_id)
    reversals = list(gateway().pages("transfers.reversals", parent=event.object_id))
    reversals.reverse()
    if not transfer_changed(transfer, reversals):
        raise DeferEvent("the payout of this transfer is not written down yet")
