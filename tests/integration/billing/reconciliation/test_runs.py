"""A run: everything is copied, matched, booked and compared, and a run that stopped goes on."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import event, func, select

from billing.accounts import (
    PLATFORM_FEE,
    PROCESSING_FEE,
    STRIPE_AVAILABLE,
    STRIPE_IN_TRANSIT,
    STRIPE_PENDING,
    SUSPENSE,
)
from billing.gateway import StripeUnknownError
from billing.ledger import balance, credit, debit, post
from billing.models import (
    BalanceTransaction,
    BreakState,
    BreakType,
    ReconciliationBreak,
    ReconciliationMatch,
    ReconciliationRun,
)
from billing.reconciliation import matching, mirror, runs
from billing.reconciliation.differences import Bridge, find_differences, newest
from billing.reconciliation.runs import begin, go_on
from marketplace.core.database import db
from marketplace.core.unit_of_work import unit_of_work
from tests.factories.queries import count_queries
from tests.factories.reconciliation import (
    NOW,
    ListedStripe,
    book_sale,
    make_charged_order,
    reconcile,
)


def open_breaks() -> list[tuple[str, str, int]]:
    return [
        (each.type.value, each.subject_type, each.amount)
        for each in db.session.scalars(
            select(ReconciliationBreak)
            .where(ReconciliationBreak.state == BreakState.OPEN)
            .order_by(ReconciliationBreak.id)
        )
    ]


def test_what_agrees_leaves_no_break_and_becomes_available(stripe: ListedStripe) -> None:
    for _ in range(3):
        make_charged_order(stripe)
    stripe.add("stripe_fee", -350, "", at=NOW - timedelta(days=5))
    outcome = reconcile()
    assert open_breaks() == []
    assert outcome.figures["matched"] == 6
    assert balance(STRIPE_PENDING, "EUR") == 0
    assert balance(STRIPE_AVAILABLE, "EUR") == 3 * 9_825 - 350
    assert balance(PROCESSING_FEE, "EUR") == 3 * 175 + 350
    kept = outcome.figures["balances"]["EUR"]
    assert kept["stripe_available"] == kept["ledger_available"] == 29_125


def test_a_payment_stays_pending_until_it_is_available(stripe: ListedStripe) -> None:
    make_charged_order(stripe, at=NOW - timedelta(hours=5))
    reconcile()
    assert balance(STRIPE_PENDING, "EUR") == 9_825
    reconcile(NOW + timedelta(days=2))
    assert balance(STRIPE_PENDING, "EUR") == 0
    assert balance(STRIPE_AVAILABLE, "EUR") == 9_825


def test_running_twice_changes_nothing(stripe: ListedStripe) -> None:
    make_charged_order(stripe)
    stripe.add("mystery", -40, "")
    stripe.add_payout(500)
    reconcile()
    before = db.session.scalar(select(func.count(ReconciliationMatch.id)))
    breaks = open_breaks()
    reconcile(NOW + timedelta(hours=1), whole=True)
    assert db.session.scalar(select(func.count(ReconciliationMatch.id))) == before
    assert open_breaks() == breaks


def test_what_the_ledger_lacks_is_missing_and_resolves_itself_when_it_comes(
    stripe: ListedStripe,
) -> None:
    order = make_charged_order(stripe, book=False)
    reconcile()
    assert open_breaks() == [("missing_in_ledger", "balance_txn", 9_825)]
    book_sale(order, at=NOW - timedelta(days=10))
    reconcile(NOW + timedelta(hours=2))
    assert open_breaks() == []
    found = db.session.scalars(select(ReconciliationBreak)).one()
    assert found.state is BreakState.RESOLVED
    assert found.resolved_at == NOW + timedelta(hours=2)


def test_what_stripe_lacks_is_missing_there(stripe: ListedStripe) -> None:
    make_charged_order(None)
    reconcile()
    assert open_breaks() == [
        ("missing_in_stripe", "ledger_txn", -10_000),
        ("missing_in_stripe", "ledger_txn", 175),
    ]


def test_what_happened_a_minute_ago_may_still_come(stripe: ListedStripe) -> None:
    make_charged_order(stripe, book=False, at=NOW - timedelta(minutes=10))
    make_charged_order(None, at=NOW - timedelta(minutes=10))
    reconcile()
    assert open_breaks() == []
    reconcile(NOW + timedelta(hours=2))
    assert [type_ for type_, _, _ in open_breaks()] == [
        "missing_in_ledger",
        "missing_in_stripe",
        "missing_in_stripe",
    ]


@pytest.mark.parametrize(
    ("booked_total", "booked_fee", "expected"),
    [
        (10_000, 150, [("fee", 25)]),
        (9_000, 175, [("amount", 1_000)]),
        (9_000, 150, [("amount", 1_000), ("fee", 25)]),
    ],
)
def test_an_amount_or_a_fee_that_differs_is_named(
    stripe: ListedStripe, booked_total: int, booked_fee: int, expected: list[tuple[str, int]]
) -> None:
    order = make_charged_order(None, booked_total, fee=booked_fee)
    stripe.add("charge", 10_000, order.charge_id or "", fee=175)
    reconcile()
    assert [(type_, amount) for type_, _, amount in open_breaks()] == expected
    # It does not become available before it agrees.
    assert balance(STRIPE_AVAILABLE, "EUR") == 0


def test_another_currency_is_a_break_of_the_currency(stripe: ListedStripe) -> None:
    order = make_charged_order(None)
    stripe.add("charge", 10_900, order.charge_id or "", fee=190, currency="USD")
    reconcile()
    assert [type_ for type_, _, _ in open_breaks()] == ["currency"]


def test_a_second_charge_of_an_order_is_a_duplicate(stripe: ListedStripe) -> None:
    order = make_charged_order(stripe)
    stripe.add("charge", 10_000, "ch_twice", fee=175)
    stripe.charges["ch_twice"] = {"id": "ch_twice", "metadata": {"order_id": order.public_id}}
    reconcile()
    assert open_breaks() == [("duplicate", "balance_txn", 9_825)]
    assert "charges ch_twice" in stripe.asked


def test_thousands_of_breaks_are_named_by_the_same_few_statements(stripe: ListedStripe) -> None:
    def book_twice() -> None:
        order = make_charged_order(None)
        post(
            "sale",
            source=("order", order.id),
            key=f"order:{order.id}:again",
            legs=[debit(STRIPE_PENDING, 500, "EUR"), credit(PLATFORM_FEE, 500, "EUR")],
            effective_at=NOW - timedelta(days=10),
        )

    def found() -> list[str]:
        all_of_it = find_differences(Bridge(), NOW + timedelta(hours=2), newest())
        return [each.details.get("same_as", "") for each in all_of_it]

    book_twice()
    assert sorted(found()) == ["", "", "order:1:paid"]
    few = count_queries(found)
    for _ in range(9):
        book_twice()
    assert sum(1 for each in found() if each) == 10
    assert count_queries(found) == few


def test_a_charge_that_only_its_metadata_connects_is_matched(stripe: ListedStripe) -> None:
    order = make_charged_order(None)
    order.charge_id = None
    stripe.add("charge", 10_000, "ch_named", fee=0)
    stripe.charges["ch_named"] = {"id": "ch_named", "transfer_group": f"order_{order.public_id}"}
    reconcile()
    matched = db.session.scalars(select(ReconciliationMatch)).all()
    assert len(matched) == 1


def test_what_nobody_knows_goes_to_suspense_and_is_a_break(stripe: ListedStripe) -> None:
    stripe.add("reserve_transaction", -2_000, "rsv_1")
    reconcile()
    assert balance(SUSPENSE, "EUR") == 2_000
    found = db.session.scalars(select(ReconciliationBreak)).one()
    assert (found.type, found.amount) == (BreakType.MISSING_IN_LEDGER, -2_000)
    assert found.details["in_suspense"] is True


def test_a_payout_to_the_bank_is_in_transit_and_comes_back_when_it_fails(
    stripe: ListedStripe,
) -> None:
    make_charged_order(stripe)
    stripe.add_payout(3_000)
    stripe.add_payout(2_000, status="failed")
    reconcile()
    assert balance(STRIPE_IN_TRANSIT, "EUR") == 3_000
    assert balance(STRIPE_AVAILABLE, "EUR") == 9_825 - 3_000


def test_the_members_of_a_payout_must_be_its_amount(stripe: ListedStripe) -> None:
    make_charged_order(stripe)
    make_charged_order(stripe)
    names = list(stripe.transactions)
    payout = stripe.add_payout(2 * 9_825, reconciliation="completed", at=NOW - timedelta(days=1))
    stripe.members[payout] = names
    reconcile()
    assert open_breaks() == []
    stripe.payouts[payout]["id"] = payout
    row = db.session.scalars(
        select(BalanceTransaction).where(BalanceTransaction.stripe_id == names[0])
    ).one()
    assert row.stripe_payout_id == payout
    row.stripe_payout_id = None
    reconcile(NOW + timedelta(hours=1))
    assert open_breaks() == [("missing_in_stripe", "stripe_payout", 9_825)]


def test_late_in_another_month_is_a_break_of_time(stripe: ListedStripe) -> None:
    midnight = NOW.replace(day=1, hour=0)
    order = make_charged_order(None, at=midnight + timedelta(minutes=5))
    stripe.add("charge", 10_000, order.charge_id or "", fee=175, at=midnight - timedelta(minutes=1))
    reconcile()
    found = db.session.scalars(select(ReconciliationBreak)).one()
    assert (found.type, found.state) == (BreakType.TIMING, BreakState.OPEN)
    assert found.details["stripe_month"] == "2026-10"
    assert found.details["ledger_month"] == "2026-11"


def test_stripes_own_balance_must_be_the_sum_of_its_list(stripe: ListedStripe) -> None:
    make_charged_order(stripe)
    stripe.balance_off = 77
    reconcile()
    assert open_breaks() == [("amount", "balance", 77)]


def test_a_run_that_stopped_goes_on_where_it_was(
    stripe: ListedStripe, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mirror, "BATCH", 2)
    for day in range(7):
        make_charged_order(stripe, at=NOW - timedelta(days=20 - day))
    stripe.fails_after = 5
    with pytest.raises(StripeUnknownError):
        reconcile()
    run = db.session.scalars(select(ReconciliationRun)).one()
    assert (run.step, run.slot) == ("mirror", "running")
    assert "no answer" in run.error
    assert db.session.scalar(select(func.count(BalanceTransaction.id))) == 4
    stripe.fails_after = None
    outcome = reconcile()
    assert outcome.run_id == run.id
    # The four newest were there; only the second in which it stopped is read again.
    assert outcome.figures["mirrored"] == 4
    assert db.session.scalar(select(func.count(BalanceTransaction.id))) == 7
    assert open_breaks() == []


def test_a_run_killed_after_any_batch_ends_with_the_same_books(
    stripe: ListedStripe, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runs, "BATCH", 2)
    monkeypatch.setattr(matching, "BATCH", 2)
    original = matching.batch_to_match
    monkeypatch.setattr(runs, "batch_to_match", lambda run, after: original(run, after, 2))
    for day in range(5):
        make_charged_order(stripe, at=NOW - timedelta(days=20 - day))
    stripe.add_payout(900)
    db.session.commit()
    kills = iter([1, 2, 3, 4, 5, 6, 7, 8])
    place = runs._place

    def dies(run: ReconciliationRun, cursor: str, **figures: int) -> None:
        if next(kills, 99) % 2:
            place(run, cursor, **figures)
            return
        raise KeyboardInterrupt

    monkeypatch.setattr(runs, "_place", dies)
    with unit_of_work():
        run_id = begin()
    for _ in range(20):
        try:
            go_on(run_id)
            break
        except KeyboardInterrupt:
            db.session.rollback()
    assert open_breaks() == []
    assert balance(STRIPE_AVAILABLE, "EUR") == 5 * 9_825 - 900


def test_there_is_one_run_at_a_time(stripe: ListedStripe) -> None:
    with unit_of_work():
        first = begin()
        assert begin() == first
    go_on(first)
    with unit_of_work():
        assert begin() != first


def test_the_next_run_reads_the_last_days_again(stripe: ListedStripe) -> None:
    reconcile(NOW - timedelta(days=1))
    # Two days old, but it was not on the list yesterday.
    make_charged_order(stripe, at=NOW - timedelta(days=2))
    reconcile()
    assert open_breaks() == []
    assert db.session.scalar(select(func.count(BalanceTransaction.id))) == 1


def test_a_day_rolls_forward_from_the_day_before(stripe: ListedStripe) -> None:
    make_charged_order(stripe)
    reconcile(NOW - timedelta(days=1))
    make_charged_order(stripe, at=NOW - timedelta(hours=3))
    kept = reconcile().figures["balances"]["EUR"]
    assert (kept["opening"], kept["movements"], kept["closing"]) == (9_825, 9_825, 19_650)


@pytest.mark.parametrize(
    ("act", "table", "index"),
    [
        (
            lambda: matching.batch_to_match(ReconciliationRun(window_start=NOW), 0),
            "recon_break",
            "ix_recon_break_subject",
        ),
        (lambda: matching._taken({1, 2}), "recon_match", "ix_recon_match_right"),
    ],
    ids=["breaks", "matches"],
)
def test_a_batch_reads_what_belongs_to_it_and_not_everything(
    stripe: ListedStripe,
    database_kind: str,
    act: Callable[[], object],
    table: str,
    index: str,
) -> None:
    if database_kind != "sqlite":
        pytest.skip("PostgreSQL reads a table that is empty from end to end, whatever its indexes")
    statements: list[tuple[str, Any]] = []

    def note(_connection: Any, _cursor: Any, statement: str, values: Any, *_rest: Any) -> None:
        statements.append((statement, values))

    event.listen(db.engine, "before_cursor_execute", note)
    try:
        act()
    finally:
        event.remove(db.engine, "before_cursor_execute", note)
    ((statement, values),) = [each for each in statements if table in each[0]]
    plan = db.session.connection().exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", values)
    assert index in " ".join(str(row[3]) for row in plan)
