"""post(): the one way into the ledger. Balanced, append-only, idempotent.

A transaction is named by its key: posting it again gives the one that is there, and refuses when
what is asked for is something else. Entries never change; a mistake is reversed by another
transaction.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, cast

from sqlalchemy import Table, bindparam, case, func, insert, select, tuple_, update
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlalchemy.orm import make_transient_to_detached

from billing.accounts import CHART
from billing.models.ledger import (
    PLATFORM,
    LedgerAccount,
    LedgerEntry,
    LedgerTransaction,
    Period,
    PeriodState,
    Side,
)
from billing.money import CURRENCIES
from marketplace.core import clock
from marketplace.core.database import db
from marketplace.core.once import insert_if_new

# Made once: posting is what everything else does, and making a statement costs as much as
# running it.
_TXN, _ENTRY, _ACCOUNT, _PERIOD = (
    cast(Table, model.__table__)
    for model in (LedgerTransaction, LedgerEntry, LedgerAccount, Period)
)
_INSERT_TRANSACTIONS = {
    name: make(_TXN).on_conflict_do_nothing().returning(_TXN.c.idem_key, _TXN.c.id)
    for name, make in (("postgresql", postgresql_insert), ("sqlite", sqlite_insert))
}
_INSERT_ENTRIES = insert(_ENTRY)
_SELECT_ACCOUNTS = select(
    _ACCOUNT.c.code, _ACCOUNT.c.owner, _ACCOUNT.c.currency, _ACCOUNT.c.id
).where(
    tuple_(_ACCOUNT.c.code, _ACCOUNT.c.owner, _ACCOUNT.c.currency).in_(
        bindparam("keys", expanding=True)
    )
)
# Shared, so that the month cannot be closed before what is posted in it is committed.
_SELECT_PERIOD = (
    select(_PERIOD.c.id, _PERIOD.c.state)
    .where(_PERIOD.c.code == bindparam("code"))
    .with_for_update(read=True)
)

Source = tuple[str, object]
AccountKey = tuple[str, int, str]


class LedgerError(Exception):
    """What was to be posted is no transaction."""


class UnbalancedError(LedgerError):
    """The legs do not sum to zero in each currency."""


class LedgerConflictError(LedgerError):
    """The key is taken by a transaction that says something else."""


@dataclass(frozen=True)
class Leg:
    """One side of a transaction to be posted. `owner` is an organization's id or PLATFORM."""

    code: str
    side: Side
    amount: int
    currency: str
    owner: int = PLATFORM
    earning_id: int | None = None

    @property
    def account(self) -> AccountKey:
        return (self.code, self.owner, self.currency)


@dataclass(frozen=True)
class Posting:
    """A transaction to be posted. `key` is unique for ever, like `order:12:paid`."""

    kind: str
    source: Source
    key: str
    legs: Sequence[Leg]
    effective_at: datetime | None = None
    order_id: int | None = None
    memo: str = ""
    reverses_id: int | None = None


def debit(
    code: str, amount: int, currency: str, owner: int = PLATFORM, earning_id: int | None = None
) -> Leg:
    """A debit; a negative amount is a credit, zero is left out by post()."""
    side = Side.DEBIT if amount >= 0 else Side.CREDIT
    return Leg(code, side, abs(amount), currency, owner, earning_id)


def credit(
    code: str, amount: int, currency: str, owner: int = PLATFORM, earning_id: int | None = None
) -> Leg:
    """A credit; a negative amount is a debit, zero is left out by post()."""
    return debit(code, -amount, currency, owner, earning_id)


def post(
    kind: str,
    *,
    source: Source,
    key: str,
    legs: Iterable[Leg],
    effective_at: datetime | None = None,
    order_id: int | None = None,
    memo: str = "",
    reverses_id: int | None = None,
) -> LedgerTransaction | None:
    """Post one transaction and give it; the one that is there when its key was posted before.

    None when every leg is zero: nothing happened. `effective_at` is when it happened (now by
    default); when its month is closed, it counts in the first open one.

    Raises UnbalancedError, LedgerConflictError, LedgerError.
    """
    posting = Posting(kind, source, key, tuple(legs), effective_at, order_id, memo, reverses_id)
    told = _told(posting)
    if not told:
        return None
    rows, ids = _post({key: (posting, told)})
    if not rows:
        return db.session.get_one(LedgerTransaction, ids[key])
    # It is in the database as it stands here: nothing to read again.
    txn = LedgerTransaction(**rows[0], id=ids[key])
    make_transient_to_detached(txn)
    db.session.add(txn)
    return txn


def post_all(postings: Sequence[Posting]) -> int:
    """Post many transactions with a few statements for all; how many were new.

    Each is idempotent by itself, also against another worker that posts it at the same moment:
    this one then waits for it. The keys of one call must differ.
    """
    if len({posting.key for posting in postings}) != len(postings):
        raise LedgerError("a key is there twice in one call")
    told = {posting.key: (posting, legs) for posting in postings if (legs := _told(posting))}
    return len(_post(told)[0]) if told else 0


def _post(
    told: Mapping[str, tuple[Posting, tuple[Leg, ...]]],
) -> tuple[list[dict[str, Any]], dict[str, int]]:
    """Write what is new of these transactions: the rows written, and the ids of all by key."""
    accounts = _accounts({leg.account for _, legs in told.values() for leg in legs})
    now = clock.now()
    periods = _periods({(posting.effective_at or now) for posting, _ in told.values()})
    rows: list[dict[str, Any]] = [
        {
            "kind": posting.kind,
            "source_type": posting.source[0],
            "source_id": str(posting.source[1]),
            "idem_key": key,
            "order_id": posting.order_id,
            "memo": posting.memo,
            "effective_at": posting.effective_at or now,
            "posted_at": now,
            "period_id": periods[_month(posting.effective_at or now)],
            "reverses_id": posting.reverses_id,
        }
        for key, (posting, _) in told.items()
    ]
    # Written first and looked for afterwards: what is posted again is rare, and a unique key
    # decides between two workers anyway.
    written = _write_transactions(rows)
    there = _those_there([key for key in told if key not in written], told)
    entries = [
        {
            "txn_id": written[key],
            "account_id": accounts[leg.account],
            "side": leg.side,
            "amount": leg.amount,
            "currency": leg.currency,
            "earning_id": leg.earning_id,
        }
        for key, (_, legs) in told.items()
        if key in written
        for leg in legs
    ]
    if entries:
        db.session.execute(_INSERT_ENTRIES, entries)
    return [row for row in rows if row["idem_key"] in written], written | there


def reverse(txn: LedgerTransaction, *, key: str, memo: str = "") -> LedgerTransaction | None:
    """Post the opposite of `txn`, which can be reversed once. Raises LedgerConflictError."""
    legs = [
        Leg(
            entry.account.code,
            Side.CREDIT if entry.side is Side.DEBIT else Side.DEBIT,
            entry.amount,
            entry.currency,
            entry.account.owner,
            entry.earning_id,
        )
        for entry in txn.entries
    ]
    return post(
        f"{txn.kind}_reversal",
        source=(txn.source_type, txn.source_id),
        key=key,
        legs=legs,
        order_id=txn.order_id,
        memo=memo,
        reverses_id=txn.id,
    )


def balance(
    code: str, currency: str, owner: int = PLATFORM, *, until: datetime | None = None
) -> int:
    """The balance of one account on its normal side; of what was posted up to `until`."""
    return balances_of(code, currency, [owner], until=until)[owner]


def balances_of(
    code: str, currency: str, owners: Sequence[int], *, until: datetime | None = None
) -> dict[int, int]:
    """The balances of one account of each owner, on its normal side; 0 where there is none."""
    signed = case((LedgerEntry.side == Side.DEBIT, LedgerEntry.amount), else_=-LedgerEntry.amount)
    query = (
        select(LedgerAccount.owner, func.sum(signed))
        .join(LedgerEntry, LedgerEntry.account_id == LedgerAccount.id)
        .where(
            LedgerAccount.code == code,
            LedgerAccount.currency == currency,
            LedgerAccount.owner.in_(owners),
        )
        .group_by(LedgerAccount.owner)
    )
    if until is not None:
        query = query.join(LedgerTransaction).where(LedgerTransaction.posted_at <= until)
    sign = 1 if CHART[code].normal_side is Side.DEBIT else -1
    found = {owner: sign * int(total) for owner, total in db.session.execute(query)}
    return {owner: found.get(owner, 0) for owner in owners}


def lock_partner(owner: int, currency: str) -> None:
    """Let nobody else decide on this partner's balance until this transaction ends.

    Whoever reads a partner's balance in order to post by it takes this lock first.
    """
    lock_partners([(owner, currency)])


def lock_partners(partners: Iterable[tuple[int, str]]) -> None:
    """Lock several partners, each given with a currency, always in one call: the order of the
    locks is the same for everybody, so that two transactions never wait for each other."""
    keys = {("partner_payable", owner, currency) for owner, currency in partners}
    if not keys:
        return
    ids = sorted(_accounts(keys).values())
    if db.session.get_bind().dialect.name == "sqlite":
        # Any write takes the one write lock of the database.
        db.session.execute(
            update(LedgerAccount)
            .where(LedgerAccount.id == ids[0])
            .values(normal_side=LedgerAccount.normal_side)
            .execution_options(synchronize_session=False)
        )
        return
    for start in range(0, len(ids), 1_000):
        # FOR NO KEY UPDATE: entries may be written meanwhile, decisions wait.
        db.session.execute(
            select(LedgerAccount.id)
            .where(LedgerAccount.id.in_(ids[start : start + 1_000]))
            .order_by(LedgerAccount.id)
            .with_for_update(key_share=True)
        ).all()


def account_ids(keys: Iterable[AccountKey]) -> Mapping[AccountKey, int]:
    """The ids of accounts, made where they are missing. Raises LedgerError for no such account."""
    return _accounts(set(keys))


def _told(posting: Posting) -> tuple[Leg, ...]:
    """The legs that say something. Raises when they are no transaction."""
    legs = tuple(leg for leg in posting.legs if leg.amount != 0)
    sums: dict[str, int] = {}
    for leg in legs:
        if type(leg.amount) is not int:
            raise LedgerError(f"{leg.amount!r} is no amount of an entry")
        kind = CHART.get(leg.code)
        if kind is None or leg.currency not in CURRENCIES:
            raise LedgerError(f"no account {leg.code} in {leg.currency}")
        if leg.amount < 0:
            raise LedgerError(f"{leg.amount!r} is no amount of an entry")
        if kind.per_partner != (leg.owner != PLATFORM):
            raise LedgerError(f"{leg.code} is {'' if kind.per_partner else 'not '}a partner's")
        signed = leg.amount if leg.side is Side.DEBIT else -leg.amount
        sums[leg.currency] = sums.get(leg.currency, 0) + signed
    if any(sums.values()):
        raise UnbalancedError(f"{posting.key}: debits less credits are {sums}")
    return legs


def _write_transactions(rows: Sequence[dict[str, Any]]) -> dict[str, int]:
    """Insert what nobody inserted before; the new ids by their keys."""
    statement = _INSERT_TRANSACTIONS[db.session.get_bind().dialect.name]
    found = db.session.execute(statement, rows[0] if len(rows) == 1 else rows)
    return {key: int(txn_id) for key, txn_id in found.all()}


def _those_there(
    keys: Sequence[str], asked: Mapping[str, tuple[Posting, tuple[Leg, ...]]]
) -> dict[str, int]:
    """The ids of what was posted before, which must be what we meant to post."""
    found = _known(keys)
    for key in keys:
        if key not in found:
            raise LedgerConflictError(f"{key} reverses what is reversed already")
        _refuse_another(found[key], *asked[key])
    return found


def _known(keys: Sequence[str]) -> dict[str, int]:
    found: dict[str, int] = {}
    for start in range(0, len(keys), 500):
        found |= dict(
            db.session.execute(
                select(LedgerTransaction.idem_key, LedgerTransaction.id).where(
                    LedgerTransaction.idem_key.in_(keys[start : start + 500])
                )
            ).all()
        )
    return found


def _refuse_another(txn_id: int, posting: Posting, legs: Sequence[Leg]) -> None:
    """Raise LedgerConflictError unless the transaction that is there is this very one."""
    there = sorted(
        (code, owner, currency, side, amount, earning_id or 0)
        for code, owner, currency, side, amount, earning_id in db.session.execute(
            select(
                LedgerAccount.code,
                LedgerAccount.owner,
                LedgerAccount.currency,
                LedgerEntry.side,
                LedgerEntry.amount,
                LedgerEntry.earning_id,
            )
            .join(LedgerAccount, LedgerAccount.id == LedgerEntry.account_id)
            .where(LedgerEntry.txn_id == txn_id)
        )
    )
    asked = sorted((*leg.account, leg.side, leg.amount, leg.earning_id or 0) for leg in legs)
    if there != asked:
        raise LedgerConflictError(f"{posting.key} was posted before, with other entries")


def _accounts(keys: set[AccountKey]) -> dict[AccountKey, int]:
    """The ids of these accounts, made where they are missing."""
    found: dict[AccountKey, int] = {}
    ordered = sorted(keys)
    for start in range(0, len(ordered), 300):
        part = ordered[start : start + 300]
        found |= {
            (code, owner, currency): account_id
            for code, owner, currency, account_id in db.session.execute(
                _SELECT_ACCOUNTS, {"keys": part}
            )
        }
    for key in ordered:
        if key not in found:
            code, owner, currency = key
            if code not in CHART or currency not in CURRENCIES:
                raise LedgerError(f"no account {code} in {currency}")
            made = insert_if_new(
                LedgerAccount,
                code=code,
                owner=owner,
                currency=currency,
                normal_side=CHART[code].normal_side,
            )
            found[key] = made if made is not None else _accounts({key})[key]
    return found


def _month(at: datetime) -> str:
    # Whatever zone the moment is told in, its month is UTC's.
    at = at.astimezone(UTC)
    return f"{at.year:04d}-{at.month:02d}"


def _periods(moments: set[datetime]) -> dict[str, int]:
    """The open period of each month, or the first open one after it, locked against closing."""
    return {month: _open_period(month) for month in {_month(at) for at in moments}}


def _open_period(month: str) -> int:
    while True:
        row = db.session.execute(_SELECT_PERIOD, {"code": month}).one_or_none()
        if row is None:
            later = db.session.scalar(
                select(func.max(Period.code)).where(
                    Period.code > month, Period.state == PeriodState.CLOSED
                )
            )
            # A month that nobody ever posted in, before one that is closed, is closed with it.
            if later is None:
                insert_if_new(Period, code=month, state=PeriodState.OPEN, closing={})
                continue
            month = next_month(later)
        elif row.state is PeriodState.OPEN:
            return int(row.id)
        else:
            month = next_month(month)


def next_month(month: str) -> str:
    """The month after `month`, like 2027-01 after 2026-12."""
    year, number = int(month[:4]), int(month[5:])
    return f"{year + number // 12:04d}-{number % 12 + 1:02d}"
