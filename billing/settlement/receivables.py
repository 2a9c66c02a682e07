"""What partners owe: netted against what becomes payable to them, or written off by two people."""

from collections.abc import Iterable
from typing import Any

from sqlalchemy import func, select, tuple_

from billing.accounts import BAD_DEBT, PARTNER_PAYABLE, PARTNER_RECEIVABLE
from billing.ledger import credit, debit, lock_partners, post
from billing.models.ledger import LedgerAccount, LedgerEntry, LedgerTransaction
from billing.models.payout import WriteOff
from billing.payouts.payable import as_credit
from billing.settlement.balances import free_payables, free_receivables
from billing.settlement.parts import SettlementError
from marketplace.core import clock
from marketplace.core.database import db
from marketplace.core.facts import record_fact
from marketplace.core.locks import lock_row
from marketplace.core.pagination import Page

Partner = tuple[int, str]
NOBODY: Partner = (0, "")
BATCH = 500


def net_partner(owner: int, currency: str) -> int:
    """Net what is payable to a partner against what it owes; the amount, in minor units.

    Negative: more was taken from what is payable than there was, so it is owed now. Hold the
    partner's lock. What a payout pays or a transfer reversal is about to bring back is left.
    """
    payable = free_payables([owner], currency)[owner]
    if payable >= 0:
        owed = free_receivables([owner], currency)[owner]
        amount = max(0, min(payable, owed))
    else:
        amount = payable
    if amount == 0:
        return 0
    source = f"{owner}:{currency}"
    number = db.session.scalar(
        select(func.count()).where(
            LedgerTransaction.source_type == "netting", LedgerTransaction.source_id == source
        )
    )
    post(
        "netting",
        source=("netting", source),
        key=f"netting:{source}:{int(number or 0) + 1}",
        legs=[
            debit(PARTNER_PAYABLE, amount, currency, owner),
            credit(PARTNER_RECEIVABLE, amount, currency, owner),
        ],
        memo="Owed by the partner, taken from what is payable",
    )
    return amount


def debtors(after: Partner = NOBODY, limit: int = BATCH) -> list[Partner]:
    """The next partners, with the currency, that have something in partner_receivable."""
    return [
        (owner, currency)
        for owner, currency in db.session.execute(
            select(LedgerAccount.owner, LedgerAccount.currency)
            .join(LedgerEntry, LedgerEntry.account_id == LedgerAccount.id)
            .where(
                LedgerAccount.code == PARTNER_RECEIVABLE,
                tuple_(LedgerAccount.owner, LedgerAccount.currency) > after,
            )
            .group_by(LedgerAccount.owner, LedgerAccount.currency)
            .having(func.sum(as_credit()) != 0)
            .order_by(LedgerAccount.owner, LedgerAccount.currency)
            .limit(limit)
        )
    ]


def net_debtors(after: Partner = NOBODY, limit: int = BATCH) -> tuple[int, Partner | None]:
    """Net the next `limit` partners that owe something: how many changed, and after whom to go on
    (None at the end). One transaction, locks of all of them in it."""
    found = debtors(after, limit)
    lock_partners(found)
    return net_some(found), found[-1] if len(found) == limit else None


def net_some(partners: Iterable[Partner]) -> int:
    """Net those of these partners that owe something; how many. Hold their locks."""
    by_currency: dict[str, set[int]] = {}
    for owner, currency in partners:
        by_currency.setdefault(currency, set()).add(owner)
    changed = 0
    for currency, owners in sorted(by_currency.items()):
        owed = free_receivables(owners, currency)
        payable = free_payables(owners, currency)
        for owner in sorted(owners):
            if payable[owner] < 0 or (payable[owner] and owed[owner] > 0):
                changed += net_partner(owner, currency) != 0
    return changed


def page_of_debtors(page: int, per_page: int) -> Page[tuple[int, str, int]]:
    """Who owes something, as (partner, currency, amount), by currency, the most first."""
    owing = _owing()
    total = db.session.scalar(select(func.count()).select_from(owing)) or 0
    page = max(1, min(page, -(-total // per_page)))
    rows = db.session.execute(
        select(owing.c.owner, owing.c.currency, owing.c.amount)
        .order_by(owing.c.currency, owing.c.amount.desc(), owing.c.owner)
        .limit(per_page)
        .offset((page - 1) * per_page)
    )
    items = [(owner, currency, int(amount)) for owner, currency, amount in rows]
    return Page(items=items, total=total, page=page, per_page=per_page)


def owed_in_all() -> tuple[int, list[tuple[int, str]]]:
    """How many partners owe something, and the sums as (amount, currency)."""
    owing = _owing()
    partners = db.session.scalar(select(func.count(owing.c.owner.distinct()))) or 0
    rows = db.session.execute(
        select(func.sum(owing.c.amount), owing.c.currency)
        .group_by(owing.c.currency)
        .order_by(owing.c.currency)
    )
    return partners, [(int(amount), currency) for amount, currency in rows]


def _owing() -> Any:
    """Partners with more than nothing in partner_receivable, in SQL."""
    amount = -func.sum(as_credit())
    return (
        select(LedgerAccount.owner, LedgerAccount.currency, amount.label("amount"))
        .join(LedgerEntry, LedgerEntry.account_id == LedgerAccount.id)
        .where(LedgerAccount.code == PARTNER_RECEIVABLE)
        .group_by(LedgerAccount.owner, LedgerAccount.currency)
        .having(amount > 0)
        .subquery()
    )


def request_write_off(
    partner_id: int, currency: str, amount: int, reason: str, *, by_user_id: int
) -> WriteOff:
    """Ask that what a partner owes be given up; another person decides. Raises SettlementError."""
    if not reason.strip():
        raise SettlementError("Say why it is written off.")
    _refuse_more_than_owed(partner_id, currency, amount)
    row = WriteOff(
        partner_id=partner_id,
        currency=currency,
        amount=amount,
        reason=reason.strip()[:300],
        requested_by_id=by_user_id,
    )
    db.session.add(row)
    db.session.flush()
    record_fact(
        "write_off.requested",
        subject=("write_off", row.id),
        organization_id=partner_id,
        actor_user_id=by_user_id,
        data={"amount": amount, "currency": currency},
    )
    return row


def decide_write_off(write_off_id: int, *, approve: bool, by_user_id: int) -> WriteOff:
    """Approve or refuse a write-off, by somebody else than who asked. Raises SettlementError."""
    row = lock_row(WriteOff, WriteOff.id == write_off_id)
    if row is None:
        raise SettlementError("There is no such write-off.")
    if row.requested_by_id == by_user_id:
        raise SettlementError("Somebody else has to decide on it.")
    if row.decided_at is not None:
        raise SettlementError("It is decided already.")
    lock_partners([(row.partner_id, row.currency)])
    if approve:
        _refuse_more_than_owed(row.partner_id, row.currency, row.amount)
        post(
            "write_off",
            source=("write_off", row.id),
            key=f"write_off:{row.id}",
            legs=[
                debit(BAD_DEBT, row.amount, row.currency),
                credit(PARTNER_RECEIVABLE, row.amount, row.currency, row.partner_id),
            ],
            memo=row.reason,
        )
    row.is_approved, row.decided_by_id, row.decided_at = approve, by_user_id, clock.now()
    db.session.flush()
    record_fact(
        "write_off.approved" if approve else "write_off.refused",
        subject=("write_off", row.id),
        organization_id=row.partner_id,
        actor_user_id=by_user_id,
        data={"amount": row.amount, "currency": row.currency},
    )
    return row


def _refuse_more_than_owed(partner_id: int, currency: str, amount: int) -> None:
    owed = free_receivables([partner_id], currency)[partner_id]
    if not 0 < amount <= owed:
        raise SettlementError("A write-off is more than nothing and at most what is owed.")
