"""What ties an affiliate to a customer. Who belongs where is looked up by wiring.py."""

from collections.abc import Callable
from dataclasses import replace

from sqlalchemy import select
from sqlalchemy.orm import aliased

from billing.affiliate import Relation
from billing.models.order import Order, OrderState
from marketplace.core.database import db

# The affiliate's organization and the customer's, both by id.
Answer = Callable[[int, int], Relation]
_answer: list[Answer] = []


def look_up_relations_with(answer: Answer) -> None:
    """Ask `answer` from now on."""
    _answer[:] = [answer]


def relation_between(
    affiliate_organization_id: int, customer_id: int, *, publisher_id: int | None = None
) -> Relation:
    """All that is known of the two; `publisher_id` is whose listing is sold."""
    if affiliate_organization_id == customer_id:
        return Relation(same_organization=True)
    found = _answer[0](affiliate_organization_id, customer_id) if _answer else Relation()
    return replace(
        found,
        is_publisher=publisher_id == affiliate_organization_id,
        same_card=have_paid_with_same_card(affiliate_organization_id, customer_id),
    )


def have_paid_with_same_card(one_id: int, other_id: int) -> bool:
    """Whether both organizations have a paid order with the same card (by its fingerprint)."""
    one, other = aliased(Order), aliased(Order)
    return (
        db.session.scalar(
            select(one.id)
            .join(other, other.card_fingerprint == one.card_fingerprint)
            .where(
                one.organization_id == one_id,
                other.organization_id == other_id,
                one.state == OrderState.PAID,
                other.state == OrderState.PAID,
            )
            .limit(1)
        )
        is not None
    )
