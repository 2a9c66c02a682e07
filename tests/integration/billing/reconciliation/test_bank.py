"""Payouts and the bank: matched, booked, taken back, and files that overlap."""

from datetime import date, timedelta

import pytest
from sqlalchemy import insert, select

from billing.accounts import BANK, PROCESSING_FEE, STRIPE_IN_TRANSIT
from billing.bank_files.importing import import_bank_file
from billing.ledger import balance
from billing.models import (
    BankLine,
    BreakState,
    BreakType,
    ReconciliationBreak,
    ReconciliationMatch,
    StripePayout,
)
from billing.reconciliation.bank import match_by_hand, set_aside, unmatch_line
from billing.reconciliation.bank_matching import match_bank
from billing.reconciliation.breaks import explain
from billing.reconciliation.corrections import accounts_for, book_difference
from marketplace.core.database import db
from marketplace.core.errors import ConflictError, InvalidError
from marketplace.core.unit_of_work import unit_of_work
from tests.factories.reconciliation import (
    NOW,
    ListedStripe,
    make_bank_line,
    make_charged_order,
    reconcile,
)

DAY = date(2026, 10, 20)


def open_breaks() -> list[ReconciliationBreak]:
    return list(
        db.session.scalars(
            select(ReconciliationBreak)
            .where(ReconciliationBreak.state == BreakState.OPEN)
            .order_by(ReconciliationBreak.id)
        )
    )


def payout_row(stripe_id: str) -> StripePayout:
    return db.session.scalars(select(StripePayout).where(StripePayout.stripe_id == stripe_id)).one()


def test_money_that_arrived_leaves_the_transit_account(stripe: ListedStripe) -> None:
    stripe.add_payout(3_000, arrival=DAY, trace="TRACE12345")
    stripe.add_payout(-200, arrival=DAY)
    make_bank_line(3_000, DAY + timedelta(days=20), reference="TRACE 12345")
    make_bank_line(-200, DAY + timedelta(days=1))
    reconcile()
    assert open_breaks() == []
    assert balance(BANK, "EUR") == 2_800
    assert balance(STRIPE_IN_TRANSIT, "EUR") == 0
    assert {each.rule for each in db.session.scalars(
        select(ReconciliationMatch).where(ReconciliationMatch.left_type == "stripe_payout")
    )} == {"trace_id", "amount_and_date"}  # fmt: skip


def test_a_payout_that_the_bank_never_shows_is_named_after_ten_days(stripe: ListedStripe) -> None:
    stripe.add_payout(3_000, arrival=NOW.date() - timedelta(days=9))
    reconcile()
    assert open_breaks() == []
    reconcile(NOW + timedelta(days=1))
    (found,) = open_breaks()
    assert (found.type, found.subject_type, found.amount) == (
        BreakType.UNMATCHED_BANK,
        "stripe_payout",
        3_000,
    )


def test_with_a_file_of_those_days_it_is_named_after_three(stripe: ListedStripe) -> None:
    stripe.add_payout(3_000, arrival=NOW.date() - timedelta(days=4))
    line = make_bank_line(1, NOW.date())
    line.ignored_reason = "Interest"
    reconcile()
    assert [each.subject_type for each in open_breaks()] == ["stripe_payout"]


def test_a_payout_that_failed_after_it_arrived_must_be_given_back(stripe: ListedStripe) -> None:
    name = stripe.add_payout(3_000, arrival=DAY)
    make_bank_line(3_000, DAY)
    reconcile(NOW - timedelta(days=2))
    stripe.payouts[name]["status"] = "failed"
    stripe.add("payout_failure", 3_000, name, at=NOW - timedelta(days=2))
    reconcile(NOW - timedelta(days=1))
    (found,) = open_breaks()
    assert (found.subject_type, found.type, found.amount) == (
        "stripe_payout",
        BreakType.AMOUNT,
        -3_000,
    )
    assert balance(STRIPE_IN_TRANSIT, "EUR") == -3_000
    make_bank_line(-3_000, DAY + timedelta(days=12))
    reconcile()
    assert open_breaks() == []
    assert balance(STRIPE_IN_TRANSIT, "EUR") == balance(BANK, "EUR") == 0


def test_what_the_bank_kept_is_a_break_that_can_be_booked(stripe: ListedStripe) -> None:
    name = stripe.add_payout(3_000, arrival=DAY)
    line = make_bank_line(2_950, DAY)
    reconcile(NOW - timedelta(hours=2))
    with unit_of_work():
        match_by_hand([payout_row(name).id], [line.id], by_user_id=1)
    reconcile(NOW - timedelta(hours=1))
    (found,) = open_breaks()
    assert (found.type, found.amount) == (BreakType.AMOUNT, 50)
    with unit_of_work():
        book_difference(found, PROCESSING_FEE, "The bank took a fee", by_user_id=1)
    reconcile()
    assert open_breaks() == []
    assert balance(STRIPE_IN_TRANSIT, "EUR") == 0
    assert balance(PROCESSING_FEE, "EUR") == 50


def test_matching_by_hand_refuses_what_makes_no_sense(stripe: ListedStripe) -> None:
    first = stripe.add_payout(3_000, arrival=DAY)
    second = stripe.add_payout(2_000, arrival=DAY + timedelta(days=30))
    line = make_bank_line(4_999, DAY)
    dollars = make_bank_line(3_000, DAY, currency="USD")
    reconcile()
    one, two = payout_row(first).id, payout_row(second).id
    for payouts, lines, message in (
        ([], [line.id], "at least one payout"),
        ([one, two], [line.id], "do not sum"),
        ([one, two], [line.id, dollars.id], "several lines, or several payouts"),
        ([one], [dollars.id], "one currency"),
    ):
        with pytest.raises(InvalidError, match=message):
            match_by_hand(payouts, lines, by_user_id=1)
    set_aside([line.id], "Something else", by_user_id=1)
    with pytest.raises(ConflictError, match="set aside"):
        match_by_hand([one], [line.id], by_user_id=1)


def test_lines_are_never_more_than_their_payout_nor_of_the_other_sign(
    stripe: ListedStripe,
) -> None:
    paid = stripe.add_payout(3_000, arrival=DAY)
    taken = stripe.add_payout(-2_000, arrival=DAY)
    reconcile()
    out, back = payout_row(paid).id, payout_row(taken).id
    far = DAY + timedelta(days=60)
    more, less = make_bank_line(3_001, far), make_bank_line(2_999, far)
    two, minus = make_bank_line(2, far), make_bank_line(-1_000, far)
    for payout, line in (
        (out, more),
        (out, minus),
        (back, less),
        (out, make_bank_line(9_999, far)),
    ):
        with pytest.raises(InvalidError, match=r"more than the payout|the other way"):
            match_by_hand([payout], [line.id], by_user_id=1)
    with pytest.raises(InvalidError, match="more than the payout"):
        match_by_hand([out], [less.id, two.id], by_user_id=1)
    match_by_hand([out], [less.id], by_user_id=1)
    with pytest.raises(InvalidError, match=r"€0\.01 of it is left"):
        match_by_hand([out], [two.id], by_user_id=1)
    match_by_hand([back], [minus.id], by_user_id=1)
    assert balance(BANK, "EUR") == 1_999


def test_a_match_taken_back_is_reversed_and_found_again(stripe: ListedStripe) -> None:
    stripe.add_payout(3_000, arrival=DAY)
    line = make_bank_line(3_000, DAY)
    reconcile(NOW - timedelta(hours=1))
    with unit_of_work():
        unmatch_line(line, by_user_id=1)
        assert balance(BANK, "EUR") == 0
        with pytest.raises(ConflictError):
            unmatch_line(line, by_user_id=1)
    reconcile()
    assert balance(BANK, "EUR") == 3_000
    assert open_breaks() == []


def test_lines_of_overlapping_files_are_kept_once(stripe: ListedStripe) -> None:
    first = "Date,Amount,Text\n2026-10-01,5.00,A\n2026-10-02,5.00,B\n2026-10-02,5.00,B\n"
    second = "Date,Amount,Text\n2026-10-02,5.00,B\n2026-10-02,5.00,B\n2026-10-03,5.00,C\n"
    made, is_new = import_bank_file(first.encode(), "first.csv", currency="EUR")
    assert (is_new, made.lines_new, made.lines_known) == (True, 3, 0)
    made, _ = import_bank_file(second.encode(), "second.csv", currency="EUR")
    assert (made.lines_new, made.lines_known) == (1, 2)
    again, is_new = import_bank_file(first.encode(), "renamed.csv", currency="EUR")
    assert not is_new
    assert again.file_name == "first.csv"
    assert len(db.session.scalars(select(BankLine)).all()) == 4


def test_importing_matches_at_once(stripe: ListedStripe) -> None:
    stripe.add_payout(3_000, arrival=DAY)
    reconcile()
    import_bank_file(b"Date,Amount\n2026-10-21,30.00\n", "a.csv", currency="EUR")
    assert balance(BANK, "EUR") == 3_000
    assert match_bank() == 0


def test_thousands_of_other_lines_hide_no_payout(stripe: ListedStripe) -> None:
    stripe.add_payout(3_000, arrival=DAY, trace="TRACE12345")
    stripe.add_payout(2_000, arrival=DAY)
    stripe.add_payout(400, arrival=DAY)
    stripe.add_payout(311, arrival=DAY)
    stripe.add_payout(70, arrival=DAY, status="failed")
    reconcile(NOW - timedelta(hours=1))
    first = make_bank_line(-80_000, DAY - timedelta(days=40), text="Rent")
    db.session.execute(
        insert(BankLine),
        [
            {
                "import_id": first.import_id,
                "hash": f"rent-{number}",
                "booked_on": DAY - timedelta(days=number % 40),
                "amount": -90_000 - number,
                "currency": "EUR",
                "reference": "",
                "text": "Rent",
                "ignored_reason": "",
            }
            for number in range(4_100)
        ],
    )
    make_bank_line(3_000, DAY + timedelta(days=9), text="STRIPE TRACE 123 45")
    make_bank_line(2_000, DAY + timedelta(days=1))
    make_bank_line(711, DAY + timedelta(days=2), text="two payouts")
    make_bank_line(70, DAY)
    make_bank_line(-70, DAY + timedelta(days=3))
    assert match_bank() == 5
    assert balance(BANK, "EUR") == 5_711
    assert match_bank() == 0


def test_equal_amounts_are_shared_out_by_the_nearest_day(stripe: ListedStripe) -> None:
    days = [DAY + timedelta(days=number) for number in range(4)]
    names = [stripe.add_payout(500, arrival=day) for day in days]
    reconcile(NOW - timedelta(hours=1))
    lines = [make_bank_line(500, day + timedelta(days=1)) for day in days]
    assert match_bank() == 4
    found = {
        match.left_id: match.right_id
        for match in db.session.scalars(
            select(ReconciliationMatch).where(ReconciliationMatch.right_type == "bank_line")
        )
    }
    ids = [payout_row(name).id for name in names]
    # The three later payouts have a line on their very day; the first takes the one that is left.
    assert [found[each] for each in ids] == [lines[3].id, *(line.id for line in lines[:3])]


def test_a_file_whose_balances_do_not_fit_its_lines_is_a_break(stripe: ListedStripe) -> None:
    data = b"Date,Amount,Balance\n2026-10-01,5.00,105.00\n2026-10-02,5.00,109.00\n"
    import_bank_file(data, "a.csv", currency="EUR")
    set_aside([each.id for each in db.session.scalars(select(BankLine))], "Test", by_user_id=1)
    reconcile()
    (found,) = open_breaks()
    assert (found.subject_type, found.amount) == ("bank_import", -100)


@pytest.mark.parametrize(
    ("booked_total", "booked_fee", "account"),
    [(10_000, 150, PROCESSING_FEE), (9_990, 175, "rounding")],
)
def test_a_booked_difference_ends_the_break_and_lets_the_money_become_available(
    stripe: ListedStripe, booked_total: int, booked_fee: int, account: str
) -> None:
    order = make_charged_order(None, booked_total, fee=booked_fee)
    stripe.add("charge", 10_000, order.charge_id or "", fee=175)
    reconcile(NOW - timedelta(hours=1))
    (found,) = open_breaks()
    assert account in {each.code for each in accounts_for(found)}
    with unit_of_work():
        book_difference(found, account, "Seen with support", by_user_id=1)
        with pytest.raises(ConflictError):
            book_difference(found, account, "Twice", by_user_id=1)
    reconcile()
    assert open_breaks() == []
    assert balance("stripe_available", "EUR") == 9_825


def test_an_unknown_charge_is_booked_with_its_fee(stripe: ListedStripe) -> None:
    stripe.add("charge", 10_000, "ch_nobody", fee=175)
    reconcile(NOW - timedelta(hours=1))
    (found,) = open_breaks()
    with unit_of_work():
        book_difference(found, "suspense", "Paid without an order", by_user_id=1)
    reconcile()
    assert open_breaks() == []
    assert balance("suspense", "EUR") == -10_000
    assert balance(PROCESSING_FEE, "EUR") == 175


def test_an_explained_break_opens_again_when_its_amount_changes(stripe: ListedStripe) -> None:
    name = stripe.add("charge", 10_000, "ch_nobody", fee=175, at=NOW - timedelta(days=1))
    reconcile(NOW - timedelta(hours=2))
    (found,) = open_breaks()
    with unit_of_work():
        explain(found, "A test of support", by_user_id=1)
    reconcile(NOW - timedelta(hours=1))
    assert open_breaks() == []
    stripe.transactions[name] |= {"amount": 10_100, "net": 9_925}
    reconcile()
    # That Stripe's own row changed is a break of the totals besides.
    again, _totals = open_breaks()
    assert (again.id, again.amount, again.reason) == (found.id, 9_925, "")
