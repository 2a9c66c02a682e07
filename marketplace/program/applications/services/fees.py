"""The application fee: whether one is due, and what a payment of it unlocks."""

from datetime import datetime

from sqlalchemy import select

from billing.models import FeeKind, FeeRule, Order, OrderKind, OrderLine, OrderState
from billing.partner_facts import partner_facts
from billing.program_fees import fees_of_partner
from marketplace.core import clock
from marketplace.core.database import db
from marketplace.core.locks import lock_row
from marketplace.identity.models import Organization, OrganizationKind
from marketplace.program.applications.models import Application, ApplicationState


def fee_due(organization_id: int | None) -> tuple[int, str] | None:
    """The application fee of a partner by the fee schedule in force: minor units without tax and a
    currency. None when there is none, or nobody here who could pay it yet."""
    if organization_id is None:
        return None
    organization = db.session.get(Organization, organization_id)
    if organization is None or organization.kind is not OrganizationKind.PARTNER:
        return None
    facts = partner_facts([organization_id])[organization_id]
    fees = fees_of_partner(facts, clock.now())
    amounts = next((each.amounts for each in fees if each.kind is FeeKind.APPLICATION), {})
    if not amounts:
        return None
    currency = "EUR" if "EUR" in amounts else min(amounts)
    return amounts[currency], currency


def is_application_fee(order: Order) -> bool:
    """Whether an order pays an application fee."""
    if order.kind is not OrderKind.PROGRAM_FEE:
        return False
    rules = [each.fee_rule_id for each in order.lines if each.fee_rule_id is not None]
    kinds = db.session.scalars(select(FeeRule.kind).where(FeeRule.id.in_(rules)))
    return FeeKind.APPLICATION in set(kinds)


def unused_payment(organization_id: int, since: datetime) -> Order | None:
    """An application fee that the organization paid since then and that no application has used."""
    return db.session.scalar(
        select(Order)
        .join(OrderLine, OrderLine.order_id == Order.id)
        .join(FeeRule, FeeRule.id == OrderLine.fee_rule_id)
        .where(
            Order.organization_id == organization_id,
            Order.kind == OrderKind.PROGRAM_FEE,
            Order.state == OrderState.PAID,
            Order.paid_at >= since,
            FeeRule.kind == FeeKind.APPLICATION,
            Order.id.not_in(
                select(Application.fee_order_id).where(Application.fee_order_id.is_not(None))
            ),
        )
        .order_by(Order.id)
        .limit(1)
    )


def waiting_for_fee(organization_id: int) -> Application | None:
    """The organization's application that has waited longest for its fee, locked."""
    found = db.session.scalar(
        select(Application.id)
        .where(
            Application.organization_id == organization_id,
            Application.state == ApplicationState.FEE_DUE,
        )
        .order_by(Application.id)
        .limit(1)
    )
    if found is None:
        return None
    locked = lock_row(Application, Application.id == found)
    return locked if locked and locked.state is ApplicationState.FEE_DUE else None
