"""Setting lines of the bank aside by what they have in common, now and in later files."""

from datetime import date, timedelta

import pytest
from sqlalchemy import select

from billing.bank_files.importing import import_bank_file
from billing.models import BankLine, BankRule, StripePayout
from billing.reconciliation import bank_rules
from billing.reconciliation.bank import match_by_hand, take_up_again
from billing.reconciliation.bank_rules import (
    LineFilter,
    NotAsSeenError,
    open_lines,
    remove_rule,
    seen_text,
    set_aside_all,
    sums_of,
)
from marketplace.core.database import db
from marketplace.core.errors import ConflictError, InvalidError
from tests.factories.reconciliation import NOW, ListedStripe, make_bank_line, reconcile

DAY = date(2026, 10, 20)
OCTOBER = b"""Date;Amount;Text
2026-10-01;-800,00;RENT Harbour 12
2026-10-02;-50,00;Lunch 100%
2026-10-05;1200,00;Invoice 7, Stripe has nothing to do with it
2026-10-21;30,00;STRIPE PAYMENTS
"""
NOVEMBER = b"""Date;Amount;Text
2026-11-01;-800,00;rent harbour 12
2026-11-02;900,00;Invoice 8
"""


def make(wanted: LineFilter, *, is_standing: bool = False, seen: str | None = None) -> BankRule:
    shown = seen_text(sums_of(wanted)) if seen is None else seen
    return set_aside_all(wanted, "Not ours", is_standing=is_standing, seen=shown, by_user_id=1)[0]


def left() -> set[str]:
    return {line.text for line in db.session.scalars(open_lines(LineFilter()))}


@pytest.mark.parametrize(
    ("wanted", "count"),
    [
        (LineFilter(contains="rent"), 1),
        (LineFilter(contains="100%"), 1),
        (LineFilter(contains="%"), 1),
        (LineFilter(lacks="stripe"), 2),
        (LineFilter(direction="out"), 2),
        (LineFilter(direction="in", lacks="stripe payments"), 1),
        (LineFilter(currency="EUR", amount_from=5_000, amount_to=80_000), 2),
        (LineFilter(currency="USD"), 0),
        (LineFilter(account="DE01"), 4),
        (LineFilter(account="DE02"), 0),
    ],
)
def test_what_fits(stripe: ListedStripe, wanted: LineFilter, count: int) -> None:
    import_bank_file(OCTOBER, "october.csv", currency="EUR", account="DE01")
    assert sum(each.count for each in sums_of(wanted)) == count
    if count:
        assert len(left()) == 4
        make(wanted)
        assert len(left()) == 4 - count


def test_the_sums_tell_what_came_and_what_went(stripe: ListedStripe) -> None:
    import_bank_file(OCTOBER, "october.csv", currency="EUR")
    (found,) = sums_of(LineFilter())
    assert (found.currency, found.count, found.money_in, found.money_out) == (
        "EUR", 4, 123_000, -85_000,
    )  # fmt: skip


def test_a_line_with_a_match_is_never_set_aside(stripe: ListedStripe) -> None:
    stripe.add_payout(3_000, arrival=DAY)
    reconcile(NOW - timedelta(hours=1))
    import_bank_file(OCTOBER, "october.csv", currency="EUR")
    assert "STRIPE PAYMENTS" not in left()
    make(LineFilter(currency="EUR"))
    assert left() == set()
    matched = db.session.scalars(select(BankLine).where(BankLine.text == "STRIPE PAYMENTS")).one()
    assert (matched.ignored_reason, matched.rule_id) == ("", None)


def test_a_standing_rule_counts_for_later_files_and_after_the_matching(
    stripe: ListedStripe,
) -> None:
    stripe.add_payout(3_000, arrival=DAY)
    reconcile(NOW - timedelta(hours=1))
    rule = make(LineFilter(direction="in"), is_standing=True)
    import_bank_file(OCTOBER, "october.csv", currency="EUR")
    assert left() == {"RENT Harbour 12", "Lunch 100%"}
    once = make(LineFilter(contains="rent harbour"))
    import_bank_file(NOVEMBER, "november.csv", currency="EUR")
    assert left() == {"Lunch 100%", "rent harbour 12"}
    rules = dict(db.session.execute(select(BankLine.text, BankLine.rule_id)).all())
    assert rules["Invoice 8"] == rule.id
    assert rules["RENT Harbour 12"] == once.id
    assert rules["STRIPE PAYMENTS"] is None


def test_a_line_that_counts_again_is_left_by_the_rules(stripe: ListedStripe) -> None:
    import_bank_file(OCTOBER, "october.csv", currency="EUR")
    rule = make(LineFilter(contains="rent"), is_standing=True)
    line = db.session.scalars(select(BankLine).where(BankLine.rule_id == rule.id)).one()
    take_up_again(line, by_user_id=1)
    import_bank_file(NOVEMBER, "november.csv", currency="EUR")
    assert "RENT Harbour 12" in left()
    assert "rent harbour 12" not in left()


def test_only_what_was_shown_is_set_aside(stripe: ListedStripe) -> None:
    import_bank_file(OCTOBER, "october.csv", currency="EUR")
    wanted = LineFilter(contains="rent")
    shown = seen_text(sums_of(wanted))
    import_bank_file(NOVEMBER, "november.csv", currency="EUR")
    with pytest.raises(NotAsSeenError, match="Other lines fit"):
        make(wanted, seen=shown)
    assert "RENT Harbour 12" in left()


def test_a_removed_rule_ends_and_may_give_its_lines_back(stripe: ListedStripe) -> None:
    import_bank_file(OCTOBER, "october.csv", currency="EUR")
    kept = make(LineFilter(contains="rent"), is_standing=True)
    undone = make(LineFilter(contains="lunch"))
    assert remove_rule(kept, take_up=False, by_user_id=2) == 0
    assert remove_rule(undone, take_up=True, by_user_id=2) == 1
    assert "RENT Harbour 12" not in left()
    assert "Lunch 100%" in left()
    import_bank_file(NOVEMBER, "november.csv", currency="EUR")
    assert "rent harbour 12" in left()
    with pytest.raises(ConflictError, match="already"):
        remove_rule(kept, take_up=True, by_user_id=2)
    assert (kept.removed_by_id, kept.created_by_id) == (2, 1)


@pytest.mark.parametrize(
    ("wanted", "name"),
    [
        (LineFilter(), "contains"),
        (LineFilter(contains="x" * 141), "contains"),
        (LineFilter(currency="XXX"), "currency"),
        (LineFilter(direction="up"), "direction"),
        (LineFilter(amount_from=1), "currency"),
        (LineFilter(currency="EUR", amount_from=2, amount_to=1), "amount_to"),
        (LineFilter(contains="nowhere"), "contains"),
    ],
)
def test_what_makes_no_rule(stripe: ListedStripe, wanted: LineFilter, name: str) -> None:
    import_bank_file(OCTOBER, "october.csv", currency="EUR")
    with pytest.raises(InvalidError) as told:
        set_aside_all(wanted, "Why", is_standing=False, seen="", by_user_id=1)
    assert name in told.value.fields
    with pytest.raises(InvalidError) as told:
        set_aside_all(LineFilter(contains="rent"), " ", is_standing=True, seen="", by_user_id=1)
    assert "reason" in told.value.fields


def test_standing_rules_are_not_without_end(
    stripe: ListedStripe, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bank_rules, "MOST_STANDING", 1)
    make(LineFilter(contains="rent"), is_standing=True)
    with pytest.raises(InvalidError, match="Remove one"):
        make(LineFilter(contains="wages"), is_standing=True)


def test_a_line_that_a_rule_set_aside_is_not_matched_by_hand(stripe: ListedStripe) -> None:
    name = stripe.add_payout(3_000, arrival=DAY)
    reconcile(NOW - timedelta(hours=1))
    line = make_bank_line(3_000, DAY + timedelta(days=60), text="Someone else")
    make(LineFilter(contains="someone"))
    payout_id = db.session.scalars(
        select(StripePayout.id).where(StripePayout.stripe_id == name)
    ).one()
    with pytest.raises(ConflictError, match="set aside"):
        match_by_hand([payout_id], [line.id], by_user_id=1)
