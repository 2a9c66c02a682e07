"""Releasing, freezing and voiding earnings; what partners owe."""

from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import func, select

from billing.accounts import PARTNER_PAYABLE
from billing.ledger import credit, debit, lock_partner, post
from billing.models import (
    Earning,
    EarningKind,
    EarningState,
    Funder,
    LedgerTransaction,
    TransferReversal,
    WriteOff,
)
from billing.objections import decide_objection, open_objection
from billing.settlement.disputes import settle_dispute
from billing.settlement.freezing import freeze, unfreeze, void
from billing.settlement.parts import SettlementError
from billing.settlement.receivables import (
    decide_write_off,
    net_debtors,
    net_partner,
    request_write_off,
)
from billing.settlement.refunds import fail_refund, request_refund
from billing.settlement.release import NET_MORE, RELEASE_MORE, net_more, release, release_due
from billing.settlement.reversals import settle_reversal
from marketplace.core import clock
from marketplace.core.database import db
from marketplace.core.jobs import Job
from tests.factories.races import at_once
from tests.factories.settlement import (
    AFFILIATE,
    PUBLISHER,
    LineTerms,
    assert_sound,
    books,
    earning_of,
    pay_out,
    purse,
    sell,
    stripe_dispute,
)

PLATFORMS = LineTerms(commission=1_000, funder=Funder.PLATFORM)
PUBLISHERS = LineTerms(commission=1_000, funder=Funder.PUBLISHER)


def _release(days: int = 15) -> int:
    clock.shift(timedelta(days=days))
    try:
        return release_due()
    finally:
        clock.shift(timedelta(days=-days))


def _owe(amount: int) -> None:
    """Have the publisher owe that much, with no transfer to reverse."""
    legs = [
        debit("partner_receivable", amount, "EUR", PUBLISHER),
        credit("bank", amount, "EUR"),
    ]
    post("test", source=("test", 1), key=f"owe:{amount}", legs=legs)


def test_nothing_is_released_before_its_day(app: Flask) -> None:
    sell(LineTerms(hold_days=14))
    assert _release(13) == 0
    assert purse(PUBLISHER) == (8_500, 0, 0)
    assert _release(14) == 1
    assert purse(PUBLISHER) == (0, 8_500, 0)
    assert _release(14) == 0
    assert_sound()


def test_no_hold_days_are_released_at_once(app: Flask) -> None:
    _, (earning,) = sell(LineTerms(hold_days=0))
    assert release_due() == 1
    assert earning.state is EarningState.PAYABLE
    assert earning.released_at is not None


def test_a_batch_is_released_at_a_time(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    for _ in range(3):
        sell(LineTerms(hold_days=0))
    assert release_due(2) == 2
    assert release_due(2) == 1
    monkeypatch.setattr("billing.settlement.release.BATCH", 2)
    for _ in range(2):
        sell(LineTerms(hold_days=0))
    release({})
    assert RELEASE_MORE in list(db.session.scalars(select(Job.kind)))


def test_two_workers_release_once(app: Flask) -> None:
    for _ in range(6):
        sell(LineTerms(hold_days=0, commission=500, funder=Funder.PLATFORM))
    db.session.commit()

    def act() -> None:
        for _ in range(3):
            release_due(4)
            db.session.commit()

    assert at_once(app, [act] * 3) == []
    release_due()
    assert purse(PUBLISHER) == (0, 6 * 8_500, 0)
    assert purse(AFFILIATE) == (0, 3_000, 0)
    assert_sound()


def test_a_frozen_earning_is_not_released_until_every_reason_is_gone(app: Flask) -> None:
    _, (earning,) = sell(LineTerms(hold_days=0))
    freeze(earning, "First", cause="a")
    freeze(earning, "Second", cause="b", by_user_id=3)
    assert earning.frozen_reason == "First; Second"
    unfreeze(earning, cause="a")
    unfreeze(earning, cause="never was")
    assert release_due() == 0
    assert earning.frozen_reason == "Second"
    unfreeze(earning, cause="b")
    assert (release_due(), earning.frozen_at) == (1, None)
    with pytest.raises(SettlementError, match="Say why"):
        freeze(earning, " ")


def test_freezing_takes_back_what_is_payable_again_and_again(app: Flask) -> None:
    _, (earning,) = sell(LineTerms(hold_days=0))
    for _ in range(3):
        assert release_due() == 1
        assert purse(PUBLISHER) == (0, 8_500, 0)
        freeze(earning, "Looks strange")
        assert purse(PUBLISHER) == (8_500, 0, 0)
        unfreeze(earning)
    keys = select(LedgerTransaction.idem_key).where(LedgerTransaction.kind == "freeze")
    assert len(set(db.session.scalars(keys))) == 3
    assert_sound()


def test_freezing_leaves_what_is_paid_out_and_what_was_netted(app: Flask) -> None:
    _, (earning,) = sell(LineTerms(hold_days=0))
    release_due()
    pay_out(PUBLISHER)
    freeze(earning, "Looks strange")
    assert purse(PUBLISHER) == (0, 0, 0)
    assert earning.state is EarningState.PAYABLE
    _owe(5_000)
    _, (other,) = sell(LineTerms(hold_days=0))
    release_due()
    assert purse(PUBLISHER) == (0, 3_500, 0)
    freeze(other, "Looks strange too")
    # 5000 of it paid what was owed.
    assert purse(PUBLISHER) == (3_500, 0, 0)
    assert_sound()


def test_a_voided_commission_of_a_publishers_program_goes_back_to_the_publisher(
    app: Flask,
) -> None:
    _, earnings = sell(PUBLISHERS)
    commission = earning_of(earnings, EarningKind.AFFILIATE_COMMISSION)
    heir = void(commission, "Bought from themselves", by_user_id=3)
    assert heir is not None
    assert (heir.kind, heir.partner_id) == (EarningKind.RETURNED_COMMISSION, PUBLISHER)
    assert (commission.state, commission.void_reason) == (
        EarningState.VOID,
        "Bought from themselves",
    )
    assert (purse(PUBLISHER)[0], purse(AFFILIATE)) == (8_500, (0, 0, 0))
    assert void(commission, "Again") is not None
    assert db.session.scalar(select(func.count()).select_from(Earning)) == 3
    _release()
    assert purse(PUBLISHER) == (0, 8_500, 0)
    assert_sound()


def test_a_voided_commission_of_the_platforms_program_is_its_expense_no_more(app: Flask) -> None:
    _, earnings = sell(PLATFORMS)
    assert void(earning_of(earnings, EarningKind.AFFILIATE_COMMISSION), "Fraud") is None
    assert "commission_expense" not in books()
    assert purse(AFFILIATE) == (0, 0, 0)
    assert_sound()


@pytest.mark.parametrize("terms", [PLATFORMS, PUBLISHERS])
def test_refunds_before_and_after_a_void_still_end_at_nothing(app: Flask, terms: LineTerms) -> None:
    order, earnings = sell(terms)
    request_refund(order, 3_333, reason="", by_user_id=1)
    void(earning_of(earnings, EarningKind.AFFILIATE_COMMISSION), "Fraud")
    assert_sound()
    failing = request_refund(order, 3_333, reason="", by_user_id=1)
    assert_sound()
    fail_refund(failing.id, "no")
    assert_sound()
    request_refund(order, 6_667, reason="", by_user_id=1)
    assert books() == {"stripe_pending": 10_000, "refund_clearing": 10_000}
    assert (purse(PUBLISHER), purse(AFFILIATE)) == ((0, 0, 0), (0, 0, 0))
    assert_sound()


def test_a_commission_that_was_paid_out_is_owed_when_it_is_voided(app: Flask) -> None:
    _, earnings = sell(PUBLISHERS)
    _release()
    pay_out(AFFILIATE)
    void(earning_of(earnings, EarningKind.AFFILIATE_COMMISSION), "Fraud")
    assert purse(AFFILIATE) == (0, 0, 1_000)
    (row,) = db.session.scalars(select(TransferReversal)).all()
    settle_reversal(row.id, "trr_1")
    assert purse(AFFILIATE) == (0, 0, 0)
    assert_sound()


def test_only_commissions_are_voided_and_only_with_a_reason(app: Flask) -> None:
    _, earnings = sell(PUBLISHERS)
    with pytest.raises(SettlementError, match="undone by a refund"):
        void(earning_of(earnings, EarningKind.PUBLISHER_SHARE), "Fraud")
    with pytest.raises(SettlementError, match="Say why"):
        void(earning_of(earnings, EarningKind.AFFILIATE_COMMISSION), " ")


def test_what_is_owed_is_netted_once(app: Flask) -> None:
    sell(LineTerms(hold_days=0))
    _owe(10_000)
    release_due()
    assert purse(PUBLISHER) == (0, 0, 1_500)
    assert net_debtors() == (0, None)
    sell(LineTerms(1_000, hold_days=0))
    release_due()
    assert purse(PUBLISHER) == (0, 0, 650)
    kinds = select(func.count()).where(LedgerTransaction.kind == "netting")
    assert db.session.scalar(kinds) == 2


def test_less_than_nothing_payable_is_owed(app: Flask) -> None:
    legs = [debit(PARTNER_PAYABLE, 700, "EUR", PUBLISHER), credit("platform_fee", 700, "EUR")]
    post("adjustment", source=("objection", 1), key="objection:1", legs=legs)
    lock_partner(PUBLISHER, "EUR")
    assert net_partner(PUBLISHER, "EUR") == -700
    assert purse(PUBLISHER) == (0, 0, 700)
    assert_sound()


def test_currencies_are_never_netted_against_each_other(app: Flask) -> None:
    _owe(1_000)
    sell(LineTerms(hold_days=0), currency="USD")
    release_due()
    assert purse(PUBLISHER) == (0, 0, 1_000)
    assert purse(PUBLISHER, "USD") == (0, 8_500, 0)


def test_a_write_off_takes_two_people(app: Flask) -> None:
    _owe(1_000)
    row = request_write_off(PUBLISHER, "EUR", 1_000, "Out of business", by_user_id=1)
    with pytest.raises(SettlementError, match="Somebody else"):
        decide_write_off(row.id, approve=True, by_user_id=1)
    decide_write_off(row.id, approve=True, by_user_id=2)
    assert purse(PUBLISHER) == (0, 0, 0)
    assert books()["bad_debt"] == 1_000
    with pytest.raises(SettlementError, match="decided already"):
        decide_write_off(row.id, approve=False, by_user_id=2)
    with pytest.raises(SettlementError, match="no such"):
        decide_write_off(99, approve=True, by_user_id=2)


@pytest.mark.parametrize(("amount", "reason"), [(0, "x"), (1_001, "x"), (-1, "x"), (500, " ")])
def test_no_more_is_written_off_than_is_owed_and_never_without_a_reason(
    app: Flask, amount: int, reason: str
) -> None:
    _owe(1_000)
    with pytest.raises(SettlementError):
        request_write_off(PUBLISHER, "EUR", amount, reason, by_user_id=1)


def test_what_was_netted_meanwhile_is_not_written_off(app: Flask) -> None:
    _owe(1_000)
    row = request_write_off(PUBLISHER, "EUR", 1_000, "Gone", by_user_id=1)
    sell(LineTerms(hold_days=0, price=500))
    release_due()
    with pytest.raises(SettlementError, match="at most what is owed"):
        decide_write_off(row.id, approve=True, by_user_id=2)
    decide_write_off(row.id, approve=False, by_user_id=2)
    assert row.is_approved is False
    assert db.session.scalar(select(func.count()).select_from(WriteOff)) == 1
    assert purse(PUBLISHER) == (0, 0, 575)


def test_the_next_batch_of_partners_that_owe_is_netted_by_a_job_of_its_own(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "billing.settlement.release.net_debtors", lambda after: net_debtors(after, limit=1)
    )
    _owe(1_000)
    release({})
    job = db.session.scalars(select(Job).where(Job.kind == NET_MORE)).one()
    assert job.payload == {"after": [PUBLISHER, "EUR"]}
    net_more(job.payload)
    assert purse(PUBLISHER) == (0, 0, 1_000)


def test_an_adjustment_stays_payable_when_its_earning_is_frozen_and_lost(app: Flask) -> None:
    order, (earning,) = sell(LineTerms(hold_days=0))
    release_due()
    asked = open_objection(earning, body="Why?", by_user_id=1)
    decide_objection(asked.id, upheld=True, answer="Right.", adjustment=500, by_user_id=2)
    assert purse(PUBLISHER) == (0, 9_000, 0)
    settle_dispute(stripe_dispute(order, 10_000, "dp_1"))
    assert purse(PUBLISHER) == (8_500, 500, 0)
    assert_sound()
    settle_dispute(stripe_dispute(order, 10_000, "dp_1", "lost"))
    assert (purse(PUBLISHER), earning.state) == ((0, 500, 0), EarningState.VOID)
    assert_sound()
