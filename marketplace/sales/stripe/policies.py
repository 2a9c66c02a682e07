"""Who of the staff looks after what is stuck at Stripe."""

from marketplace.core.permissions import Actor, rule


@rule("stripe.watch")
def may_watch_stripe(actor: Actor, _resource: object = None) -> bool:
    """Events and operations: finance."""
    return actor.is_staff_as("finance")


@rule("stripe_event.retry")
def may_retry_event(actor: Actor, _event: object) -> bool:
    """Finance; handling an event twice changes nothing."""
    return actor.is_staff_as("finance")


@rule("stripe_event.set_aside")
def may_set_event_aside(actor: Actor, _event: object) -> bool:
    """Saying that nothing is to be done about an event: finance."""
    return actor.is_staff_as("finance")


@rule("stripe_operation.settle")
def may_settle_operation(actor: Actor, _operation: object) -> bool:
    """Saying what became of an unknown operation: finance."""
    return actor.is_staff_as("finance")
