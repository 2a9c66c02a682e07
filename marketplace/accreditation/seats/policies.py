"""Who gives seats, and who has one."""

from typing import Any

from marketplace.accreditation.acting import MANAGERS, acts_for_partner
from marketplace.accreditation.seats.models import Seat
from marketplace.accreditation.seats.queries import School
from marketplace.core.permissions import Actor, rule


@rule("seats.use")
def may_use(actor: Actor, _resource: object = None) -> bool:
    """Owners and admins of a partner."""
    return acts_for_partner(actor, MANAGERS)


@rule("seat.remove")
def may_remove(actor: Actor, seat: Any) -> bool:
    """The same, of the school whose seat it is."""
    return (
        acts_for_partner(actor, MANAGERS)
        and isinstance(seat, Seat)
        and seat.organization_id == actor.organization_id
    )


@rule("seats.see_own")
def may_see_own(actor: Actor, _resource: object = None) -> bool:
    """Whoever is signed in sees their own seats."""
    return actor.is_authenticated


@rule("seat.take")
def may_take(actor: Actor, school: Any) -> bool:
    """Whoever has a confirmed address at the school (found by it)."""
    return actor.is_authenticated and isinstance(school, School)


@rule("seat.give_back")
def may_give_back(actor: Actor, seat: Any) -> bool:
    """The person whose seat it is."""
    return isinstance(seat, Seat) and seat.user_id == actor.user_id
