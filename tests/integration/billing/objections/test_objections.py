"""A partner asks about a line, and an upheld question moves money."""

import pytest
from flask import Flask

from billing import objections
from billing.accounts import PARTNER_PAYABLE, PLATFORM_FEE
from billing.ledger import balance
from billing.models import Earning, EarningKind, Funder, ObjectionState
from billing.objections import (
    decide_objection,
    most_to_give,
    on_objection_decided,
    open_objection,
    withdraw_objection,
)
from billing.payouts.payable import payable_balance
from marketplace.core.database import db
from marketplace.core.errors import ConflictError, InvalidError
from marketplace.core.unit_of_work import unit_of_work
from tests.factories.earnings import make_earning, release_earning
from tests.factories.races import at_once

pytestmark = pytest.mark.usefixtures("app")


@pytest.fixture
def earning(app: Flask) -> Earning:
    return make_earning(7)


def test_an_upheld_question_pays_the_difference_out_of_our_fee(earning: Earning) -> None:
    fee = balance(PLATFORM_FEE, "EUR")
    asked = open_objection(earning, body=" Why 15%? ", by_user_id=1)
    assert asked.body == "Why 15%?"
    decided = decide_objection(
        asked.id, upheld=True, answer="It should be 10%.", adjustment=500, by_user_id=2
    )
    assert decided.state is ObjectionState.UPHELD
    assert balance(PARTNER_PAYABLE, "EUR", 7) == payable_balance(7, "EUR") == 500
    assert balance(PLATFORM_FEE, "EUR") == fee - 500


def test_too_much_is_given_back_but_no_more_than_is_payable(earning: Earning) -> None:
    release_earning(earning)
    asked = open_objection(earning, body="Too much?", by_user_id=1)
    with pytest.raises(InvalidError, match=r"€85\.00"):
        decide_objection(asked.id, upheld=True, answer="Yes.", adjustment=-8_501, by_user_id=2)
    decide_objection(asked.id, upheld=True, answer="Yes.", adjustment=-1_000, by_user_id=2)
    assert payable_balance(7, "EUR") == 7_500


def test_a_question_gives_no_more_than_we_took_of_its_line(earning: Earning) -> None:
    for sum_of_all, adjustment in ((1_500, 1_501), (1_500, 999_999)):
        asked = open_objection(earning, body="Why 15%?", by_user_id=1)
        with pytest.raises(InvalidError, match=r"At most €15\.00"):
            decide_objection(
                asked.id, upheld=True, answer="Yes.", adjustment=adjustment, by_user_id=2
            )
        withdraw_objection(asked.id, by_user_id=1)
        assert most_to_give(earning) == sum_of_all
    # Nor do several questions, one after the other.
    first = open_objection(earning, body="Why 15%?", by_user_id=1)
    decide_objection(first.id, upheld=True, answer="Yes.", adjustment=1_000, by_user_id=2)
    second = open_objection(earning, body="And the rest?", by_user_id=1)
    with pytest.raises(InvalidError, match=r"At most €5\.00"):
        decide_objection(second.id, upheld=True, answer="Yes.", adjustment=501, by_user_id=2)
    decide_objection(second.id, upheld=True, answer="Yes.", adjustment=500, by_user_id=2)
    assert payable_balance(7, "EUR") == 1_500


def test_what_we_funded_and_what_went_back_count_too(app: Flask) -> None:
    earning = make_earning(
        7,
        kind=EarningKind.AFFILIATE_COMMISSION,
        commission_funder=Funder.PLATFORM,
        discount_platform_amount=200,
    )
    assert most_to_give(earning) == 1_500 + 1_000 + 200
    earning.line.order.refunded_total = 5_000
    assert most_to_give(earning) == 1_350


def test_a_question_takes_no_more_than_is_left_of_its_line(earning: Earning) -> None:
    release_earning(earning)
    release_earning(make_earning(7))
    asked = open_objection(earning, body="Too much?", by_user_id=1)
    with pytest.raises(InvalidError, match=r"Only €85\.00 is left of this line"):
        decide_objection(asked.id, upheld=True, answer="Yes.", adjustment=-8_501, by_user_id=2)
    decide_objection(asked.id, upheld=True, answer="Yes.", adjustment=-8_000, by_user_id=2)
    again = open_objection(earning, body="More?", by_user_id=1)
    with pytest.raises(InvalidError, match=r"Only €5\.00 is left of this line"):
        decide_objection(again.id, upheld=True, answer="Yes.", adjustment=-501, by_user_id=2)


def test_a_rejected_question_moves_nothing_and_needs_an_answer(earning: Earning) -> None:
    asked = open_objection(earning, body="Why?", by_user_id=1)
    with pytest.raises(InvalidError):
        decide_objection(asked.id, upheld=False, answer=" ", by_user_id=2)
    with pytest.raises(InvalidError):
        decide_objection(asked.id, upheld=False, answer="No.", adjustment=5, by_user_id=2)
    decide_objection(asked.id, upheld=False, answer="It is 15%.", by_user_id=2)
    with pytest.raises(ConflictError):
        decide_objection(asked.id, upheld=True, answer="Yes.", by_user_id=2)
    with pytest.raises(ConflictError):
        withdraw_objection(asked.id, by_user_id=1)


def test_one_question_about_a_line_is_open_at_a_time(app: Flask, earning: Earning) -> None:
    earning_id = earning.id
    db.session.commit()

    def ask() -> None:
        with unit_of_work():
            found = db.session.get_one(Earning, earning_id)
            open_objection(found, body="Why?", by_user_id=1)

    raised = at_once(app, [ask, ask, ask])
    assert len(raised) == 2
    db.session.expire_all()
    asked = db.session.get_one(Earning, earning_id)
    with pytest.raises(ConflictError):
        open_objection(asked, body="Again?", by_user_id=1)


def test_a_withdrawn_question_can_be_asked_again(earning: Earning) -> None:
    asked = open_objection(earning, body="Why?", by_user_id=1)
    withdraw_objection(asked.id, by_user_id=1)
    assert open_objection(earning, body="Why then?", by_user_id=1).id != asked.id


def test_an_empty_or_endless_question_is_refused(earning: Earning) -> None:
    for body in ("", "  ", "x" * 2_001):
        with pytest.raises(InvalidError):
            open_objection(earning, body=body, by_user_id=1)


def test_whoever_wants_to_know_is_told_of_an_answer(
    earning: Earning, monkeypatch: pytest.MonkeyPatch
) -> None:
    heard: list[int] = []
    # What the application has connected is put back afterwards.
    monkeypatch.setattr(objections, "_decided", [])
    on_objection_decided(lambda objection: heard.append(objection.id))
    asked = open_objection(earning, body="Why?", by_user_id=1)
    decide_objection(asked.id, upheld=False, answer="So.", by_user_id=2)
    assert heard == [asked.id]
