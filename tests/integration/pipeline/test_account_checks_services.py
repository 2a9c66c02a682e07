"""Account checks in the database: one for each pair, what is kept, what is deleted."""

from datetime import timedelta

import pytest
from flask import Flask

from marketplace.core import clock
from marketplace.core.database import db
from marketplace.core.errors import ConflictError, InvalidError
from marketplace.core.facts import Fact
from marketplace.core.unit_of_work import unit_of_work
from marketplace.identity.models import Organization
from marketplace.pipeline.account_checks.jobs import forget
from marketplace.pipeline.account_checks.models import (
    AccountCheck,
    AccountEntry,
    AccountList,
    AccountReceipt,
)
from marketplace.pipeline.account_checks.reading import evidence_between
from marketplace.pipeline.account_checks.services import agreeing, comparing
from tests.factories.people import make_organization
from tests.factories.races import at_once

OURS = [f"customer{number}.example" for number in range(12)]


def _check(level: str = "names") -> tuple[AccountCheck, Organization, Organization]:
    one, two = make_organization("One"), make_organization("Two")
    check = agreeing.invite(one, two, level, "", by_user_id=None)
    agreeing.accept(check.id, by_user_id=None)
    return check, one, two


def _hand_in(check: AccountCheck, party: Organization, *entries: str) -> AccountReceipt:
    return comparing.hand_in(check.id, party.id, "\n".join(entries), by_user_id=None)


def test_two_partners_have_one_check_whoever_invites(app: Flask) -> None:
    one, two = make_organization("One"), make_organization("Two")
    ids = [one.id, two.id]
    db.session.commit()

    def invite(first: int, second: int) -> None:
        with unit_of_work():
            agreeing.invite(
                db.session.get_one(Organization, first),
                db.session.get_one(Organization, second),
                "counts",
                "",
                by_user_id=None,
            )

    raised = at_once(app, [lambda: invite(*ids), lambda: invite(*reversed(ids))])
    assert all(isinstance(error, ConflictError) or "locked" in str(error) for error in raised), (
        raised
    )
    db.session.rollback()
    assert db.session.query(AccountCheck).count() == 1
    with pytest.raises(InvalidError):
        agreeing.invite(
            db.session.get_one(Organization, ids[0]),
            db.session.get_one(Organization, ids[0]),
            "counts",
            "",
            by_user_id=None,
        )


def test_the_moment_of_a_customer_survives_a_new_list(app: Flask) -> None:
    check, one, two = _check()
    _hand_in(check, one, *OURS)
    begun = clock.now()
    clock.shift(timedelta(days=2))
    try:
        _hand_in(check, one, "customer0.example", *(f"new{n}.example" for n in range(9)))
        _hand_in(check, two, "customer0.example", *(f"other{n}.example" for n in range(9)))
        found = evidence_between("WWW.customer0.example", {one.id, two.id})
    finally:
        clock.shift(-timedelta(days=2))
    assert [held.organization_id for held in found] == [one.id, two.id]
    assert found[0].since <= begun
    assert evidence_between("customer1.example", {one.id, two.id}) == []
    (match,) = comparing.matches_of(check.id, one.id, "Ada@customer0.example")
    assert match.own_since < match.other_since


def test_nothing_that_was_handed_in_stands_anywhere(app: Flask) -> None:
    check, one, _two = _check()
    _hand_in(check, one, *OURS)
    db.session.commit()
    rows = [*db.session.query(AccountEntry), *db.session.query(AccountReceipt)]
    rows += [*db.session.query(Fact), *db.session.query(AccountList)]
    told = "|".join(
        str(getattr(row, column.name)) for row in rows for column in row.__table__.columns
    )
    assert "customer0" not in told


def test_by_counts_a_single_customer_is_told_by_no_number(app: Flask) -> None:
    check, one, two = _check("counts")
    _hand_in(check, two, *OURS)
    mine = [f"invented{n}.example" for n in range(9)]
    _hand_in(check, one, *mine, "nobodys.example")
    none = comparing.overlap_of(check, one.id)
    assert (none.shared, none.band, none.told_from) == (None, (0, 2), None)
    # Another list is not answered at once, so that nobody asks for one customer after the other.
    _hand_in(check, one, *mine, *OURS[:4])
    later = comparing.overlap_of(check, one.id)
    assert (later.shared, later.band) == (None, None)
    assert later.told_from is not None
    assert later.told_from > clock.now() + timedelta(days=6)
    # The other one changed nothing.
    assert comparing.overlap_of(check, two.id).band == (3, 9)
    clock.shift(timedelta(days=8))
    try:
        assert comparing.overlap_of(check, one.id).band == (3, 9)
        # The same list once more is no change.
        _hand_in(check, one, *mine, *OURS[:4])
        assert comparing.overlap_of(check, one.id).band == (3, 9)
    finally:
        clock.shift(-timedelta(days=8))


def test_lists_are_deleted_after_ninety_days_and_at_the_end(app: Flask) -> None:
    check, one, two = _check()
    _hand_in(check, one, *OURS)
    clock.shift(timedelta(days=91))
    try:
        forget({})
        assert db.session.query(AccountEntry).count() == 0
        _hand_in(check, one, *OURS)
        agreeing.end(check.id, two.id, by_user_id=None)
        agreeing.end(check.id, two.id, by_user_id=None)
        assert db.session.query(AccountList).count() == 0
        assert check.key_sealed == ""
        with pytest.raises(ConflictError):
            _hand_in(check, one, *OURS)
        # Both may begin anew, under another key.
        again = agreeing.invite(two, one, "counts", "", by_user_id=None)
        assert again.id != check.id
    finally:
        clock.shift(-timedelta(days=91))
    receipts = db.session.query(AccountReceipt).all()
    assert len(receipts) == 2
    assert all(comparing.is_genuine(receipt) for receipt in receipts)
