"""What about payouts needs a person; that nobody runs the run is itself an alert."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import delete, select

from billing.desk.alerts import Code
from billing.desk.alerts import alerts as desk_alerts
from billing.models import AccountState, ConnectedAccount, Payout, PayoutState
from billing.payouts.alerts import configure_run_interval, payout_alerts
from billing.payouts.canceling import abort
from billing.payouts.computing import start_run
from billing.payouts.executing import execute
from billing.payouts.settings import freeze, set_cap, set_minimums
from marketplace.core import clock
from marketplace.core.database import db
from marketplace.identity.models import Role
from marketplace.sales.finance.payouts.jobs import mail_alerts
from tests.factories.mails import mails
from tests.factories.payouts import make_account, make_approved_run, make_computed_run, make_payable
from tests.factories.people import make_member, make_platform

pytestmark = pytest.mark.usefixtures("app")
NOW = clock.now()


@pytest.fixture(autouse=True)
def weekly(app: Flask) -> None:
    """Partners are paid once a week; the next test's application says so anew."""
    configure_run_interval(7)


def kinds() -> list[str]:
    return [each.kind for each in payout_alerts()]


def test_nobody_ran_the_run() -> None:
    with clock.frozen(NOW):
        make_account(1)
        make_account(2, AccountState.RESTRICTED)
        make_payable(1, 5_000)
        make_payable(2, 70_000)
        make_payable(3, 70_000)
    with clock.frozen(NOW + timedelta(days=7)):
        assert kinds() == []
    with clock.frozen(NOW + timedelta(days=9)):
        (alert,) = payout_alerts()
        assert alert.title == "Nobody has run the payouts"
        assert alert.detail.startswith("€50.00 of 1 partner could have been paid.")


def test_trifles_and_what_is_in_a_run_are_no_reason_to_alert() -> None:
    with clock.frozen(NOW):
        make_account(1)
        make_payable(1, 900)
    with clock.frozen(NOW + timedelta(days=9)):
        assert kinds() == []
        make_payable(1, 5_000)
        make_approved_run()
        make_payable(1, 5_000)
        assert kinds() == []


def _no_account() -> None:
    db.session.execute(delete(ConnectedAccount))


def _retired() -> None:
    make_payable(1, -5_000)
    make_payable(1, 5_000, "BGN")


@pytest.mark.parametrize(
    "held",
    [
        pytest.param(_no_account, id="no account"),
        pytest.param(_retired, id="a currency that was replaced"),
        pytest.param(lambda: freeze(1, reason="Look", by_user_id=1), id="frozen"),
        pytest.param(lambda: set_cap(1, "EUR", 4_000, by_user_id=1), id="above the cap"),
        pytest.param(lambda: set_minimums(1, {"EUR": 6_000}, by_user_id=1), id="its own minimum"),
    ],
)
def test_what_a_run_would_hold_is_no_reason_to_alert(held: Callable[[], object]) -> None:
    with clock.frozen(NOW):
        make_account(1)
        make_payable(1, 5_000)
        db.session.flush()
    with clock.frozen(NOW + timedelta(days=9)):
        assert kinds() == ["run_not_made"]
        assert [each.code for each in desk_alerts(clock.now())].count(Code.RUN_NOT_MADE) == 1
    with clock.frozen(NOW):
        held()
        db.session.flush()
    with clock.frozen(NOW + timedelta(days=9)):
        assert kinds() == []
        assert Code.RUN_NOT_MADE not in {each.code for each in desk_alerts(clock.now())}


def test_only_what_was_due_and_still_is_counts() -> None:
    with clock.frozen(NOW):
        make_account(1)
        make_account(2)
        make_payable(1, 900)
        make_payable(2, 5_000)
    with clock.frozen(NOW + timedelta(days=9)):
        # Enough since today, and too little since today.
        make_payable(1, 5_000)
        make_payable(2, -4_500)
        assert kinds() == []


def test_a_draft_that_nobody_computes_is_an_alert() -> None:
    with clock.frozen(NOW):
        run = start_run(1)
        assert kinds() == []
    with clock.frozen(NOW + timedelta(hours=2)):
        (alert,) = payout_alerts()
        assert (alert.kind, alert.run_id) == ("run_not_computed", run.public_id)
        assert [each.since for each in desk_alerts(clock.now()) if each.code is Code.RUN_STOPPED]
        abort(run.id, by_user_id=2, reason="It died")
        assert kinds() == []
        assert Code.RUN_STOPPED not in {each.code for each in desk_alerts(clock.now())}


def test_a_run_that_waits_too_long_is_an_alert() -> None:
    with clock.frozen(NOW):
        make_account(1)
        make_payable(1, 5_000)
        run = make_computed_run()
        assert kinds() == []
    with clock.frozen(NOW + timedelta(days=3)):
        assert kinds() == ["run_waits"]
        abort(run.id, by_user_id=2, reason="No")
        assert kinds() == []


def test_a_stalled_run_refused_and_unknown_payouts_are_alerts() -> None:
    with clock.frozen(NOW):
        for partner in (1, 2):
            make_account(partner)
            make_payable(partner, 5_000)
        run = make_approved_run()
        execute(run.id, by_user_id=1)
        first, second = db.session.scalars(select(Payout).order_by(Payout.id))
        first.state, second.state = PayoutState.REJECTED, PayoutState.UNKNOWN
        run.stalled_reason, run.stalled_at = "The balance does not suffice.", NOW
        db.session.flush()
        assert kinds() == ["run_stalled", "payouts_rejected"]
    with clock.frozen(NOW + timedelta(days=2)):
        assert kinds() == ["run_stalled", "payouts_rejected", "payouts_unknown"]
        # What is at Stripe is still looked for; the rest waits for nothing.
        abort(run.id, by_user_id=2, reason="No")
        assert kinds() == ["payouts_unknown"]


def test_finance_people_get_one_mail_a_day_as_long_as_something_is_wrong() -> None:
    finance = make_member(make_platform(), Role.FINANCE)
    with clock.frozen(NOW):
        mail_alerts({})
        make_account(1)
        make_payable(1, 5_000)
    with clock.frozen(NOW + timedelta(days=9)):
        mail_alerts({})
        mail_alerts({})
    (mail,) = mails()
    assert mail["to"] == finance.email
    assert mail["subject"] == "Payouts: nobody has run the payouts"
    assert "/staff/finance/payouts" in mail["body"]
