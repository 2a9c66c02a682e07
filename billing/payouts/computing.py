"""Computing a run: who would be paid what, by a few statements over everything at once.

Nothing of the ledger moves. What a computed run pays is reserved for it: no other run can take
the same entries until it is approved or aborted.
"""

from collections.abc import Sequence

from sqlalchemy import (
    ColumnElement,
    String,
    case,
    cast,
    delete,
    func,
    insert,
    literal,
    literal_column,
    select,
    update,
)

from billing.models import (
    LedgerAccount,
    LedgerEntry,
    Payout,
    PayoutItem,
    PayoutRun,
    PayoutState,
    RunState,
)
from billing.payouts.candidates import BATCH, Known, known_of
from billing.payouts.digest import digest_of
from billing.payouts.eligibility import Decision, decide
from billing.payouts.payable import as_credit, payable_entries
from billing.public_ids import new_public_id
from billing.settlement.receivables import net_debtors
from marketplace.core import clock
from marketplace.core.database import db
from marketplace.core.errors import ConflictError
from marketplace.core.facts import record_fact
from marketplace.core.jobs import Payload, enqueue, job_handler
from marketplace.core.once import insert_if_new

COMPUTE = "payouts.compute"
# Few partners owe anything.
ALL = 1_000_000
# A payout's id, its partner, currency, and the sum of its entries.
Row = tuple[int, int, str, int]


def start_run(by_user_id: int | None) -> PayoutRun:
    """Begin a run of everything that is payable now; it is empty until `compute`.

    `by_user_id` is null for a schedule. Raises ConflictError while another run waits for approval.
    """
    # What partners owe comes first. One call, so that all their locks are taken in one order.
    net_debtors(limit=ALL)
    run_id = insert_if_new(
        PayoutRun,
        public_id=new_public_id("run"),
        state=RunState.DRAFT,
        open_slot=1,
        cutoff_at=clock.now(),
        computed_by_id=by_user_id,
        approved_digest="",
        aborted_reason="",
        stalled_reason="",
        short={},
        totals={},
    )
    if run_id is None:
        raise ConflictError("Another run waits for approval. Approve or cancel it first.")
    run = db.session.get_one(PayoutRun, run_id)
    record_fact("payout_run.started", subject=("payout_run", run.id), actor_user_id=by_user_id)
    return run


def start_run_later(by_user_id: int | None) -> PayoutRun:
    """Begin a run and let a worker compute it. Raises ConflictError like `start_run`."""
    run = start_run(by_user_id)
    compute_later(run.id)
    return run


def compute_later(run_id: int) -> None:
    """Let a worker compute a draft."""
    enqueue(COMPUTE, {"run_id": run_id}, dedupe_key=f"{COMPUTE}:{run_id}")


@job_handler(COMPUTE)
def _compute_job(payload: Payload) -> None:
    compute(payload["run_id"])


def compute(run_id: int) -> PayoutRun:
    """Compute a draft: its payouts, what each pays, and who is held and why.

    Computing again what is computed changes nothing, and neither does a run that was aborted.
    """
    claimed = db.session.scalar(
        update(PayoutRun)
        .where(PayoutRun.id == run_id, PayoutRun.state == RunState.DRAFT)
        .values(state=RunState.COMPUTED, computed_at=clock.now())
        .returning(PayoutRun.id)
        .execution_options(synchronize_session=False)
    )
    run = db.session.get_one(PayoutRun, run_id, populate_existing=True)
    if claimed is None:
        return run
    _insert_payouts(run)
    _decide_all(run.id)
    _insert_items(run)
    _correct_sums(run.id)
    run.totals = totals_of(run.id)
    db.session.flush()
    record_fact(
        "payout_run.computed",
        subject=("payout_run", run.id),
        actor_user_id=run.computed_by_id,
        data={"totals": run.totals, "digest": digest_of(run.id)},
        idempotency_key=f"payout_run.computed:{run.id}",
    )
    return run


def _insert_payouts(run: PayoutRun) -> None:
    """A row for each partner and currency, to be paid unless it is decided otherwise: most are."""
    total = func.sum(as_credit())
    rows = (
        payable_entries(
            literal(run.id),
            _random_public_id(),
            LedgerAccount.owner,
            LedgerAccount.currency,
            total,
            case(
                (total > 0, literal(PayoutState.COMPUTED, Payout.state.type)),
                else_=literal(PayoutState.HELD, Payout.state.type),
            ),
            until=run.cutoff_at,
        )
        .group_by(LedgerAccount.owner, LedgerAccount.currency)
        .having(total != 0)
        # Payouts are paid in the order of their ids: by partner, not as a query plan found them.
        .order_by(LedgerAccount.owner, LedgerAccount.currency)
    )
    db.session.execute(
        insert(Payout).from_select(
            ["run_id", "public_id", "partner_id", "currency", "amount", "state"], rows
        )
    )


def _random_public_id() -> ColumnElement[str]:
    """Like new_public_id("pout"), made by the database for each row."""
    if db.session.get_bind().dialect.name == "sqlite":
        random: ColumnElement[str] = func.lower(func.hex(func.randomblob(12)))
    else:
        # 122 random bits of a version 4 UUID, its first 24 hex digits.
        uuid = cast(func.gen_random_uuid(), String)
        random = func.left(func.replace(uuid, "-", ""), 24)
    return literal_column("'pout_'").op("||")(random)


def _decide_all(run_id: int) -> None:
    """Decide about every row in batches: bounded memory, three statements for each 1,000."""
    after = 0
    while True:
        rows = db.session.execute(
            select(Payout.id, Payout.partner_id, Payout.currency, Payout.amount)
            .where(Payout.run_id == run_id, Payout.id > after)
            .order_by(Payout.id)
            .limit(BATCH)
        ).all()
        if not rows:
            return
        known = known_of(sorted({partner_id for _, partner_id, _, _ in rows}))
        _write_decisions(_decisions(rows, known))
        after = rows[-1][0]


def _decisions(rows: Sequence[Row], known: Known) -> list[tuple[int, Decision]]:
    return [
        (payout_id, decide(known.candidate(partner_id, currency, amount)))
        for payout_id, partner_id, currency, amount in rows
    ]


def _write_decisions(decided: list[tuple[int, Decision]]) -> None:
    """Most rows are paid whole, as they were inserted, and many are held for one of few reasons: a
    statement for each such group, not for each row."""
    groups: dict[tuple[str, int, int], list[int]] = {}
    for payout_id, decision in decided:
        if decision.pays and not decision.carried:
            continue
        # What carries something has an amount of its own to be written.
        exact = decision.amount if decision.carried else 0
        groups.setdefault((decision.reason, decision.carried, exact), []).append(payout_id)
    for (reason, carried, exact), ids in groups.items():
        values: dict[str, object] = (
            {"carried": carried, "amount": exact}
            if carried
            else {"reason": reason, "state": PayoutState.HELD}
        )
        db.session.execute(
            update(Payout)
            .where(Payout.id.in_(ids))
            .values(**values)
            .execution_options(synchronize_session=False)
        )


def _insert_items(run: PayoutRun) -> None:
    """What each payout pays. An entry that another run took meanwhile breaks the unique index."""
    rows = payable_entries(
        Payout.id, LedgerEntry.id, as_credit(), literal(True), until=run.cutoff_at
    ).join(
        Payout,
        (Payout.partner_id == LedgerAccount.owner)
        & (Payout.currency == LedgerAccount.currency)
        & (Payout.run_id == run.id)
        & (Payout.state == PayoutState.COMPUTED),
    )
    if db.session.get_bind().dialect.name == "postgresql":
        # Sorted means read whole before the first is written. Otherwise the look for live items
        # goes through what this very statement has written so far, again for each row.
        rows = rows.order_by(LedgerEntry.id)
    db.session.execute(
        insert(PayoutItem).from_select(["payout_id", "entry_id", "amount", "is_live"], rows)
    )


def _correct_sums(run_id: int) -> None:
    """Decide again where an entry came between the statements: the items are what counts."""
    total = func.coalesce(func.sum(PayoutItem.amount), 0)
    rows = db.session.execute(
        select(Payout.id, Payout.partner_id, Payout.currency, total)
        .outerjoin(PayoutItem, PayoutItem.payout_id == Payout.id)
        .where(Payout.run_id == run_id, Payout.state == PayoutState.COMPUTED)
        .group_by(Payout.id, Payout.partner_id, Payout.currency)
        .having(total != Payout.amount + Payout.carried)
    ).all()
    for start in range(0, len(rows), BATCH):
        part = rows[start : start + BATCH]
        known = known_of(sorted({partner_id for _, partner_id, _, _ in part}))
        for payout_id, decision in _decisions(part, known):
            db.session.execute(
                update(Payout)
                .where(Payout.id == payout_id)
                .values(
                    amount=decision.amount,
                    carried=decision.carried,
                    reason=decision.reason,
                    state=PayoutState.COMPUTED if decision.pays else PayoutState.HELD,
                )
                .execution_options(synchronize_session=False)
            )
            if not decision.pays:
                db.session.execute(delete(PayoutItem).where(PayoutItem.payout_id == payout_id))


def totals_of(run_id: int) -> dict[str, dict[str, int]]:
    """By currency: how many payouts of how much, and how many are held."""
    rows = db.session.execute(
        select(Payout.currency, Payout.state, func.count(), func.sum(Payout.amount))
        .where(Payout.run_id == run_id)
        .group_by(Payout.currency, Payout.state)
        .order_by(Payout.currency)
    )
    found: dict[str, dict[str, int]] = {}
    for currency, state, count, amount in rows:
        of = found.setdefault(currency, {"payouts": 0, "amount": 0, "held": 0, "held_amount": 0})
        names = ("held", "held_amount") if state is PayoutState.HELD else ("payouts", "amount")
        of[names[0]] += count
        of[names[1]] += int(amount)
    return found
