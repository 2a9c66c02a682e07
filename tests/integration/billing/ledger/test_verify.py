"""`billing verify` names the row that somebody changed behind the ledger's back."""

from contextlib import suppress

import pytest
from flask import Flask
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from billing.ledger import credit, debit, post
from billing.models import Funder, LedgerEntry, OperationState, Period, PeriodState, StripeOperation
from billing.seals import seal_of
from billing.settlement.charges import record_charge
from billing.settlement.disputes import settle_dispute
from billing.settlement.refunds import request_refund
from billing.settlement.release import release_due
from billing.verify import verify
from marketplace.core import clock
from marketplace.core.database import db
from tests.factories.settlement import (
    PUBLISHER,
    LineTerms,
    assert_sound,
    pay_out,
    sell,
    stripe_charge,
    stripe_dispute,
)

CHANGES = [
    # One entry: the transaction does not balance any more.
    ("UPDATE ledger_entry SET amount = amount + 1 WHERE id = 3", "balanced: ledger_txn 1:"),
    ("UPDATE ledger_entry SET side = 'credit' WHERE id = 1", "balanced: ledger_txn 1:"),
    ("DELETE FROM ledger_entry WHERE txn_id = 2", "balanced: ledger_txn 2: it has no entries"),
    # Both sides: the transaction balances, and is not what was sold.
    (
        "UPDATE ledger_entry SET amount = amount + 5 WHERE txn_id = 1 AND id IN "
        "(SELECT e.id FROM ledger_entry e JOIN ledger_account a ON a.id = e.account_id "
        "WHERE e.txn_id = 1 AND a.code IN ('stripe_pending', 'platform_fee'))",
        "orders_are_whole: purchase_order 1: platform_fee",
    ),
    (
        "UPDATE ledger_entry SET amount = amount + 5 WHERE txn_id = 1 AND id IN "
        "(SELECT e.id FROM ledger_entry e JOIN ledger_account a ON a.id = e.account_id "
        "WHERE e.txn_id = 1 AND (a.code = 'stripe_pending' OR a.owner = 101))",
        "earnings_are_whole: earning 1:",
    ),
    ("UPDATE ledger_entry SET currency = 'USD' WHERE id = 1", "entries_fit: ledger_entry 1:"),
    (
        "UPDATE ledger_account SET normal_side = 'debit' WHERE code = 'platform_fee'",
        "not of the chart",
    ),
    ("UPDATE ledger_account SET owner = 7 WHERE code = 'platform_fee'", "its owner is wrong"),
    # What stands beside the ledger.
    ("UPDATE earning SET reversed_amount = 7 WHERE id = 1", "earnings_are_whole: earning 1:"),
    ("UPDATE earning SET state = 'held' WHERE id = 1", "0 is held, but it is held"),
    ("UPDATE purchase_order SET refunded_total = 7 WHERE id = 1", "4000 went back, it says 7"),
    ("UPDATE order_line SET fee_amount = fee_amount + 1 WHERE id = 1", "does not sum up"),
    ("UPDATE refund SET amount = 3999", "3999 went back, it says 4000"),
    ("UPDATE payout SET amount = amount - 1", "payouts_are_whole: payout 1:"),
    ("UPDATE payout_item SET is_live = false", "partner 101 has 0 payable, its unpaid entries are"),
    (
        "UPDATE period SET state = 'closed', closed_at = '2026-01-01 00:00:00+00:00'",
        "closed_months_stay: ledger_txn 1:",
    ),
    # Whose it is.
    (
        "UPDATE ledger_entry SET account_id = (SELECT id FROM ledger_account "
        "WHERE code = 'partner_payable' AND owner <> 101) WHERE id = "
        "(SELECT max(e.id) FROM ledger_entry e JOIN ledger_account a ON a.id = e.account_id "
        "JOIN ledger_txn t ON t.id = e.txn_id "
        "WHERE t.kind = 'release' AND a.code = 'partner_payable' AND a.owner = 101)",
        "owners_fit: ledger_entry",
    ),
    ("UPDATE earning SET partner_id = 7 WHERE id = 1", "earning 1 is of partner 7"),
    (
        "UPDATE ledger_account SET owner = 7 WHERE code = 'partner_payable' AND owner = 101",
        "payout 1 is of partner 101, but its money lies on",
    ),
    # What Stripe made of it, and when it was.
    (
        "UPDATE payout SET transfer_id = 'tr_x' WHERE id = 1",
        "transfers_are_ours: payout 1: it says tr_x, but Stripe made tr_1",
    ),
    (
        "UPDATE payment_dispute SET amount = amount + 1",
        "disputes_are_posted: payment_dispute 1: it says 2001 EUR",
    ),
    (
        "UPDATE payment_dispute SET fee = fee + 1",
        "disputes_are_posted: payment_dispute 1: it says 2000 EUR and a fee of 1501",
    ),
    (
        "UPDATE ledger_txn SET effective_at = '2020-02-03 00:00:00+00:00' WHERE id = 1",
        "months_fit: ledger_txn 1: it happened in 2020-02",
    ),
    (
        "UPDATE ledger_txn SET effective_at = '2090-02-03 00:00:00+00:00' WHERE id = 1",
        "months_fit: ledger_txn 1: it happened in 2090-02",
    ),
    (
        "UPDATE ledger_txn SET reverses_id = 1 WHERE id = 2",
        "reversals_mirror: ledger_txn 2:",
    ),
]


def _story() -> None:
    order, _ = sell(
        LineTerms(10_000, commission=500, funder=Funder.PUBLISHER, tax_bps=1_900, hold_days=0)
    )
    record_charge(order.id, stripe_charge(order))
    release_due()
    payout = pay_out(PUBLISHER)
    assert payout is not None
    db.session.add(
        StripeOperation(
            idem_key=f"payout:{payout.id}:a1",
            method="transfers.create",
            request_hash="",
            state=OperationState.SUCCEEDED,
            stripe_id=payout.transfer_id,
        )
    )
    disputed, _ = sell(LineTerms(10_000))
    settle_dispute(stripe_dispute(disputed, 2_000, "du_1"))
    request_refund(order, 4_000, reason="", by_user_id=1)


def _without_triggers(database_kind: str, statement: str) -> None:
    if database_kind == "postgresql":
        # A superuser's way past triggers and foreign keys.
        db.session.execute(text("SET LOCAL session_replication_role = replica"))
        db.session.execute(text(statement))
        db.session.execute(text("SET LOCAL session_replication_role = origin"))
        return
    names = "SELECT name FROM sqlite_master WHERE type = 'trigger'"
    for name in db.session.scalars(text(names)).all():
        db.session.execute(text(f'DROP TRIGGER "{name}"'))
    db.session.execute(text(statement.replace("is_live = false", "is_live = 0")))


def test_a_ledger_that_nobody_touched_is_sound(app: Flask) -> None:
    _story()
    assert_sound()


@pytest.mark.parametrize(("statement", "expected"), CHANGES)
def test_a_changed_row_is_named(
    app: Flask, database_kind: str, statement: str, expected: str
) -> None:
    _story()
    db.session.commit()
    _without_triggers(database_kind, statement)
    found = [str(broken) for broken in verify()]
    assert any(expected in each for each in found), found
    db.session.rollback()


SEALED = [
    "UPDATE ledger_entry SET amount = amount + 5 WHERE txn_id = 1",
    "UPDATE ledger_entry SET earning_id = NULL WHERE earning_id = 1",
    # Of the netting's or of any other's two legs the same is taken.
    "UPDATE ledger_entry SET amount = amount - 5 WHERE txn_id = 2",
    "UPDATE ledger_txn SET effective_at = '{month}-02 03:04:05.000001+00:00' WHERE id = 1",
    "UPDATE ledger_txn SET memo = 'something else' WHERE id = 1",
    "UPDATE ledger_account SET owner = 7 WHERE code = 'partner_held' AND owner = 101",
    "DELETE FROM ledger_entry WHERE txn_id = 2",
    "UPDATE ledger_txn SET period_id = 2 WHERE id = 1",
    # Forged whole: balanced, and posted before the month was closed.
    "INSERT INTO ledger_txn (kind, source_type, source_id, idem_key, memo, effective_at, "
    "posted_at, period_id) SELECT 'x', 'x', '1', 'forged', '', effective_at, posted_at, period_id "
    "FROM ledger_txn WHERE id = 1",
]


@pytest.mark.parametrize("statement", SEALED)
def test_a_closed_month_that_changed_is_named(
    app: Flask, database_kind: str, statement: str
) -> None:
    _story()
    db.session.add(Period(code="2090-01", state=PeriodState.OPEN, closing={}))
    period = db.session.get_one(Period, 1)
    period.closing = {"seal": seal_of(1)}
    period.state, period.closed_at = PeriodState.CLOSED, clock.now()
    db.session.commit()
    assert_sound()
    _without_triggers(database_kind, statement.format(month=period.code))
    found = [str(broken) for broken in verify(["closed_months_stay"])]
    expected = f"closed_months_stay: period 1: {period.code} changed after it was closed"
    assert any(each.startswith(expected) for each in found), found
    assert "of ledger_txn 1 to 199" in found[0]
    db.session.rollback()


def test_a_month_that_was_opened_again_is_named(app: Flask, database_kind: str) -> None:
    _story()
    period = db.session.get_one(Period, 1)
    period.closing, period.closed_at = {"seal": seal_of(1)}, clock.now()
    period.state = PeriodState.CLOSED
    db.session.commit()
    _without_triggers(database_kind, "UPDATE period SET state = 'open'")
    db.session.expire_all()
    found = [str(broken) for broken in verify(["closed_months_stay"])]
    assert found == [f"closed_months_stay: period 1: {period.code} was closed and is open again"]
    db.session.rollback()


@pytest.mark.parametrize(
    ("table", "statement"),
    [
        (
            "ledger_entry",
            "INSERT OR REPLACE INTO ledger_entry (id, txn_id, account_id, side, amount, currency) "
            "SELECT id, txn_id, account_id, side, amount + 5, currency FROM ledger_entry "
            "WHERE id = 1",
        ),
        (
            "ledger_txn",
            "INSERT OR REPLACE INTO ledger_txn SELECT * FROM ledger_txn WHERE id = 1",
        ),
        (
            "ledger_txn",
            "INSERT OR REPLACE INTO ledger_txn (kind, source_type, source_id, idem_key, memo, "
            "effective_at, posted_at, period_id) SELECT 'x', source_type, source_id, idem_key, "
            "memo, effective_at, posted_at, period_id FROM ledger_txn WHERE id = 1",
        ),
        (
            "ledger_account",
            "INSERT OR REPLACE INTO ledger_account (id, code, owner, currency, normal_side) "
            "SELECT id, code, 7, currency, normal_side FROM ledger_account WHERE owner = 101",
        ),
        ("period", "INSERT OR REPLACE INTO period SELECT * FROM period"),
        (
            "period",
            "INSERT OR REPLACE INTO period (code, state, closing) "
            "SELECT code, 'open', '{}' FROM period",
        ),
    ],
)
def test_replacing_does_not_go_past_the_triggers(
    app: Flask, database_kind: str, table: str, statement: str
) -> None:
    if database_kind == "postgresql":
        pytest.skip("only SQLite can replace a row without deleting it")
    _story()
    db.session.commit()
    everything = text(f"SELECT * FROM {table} ORDER BY id")  # noqa: S608 - a table of ours
    before = db.session.execute(everything).all()
    with suppress(IntegrityError), db.session.begin_nested():
        db.session.execute(text(statement))
    assert db.session.execute(everything).all() == before


def test_what_is_less_than_nothing_and_cannot_be_is_named(app: Flask) -> None:
    legs = [debit("partner_held", 5, "EUR", PUBLISHER), credit("bank", 5, "EUR")]
    post("test", source=("test", 1), key="a", legs=legs)
    assert any("partner_held of 101 is -5" in str(broken) for broken in verify())


def test_the_command_says_what_is_broken_by_its_exit_status(app: Flask) -> None:
    _story()
    db.session.commit()
    runner = app.test_cli_runner()
    done = runner.invoke(args=["billing", "verify"])
    assert (done.exit_code, done.output) == (0, "Nothing is broken.\n")
    db.session.execute(text("UPDATE earning SET reversed_amount = 7 WHERE id = 1"))
    db.session.commit()
    done = runner.invoke(args=["billing", "verify"])
    assert done.exit_code == 1
    assert "earnings_are_whole: earning 1:" in done.output


def test_sqlite_finds_by_verifying_what_postgresql_refuses(app: Flask, database_kind: str) -> None:
    _story()
    db.session.flush()
    if database_kind == "postgresql":
        return
    entry = db.session.get_one(LedgerEntry, 1)
    db.session.add(
        LedgerEntry(
            txn_id=entry.txn_id,
            account_id=entry.account_id,
            side=entry.side,
            amount=1,
            currency=entry.currency,
        )
    )
    db.session.flush()
    assert any(broken.check == "balanced" for broken in verify())
