"""A partner's statement explains every cent, and stays what it was."""

from datetime import UTC, datetime, timedelta

import pytest

from billing.models import Period, PeriodState
from billing.statements import (
    Balances,
    balances_by_currency,
    months_of,
    statement,
    statement_lines,
)
from marketplace.core import clock
from marketplace.core.database import db
from tests.factories.earnings import make_earning, release_earning, take_back
from tests.factories.payouts import make_account, make_approved_run, make_payable

pytestmark = pytest.mark.usefixtures("app")

OCTOBER = datetime(2026, 10, 20, 12, tzinfo=UTC)


def test_a_statement_adds_up_from_opening_to_closing() -> None:
    make_account(7)
    with clock.frozen(OCTOBER - timedelta(days=30)):
        make_earning(7, price=10_000)
    with clock.frozen(OCTOBER):
        sold = make_earning(7, price=20_000)
        take_back(sold, 1_000)
        other = make_earning(7, price=40_000)
        release_earning(other)
        make_payable(7, -500)
        make_approved_run()
        found = statement(7, "EUR", "2026-10", as_of=clock.now())
    assert found.opening == Balances(held=8_500)
    assert found.closing == Balances(held=8_500 + 17_000 - 1_000, payable=0)
    assert found.sums == {
        "earned": 17_000 + 34_000,
        "taken back": -1_000,
        "corrected": -500,
        "paid out": -33_500,
    }
    assert found.is_balanced
    lines = list(statement_lines(7, "EUR", "2026-10", as_of=OCTOBER))
    assert len(lines) == found.lines == 5
    assert [(line.section, line.amount) for line in lines] == [
        ("earned", 17_000),
        ("taken back", -1_000),
        ("earned", 34_000),
        ("corrected", -500),
        ("paid out", -33_500),
    ]
    assert lines[0].description == "Tide Tables Pro"
    assert lines[0].earning_id == sold.public_id
    assert lines[4].payout_id is not None


def test_what_is_only_moved_is_no_line() -> None:
    with clock.frozen(OCTOBER):
        sold = make_earning(7)
        release_earning(sold)
        found = statement(7, "EUR", "2026-10", as_of=clock.now())
    assert found.lines == 1
    assert found.closing == Balances(payable=8_500)


def test_a_statement_as_of_a_day_stays_what_it_was() -> None:
    with clock.frozen(OCTOBER):
        make_earning(7, price=10_000)
    as_of = OCTOBER + timedelta(days=1)
    before = statement(7, "EUR", "2026-10", as_of=as_of)
    lines = list(statement_lines(7, "EUR", "2026-10", as_of=as_of))
    with clock.frozen(OCTOBER + timedelta(days=2)):
        make_earning(7, price=5_000, at=OCTOBER)
    assert statement(7, "EUR", "2026-10", as_of=as_of) == before
    assert list(statement_lines(7, "EUR", "2026-10", as_of=as_of)) == lines
    later = statement(7, "EUR", "2026-10", as_of=OCTOBER + timedelta(days=3))
    assert later.lines == 2


def test_what_is_booked_late_stands_in_the_first_open_month() -> None:
    with clock.frozen(OCTOBER):
        make_earning(7, price=10_000)
    period = db.session.query(Period).filter_by(code="2026-10").one()
    period.state = PeriodState.CLOSED
    db.session.flush()
    with clock.frozen(OCTOBER + timedelta(days=20)):
        make_earning(7, price=5_000, at=OCTOBER)
        october = statement(7, "EUR", "2026-10", as_of=clock.now())
        november = statement(7, "EUR", "2026-11", as_of=clock.now())
    assert october.sums == {"earned": 8_500}
    assert november.sums == {"earned": 4_250}
    assert november.opening == october.closing
    assert months_of(7) == [("2026-11", "EUR"), ("2026-10", "EUR")]


def test_balances_are_by_currency_and_another_partner_s_are_not_in_them() -> None:
    make_earning(7)
    make_earning(7, currency="USD", price=2_000)
    make_earning(8)
    assert balances_by_currency(7) == {"EUR": Balances(held=8_500), "USD": Balances(held=1_700)}
    assert balances_by_currency(9) == {}
