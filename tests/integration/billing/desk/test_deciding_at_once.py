"""Two who decide about the same thing at the same moment: the first one did it."""

from collections.abc import Callable

import pytest
from flask import Flask

from billing import objections, refund_requests
from billing.desk import deciding
from billing.models import Objection, ObjectionState, Refund, RefundRequest, RequestState
from marketplace.core.database import db
from tests.factories.races import meanwhile
from tests.factories.settlement import PUBLISHER, LineTerms, purse, sell

Act = Callable[[int], object]


def request_of(request_id: int) -> RefundRequest:
    return db.session.get_one(RefundRequest, request_id)


def grant(request_id: int) -> None:
    deciding.grant_request(request_of(request_id), amount=1_000, answer="Yes.", by_user_id=2)


def refuse(request_id: int) -> None:
    deciding.refuse_request(request_of(request_id), answer="No.", by_user_id=3)


def withdraw(request_id: int) -> None:
    refund_requests.withdraw_request(request_of(request_id), by_user_id=1)


@pytest.mark.parametrize(
    ("where", "first", "second", "state"),
    [
        (refund_requests, withdraw, grant, RequestState.WITHDRAWN),
        (deciding, refuse, grant, RequestState.REFUSED),
        (deciding, refuse, withdraw, RequestState.REFUSED),
    ],
)
def test_a_request_is_decided_or_withdrawn_once(
    app: Flask,
    monkeypatch: pytest.MonkeyPatch,
    where: object,
    first: Act,
    second: Act,
    state: RequestState,
) -> None:
    order, _ = sell()
    request_id = refund_requests.ask_for_refund(order, 1_000, "Please", by_user_id=1).id
    db.session.commit()
    done = meanwhile(
        app, monkeypatch, _clock_of(monkeypatch, where), "now", lambda: second(request_id)
    )
    first(request_id)
    db.session.commit()
    assert len(done()) == 1
    db.session.expire_all()
    assert request_of(request_id).state is state
    assert db.session.query(Refund).count() == 0


@pytest.mark.parametrize("is_upheld_first", [True, False])
def test_a_question_is_withdrawn_or_answered_once(
    app: Flask, monkeypatch: pytest.MonkeyPatch, is_upheld_first: bool
) -> None:
    _, (earning,) = sell(LineTerms())
    asked = objections.open_objection(earning, body="Why?", by_user_id=1).id
    db.session.commit()

    def uphold() -> None:
        objections.decide_objection(
            asked, upheld=True, answer="Right.", adjustment=500, by_user_id=2
        )

    def withdraw_it() -> None:
        objections.withdraw_objection(asked, by_user_id=1)

    first, second = (uphold, withdraw_it) if is_upheld_first else (withdraw_it, uphold)
    done = meanwhile(app, monkeypatch, _clock_of(monkeypatch, objections), "now", second)
    first()
    db.session.commit()
    assert len(done()) == 1
    db.session.expire_all()
    state = db.session.get_one(Objection, asked).state
    assert state is (ObjectionState.UPHELD if is_upheld_first else ObjectionState.WITHDRAWN)
    assert purse(PUBLISHER)[1] == (500 if is_upheld_first else 0)


def test_an_order_is_asked_back_once(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    order, _ = sell()
    db.session.commit()

    def ask() -> None:
        found = db.session.get_one(type(order), order_id)
        refund_requests.ask_for_refund(found, 1_000, "Please", by_user_id=1)

    order_id = order.id
    done = meanwhile(app, monkeypatch, refund_requests, "may_ask", ask)
    ask()
    db.session.commit()
    assert len(done()) == 1
    assert db.session.query(RefundRequest).count() == 1


class _Clock:
    """The clock as one module sees it."""

    def __init__(self, clock: object) -> None:
        self.now = clock.now  # type: ignore[attr-defined]  # set where it is used


def _clock_of(monkeypatch: pytest.MonkeyPatch, where: object) -> object:
    clock = _Clock(where.clock)  # type: ignore[attr-defined]  # any module that asks the clock
    monkeypatch.setattr(where, "clock", clock)
    return clock
