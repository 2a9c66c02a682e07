"""A reconciliation, step by step. It goes on where it stopped, and there is one at a time.

mirror > payouts > match > release > bank > balances > compare > done

Each step commits as it goes and keeps its place in the run's cursor, so that a killed worker
repeats one batch at most. Every write of it is idempotent. Whoever writes holds the run's row and
looks whether the run is still at this step: a worker that was taken for lost and wakes up neither
skips a step of the one that took over nor writes into a run that is done.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

from sqlalchemy import or_, select

from billing.gateway import gateway
from billing.models import (
    Order,
    ReconciliationMatch,
    ReconciliationRun,
    StripePayout,
)
from billing.reconciliation.balances import Balances, ask_stripe, find_in_balances, weigh
from billing.reconciliation.bank_differences import find_bank_differences
from billing.reconciliation.bank_matching import match_bank
from billing.reconciliation.booking import available_batch, book_available, book_own
from billing.reconciliation.breaks import count_open, keep_findings, resolve_unseen
from billing.reconciliation.differences import Bridge, find_differences, newest
from billing.reconciliation.kinds import CHARGE_TYPES
from billing.reconciliation.matching import (
    BALANCE_TXN,
    BATCH,
    batch_to_match,
    in_parts,
    match_batch,
)
from billing.reconciliation.mirror import (
    mirror_balance_transactions,
    mirror_members,
    mirror_payouts,
    save_payouts,
)
from marketplace.core import clock
from marketplace.core.database import db
from marketplace.core.facts import record_fact
from marketplace.core.locks import lock_row
from marketplace.core.once import insert_if_new
from marketplace.core.unit_of_work import unit_of_work

log = logging.getLogger(__name__)

# Each run reads these days again: what appeared late is found by the next one.
OVERLAP = timedelta(days=3)
# A payout may fail weeks after it was paid.
PAYOUT_OVERLAP = timedelta(days=35)
# What Stripe created this very moment may not be in its list yet.
SETTLE = timedelta(minutes=1)
STEPS = ("mirror", "payouts", "match", "release", "bank", "balances", "compare", "done")
RUNNING = "running"


class _OvertakenError(Exception):
    """Another worker has taken the run to another step."""


@dataclass(frozen=True)
class Outcome:
    """How a run ended."""

    run_id: int
    figures: dict[str, Any]
    open_breaks: int


def begin(started_by_id: int | None = None, *, whole: bool = False) -> int:
    """The id of the run that is under way, or of a new one. `whole`: read all of Stripe's list
    again, from its beginning. Flushes."""
    running = _running_id()
    if running is not None:
        return running
    last = db.session.scalar(
        select(ReconciliationRun)
        .where(ReconciliationRun.step == "done")
        .order_by(ReconciliationRun.id.desc())
        .limit(1)
    )
    start = datetime(1970, 1, 1, tzinfo=UTC)
    if last is not None and not whole:
        start = last.window_end - OVERLAP
    made = insert_if_new(
        ReconciliationRun,
        window_start=start,
        window_end=clock.now() - SETTLE,
        step="mirror",
        cursor="",
        figures={},
        slot=RUNNING,
        started_by_id=started_by_id,
        started_at=clock.now(),
        error="",
    )
    found = made if made is not None else _running_id()
    if found is None:
        raise LookupError("the run that was under way has just ended")
    return found


def _running_id() -> int | None:
    return db.session.scalar(select(ReconciliationRun.id).where(ReconciliationRun.slot == RUNNING))


def go_on(run_id: int) -> Outcome:
    """Take the run to its end from where it is. Raises the gateway's errors, after which it can
    be taken up again. No transaction may be open: each step has its own."""
    while True:
        with unit_of_work():
            run = db.session.get_one(ReconciliationRun, run_id)
            step = run.step
            run.error = ""
        if step == "done":
            return _outcome(run_id)
        try:
            _STEPS[step](run_id)
        except _OvertakenError:
            log.info("another worker was faster", extra={"run_id": run_id, "step": step})
            db.session.rollback()
        except Exception as error:
            _keep_error(run_id, error)
            raise


def _outcome(run_id: int) -> Outcome:
    run = db.session.get_one(ReconciliationRun, run_id)
    found = Outcome(run.id, dict(run.figures), int(run.figures.get("open", 0)))
    db.session.rollback()
    return found


def _keep_error(run_id: int, error: Exception) -> None:
    db.session.rollback()
    with unit_of_work():
        run = db.session.get_one(ReconciliationRun, run_id)
        run.error = f"{type(error).__name__}: {error}"[:1_000]


def _hold(run_id: int, step: str) -> ReconciliationRun:
    """The run's row, locked until the transaction ends. Raises _OvertakenError at another step."""
    run = lock_row(ReconciliationRun, ReconciliationRun.id == run_id)
    if run is None or run.step != step:
        raise _OvertakenError
    return run


def _place(run: ReconciliationRun, cursor: str, **figures: int) -> None:
    """Keep the place, and add to the figures; in the caller's transaction, which holds the run."""
    run.cursor = cursor
    _add(run, **figures)


def _add(run: ReconciliationRun, **figures: int) -> None:
    run.figures = {
        **run.figures,
        **{name: int(run.figures.get(name, 0)) + count for name, count in figures.items()},
    }


def _advance(run_id: int, step: str, **figures: int) -> None:
    """From this step to the next; in a transaction of its own."""
    with unit_of_work():
        run = _hold(run_id, step)
        run.step = STEPS[STEPS.index(step) + 1]
        run.cursor = ""
        _add(run, **figures)


def _window(run_id: int) -> tuple[datetime, datetime, str]:
    run = db.session.get_one(ReconciliationRun, run_id)
    found = (run.window_start, run.window_end, run.cursor)
    db.session.rollback()
    return found


def _mirror(run_id: int) -> None:
    """From the newest to the oldest; the cursor is the time that all after it is copied."""
    start, end, cursor = _window(run_id)
    # Up to and with the second that it stopped in, which may be half copied.
    end = datetime.fromisoformat(cursor) + timedelta(seconds=1) if cursor else end
    count = mirror_balance_transactions(
        start,
        end,
        keep_place=lambda reached: _place(_hold(run_id, "mirror"), reached.isoformat()),
    )
    _advance(run_id, "mirror", mirrored=count)


def _payouts(run_id: int) -> None:
    """Payouts, those whose end was not known yet, and what the automatic ones settled."""
    start, end, _ = _window(run_id)
    floor = datetime(1970, 1, 1, tzinfo=UTC)
    start = max(floor, start - PAYOUT_OVERLAP) if start > floor + PAYOUT_OVERLAP else floor
    count = mirror_payouts(start, end)
    for stripe_id in _unfinished_payouts(start):
        found = gateway().retrieve("payouts", stripe_id)
        with unit_of_work():
            save_payouts([found])
    for stripe_id in _payouts_without_members():
        mirror_members(stripe_id)
        with unit_of_work():
            payout = db.session.scalars(
                select(StripePayout).where(StripePayout.stripe_id == stripe_id)
            ).one()
            payout.members_at = clock.now()
    _advance(run_id, "payouts", payouts=count)


def _unfinished_payouts(before: datetime) -> list[str]:
    found = db.session.scalars(
        select(StripePayout.stripe_id)
        .where(
            StripePayout.created_at < before,
            or_(
                StripePayout.state.in_(("pending", "in_transit")),
                StripePayout.reconciliation == "in_progress",
            ),
        )
        .order_by(StripePayout.id)
    ).all()
    db.session.rollback()
    return list(found)


def _payouts_without_members() -> list[str]:
    found = db.session.scalars(
        select(StripePayout.stripe_id)
        .where(
            StripePayout.is_automatic,
            StripePayout.reconciliation == "completed",
            StripePayout.members_at.is_(None),
        )
        .order_by(StripePayout.id)
    ).all()
    db.session.rollback()
    return list(found)


def _match(run_id: int) -> None:
    while True:
        place, unknown = _charges_of_no_order(run_id)
        references = {
            stripe_id: _order_named_by(gateway().retrieve("charges", source))
            for stripe_id, source in unknown
        }
        with unit_of_work():
            run = _hold(run_id, "match")
            if run.cursor != place:
                # Another worker has done this batch meanwhile; about the next one nobody asked.
                continue
            batch = batch_to_match(run, int(place or 0))
            for each in batch:
                if each.stripe_id in references:
                    each.order_reference = references[each.stripe_id]
            db.session.flush()
            matched = match_batch(batch)
            booked = book_own(matched.without)
            if batch:
                _place(run, str(batch[-1].id), matched=matched.new, booked=booked)
            full = len(batch) == BATCH
        if not full:
            break
    _advance(run_id, "match")


def _charges_of_no_order(run_id: int) -> tuple[str, list[tuple[str, str]]]:
    """The run's place; and of the next batch, the charges that no order knows and that nobody
    asked Stripe about."""
    run = db.session.get_one(ReconciliationRun, run_id)
    place = run.cursor
    batch = [
        each
        for each in batch_to_match(run, int(place or 0))
        if each.type in CHARGE_TYPES and each.order_reference is None
    ]
    found: list[tuple[str, str]] = []
    if batch:
        known = _known_charges({each.source_id for each in batch})
        matched = set(
            db.session.scalars(
                select(ReconciliationMatch.left_id).where(
                    ReconciliationMatch.left_type == BALANCE_TXN,
                    ReconciliationMatch.left_id.between(batch[0].id, batch[-1].id),
                )
            )
        )
        found = [
            (each.stripe_id, each.source_id)
            for each in batch
            if each.source_id not in known and each.id not in matched and each.source_id
        ]
    db.session.rollback()
    return place, found


def _known_charges(charge_ids: set[str]) -> set[str]:
    return {
        each
        for part in in_parts(sorted(charge_ids))
        for each in db.session.scalars(select(Order.charge_id).where(Order.charge_id.in_(part)))
        if each
    }


def _order_named_by(charge: dict[str, Any]) -> str:
    """The order that a charge's metadata or transfer group names; empty when none does."""
    metadata = charge.get("metadata") or {}
    named = metadata.get("order") or metadata.get("order_id")
    group = charge.get("transfer_group") or ""
    if not named and group.startswith("order_"):
        named = group.removeprefix("order_")
    return str(named or "")[:100]


def _release(run_id: int) -> None:
    """What became available moves from pending to available."""
    until = clock.now()
    while True:
        with unit_of_work():
            run = _hold(run_id, "release")
            batch = available_batch(until, int(run.cursor or 0), BATCH)
            if batch:
                last = batch[-1].id
                _place(run, str(last), released=book_available(batch))
            full = len(batch) == BATCH
        if not full:
            break
    _advance(run_id, "release")


def _bank(run_id: int) -> None:
    with unit_of_work():
        _hold(run_id, "bank")
        count = match_bank()
    _advance(run_id, "bank", bank_matched=count)


def _balances(run_id: int) -> None:
    """What Stripe itself says of the balance, at a moment at which nothing moves."""
    _, end, _ = _window(run_id)
    late, stripe = ask_stripe(end)
    with unit_of_work():
        run = _hold(run_id, "balances")
        run.figures = {
            **run.figures,
            "late": late,
            "stripe": None if stripe is None else {name: list(two) for name, two in stripe.items()},
        }
    _advance(run_id, "balances")


def _compare(run_id: int) -> None:
    """Everything against everything, up to the newest rows of this moment."""
    now = clock.now()
    found, new, balances, end = _compare_with_stripe(run_id, now)
    if any(each.unexplained for each in balances.values()):
        # A transaction may commit after one with a higher number: then it is there the next time.
        again, more, balances, end = _compare_with_stripe(run_id, now)
        found, new = again, new + more
    hold = partial(_hold, run_id, "compare")
    at_bank, new_at_bank = keep_findings(find_bank_differences(now), run_id, hold=hold)
    in_sum, new_in_sum = keep_findings(find_in_balances(balances, end), run_id, hold=hold)
    with unit_of_work():
        run = hold()
        resolved = resolve_unseen(run_id)
        run.figures = {
            **run.figures,
            "found": found + at_bank + in_sum,
            "opened": new + new_at_bank + new_in_sum,
            "resolved": resolved,
            "open": count_open(),
        }
        run.step, run.slot, run.cursor, run.finished_at = "done", None, "", clock.now()
        record_fact(
            "reconciliation.finished",
            subject=("recon_run", run_id),
            actor_user_id=run.started_by_id,
            data={
                name: run.figures.get(name, 0)
                for name in ("mirrored", "matched", "opened", "resolved", "open")
            },
        )


def _compare_with_stripe(
    run_id: int, now: datetime
) -> tuple[int, int, dict[str, Balances], datetime]:
    """Findings, how many of them are new, the balances, and the end of the run's window."""
    bounds = newest()
    bridge = Bridge()
    hold = partial(_hold, run_id, "compare")
    found, new = keep_findings(find_differences(bridge, now, bounds), run_id, hold=hold)
    with unit_of_work():
        run = hold()
        asked = run.figures.get("stripe")
        stripe = None if asked is None else {name: (two[0], two[1]) for name, two in asked.items()}
        balances = weigh(run, bridge, stripe, bounds)
        run.figures = {
            **run.figures,
            "balances": {name: each.as_figures() for name, each in balances.items()},
            "last_balance_txn_id": bounds.balance_txn_id,
        }
        return found, new, balances, run.window_end


_STEPS: dict[str, Callable[[int], None]] = {
    "mirror": _mirror,
    "payouts": _payouts,
    "match": _match,
    "release": _release,
    "bank": _bank,
    "balances": _balances,
    "compare": _compare,
}
