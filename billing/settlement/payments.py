"""Which order a payment at Stripe paid."""

from sqlalchemy import select

from billing.models.order import Order
from marketplace.core.database import db


def order_of_payment(charge: object, payment_intent: object) -> int | None:
    """The id of the order that a charge or a payment intent (an id, or expanded) paid."""
    for column, value in ((Order.charge_id, charge), (Order.payment_intent_id, payment_intent)):
        name = value.get("id") if isinstance(value, dict) else value
        if name:
            order_id = db.session.scalar(
                select(Order.id).where(column == str(name)).order_by(Order.id).limit(1)
            )
            if order_id is not None:
                return int(order_id)
    return None
