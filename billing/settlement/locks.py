"""Who decides on an order's money holds its row; then the partners, all at once.

Everybody takes the locks in this order, so that nobody waits for each other.
"""

from sqlalchemy import select, update

from billing.models.order import Order
from billing.settlement.parts import SettlementError
from marketplace.core.database import db


def lock_order(order_id: int) -> Order:
    """The order, read anew, which nobody else may settle until this transaction ends.

    An update rather than FOR UPDATE: on SQLite it takes the one write lock. Raises
    SettlementError when there is none.
    """
    db.session.flush()
    db.session.execute(
        update(Order)
        .where(Order.id == order_id)
        .values(refunded_total=Order.refunded_total)
        .execution_options(synchronize_session=False)
    )
    order = db.session.scalar(
        select(Order).where(Order.id == order_id).execution_options(populate_existing=True)
    )
    if order is None:
        raise SettlementError(f"There is no order {order_id}.")
    return order
