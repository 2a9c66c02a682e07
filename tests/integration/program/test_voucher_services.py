"""Vouchers and credit on both databases."""

from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import func, select
from sqlalchemy.exc import OperationalError

from marketplace.core import clock
from marketplace.core.database import db
from marketplace.core.errors import ConflictError, InvalidError
from marketplace.core.unit_of_work import unit_of_work
from marketplace.identity.models import Organization
from marketplace.program.vouchers.models import CreditEntry, Voucher
from marketplace.program.vouchers.services import Issue, balances, issue, redeem, revoke
from tests.factories.people import make_organization
from tests.factories.program import make_policy
from tests.factories.races import at_once
from tests.factories.vouchers_world import make_voucher


def test_two_clicks_at_once_credit_once(app: Flask) -> None:
    one, two = make_organization("One"), make_organization("Two")
    _row, token = make_voucher(5_000)
    db.session.commit()
    ids = (one.id, two.id)

    def click(organization_id: int) -> None:
        with unit_of_work():
            redeem(db.session.get_one(Organization, organization_id), token, user_id=None)

    raised = at_once(app, [lambda: click(ids[0]), lambda: click(ids[1]), lambda: click(ids[0])])
    assert len(raised) == 2
    db.session.rollback()
    assert db.session.scalar(select(func.count()).select_from(CreditEntry)) == 1
    assert sum(balances(each).get("EUR", 0) for each in ids) == 5_000


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"revoked": True}, "taken back"),
        ({"expires_in": -1}, "expired on"),
        ({"partner_type": "reseller"}, "another type: Reseller"),
    ],
)
def test_a_token_that_does_not_count_says_why(
    app: Flask, fields: dict[str, object], words: str
) -> None:
    make_policy()
    partner = make_organization("One")
    days = int(str(fields.get("expires_in", 30)))
    row, token = make_voucher(
        partner_type=str(fields.get("partner_type", "")),
        expires_at=clock.now() + timedelta(days=days),
    )
    if fields.get("revoked"):
        assert revoke(row, by_user_id=None) is True
        assert revoke(row, by_user_id=None) is False
    with pytest.raises(InvalidError) as refused:
        redeem(partner, token, user_id=None)
    assert words in refused.value.fields["token"]
    assert balances(partner.id) == {}


def test_a_used_voucher_is_not_taken_back(app: Flask) -> None:
    row, token = make_voucher()
    redeem(make_organization("One"), token, user_id=None)
    with pytest.raises(ConflictError):
        revoke(row, by_user_id=None)
    assert row.state == "used"


def test_tokens_are_issued_in_the_currency_of_the_form(app: Flask) -> None:
    make_policy()
    wish = Issue(3, "1,250", "JPY", "", "For schools", clock.now() + timedelta(days=5))
    made = issue(wish, by_user_id=None)
    assert {row.amount for row, _token in made} == {1_250}
    assert len({token for _row, token in made}) == 3
    assert not {token for _row, token in made} & set(db.session.scalars(select(Voucher.token_hash)))


def test_a_form_that_is_sent_several_times_at_once_issues_once(app: Flask) -> None:
    make_policy()
    db.session.commit()
    wish = Issue(2, "5", "EUR", "", "", clock.now() + timedelta(days=5))

    def click() -> None:
        with unit_of_work():
            issue(wish, by_user_id=None, form_key="one")

    raised = at_once(app, [click, click, click])
    assert {type(error) for error in raised} <= {ConflictError, OperationalError}
    assert len(raised) == 2
    db.session.rollback()
    assert db.session.scalar(select(func.count()).select_from(Voucher)) == 2
    issue(wish, by_user_id=None, form_key="another")
    assert db.session.scalar(select(func.count()).select_from(Voucher)) == 4


def test_the_database_refuses_to_change_what_was_credited(app: Flask) -> None:
    _row, token = make_voucher()
    redeem(make_organization("One"), token, user_id=None)
    db.session.commit()
    entry = db.session.scalars(select(CreditEntry)).one()
    entry.amount = 1
    with pytest.raises(Exception, match="append-only"):
        db.session.commit()
    db.session.rollback()
