"""Releasing what was held long enough: from partner_held to partner_payable."""

from datetime import timedelta

from sqlalchemy import ColumnElement, func, select

from billing.accounts import PARTNER_HELD, PARTNER_PAYABLE
from billing.ledger import Posting, credit, debit, lock_partners, post_all
from billing.models.earning import Earning, EarningState
from billing.models.ledger import LedgerTransaction
from billing.settlement.balances import held_of
from billing.settlement.receivables import NOBODY, Partner, net_debtors, net_some
from marketplace.core import clock
from marketplace.core.database import db
from marketplace.core.facts import record_fact
from marketplace.core.jobs import Payload, enqueue, job_handler, periodic

BATCH = 500
EVERY = timedelta(minutes=15)
RELEASE, RELEASE_MORE = "settlement.release", "settlement.release_more"
NET_MORE = "settlement.net_more"


def release_due(limit: int = BATCH) -> int:
    """Release up to `limit` earnings whose time has come and that nothing freezes; how many.

    What their partners owe is netted at once. One transaction, locks of all partners in it.
    """
    found = db.session.execute(
        select(Earning.id, Earning.partner_id, Earning.currency)
        .where(*_due())
        .order_by(Earning.release_at, Earning.id)
        .limit(limit)
    ).all()
    if not found:
        return 0
    partners = {(row.partner_id, row.currency) for row in found}
    lock_partners(partners)
    # Another worker, a refund or a freeze may have been faster: only what is due still.
    earnings = db.session.scalars(
        select(Earning)
        .where(Earning.id.in_([row.id for row in found]), *_due())
        .order_by(Earning.id)
        .execution_options(populate_existing=True)
    ).all()
    ids = [earning.id for earning in earnings]
    held, releases = held_of(ids), _releases_of(ids)
    post_all(
        [
            Posting(
                "release",
                ("earning", earning.id),
                _key(earning.id, releases.get(earning.id, 0)),
                [
                    debit(PARTNER_HELD, amount, earning.currency, earning.partner_id, earning.id),
                    credit(
                        PARTNER_PAYABLE, amount, earning.currency, earning.partner_id, earning.id
                    ),
                ],
                order_id=earning.order_id,
            )
            for earning in earnings
            if (amount := held[earning.id]) > 0
        ]
    )
    now = clock.now()
    for earning in earnings:
        earning.state = EarningState.PAYABLE if earning.net else EarningState.VOID
        earning.released_at = now
    db.session.flush()
    net_some(partners)
    if earnings:
        record_fact(
            "earnings.released",
            subject=("earning", ids[0]),
            data={"count": len(ids), "first": ids[0], "last": ids[-1]},
        )
    return len(earnings)


@periodic(RELEASE, every=EVERY)
def release(_payload: Payload) -> None:
    """Release a batch, another one after it when there is more, and net what partners owe."""
    _release_batch()
    _net_batch(NOBODY)


@job_handler(RELEASE_MORE)
def release_more(_payload: Payload) -> None:
    """The next batch."""
    _release_batch()


@job_handler(NET_MORE)
def net_more(payload: Payload) -> None:
    """The next batch of partners that owe something."""
    owner, currency = payload["after"]
    _net_batch((int(owner), str(currency)))


def _net_batch(after: Partner) -> None:
    _, last = net_debtors(after)
    if last is not None:
        enqueue(NET_MORE, {"after": list(last)}, dedupe_key=NET_MORE)


def _release_batch() -> None:
    if release_due(BATCH) == BATCH:
        enqueue(RELEASE_MORE, {}, dedupe_key=RELEASE_MORE)


def _due() -> tuple[ColumnElement[bool], ...]:
    return (
        Earning.state == EarningState.HELD,
        Earning.release_at <= clock.now(),
        Earning.frozen_at.is_(None),
    )


def _releases_of(earning_ids: list[int]) -> dict[int, int]:
    """How often each was released before: again after a freeze, or a refund that failed."""
    rows = db.session.execute(
        select(LedgerTransaction.source_id, func.count())
        .where(
            LedgerTransaction.source_type == "earning",
            LedgerTransaction.source_id.in_([str(each) for each in earning_ids]),
            LedgerTransaction.kind == "release",
        )
        .group_by(LedgerTransaction.source_id)
    )
    return {int(source): count for source, count in rows}


def _key(earning_id: int, before: int) -> str:
    return f"earning:{earning_id}:release" + (f":{before + 1}" if before else "")
