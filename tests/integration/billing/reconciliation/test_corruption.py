"""One row is changed behind everybody's back, and reconciliation names it."""

# The statements are the tests' own.
# Statements of our own, without anything that was typed.
# ruff: noqa: S608

from collections.abc import Callable
from datetime import date, timedelta

import pytest
from sqlalchemy import select, text

from billing.models import (
    BalanceTransaction,
    BreakState,
    ReconciliationBreak,
)
from billing.models.ledger import SQLITE_TRIGGERS
from marketplace.core.database import db
from tests.factories.reconciliation import (
    NOW,
    ListedStripe,
    make_bank_line,
    make_charged_order,
    reconcile,
)

LONG_AGO = NOW - timedelta(days=200)
Found = set[tuple[str, str, str]]


def change(statement: str) -> None:
    """Run it with the ledger's triggers off, as somebody with the database's password would."""
    if db.engine.dialect.name == "postgresql":
        db.session.execute(text("SET LOCAL session_replication_role = replica"))
        db.session.execute(text(statement))
    else:
        names = [each.split()[2] for each in SQLITE_TRIGGERS]
        for name in names:
            db.session.execute(text(f"DROP TRIGGER {name}"))
        db.session.execute(text("PRAGMA defer_foreign_keys = ON"))
        db.session.execute(text(statement))
        for trigger in SQLITE_TRIGGERS:
            db.session.execute(text(trigger))
    db.session.commit()


def breaks() -> Found:
    return {
        (each.type.value, each.subject_type, each.subject_id)
        for each in db.session.scalars(
            select(ReconciliationBreak).where(ReconciliationBreak.state == BreakState.OPEN)
        )
    }


def world(stripe: ListedStripe) -> tuple[str, str]:
    """A sale of long ago and a payout that arrived, all of it in order; the sale's and the
    payout's balance transactions."""
    make_charged_order(stripe, at=LONG_AGO)
    make_charged_order(stripe, at=LONG_AGO + timedelta(days=1))
    sale = next(iter(stripe.transactions))
    stripe.add_payout(5_000, at=LONG_AGO + timedelta(days=5), arrival=date(2026, 4, 24),
                      reconciliation="not_applicable")  # fmt: skip
    make_bank_line(5_000, date(2026, 4, 24))
    reconcile(LONG_AGO + timedelta(days=30))
    reconcile(NOW - timedelta(days=1))
    assert breaks() == set()
    payout = list(stripe.transactions)[-1]
    return sale, payout


def sale_entry(account: str) -> str:
    return (
        "(SELECT min(e.id) FROM ledger_entry e JOIN ledger_account a ON a.id = e.account_id "
        f"WHERE a.code = '{account}')"
    )


SALE = "(SELECT min(id) FROM ledger_txn WHERE kind = 'sale')"
CASES: dict[str, tuple[str, Callable[[str, str], Found]]] = {
    "an entry's amount": (
        f"UPDATE ledger_entry SET amount = amount + 1 WHERE id = {sale_entry('stripe_pending')}",
        lambda sale, _payout: {("amount", "balance_txn", sale)},
    ),
    "an entry's side": (
        f"UPDATE ledger_entry SET side = 'credit' WHERE id = {sale_entry('stripe_pending')}",
        lambda sale, _payout: {("amount", "balance_txn", sale)},
    ),
    "an entry's currency": (
        f"UPDATE ledger_entry SET currency = 'USD' WHERE id = {sale_entry('stripe_pending')}",
        lambda sale, _payout: {("currency", "balance_txn", sale)},
    ),
    "an entry's account": (
        "UPDATE ledger_entry SET account_id = (SELECT id FROM ledger_account "
        f"WHERE code = 'platform_fee') WHERE id = {sale_entry('stripe_pending')}",
        lambda sale, _payout: {("amount", "balance_txn", sale)},
    ),
    "a fee's amount": (
        "UPDATE ledger_entry SET amount = 100 WHERE txn_id = "
        "(SELECT min(id) FROM ledger_txn WHERE kind = 'processing_fee')",
        lambda sale, _payout: {("fee", "balance_txn", sale)},
    ),
    "a transaction that is gone": (
        f"DELETE FROM ledger_entry WHERE txn_id = {SALE}",
        lambda sale, _payout: {("amount", "balance_txn", sale)},
    ),
    "the copy of a balance transaction": (
        "UPDATE balance_txn SET net = net - 3 WHERE id = "
        "(SELECT max(id) FROM balance_txn WHERE type = 'charge')",
        lambda sale, _payout: {
            ("amount", "balance_txn", sale),
            ("amount", "balance", "EUR:opening"),
            ("amount", "balance", "EUR:stripe"),
        },
    ),
    "a balance transaction that is gone": (
        "DELETE FROM balance_txn WHERE type = 'payout'",
        lambda _sale, _payout: {
            ("missing_in_stripe", "ledger_txn", "?"),
            ("amount", "stripe_payout", "?"),
            ("amount", "balance", "EUR:opening"),
            ("amount", "balance", "EUR:stripe"),
        },
    ),
    "a payout's amount": (
        "UPDATE stripe_payout SET amount = amount + 9",
        lambda _sale, _payout: {("amount", "stripe_payout", "?")},
    ),
    "a bank line's amount": (
        "UPDATE bank_line SET amount = amount - 1",
        lambda _sale, _payout: {("amount", "bank_line", "?")},
    ),
    "what the bank booked": (
        f"UPDATE ledger_entry SET amount = amount - 1 WHERE id = {sale_entry('bank')}",
        lambda _sale, _payout: {("amount", "bank_line", "?")},
    ),
}


@pytest.mark.parametrize("name", list(CASES))
def test_a_changed_row_is_named(stripe: ListedStripe, name: str) -> None:
    statement, expected = CASES[name]
    sale, payout = world(stripe)
    change(statement)
    reconcile()
    found = breaks()
    anonymous = {
        (type_, subject, name if subject in {"balance_txn", "balance"} else "?")
        for type_, subject, name in found
    }
    assert anonymous == expected(sale, payout)


def test_a_match_that_is_gone_is_made_again(stripe: ListedStripe) -> None:
    world(stripe)
    change("DELETE FROM recon_match WHERE left_type = 'balance_txn'")
    reconcile()
    assert breaks() == set()


def test_what_was_put_right_is_resolved(stripe: ListedStripe) -> None:
    world(stripe)
    change("UPDATE bank_line SET amount = amount - 1")
    reconcile(NOW)
    change("UPDATE bank_line SET amount = amount + 1")
    reconcile(NOW + timedelta(hours=1))
    assert breaks() == set()


def test_the_copy_of_the_last_days_heals_itself(stripe: ListedStripe) -> None:
    make_charged_order(stripe, at=NOW - timedelta(days=1))
    reconcile()
    change("UPDATE balance_txn SET net = 1, amount = 1")
    reconcile(NOW + timedelta(hours=1))
    assert breaks() == set()
    assert db.session.scalars(select(BalanceTransaction.net)).one() == 9_825
