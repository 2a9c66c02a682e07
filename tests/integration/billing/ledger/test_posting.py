"""The ledger: balanced, append-only, posted once, in the month it belongs to."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from flask import Flask
from sqlalchemy import delete, func, insert, select, text, update
from sqlalchemy.exc import DatabaseError

from billing.ledger import (
    LedgerConflictError,
    LedgerError,
    Leg,
    Posting,
    UnbalancedError,
    balance,
    balances_of,
    credit,
    debit,
    lock_partners,
    next_month,
    post,
    post_all,
    reverse,
)
from billing.models import (
    LedgerAccount,
    LedgerEntry,
    LedgerTransaction,
    Period,
    PeriodState,
    Side,
)
from marketplace.core import clock
from marketplace.core.database import db
from tests.factories.races import at_once


def _post(key: str = "a", amount: int = 100, **fields: object) -> LedgerTransaction | None:
    values: dict[str, object] = {
        "source": ("test", 1),
        "legs": [debit("bank", amount, "EUR"), credit("platform_fee", amount, "EUR")],
    }
    return post("test", key=key, **{**values, **fields})  # type: ignore[arg-type]  # a test's own


def _close(code: str) -> None:
    db.session.execute(
        insert(Period).values(
            code=code, state=PeriodState.CLOSED, closed_at=clock.now(), closing={}
        )
    )


def test_a_transaction_moves_both_sides(app: Flask) -> None:
    txn = _post()
    assert txn is not None
    assert balance("bank", "EUR") == 100
    assert balance("platform_fee", "EUR") == 100
    assert balance("bank", "USD") == 0
    assert [(entry.side, entry.debit) for entry in txn.entries] == [
        (Side.DEBIT, 100),
        (Side.CREDIT, -100),
    ]


def test_posting_again_gives_the_one_that_is_there(app: Flask) -> None:
    first, again = _post(), _post()
    assert first is not None and again is not None  # noqa: PT018 - both for the type checker
    assert first.id == again.id
    assert balance("bank", "EUR") == 100


def test_a_key_cannot_mean_two_things(app: Flask) -> None:
    _post()
    with pytest.raises(LedgerConflictError, match="a was posted before"):
        _post(amount=101)
    with pytest.raises(LedgerConflictError):
        _post(legs=[debit("bank", 100, "EUR"), credit("tax_payable", 100, "EUR")])


@pytest.mark.parametrize(
    ("legs", "error"),
    [
        ([debit("bank", 1, "EUR")], UnbalancedError),
        ([debit("bank", 1, "EUR"), credit("platform_fee", 1, "USD")], UnbalancedError),
        ([debit("bank", 2, "EUR"), credit("platform_fee", 1, "EUR")], UnbalancedError),
        ([debit("cellar", 1, "EUR"), credit("platform_fee", 1, "EUR")], LedgerError),
        ([debit("bank", 1, "eur"), credit("platform_fee", 1, "eur")], LedgerError),
        # A partner's account without a partner, and the platform's with one.
        ([debit("bank", 1, "EUR"), credit("partner_held", 1, "EUR")], LedgerError),
        ([debit("bank", 1, "EUR", 7), credit("platform_fee", 1, "EUR")], LedgerError),
        ([Leg("bank", Side.DEBIT, -1, "EUR"), debit("platform_fee", 1, "EUR")], LedgerError),
        # Halves of cents, as a careless sum would make them.
        ([debit("bank", 1.5, "EUR"), credit("platform_fee", 1.5, "EUR")], LedgerError),  # type: ignore[arg-type]  # on purpose
    ],
)
def test_what_is_no_transaction_is_refused(
    app: Flask, legs: list[Leg], error: type[Exception]
) -> None:
    with pytest.raises(error):
        _post(legs=legs)
    assert db.session.scalar(select(func.count()).select_from(LedgerTransaction)) == 0


def test_nothing_happened_is_no_transaction(app: Flask) -> None:
    assert _post(amount=0) is None


def test_negative_amounts_change_sides(app: Flask) -> None:
    assert debit("bank", -5, "EUR") == credit("bank", 5, "EUR")


def test_many_are_posted_at_once_and_again(app: Flask) -> None:
    postings = [
        Posting(
            "test",
            ("test", number),
            f"key:{number}",
            [debit("bank", number, "EUR"), credit("partner_held", number, "EUR", 10 + number)],
        )
        for number in range(1, 6)
    ]
    assert post_all(postings) == 5
    assert post_all(postings) == 0
    assert post_all([*postings, Posting("test", ("test", 9), "key:9", postings[0].legs)]) == 1
    assert balance("bank", "EUR") == 16
    assert balances_of("partner_held", "EUR", [11, 12, 99]) == {11: 2, 12: 2, 99: 0}
    with pytest.raises(LedgerError, match="twice in one call"):
        post_all([postings[0], postings[0]])


def test_a_transaction_is_reversed_once(app: Flask) -> None:
    txn = _post()
    assert txn is not None
    back = reverse(txn, key="a:back")
    assert back is not None
    assert back.reverses_id == txn.id
    assert balance("bank", "EUR") == 0
    assert reverse(txn, key="a:back") is not None
    with pytest.raises(LedgerConflictError, match="reversed already"):
        reverse(txn, key="a:back-again")


def test_balances_are_told_as_of_any_moment(app: Flask) -> None:
    then = datetime(2026, 3, 1, tzinfo=UTC)
    with clock.frozen(then):
        _post("a")
    with clock.frozen(then + timedelta(days=1)):
        _post("b")
    assert balance("bank", "EUR", until=then) == 100
    assert balance("bank", "EUR", until=then - timedelta(seconds=1)) == 0
    assert balance("bank", "EUR") == 200


@pytest.mark.parametrize(
    "change",
    [
        update(LedgerEntry).values(amount=7),
        delete(LedgerEntry),
        update(LedgerTransaction).values(memo="better"),
        delete(LedgerTransaction),
        update(LedgerAccount).values(owner=9),
        delete(LedgerAccount),
        delete(Period),
    ],
)
def test_the_database_refuses_to_change_history(app: Flask, change: object) -> None:
    _post()
    db.session.commit()
    with pytest.raises(DatabaseError, match=r"append-only|stays what it is"):
        db.session.execute(change)  # type: ignore[call-overload]  # any statement
    db.session.rollback()


@pytest.mark.parametrize("table", ["ledger_entry", "ledger_txn", "ledger_account", "period"])
def test_postgresql_refuses_to_empty_the_ledger(app: Flask, database_kind: str, table: str) -> None:
    if database_kind == "sqlite":
        # It knows no TRUNCATE.
        return
    _post()
    db.session.commit()
    with pytest.raises(DatabaseError, match="append-only"):
        db.session.execute(text(f"TRUNCATE {table} CASCADE"))
    db.session.rollback()
    assert balance("bank", "EUR") == 100


def test_a_month_without_any_transaction_stays_too(app: Flask) -> None:
    _close("2026-10")
    db.session.commit()
    with pytest.raises(DatabaseError, match="append-only"):
        db.session.execute(delete(Period))
    db.session.rollback()


def test_postgresql_refuses_an_unbalanced_transaction_at_its_commit(
    app: Flask, database_kind: str
) -> None:
    if database_kind == "sqlite":
        # It has no deferred triggers: post() and `billing verify` look there (test_verify.py).
        return
    txn = _post()
    assert txn is not None
    db.session.execute(
        text(
            "INSERT INTO ledger_entry (txn_id, account_id, side, amount, currency) "
            "SELECT txn_id, account_id, side, 1, currency FROM ledger_entry LIMIT 1"
        )
    )
    with pytest.raises(DatabaseError, match="not balanced"):
        db.session.commit()
    db.session.rollback()


@pytest.mark.parametrize(
    ("moment", "month"),
    [
        (datetime(2026, 10, 31, 23, 59, 59, tzinfo=UTC), "2026-10"),
        (datetime(2026, 11, 1, tzinfo=UTC), "2026-11"),
        # Half past midnight in Berlin is still October in UTC, in summer time and in winter.
        (datetime(2026, 11, 1, 0, 30, tzinfo=timezone(timedelta(hours=1))), "2026-10"),
        (datetime(2026, 7, 1, 1, 30, tzinfo=timezone(timedelta(hours=2))), "2026-06"),
    ],
)
def test_a_month_is_a_month_in_utc(app: Flask, moment: datetime, month: str) -> None:
    txn = _post(effective_at=moment)
    assert txn is not None
    assert txn.period.code == month


def test_what_comes_late_counts_in_the_first_open_month(app: Flask) -> None:
    _close("2026-10")
    _close("2026-11")
    late = _post("late", effective_at=datetime(2026, 10, 5, tzinfo=UTC))
    # Nobody ever posted in September; it is closed with what came after it.
    later = _post("later", effective_at=datetime(2026, 9, 5, tzinfo=UTC))
    assert late is not None and later is not None  # noqa: PT018 - both for the type checker
    assert (late.period.code, later.period.code) == ("2026-12", "2026-12")
    assert late.effective_at.month == 10


def test_a_closed_month_takes_nothing_and_stays_closed(app: Flask) -> None:
    txn = _post(effective_at=datetime(2026, 10, 5, tzinfo=UTC))
    assert txn is not None
    period_id = txn.period_id
    db.session.execute(
        update(Period).where(Period.id == period_id).values(state=PeriodState.CLOSED)
    )
    db.session.commit()
    for statement in (
        "UPDATE period SET state = 'open'",
        # Neither another transaction, nor two more entries that balance each other.
        "INSERT INTO ledger_txn (kind, source_type, source_id, idem_key, memo, effective_at, "
        "posted_at, period_id) SELECT kind, source_type, source_id, 'x', memo, effective_at, "
        "posted_at, period_id FROM ledger_txn",
        "INSERT INTO ledger_entry (txn_id, account_id, side, amount, currency) "
        "SELECT txn_id, account_id, side, amount, currency FROM ledger_entry",
    ):
        with pytest.raises(DatabaseError, match="closed"):
            db.session.execute(text(statement))
        db.session.rollback()


@pytest.mark.parametrize(
    ("month", "after"), [("2026-01", "2026-02"), ("2026-12", "2027-01"), ("2026-09", "2026-10")]
)
def test_the_month_after(month: str, after: str) -> None:
    assert next_month(month) == after


def test_two_workers_that_post_the_same_post_it_once(app: Flask) -> None:
    raised = at_once(app, [lambda: (_post(), db.session.commit()) for _ in range(4)])
    assert raised == []
    assert balance("bank", "EUR") == 100


def test_two_workers_that_post_the_same_batch_post_it_once(app: Flask) -> None:
    postings = [
        Posting(
            "test",
            ("test", number),
            f"key:{number}",
            [debit("bank", 1, "EUR"), credit("partner_held", 1, "EUR", 10 + number)],
        )
        for number in range(20)
    ]
    raised = at_once(app, [lambda: (post_all(postings), db.session.commit()) for _ in range(3)])
    assert raised == []
    assert balance("bank", "EUR") == 20


def test_of_two_who_mean_different_things_by_a_key_one_is_told(app: Flask) -> None:
    def act(amount: int) -> None:
        _post(amount=amount)
        db.session.commit()

    raised = at_once(app, [lambda: act(100), lambda: act(200)])
    assert [type(error) for error in raised] == [LedgerConflictError]
    assert balance("bank", "EUR") in {100, 200}


def test_whoever_locks_partners_waits_for_nobody_who_waits(app: Flask) -> None:
    pairs = [(7, "EUR"), (8, "EUR"), (9, "EUR")]
    lock_partners(pairs)
    db.session.commit()

    def act(order: list[tuple[int, str]]) -> None:
        for _ in range(5):
            lock_partners(order)
            before = balance("partner_held", "EUR", 7)
            key = f"step:{before}"
            legs = [debit("bank", 1, "EUR"), credit("partner_held", 1, "EUR", 7)]
            post("test", source=("test", 1), key=key, legs=legs)
            db.session.commit()

    others = [pairs[1], pairs[0]]
    raised = at_once(app, [lambda: act(pairs), lambda: act(pairs[::-1]), lambda: act(others)])
    assert raised == []
    assert balance("partner_held", "EUR", 7) == 15
