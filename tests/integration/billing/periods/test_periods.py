"""A month's close: what blocks it, what it keeps, and where late things land."""

import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.exc import DatabaseError

from billing.accounts import PLATFORM_FEE, STRIPE_PENDING
from billing.ledger import credit, debit, post
from billing.models import (
    BreakState,
    BreakType,
    EventState,
    LedgerTransaction,
    PayoutRun,
    Period,
    PeriodState,
    ReconciliationBreak,
    RunState,
    StripeEvent,
)
from billing.periods import (
    Gravity,
    checklist,
    close_period,
    configure_close,
    is_period_code,
    may_close,
    months,
)
from billing.reconciliation.differences import month_bounds, month_of
from billing.reports import trial_balance
from billing.seals import seal_of
from marketplace.core import clock
from marketplace.core.database import db
from marketplace.core.errors import ConflictError
from marketplace.core.unit_of_work import unit_of_work
from tests.factories.payouts import make_account
from tests.factories.reconciliation import (
    NOW,
    ListedStripe,
    listed_stripe,
    make_charged_order,
    reconcile,
)

OCTOBER = datetime(2026, 10, 15, tzinfo=UTC)


@pytest.fixture
def stripe(app: Flask) -> Iterator[ListedStripe]:
    configure_close(0)
    with clock.frozen(NOW), listed_stripe() as found:
        yield found
    configure_close(0)


def sale(at: datetime, key: str = "order:1:paid", amount: int = 100) -> LedgerTransaction:
    txn = post(
        "sale",
        source=("order", 1),
        key=key,
        legs=[debit(STRIPE_PENDING, amount, "EUR"), credit(PLATFORM_FEE, amount, "EUR")],
        effective_at=at,
    )
    assert txn is not None
    return txn


def missing(code: str) -> set[str]:
    return {each.name for each in checklist(code) if each.gravity is Gravity.BLOCKING}


def open_break(amount: int, at: datetime = OCTOBER, **fields: object) -> ReconciliationBreak:
    found = ReconciliationBreak(
        **{
            "fingerprint": f"f{amount}{at}",
            "type": BreakType.AMOUNT,
            "subject_type": "balance_txn",
            "subject_id": "txn_1",
            "amount": amount,
            "currency": "EUR",
            "occurred_at": at,
            **fields,
        }
    )
    db.session.add(found)
    db.session.flush()
    return found


def test_a_month_in_order_closes_and_keeps_what_it_was(stripe: ListedStripe) -> None:
    make_charged_order(stripe)
    reconcile()
    assert missing("2026-10") == set()
    with unit_of_work():
        period = close_period("2026-10", by_user_id=5, note="  Done ")
    assert (period.state, period.closed_by_id, period.closed_at) == (PeriodState.CLOSED, 5, NOW)
    kept = period.closing
    assert kept["note"] == "Done"
    assert kept["seal"] == seal_of(period.id)
    assert kept["seal"]["transactions"] >= 2
    totals = kept["trial_balance"]["EUR"]
    # The sale and its fee; it became available in October too.
    assert totals["debit"] == totals["credit"] == 10_000
    assert totals["accounts"]["stripe_available"] == 9_825


def test_balances_after_a_closed_month_begin_with_what_it_kept(stripe: ListedStripe) -> None:
    make_charged_order(stripe)
    reconcile()
    with unit_of_work():
        close_period("2026-10", by_user_id=5)
    make_charged_order(stripe, 5_000, at=NOW)
    whole = trial_balance(posted_until=NOW)
    # What was read of October for this is in its closing: its entries are not looked at.
    assert [(line.account.code, line.balance) for each in whole for line in each.lines] == [
        (line.account.code, line.balance)
        for each in trial_balance(through="2026-11")
        for line in each.lines
    ]
    (now,) = trial_balance()
    assert (now.debit, now.is_balanced) == (whole[0].debit, True)
    sales = next(line for line in now.lines if line.account.code == PLATFORM_FEE)
    assert (sales.credit_balance, sales.month_credit) == (3_000, 0)
    (november,) = trial_balance(through="2026-11")
    sales = next(line for line in november.lines if line.account.code == PLATFORM_FEE)
    assert (sales.credit_balance, sales.month_credit) == (3_000, 1_000)
    # A month that is shown again after it was closed shows its own movements.
    (october,) = trial_balance(through="2026-10")
    sales = next(line for line in october.lines if line.account.code == PLATFORM_FEE)
    assert (sales.credit_balance, sales.month_credit) == (2_000, 2_000)


def test_a_closed_month_refuses_everything_even_by_sql(stripe: ListedStripe) -> None:
    txn = sale(OCTOBER)
    reconcile_and_close(stripe)
    with pytest.raises(ConflictError, match="closed already"), unit_of_work():
        close_period("2026-10", by_user_id=1)
    period = db.session.scalars(select(Period).where(Period.code == "2026-10")).one()
    with pytest.raises(DatabaseError), unit_of_work():
        period.state = PeriodState.OPEN
        db.session.flush()
    with pytest.raises(DatabaseError), unit_of_work():
        db.session.add(
            LedgerTransaction(
                kind="x",
                source_type="x",
                source_id="1",
                idem_key="x",
                effective_at=OCTOBER,
                posted_at=NOW,
                period_id=txn.period_id,
            )
        )
        db.session.flush()


def reconcile_and_close(stripe: ListedStripe, code: str = "2026-10") -> None:
    reconcile()
    for found in db.session.scalars(select(ReconciliationBreak)):
        found.state, found.reason = BreakState.EXPLAINED, "For the test"
    with unit_of_work():
        close_period(code, by_user_id=1)


def test_what_comes_late_counts_in_the_next_open_month(stripe: ListedStripe) -> None:
    order = make_charged_order(stripe, at=OCTOBER, book=False)
    reconcile_and_close(stripe)
    from_webhook = sale(OCTOBER, key=f"order:{order.id}:paid", amount=10_000)
    db.session.flush()
    assert from_webhook.period.code == "2026-11"
    assert from_webhook.effective_at == OCTOBER
    reconcile(NOW + timedelta(hours=1))
    timing = db.session.scalars(
        select(ReconciliationBreak).where(ReconciliationBreak.type == BreakType.TIMING)
    ).one()
    assert timing.state is BreakState.EXPLAINED
    assert timing.reason == "2026-10 was closed when it came; it counts in 2026-11."


def test_a_month_that_is_not_over_does_not_close(stripe: ListedStripe) -> None:
    reconcile()
    with pytest.raises(ConflictError, match="The month is over"):
        close_period("2026-11", by_user_id=1)


def test_months_close_in_order(stripe: ListedStripe) -> None:
    sale(datetime(2026, 9, 3, tzinfo=UTC))
    reconcile()
    assert "earlier" in missing("2026-10")


def test_it_must_be_reconciled_after_its_end(stripe: ListedStripe) -> None:
    reconcile(datetime(2026, 11, 1, 0, 0, 30, tzinfo=UTC))
    assert missing("2026-10") == {"reconciled"}
    reconcile(datetime(2026, 11, 1, 0, 1, tzinfo=UTC))
    assert missing("2026-10") == set()


def test_unexplained_breaks_above_the_tolerance_block_it(stripe: ListedStripe) -> None:
    reconcile()
    found = open_break(-60)
    open_break(41, OCTOBER + timedelta(days=1))
    open_break(900, datetime(2026, 11, 1, tzinfo=UTC))
    assert missing("2026-10") == {"breaks"}
    configure_close(100)
    # 60 and 41 are more than 100: signs do not cancel each other.
    assert missing("2026-10") == {"breaks"}
    configure_close(101)
    assert missing("2026-10") == set()
    configure_close(50)
    found.state, found.reason = BreakState.EXPLAINED, "Known to support"
    db.session.flush()
    assert missing("2026-10") == set()
    kept = close_period("2026-10", by_user_id=1).closing
    assert [(each["amount"], each["state"]) for each in kept["breaks"]] == [
        (-60, "explained"),
        (41, "open"),
    ]


@pytest.mark.parametrize("state", sorted(set(EventState) - {EventState.DONE, EventState.SET_ASIDE}))
def test_events_and_runs_that_wait_block_it(stripe: ListedStripe, state: EventState) -> None:
    reconcile()
    db.session.add(
        StripeEvent(event_id="evt_1", type="x", object_id="y", happened_at=OCTOBER, state=state)
    )
    db.session.add(
        PayoutRun(
            public_id="run_x", state=RunState.EXECUTING, cutoff_at=OCTOBER, approved_at=OCTOBER
        )
    )
    db.session.flush()
    assert missing("2026-10") == {"waiting", "runs"}


def test_events_set_aside_and_of_foreign_accounts_hold_up_no_month(stripe: ListedStripe) -> None:
    reconcile()
    make_account(3, stripe_id="acct_ours")
    told = {"type": "x", "object_id": "", "happened_at": OCTOBER}
    db.session.add_all(
        [
            StripeEvent(event_id="evt_1", state=EventState.SET_ASIDE, **told),
            StripeEvent(event_id="evt_2", state=EventState.DEAD, account="acct_foreign", **told),
        ]
    )
    db.session.flush()
    assert missing("2026-10") == set()
    db.session.add(StripeEvent(event_id="e3", state=EventState.DEAD, account="acct_ours", **told))
    db.session.flush()
    assert missing("2026-10") == {"waiting"}


def test_a_month_before_the_first_posting_does_not_close(stripe: ListedStripe) -> None:
    # Nothing was ever posted: the month that is just over may close, no earlier one.
    assert "begun" in missing("2026-09")
    sale(OCTOBER)
    reconcile()
    for code in ("2026-09", "2001-01"):
        with pytest.raises(ConflictError, match="The books have begun"):
            close_period(code, by_user_id=1)
    db.session.rollback()
    assert "begun" not in missing("2026-10")


def test_a_list_of_months_is_bounded_whatever_stands_in_it(stripe: ListedStripe) -> None:
    db.session.add_all([Period(code="0001-01", closing={}), Period(code="9999-12", closing={})])
    db.session.flush()
    assert len(months()) == 1_200


def test_a_bank_file_that_is_missing_is_a_warning(stripe: ListedStripe) -> None:
    stripe.add_payout(500, arrival=NOW.date() - timedelta(days=5))
    reconcile()
    checks = {each.name: each for each in checklist("2026-10")}
    assert checks["bank"].gravity is Gravity.WARNING
    assert "2026-10-29" in checks["bank"].text
    assert may_close(list(checks.values()))


@pytest.mark.parametrize(
    ("at", "code"),
    [
        (datetime(2026, 10, 31, 23, 59, 59, 999_999, tzinfo=UTC), "2026-10"),
        (datetime(2026, 11, 1, tzinfo=UTC), "2026-11"),
        # Midnight in Berlin, an hour before the month's end in UTC.
        (datetime(2026, 11, 1, 0, 30, tzinfo=ZoneInfo("Europe/Berlin")), "2026-10"),
        # The night in which the clocks go back: 02:30 happens twice, both in October.
        (datetime(2026, 10, 25, 2, 30, fold=0, tzinfo=ZoneInfo("Europe/Berlin")), "2026-10"),
        (datetime(2026, 10, 25, 2, 30, fold=1, tzinfo=ZoneInfo("Europe/Berlin")), "2026-10"),
        (datetime(2026, 10, 31, 20, 0, tzinfo=ZoneInfo("America/New_York")), "2026-11"),
        (datetime(2026, 12, 31, 23, 59, tzinfo=UTC), "2026-12"),
    ],
)
def test_months_end_in_utc_whatever_the_zone(at: datetime, code: str, stripe: ListedStripe) -> None:
    assert month_of(at) == code
    start, end = month_bounds(code)
    assert start <= at < end
    assert sale(at).period.code == code


def test_closing_over_the_year_leads_into_january(stripe: ListedStripe) -> None:
    december = datetime(2026, 12, 20, tzinfo=UTC)
    with clock.frozen(datetime(2027, 1, 2, tzinfo=UTC)):
        reconcile(datetime(2027, 1, 2, tzinfo=UTC))
        close_period("2026-12", by_user_id=1)
        assert sale(december).period.code == "2027-01"


def test_months_run_from_the_first_posting_to_now(stripe: ListedStripe) -> None:
    sale(datetime(2026, 8, 3, tzinfo=UTC))
    assert [code for code, _ in months()] == ["2026-11", "2026-10", "2026-09", "2026-08"]


@pytest.mark.parametrize(
    "code",
    [
        "2026-00",
        "2026-13",
        "26-10",
        "2026/10",
        "",
        "2026-1",
        "x" * 9,
        "2026-+9",
        "2026- 9",
        "2026-09\n",
        "1999-12",
        "２０26-10",
    ],
)
def test_what_is_no_month(code: str) -> None:
    assert not is_period_code(code)


def test_a_close_waits_for_who_is_posting_and_nothing_slips_in(
    stripe: ListedStripe, database_kind: str, app: Flask
) -> None:
    if database_kind != "postgresql":
        pytest.skip("SQLite has one writer at a time")
    sale(OCTOBER, key="first")
    reconcile()
    for found in db.session.scalars(select(ReconciliationBreak)):
        found.state, found.reason = BreakState.EXPLAINED, "For the test"
    db.session.commit()
    done: list[str] = []

    def close() -> None:
        with app.app_context(), unit_of_work():
            close_period("2026-10", by_user_id=1)
            done.append("closed")

    sale(OCTOBER, key="second", amount=7)
    thread = threading.Thread(target=close)
    thread.start()
    thread.join(0.5)
    assert done == []
    db.session.commit()
    thread.join(10)
    assert done == ["closed"]
    db.session.expire_all()
    period = db.session.scalars(select(Period).where(Period.code == "2026-10")).one()
    assert period.closing["trial_balance"]["EUR"]["debit"] == 107
