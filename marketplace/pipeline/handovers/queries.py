"""Reading client workspaces."""

from sqlalchemy import Select, func, select
from sqlalchemy.orm import joinedload

from billing.models import Earning, EarningKind, Order
from marketplace.core.database import db
from marketplace.installs.models import Installation
from marketplace.pipeline.handovers.models import ClientWorkspace


def find(workspace_id: str) -> ClientWorkspace | None:
    """The workspace of that public id."""
    return db.session.scalar(
        select(ClientWorkspace)
        .where(ClientWorkspace.public_id == workspace_id)
        .options(joinedload(ClientWorkspace.customer))
    )


def workspaces_of(partner_id: int) -> Select[ClientWorkspace]:
    """An agency's workspaces, newest first."""
    return (
        select(ClientWorkspace)
        .where(ClientWorkspace.partner_id == partner_id)
        .options(joinedload(ClientWorkspace.customer))
        .order_by(ClientWorkspace.id.desc())
    )


def installed(customer_id: int) -> int:
    """How many apps a workspace has."""
    return (
        db.session.scalar(
            select(func.count())
            .select_from(Installation)
            .where(Installation.organization_id == customer_id)
        )
        or 0
    )


def earned(workspace: ClientWorkspace) -> list[tuple[str, int]]:
    """What the agency earned by the workspace since, less what went back, by currency."""
    if workspace.handed_over_at is None:
        return []
    rows = db.session.execute(
        select(Earning.currency, func.sum(Earning.amount - Earning.reversed_amount))
        .join(Order, Order.id == Earning.order_id)
        .where(
            Order.organization_id == workspace.customer_id,
            Earning.partner_id == workspace.partner_id,
            Earning.kind == EarningKind.AFFILIATE_COMMISSION,
            Earning.created_at >= workspace.handed_over_at,
        )
        .group_by(Earning.currency)
        .order_by(Earning.currency)
    )
    return [(currency, int(amount)) for currency, amount in rows]
