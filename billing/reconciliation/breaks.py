"""Breaks: one row for each difference, the same row while it lasts, with an owner and an end.

A run marks what it found; what it did not find is gone and resolves itself. A person takes a
break, explains why it may stay, or books the difference. An explanation is of one amount: when
the amount changes, the break is open again.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from sqlalchemy import func, or_, select, update
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert

from billing.models import BreakState, ReconciliationBreak
from billing.reconciliation.findings import Finding
from marketplace.core import clock
from marketplace.core.database import db
from marketplace.core.errors import ConflictError, InvalidError
from marketplace.core.facts import record_fact
from marketplace.core.locks import lock_row
from marketplace.core.unit_of_work import unit_of_work

BATCH = 500
MAX_REASON = 1_000


def keep_findings(
    findings: Iterable[Finding], run_id: int, *, hold: Callable[[], object] = lambda: None
) -> tuple[int, int]:
    """Write them in transactions of bounded size; how many are found, how many of them new.

    `hold` is called first in each transaction, and raises when the run is not ours any more.
    """
    found = new = 0
    for batch in _batches(findings):
        with unit_of_work():
            hold()
            new += _keep(batch, run_id)
        found += len(batch)
    return found, new


def _batches(findings: Iterable[Finding]) -> Iterator[list[Finding]]:
    batch: list[Finding] = []
    for each in findings:
        batch.append(each)
        if len(batch) == BATCH:
            yield batch
            batch = []
    if batch:
        yield batch


def _keep(batch: Sequence[Finding], run_id: int) -> int:
    """The same difference twice in one batch counts once: the last.

    Whoever has locked the run writes; a person who explains one meanwhile is waited for.
    """
    by_name = {each.fingerprint: each for each in batch}
    known = {
        row.fingerprint: row
        for row in db.session.scalars(
            select(ReconciliationBreak)
            .where(
                ReconciliationBreak.fingerprint.in_(by_name),
                ReconciliationBreak.state != BreakState.RESOLVED,
            )
            .with_for_update()
            .execution_options(populate_existing=True)
        )
    }
    for name, row in known.items():
        finding = by_name[name]
        row.seen_run_id = run_id
        row.details = dict(finding.details)
        row.occurred_at = finding.occurred_at
        if row.amount != finding.amount:
            row.amount = finding.amount
            if row.state is BreakState.EXPLAINED and not finding.reason:
                row.state, row.reason = BreakState.OPEN, ""
                record_fact("break.reopened", subject=("break", row.id), data={"by": "run"})
    db.session.flush()
    now = clock.now()
    rows = [
        {
            "fingerprint": name,
            "type": each.type,
            "subject_type": each.subject_type,
            "subject_id": each.subject_id,
            "amount": each.amount,
            "currency": each.currency,
            "occurred_at": each.occurred_at,
            "details": dict(each.details),
            "state": BreakState.EXPLAINED if each.reason else BreakState.OPEN,
            "reason": each.reason,
            "seen_run_id": run_id,
            "found_at": now,
        }
        for name, each in by_name.items()
        if name not in known
    ]
    if rows:
        dialect = db.session.get_bind().dialect.name
        insert = postgresql_insert if dialect == "postgresql" else sqlite_insert
        db.session.execute(insert(ReconciliationBreak).on_conflict_do_nothing(), rows)
    return len(rows)


def resolve_unseen(run_id: int) -> int:
    """What this run did not find any more is resolved; how many."""
    done = db.session.execute(
        update(ReconciliationBreak)
        .where(
            ReconciliationBreak.state != BreakState.RESOLVED,
            or_(
                ReconciliationBreak.seen_run_id.is_(None),
                ReconciliationBreak.seen_run_id != run_id,
            ),
        )
        .values(state=BreakState.RESOLVED, resolved_at=clock.now())
        .execution_options(synchronize_session=False)
    )
    return int(getattr(done, "rowcount", 0))


def count_open() -> int:
    """How many nobody has explained."""
    return (
        db.session.scalar(select(func.count()).where(ReconciliationBreak.state == BreakState.OPEN))
        or 0
    )


def resolve(found: ReconciliationBreak, by_user_id: int | None) -> None:
    """It is gone by what somebody just did."""
    found.state, found.resolved_at, found.resolved_by_id = (
        BreakState.RESOLVED,
        clock.now(),
        by_user_id,
    )


def assign(found: ReconciliationBreak, owner_id: int | None, *, by_user_id: int) -> None:
    """Say who looks into it; None: nobody. Raises ConflictError when it is resolved."""
    _lock_unresolved(found)
    if found.owner_id == owner_id:
        return
    found.owner_id = owner_id
    _fact("break.assigned", found, by_user_id, {"owner_id": owner_id})


def explain(found: ReconciliationBreak, reason: str, *, by_user_id: int) -> None:
    """Say why it may stay as it is. Raises InvalidError without a reason, ConflictError."""
    _lock_unresolved(found)
    reason = checked_reason(reason)
    found.state, found.reason = BreakState.EXPLAINED, reason
    if found.owner_id is None:
        found.owner_id = by_user_id
    _fact("break.explained", found, by_user_id, {"reason": reason, "amount": found.amount})


def reopen(found: ReconciliationBreak, *, by_user_id: int) -> None:
    """Take the explanation back. Raises ConflictError unless it is explained."""
    _lock_unresolved(found)
    if found.state is not BreakState.EXPLAINED:
        raise ConflictError("Only what is explained can be opened again.")
    found.state = BreakState.OPEN
    _fact("break.reopened", found, by_user_id, {"reason": found.reason})
    found.reason = ""


def checked_reason(reason: str) -> str:
    """The reason without white space around it. Raises InvalidError (field `reason`)."""
    reason = reason.strip()
    if len(reason) < 5:
        raise InvalidError({"reason": "Say why, so that somebody else understands it in a year."})
    if len(reason) > MAX_REASON:
        raise InvalidError({"reason": f"At most {MAX_REASON} characters."})
    return reason


def _lock_unresolved(found: ReconciliationBreak) -> None:
    """Hold it until the transaction ends; `found` is as it is now."""
    locked = lock_row(ReconciliationBreak, ReconciliationBreak.id == found.id)
    if locked is None or locked.state is BreakState.RESOLVED:
        raise ConflictError("This is resolved already.")


def _fact(kind: str, found: ReconciliationBreak, by_user_id: int, data: dict[str, Any]) -> None:
    record_fact(
        kind,
        subject=("break", found.id),
        actor_user_id=by_user_id,
        data={"type": found.type.value, "subject": found.subject_id, **data},
    )
