"""Trial balance, the age of what is owed, and the journal."""

import re
import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from flask import Flask

from billing.accounts import (
    FX_CLEARING,
    FX_GAIN_LOSS,
    PARTNER_HELD,
    PARTNER_PAYABLE,
    PLATFORM_FEE,
    STRIPE_AVAILABLE,
)
from billing.journal import CSV_HEAD, beancount_lines, journal_rows
from billing.ledger import credit, debit, post
from billing.reports import AgeLine, ageing_totals, partner_ageing, trial_balance
from marketplace.core import clock

NOW = datetime(2026, 11, 1, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _in_october(app: Flask) -> Iterator[None]:
    with clock.frozen(NOW):
        yield


def owe(partner: int, amount: int, days_ago: int, currency: str = "EUR") -> None:
    at = NOW - timedelta(days=days_ago)
    key = f"{partner}:{amount}:{days_ago}:{currency}"
    post(
        "release",
        source=("earning", key),
        key=key,
        legs=[
            debit(STRIPE_AVAILABLE, amount, currency),
            credit(PARTNER_PAYABLE, amount, currency, partner),
        ],
        effective_at=at,
        memo='A "quoted"\nmemo',
    )


def test_debits_equal_credits_and_months_add_up() -> None:
    owe(7, 1_000, 40)
    owe(7, 500, 3)
    (september,) = trial_balance(through="2026-09")
    assert (september.debit, september.credit) == (1_000, 1_000)
    (october,) = trial_balance(through="2026-10")
    assert october.is_balanced
    payable = next(line for line in october.lines if line.account.code == PARTNER_PAYABLE)
    assert (payable.balance, payable.month_credit, payable.credit_balance) == (1_500, 500, 1_500)


def test_a_balance_of_the_past_is_what_was_posted_by_then() -> None:
    with clock.frozen(NOW - timedelta(days=5)):
        owe(7, 1_000, 10)
    before = clock.now()
    with clock.frozen(NOW + timedelta(seconds=1)):
        # Posted now, although it happened long ago.
        owe(7, 500, 20)
        (then,) = trial_balance(posted_until=before)
        (now,) = trial_balance()
    assert (then.debit, now.debit) == (1_000, 1_500)


def test_what_was_paid_uses_up_the_oldest() -> None:
    for days, amount in ((100, 100), (70, 200), (40, 300), (10, 400)):
        owe(7, amount, days)
    post(
        "payout_reserve",
        source=("payout", 1),
        key="payout:1:reserve",
        legs=[debit(PARTNER_PAYABLE, 250, "EUR", 7), credit(STRIPE_AVAILABLE, 250, "EUR")],
        effective_at=NOW - timedelta(days=1),
    )
    post(
        "sale",
        source=("order", 1),
        key="order:1:paid",
        legs=[
            debit(STRIPE_AVAILABLE, 90, "EUR"),
            credit(PARTNER_HELD, 80, "EUR", 7),
            credit(PLATFORM_FEE, 10, "EUR"),
        ],
        effective_at=NOW - timedelta(days=1),
    )
    owe(8, 50, 5, "USD")
    lines = partner_ageing(NOW)
    assert lines == [
        AgeLine(7, "EUR", 80, (400, 300, 50, 0)),
        AgeLine(8, "USD", 0, (50, 0, 0, 0)),
    ]
    assert ageing_totals(NOW) == [
        (AgeLine(0, "EUR", 80, (400, 300, 50, 0)), 1),
        (AgeLine(0, "USD", 0, (50, 0, 0, 0)), 1),
    ]
    assert partner_ageing(NOW, limit=1) == lines[:1]
    assert partner_ageing(NOW, limit=1, offset=1) == lines[1:]
    assert partner_ageing(NOW - timedelta(days=60)) == [AgeLine(7, "EUR", 0, (200, 100, 0, 0))]


def test_who_is_owed_nothing_is_not_listed() -> None:
    owe(7, 100, 10)
    post(
        "payout_reserve",
        source=("payout", 1),
        key="payout:1:reserve",
        legs=[debit(PARTNER_PAYABLE, 100, "EUR", 7), credit(STRIPE_AVAILABLE, 100, "EUR")],
    )
    assert partner_ageing(NOW) == []


def test_the_csv_has_every_entry_of_the_month_and_balances(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("billing.journal.SLICE", 2)
    for number in range(5):
        owe(7, 100 + number, 2)
    owe(7, 1_000, 2, "JPY")
    owe(7, 900, 40)
    rows = [dict(zip(CSV_HEAD, row, strict=True)) for row in journal_rows("2026-10")]
    assert len(rows) == 12
    sums: dict[object, Decimal] = defaultdict(Decimal)
    for row in rows:
        sums[row["currency"]] += Decimal(str(row["debit"] or 0)) - Decimal(str(row["credit"] or 0))
    assert set(sums.values()) == {Decimal(0)}
    assert {row["debit"] for row in rows if row["currency"] == "JPY"} == {"1000", None}
    assert rows[0]["partner"] is None
    assert rows[1]["partner"] == 7


def test_the_beancount_file_opens_each_account_once_and_balances() -> None:
    owe(7, 123_456, 2)
    owe(8, 5_000, 3, "KWD")
    text = "".join(beancount_lines("2026-10", "October"))
    accounts = re.findall(r"^1970-01-01 open (\S+)$", text, re.M)
    assert accounts == [
        "Assets:Stripe-Available",
        "Liabilities:Partner-Payable:P7",
        "Liabilities:Partner-Payable:P8",
    ]
    assert '2026-10-30 * "release" "A \\"quoted\\" memo"' in text
    sums: dict[str, Decimal] = defaultdict(Decimal)
    for account, amount, currency in re.findall(r"^  (\S+)\s+(-?[\d.]+) ([A-Z]{3})$", text, re.M):
        assert account in accounts
        sums[currency] += Decimal(amount)
    assert sums == {"EUR": Decimal(0), "KWD": Decimal(0)}
    assert "1234.56 EUR" in text
    assert "-5.000 KWD" in text


def test_bean_check_accepts_the_file(tmp_path: Path) -> None:
    owe(7, 123_456, 2)
    owe(8, 5_000, 3, "KWD")
    owe(8, 5_000, 3, "JPY")
    post(
        "conversion",
        source=("conversion", 1),
        key="conversion:1",
        legs=[
            debit(PARTNER_PAYABLE, 8_500, "BGN", 7),
            credit(FX_CLEARING, 8_500, "BGN"),
            debit(FX_CLEARING, 4_250, "EUR"),
            credit(PARTNER_PAYABLE, 4_346, "EUR", 7),
            debit(FX_GAIN_LOSS, 96, "EUR"),
        ],
        effective_at=NOW - timedelta(days=1),
        memo='лв85.00 to €43.46 \\ "fixed";\t#tag ^link',
    )
    path = tmp_path / "october.beancount"
    path.write_text("".join(beancount_lines("2026-10", 'October "26"')), encoding="utf-8")

    def check() -> subprocess.CompletedProcess[str]:
        program = Path(sys.executable).with_name("bean-check")
        return subprocess.run([program, path], capture_output=True, text=True, check=False)

    told = check()
    assert (told.returncode, told.stdout, told.stderr) == (0, "", "")
    # It looks: a file that does not balance is refused.
    path.write_text(path.read_text(encoding="utf-8").replace("-85.00 BGN", "-85.01 BGN"))
    assert check().returncode != 0
