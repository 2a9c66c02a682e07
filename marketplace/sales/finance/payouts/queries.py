"""Reading runs and payouts. Lists cost a constant number of statements."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Select, func, or_, select
from sqlalchemy.orm import joinedload

from billing.models import (
    ConnectedAccount,
    LedgerAccount,
    LedgerTransaction,
    Payout,
    PayoutRun,
    PayoutState,
    StripeOperation,
    TransferReversal,
)
from billing.payouts.payable import as_credit, payable_entries
from marketplace.core.database import db
from marketplace.identity.models import Organization, OrganizationKind


@dataclass(frozen=True)
class PayableNow:
    """What could be in the next run, by currency; amounts in minor units."""

    currency: str
    partners: int
    amount: int
    connected: int


def runs() -> Select[Any]:
    """All runs, newest first."""
    return select(PayoutRun).order_by(PayoutRun.id.desc())


def find_run(payout_run_id: str) -> PayoutRun | None:
    """The run of that public id, as it is now."""
    return db.session.scalar(
        select(PayoutRun)
        .where(PayoutRun.public_id == payout_run_id)
        .execution_options(populate_existing=True)
    )


def find_payout(payout_id: str) -> Payout | None:
    """The payout of that public id, with its run."""
    return db.session.scalar(
        select(Payout)
        .where(Payout.public_id == payout_id)
        .options(joinedload(Payout.run))
        .execution_options(populate_existing=True)
    )


def find_partner(partner_id: int) -> Organization | None:
    """The partner organization of that id."""
    found = db.session.get(Organization, partner_id)
    return found if found is not None and found.kind is OrganizationKind.PARTNER else None


def payouts_of_run(run_id: int, *, states: Iterable[PayoutState] = (), text: str = "") -> Any:
    """(payout, partner's name) of a run, the largest first."""
    query = (
        select(Payout, Organization.name)
        .outerjoin(Organization, Organization.id == Payout.partner_id)
        .where(Payout.run_id == run_id)
        .order_by(Payout.amount.desc(), Payout.id)
    )
    wanted = list(states)
    if wanted:
        query = query.where(Payout.state.in_(wanted))
    if text:
        sought = text.lower().replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
        query = query.where(
            or_(
                func.lower(Organization.name).like(f"%{sought}%", escape="\\"),
                Payout.transfer_id == text,
                Payout.public_id == text,
            )
        )
    return query


def counts_by_state(run_id: int) -> dict[PayoutState, int]:
    """How many payouts of a run are in each state."""
    rows = db.session.execute(
        select(Payout.state, func.count()).where(Payout.run_id == run_id).group_by(Payout.state)
    )
    return {state: count for state, count in rows}  # noqa: C416 - dict() of rows has no types


def held_reasons(run_id: int, limit: int = 12) -> list[tuple[str, str, int, int]]:
    """(reason, currency, how many, how much) of what a run holds, the most first."""
    rows = db.session.execute(
        select(Payout.reason, Payout.currency, func.count(), func.sum(Payout.amount))
        .where(Payout.run_id == run_id, Payout.state == PayoutState.HELD)
        .group_by(Payout.reason, Payout.currency)
        .order_by(func.count().desc(), Payout.reason)
        .limit(limit)
    )
    return [(reason, currency, count, int(amount)) for reason, currency, count, amount in rows]


def payable_now() -> list[PayableNow]:
    """What is payable and in no run, by currency."""
    total = func.sum(as_credit())
    by_partner = (
        payable_entries(LedgerAccount.owner, LedgerAccount.currency, total.label("amount"))
        .group_by(LedgerAccount.owner, LedgerAccount.currency)
        .having(total > 0)
        .subquery()
    )
    rows = db.session.execute(
        select(
            by_partner.c.currency,
            func.count(),
            func.sum(by_partner.c.amount),
            func.count(ConnectedAccount.id),
        )
        .outerjoin(
            ConnectedAccount,
            (ConnectedAccount.organization_id == by_partner.c.owner)
            & ConnectedAccount.disconnected_at.is_(None),
        )
        .group_by(by_partner.c.currency)
        .order_by(by_partner.c.currency)
    )
    return [
        PayableNow(currency, count, int(amount), connected)
        for currency, count, amount, connected in rows
    ]


def operations_of(payout: Payout) -> list[StripeOperation]:
    """What was asked of Stripe for a payout, each attempt, oldest first."""
    return list(
        db.session.scalars(
            select(StripeOperation)
            .where(StripeOperation.idem_key.like(f"payout:{payout.id}:a%"))
            .order_by(StripeOperation.id)
        )
    )


def transactions_of(payout: Payout) -> list[LedgerTransaction]:
    """What the ledger says of a payout, oldest first."""
    return list(
        db.session.scalars(
            select(LedgerTransaction)
            .where(
                LedgerTransaction.source_type == "payout",
                LedgerTransaction.source_id == str(payout.id),
            )
            .order_by(LedgerTransaction.id)
        )
    )


def reversals_of(payout: Payout) -> list[TransferReversal]:
    """What was taken back of its transfer, oldest first."""
    return list(
        db.session.scalars(
            select(TransferReversal)
            .where(TransferReversal.payout_id == payout.id)
            .order_by(TransferReversal.id)
        )
    )


def partners_by_name(text: str) -> Select[Any]:
    """Partner organizations, by name."""
    query = (
        select(Organization)
        .where(Organization.kind == OrganizationKind.PARTNER)
        .order_by(Organization.name, Organization.id)
    )
    if text:
        sought = text.lower().replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
        query = query.where(func.lower(Organization.name).like(f"%{sought}%", escape="\\"))
    return query
