"""Several people set limits of one partner at once: none of them is lost."""

from collections.abc import Callable

import pytest
from flask import Flask

from billing.models import PayoutSetting
from billing.payouts.settings import freeze, set_cap, set_minimums, unfreeze
from marketplace.core.database import db
from marketplace.core.errors import ConflictError
from marketplace.core.unit_of_work import unit_of_work
from tests.factories.races import at_once

PARTNER = 1


def setting() -> PayoutSetting:
    db.session.expire_all()
    return db.session.get_one(PayoutSetting, PARTNER)


def cap(currency: str, amount: int) -> Callable[[], None]:
    def act() -> None:
        with unit_of_work():
            set_cap(PARTNER, currency, amount, by_user_id=1)

    return act


@pytest.mark.parametrize("is_there", [False, True])
def test_caps_of_different_currencies_are_all_kept(app: Flask, is_there: bool) -> None:
    if is_there:
        cap("CHF", 1)()
    wanted = {"EUR": 1_000, "USD": 2_000, "GBP": 3_000, "SEK": 4_000}
    assert at_once(app, [cap(*each) for each in wanted.items()]) == []
    assert {**setting().caps, "CHF": 1} == {**wanted, "CHF": 1}


def test_a_wish_and_a_freeze_do_not_undo_each_other(app: Flask) -> None:
    def wish() -> None:
        with unit_of_work():
            set_minimums(PARTNER, {"EUR": 9_000}, by_user_id=1)

    def stop() -> None:
        with unit_of_work():
            freeze(PARTNER, reason="Look", by_user_id=2)

    assert at_once(app, [wish, stop, cap("EUR", 7)]) == []
    assert (setting().minimums, setting().frozen_reason, setting().caps) == (
        {"EUR": 9_000},
        "Look",
        {"EUR": 7},
    )


def test_of_two_who_unfreeze_one_does(app: Flask) -> None:
    with unit_of_work():
        freeze(PARTNER, reason="Look", by_user_id=2)

    def go_on() -> None:
        with unit_of_work():
            unfreeze(PARTNER, by_user_id=3)

    raised = at_once(app, [go_on, go_on])
    assert [type(error) for error in raised] == [ConflictError]
