"""Closing quotes whose day has passed, and telling resellers of paid ones."""

from datetime import timedelta

from billing.models import Order, ResaleQuote
from billing.resale.quotes import expire_quotes
from marketplace.core.database import db
from marketplace.core.jobs import Payload, periodic
from marketplace.sales.resale.mails import tell_quote_answered


@periodic("resale.expire_quotes", every=timedelta(hours=1))
def expire(_payload: Payload) -> None:
    """Close sent quotes that have expired."""
    expire_quotes()


def quote_paid(order: Order) -> None:
    """Tell the reseller that its quote was paid; a listener of paid orders."""
    if order.resale_quote_id is not None:
        tell_quote_answered(db.session.get_one(ResaleQuote, order.resale_quote_id))
