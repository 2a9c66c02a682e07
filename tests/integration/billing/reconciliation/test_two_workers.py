"""Two workers with one run: neither skips a step of the other, and nobody explains in vain."""

import threading
from collections.abc import Iterator

import pytest
from flask import Flask
from sqlalchemy import func, select

from billing.models import (
    BalanceTransaction,
    BreakState,
    BreakType,
    LedgerTransaction,
    ReconciliationBreak,
    ReconciliationMatch,
    ReconciliationRun,
)
from billing.reconciliation import breaks, corrections, matching, runs
from billing.reconciliation.runs import STEPS, begin, go_on
from marketplace.core.database import db
from marketplace.core.unit_of_work import unit_of_work
from tests.factories.races import meanwhile
from tests.factories.reconciliation import NOW, ListedStripe, make_charged_order


@pytest.fixture
def run_id(stripe: ListedStripe) -> int:
    """A run over five payments, one of which the ledger does not know."""
    for number in range(5):
        make_charged_order(stripe, book=number > 0)
    db.session.commit()
    with unit_of_work():
        return begin()


def breaks_found() -> list[tuple[str, int]]:
    return [
        (each.type.value, each.amount)
        for each in db.session.scalars(
            select(ReconciliationBreak).where(ReconciliationBreak.state == BreakState.OPEN)
        )
    ]


@pytest.mark.parametrize("step", STEPS[:-1])
def test_a_slow_worker_skips_no_step_of_the_one_that_took_over(
    app: Flask, run_id: int, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    """It ends its step when the other one is in the middle of the next, where it waits."""
    following = STEPS[STEPS.index(step) + 1]
    really, is_there, may_go = dict(runs._STEPS), threading.Event(), threading.Event()
    done: list[object] = []
    seen: list[str] = []

    def other() -> None:
        with app.app_context():
            try:
                done.append(go_on(run_id))
            finally:
                db.session.remove()
                is_there.set()

    thread = threading.Thread(target=other)

    def slow(found: int) -> None:
        if threading.current_thread() is not thread and not thread.ident:
            thread.start()
            is_there.wait(20)
        really[step](found)

    def paused(found: int) -> None:
        if threading.current_thread() is thread:
            is_there.set()
            may_go.wait(20)
        else:
            seen.append(following)
        really[following](found)

    monkeypatch.setitem(runs._STEPS, step, slow)
    if following != "done":
        monkeypatch.setitem(runs._STEPS, following, paused)
    try:
        outcome = go_on(run_id)
    finally:
        may_go.set()
        thread.join()
    assert done == [outcome] or following == "done"
    assert following == "done" or seen == [following]
    run = db.session.get_one(ReconciliationRun, run_id)
    assert (run.step, run.error, run.slot) == ("done", "", None)
    assert breaks_found() == [("missing_in_ledger", 9_825)]
    matches = select(func.count(ReconciliationMatch.id))
    assert db.session.scalar(matches) == 8


def test_two_workers_share_the_batches_of_a_step(
    app: Flask, run_id: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runs, "BATCH", 2)
    original = matching.batch_to_match
    monkeypatch.setattr(runs, "batch_to_match", lambda run, after: original(run, after, 2))
    done = meanwhile(app, monkeypatch, runs, "match_batch", lambda: go_on(run_id))
    go_on(run_id)
    assert [str(each) for each in done() if "locked" not in str(each)] == []
    assert breaks_found() == [("missing_in_ledger", 9_825)]
    assert db.session.scalar(select(func.count(ReconciliationMatch.id))) == 8


def test_a_slow_worker_writes_nothing_into_what_a_later_run_found(
    app: Flask, run_id: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    really, later = runs.find_differences, []

    def slow(*args: object) -> Iterator[object]:
        if not later:
            later.append(0)
            go_on(run_id)
            with unit_of_work():
                later[0] = begin()
            go_on(later[0])
        yield from really(*args)  # type: ignore[arg-type]  # handed on as it came

    monkeypatch.setattr(runs, "find_differences", slow)
    go_on(run_id)
    found = db.session.scalars(select(ReconciliationBreak)).one()
    assert (found.seen_run_id, found.state) == (later[0], BreakState.OPEN)


def test_a_break_is_explained_or_booked_once(
    app: Flask, stripe: ListedStripe, monkeypatch: pytest.MonkeyPatch
) -> None:
    row = BalanceTransaction(
        stripe_id="txn_x", type="adjustment", source_id="", amount=100, fee=0, net=100,
        currency="EUR", created_at=NOW, available_on=NOW,
    )  # fmt: skip
    found = ReconciliationBreak(
        fingerprint="x", type=BreakType.MISSING_IN_LEDGER, subject_type="balance_txn",
        subject_id="txn_x", amount=100, currency="EUR", occurred_at=NOW,
    )  # fmt: skip
    db.session.add_all([row, found])
    db.session.commit()
    break_id = found.id

    def explain() -> None:
        it = db.session.get_one(ReconciliationBreak, break_id)
        breaks.explain(it, "Known to the bank", by_user_id=1)

    def book() -> None:
        it = db.session.get_one(ReconciliationBreak, break_id)
        corrections.book_difference(it, "rounding", "Nobody knows why", by_user_id=2)

    done = meanwhile(app, monkeypatch, corrections, "_of_balance_txn", explain)
    book()
    db.session.commit()
    assert len(done()) == 1
    db.session.expire_all()
    it = db.session.get_one(ReconciliationBreak, break_id)
    assert (it.state, it.reason) == (BreakState.RESOLVED, "Nobody knows why")
    assert db.session.scalar(select(func.count(LedgerTransaction.id))) == 1
