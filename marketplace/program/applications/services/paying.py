"""What a paid application fee unlocks; wiring.py connects it to billing's orders."""

from billing.models import Order
from marketplace.core.database import db
from marketplace.core.facts import record_fact
from marketplace.program.applications.mails import tell_fee_paid
from marketplace.program.applications.models import EntryKind
from marketplace.program.applications.services.fees import is_application_fee, waiting_for_fee
from marketplace.program.applications.services.opening import enter_queue, write_entry


def application_fee_paid(order: Order) -> None:
    """Let the application that waits for this fee into the queue. Flushes.

    A fee that nothing waits for counts for the next application. Called again for the same order
    it changes nothing: an order pays one application.
    """
    if not is_application_fee(order):
        return
    application = waiting_for_fee(order.organization_id)
    if application is None:
        return
    application.fee_order_id = order.id
    write_entry(application, EntryKind.FEE_PAID, by_user_id=order.placed_by_id)
    enter_queue(application)
    record_fact(
        "application.fee_paid",
        subject=("application", application.id),
        organization_id=application.organization_id,
        data={"order": order.id},
        idempotency_key=f"application.fee_paid:{order.id}",
    )
    db.session.flush()
    tell_fee_paid(application)
