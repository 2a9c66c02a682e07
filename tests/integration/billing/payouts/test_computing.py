"""Computing and approving a run."""

import itertools

import pytest
from flask import Flask
from sqlalchemy import func, select

from billing.accounts import (
    PARTNER_PAYABLE,
    PARTNER_RECEIVABLE,
    PAYOUT_CLEARING,
    STRIPE_AVAILABLE,
)
from billing.ledger import balance, balances_of, credit, debit, post
from billing.models import (
    AccountState,
    Affiliate,
    AffiliateProgram,
    AffiliateState,
    Payout,
    PayoutItem,
    PayoutRun,
    PayoutSetting,
    PayoutState,
    RunState,
)
from billing.payouts.approving import approve
from billing.payouts.canceling import abort
from billing.payouts.computing import compute, start_run
from billing.payouts.digest import digest_of
from billing.payouts.payable import payable_balance
from billing.verify import CHECKS
from marketplace.core.database import db
from marketplace.core.errors import ConflictError, ForbiddenError
from marketplace.core.unit_of_work import unit_of_work
from tests.factories.payouts import make_account, make_approved_run, make_computed_run, make_payable
from tests.factories.races import at_once

pytestmark = pytest.mark.usefixtures("app")


def payouts_of(run: PayoutRun) -> dict[tuple[int, str], Payout]:
    rows = db.session.scalars(
        select(Payout).where(Payout.run_id == run.id).execution_options(populate_existing=True)
    )
    return {(row.partner_id, row.currency): row for row in rows}


def live_sum(payout: Payout) -> int:
    return int(
        db.session.scalar(
            select(func.coalesce(func.sum(PayoutItem.amount), 0)).where(
                PayoutItem.payout_id == payout.id, PayoutItem.is_live
            )
        )
        or 0
    )


def test_a_run_pays_each_partner_once_per_currency_and_never_nets_across_them() -> None:
    make_account(7)
    make_account(8)
    make_payable(7, 3_000)
    make_payable(7, 2_500)
    make_payable(7, -500)
    make_payable(7, 9_000, "USD")
    make_payable(8, 4_000)
    run = make_computed_run()
    found = payouts_of(run)
    assert {key: row.amount for key, row in found.items()} == {
        (7, "EUR"): 5_000,
        (7, "USD"): 9_000,
        (8, "EUR"): 4_000,
    }
    assert all(live_sum(row) == row.amount for row in found.values())
    assert run.state is RunState.COMPUTED
    assert run.totals == {
        "EUR": {"payouts": 2, "amount": 9_000, "held": 0, "held_amount": 0},
        "USD": {"payouts": 1, "amount": 9_000, "held": 0, "held_amount": 0},
    }
    # Nothing has moved, but no other run may take it.
    assert balance(PARTNER_PAYABLE, "EUR", 7) == 5_000
    assert payable_balance(7, "EUR") == 0


def test_whoever_cannot_be_paid_is_held_with_the_reason_and_stays_payable() -> None:
    make_account(2, AccountState.RESTRICTED, restriction="Stripe waits for a document")
    make_account(3)
    make_account(4)
    make_account(5)
    db.session.add(PayoutSetting(organization_id=3, minimums={"EUR": 10_000}, caps={}))
    db.session.add(PayoutSetting(organization_id=4, frozen_reason="Chargebacks", minimums={}))
    db.session.add(PayoutSetting(organization_id=5, caps={"EUR": 4_000}, minimums={}))
    for partner in (1, 2, 3, 4, 5):
        make_payable(partner, 5_000)
    make_account(6)
    make_payable(6, -300)
    run = make_computed_run()
    reasons = {partner: row.reason for (partner, _), row in payouts_of(run).items()}
    assert reasons == {
        1: "No Stripe account is connected.",
        2: "Stripe has restricted the account: Stripe waits for a document",
        3: "Below the minimum of €100.00.",
        4: "Frozen by finance: Chargebacks",
        5: "Above the cap of €40.00 for a payout.",
        6: "Less than nothing is payable; it is netted against what is earned next.",
    }
    assert {row.state for row in payouts_of(run).values()} == {PayoutState.HELD}
    assert payable_balance(5, "EUR") == 5_000


def test_a_program_s_minimum_holds_commissions_alone() -> None:
    for partner in (1, 2):
        make_account(partner)
        program = AffiliateProgram(
            public_id=f"prog_{partner}", name="x", minimum_payout=8_000, minimum_currency="EUR"
        )
        db.session.add(program)
        db.session.flush()
        db.session.add(
            Affiliate(
                public_id=f"aff_{partner}",
                program_id=program.id,
                organization_id=partner,
                state=AffiliateState.ACTIVE,
            )
        )
    db.session.flush()
    make_payable(1, 5_000)
    run = make_computed_run()
    assert payouts_of(run)[1, "EUR"].reason == "Below the minimum of €80.00."


def test_entries_after_the_cutoff_wait_for_the_next_run() -> None:
    make_account(1)
    make_payable(1, 5_000)
    run = start_run(1)
    make_payable(1, 700)
    compute(run.id)
    assert payouts_of(run)[1, "EUR"].amount == 5_000
    assert payable_balance(1, "EUR") == 700


def test_one_run_at_a_time_waits_for_approval() -> None:
    first = start_run(1)
    with pytest.raises(ConflictError):
        start_run(2)
    abort(first.id, by_user_id=2, reason="Too early")
    assert start_run(2).id != first.id


def test_computing_twice_changes_nothing() -> None:
    make_account(1)
    make_payable(1, 5_000)
    run = make_computed_run()
    make_payable(1, 5_000)
    compute(run.id)
    assert payouts_of(run)[1, "EUR"].amount == 5_000


def test_approval_reserves_the_money_and_remembers_what_was_seen() -> None:
    make_account(1, stripe_id="acct_one")
    make_payable(1, 5_000)
    run = make_computed_run(by_user_id=1)
    seen = digest_of(run.id)
    approve(run.id, by_user_id=2, digest=seen)
    payout = payouts_of(run)[1, "EUR"]
    assert (run.state, run.approved_by_id, run.approved_digest) == (RunState.APPROVED, 2, seen)
    assert (payout.state, payout.destination) == (PayoutState.RESERVED, "acct_one")
    assert balance(PARTNER_PAYABLE, "EUR", 1) == 0
    assert balance(PAYOUT_CLEARING, "EUR") == 5_000
    # The next run finds nothing: not even the payout's own entries.
    assert payouts_of(make_computed_run()) == {}


def test_who_computed_a_run_does_not_approve_it() -> None:
    make_account(1)
    make_payable(1, 5_000)
    run = make_computed_run(by_user_id=1)
    with pytest.raises(ForbiddenError):
        approve(run.id, by_user_id=1, digest=digest_of(run.id))


def test_a_run_that_is_not_what_was_seen_is_not_approved() -> None:
    make_account(1)
    make_payable(1, 5_000)
    run = make_computed_run()
    seen = digest_of(run.id)
    payouts_of(run)[1, "EUR"].amount = 9_999
    db.session.flush()
    with pytest.raises(ConflictError):
        approve(run.id, by_user_id=2, digest=seen)


def test_an_approval_leaves_out_who_cannot_be_paid_and_pays_less_where_something_was_taken() -> (
    None
):
    accounts = {partner: make_account(partner) for partner in (1, 2, 3, 4)}
    for partner in accounts:
        make_payable(partner, 5_000)
    run = make_computed_run()
    accounts[1].state = AccountState.RESTRICTED
    # Refunds that did not wait for the run took what they need from the same balance.
    make_payable(2, -100)
    make_payable(4, -5_000)
    db.session.flush()
    approve(run.id, by_user_id=2, digest=digest_of(run.id))
    found = payouts_of(run)
    assert found[1, "EUR"].reason == "Stripe has restricted the account."
    assert found[4, "EUR"].reason == "Its balance has changed since the run was computed."
    assert found[3, "EUR"].state is PayoutState.RESERVED
    assert (found[2, "EUR"].state, found[2, "EUR"].amount) == (PayoutState.RESERVED, 4_900)
    assert live_sum(found[2, "EUR"]) == 4_900
    assert run.totals["EUR"] == {
        "payouts": 2,
        "amount": 9_900,
        "held": 2,
        "held_amount": 10_000,
    }
    assert [payable_balance(partner, "EUR") for partner in accounts] == [5_000, 0, 0, 0]
    assert [*CHECKS["balanced"](), *CHECKS["payouts_are_whole"]()] == []


def test_an_approval_holds_what_is_below_the_minimum_by_then() -> None:
    make_account(1)
    make_account(2)
    make_payable(1, 1_500)
    make_payable(2, 5_000)
    run = make_computed_run()
    make_payable(1, -600)
    approve(run.id, by_user_id=2, digest=digest_of(run.id))
    found = payouts_of(run)[1, "EUR"]
    assert found.state is PayoutState.HELD
    assert found.reason.startswith("Below the minimum")
    assert (payable_balance(1, "EUR"), live_sum(found)) == (900, 0)


def test_a_run_pays_a_partner_that_owes_only_what_is_left() -> None:
    make_account(1)
    post(
        "write_off",
        source=("test", 1),
        key="test:owes",
        legs=[debit(PARTNER_RECEIVABLE, 2_000, "EUR", 1), credit(STRIPE_AVAILABLE, 2_000, "EUR")],
    )
    make_payable(1, 5_000)
    run = make_computed_run()
    assert payouts_of(run)[1, "EUR"].amount == 3_000
    assert balance(PARTNER_RECEIVABLE, "EUR", 1) == 0


def test_an_approval_that_pays_nobody_is_refused() -> None:
    account = make_account(1)
    make_payable(1, 5_000)
    run = make_computed_run()
    account.state = AccountState.RESTRICTED
    db.session.flush()
    with pytest.raises(ConflictError, match="Nobody is left"):
        approve(run.id, by_user_id=2, digest=digest_of(run.id))


def test_less_than_a_whole_unit_is_carried_to_the_next_run_and_never_lost() -> None:
    make_account(1)
    paid = 0
    for amount in (123_456, 99_999, 150_050):
        make_payable(1, amount, "HUF")
        run = make_approved_run()
        payout = payouts_of(run)[1, "HUF"]
        assert payout.amount % 100 == 0
        assert live_sum(payout) == payout.amount
        paid += payout.amount
        assert payable_balance(1, "HUF") == balance(PARTNER_PAYABLE, "HUF", 1)
    assert paid + payable_balance(1, "HUF") == 123_456 + 99_999 + 150_050
    assert list(CHECKS["payouts_are_whole"]()) == []
    assert 0 <= payable_balance(1, "HUF") < 100


def test_a_retired_currency_is_held_and_not_lost() -> None:
    make_account(1)
    make_payable(1, 50_000, "BGN")
    run = make_computed_run()
    assert payouts_of(run)[1, "BGN"].reason == "BGN was replaced by EUR and cannot be transferred."
    assert payable_balance(1, "BGN") == 50_000


def test_a_canceled_run_gives_everything_back_at_each_stage() -> None:
    make_account(1)
    make_payable(1, 5_000)
    computed = make_computed_run()
    abort(computed.id, by_user_id=2, reason="A mistake")
    assert payable_balance(1, "EUR") == 5_000
    approved = make_approved_run()
    abort(approved.id, by_user_id=2, reason="A mistake")
    assert approved.state is RunState.ABORTED
    assert payouts_of(approved)[1, "EUR"].state is PayoutState.CANCELED
    assert payable_balance(1, "EUR") == balance(PARTNER_PAYABLE, "EUR", 1) == 5_000
    assert balance(PAYOUT_CLEARING, "EUR") == 0
    with pytest.raises(ConflictError):
        abort(approved.id, by_user_id=2, reason="Again")


def test_of_many_who_compute_approve_and_cancel_at_once_each_entry_is_reserved_once(
    app: Flask,
) -> None:
    partners = range(1, 9)
    for partner in partners:
        make_account(partner)
        make_payable(partner, 5_000)
    run = make_computed_run(by_user_id=1)
    seen, run_id = digest_of(run.id), run.id
    db.session.commit()

    def doing(act: object) -> None:
        with unit_of_work():
            act()  # type: ignore[operator]  # a case is a function

    people = itertools.count(10)
    acts = [lambda: approve(run_id, by_user_id=next(people), digest=seen) for _ in range(3)]
    acts += [lambda: abort(run_id, by_user_id=3, reason="No") for _ in range(2)]
    acts += [lambda: compute(start_run(1).id) for _ in range(3)]
    raised = at_once(app, [lambda act=act: doing(act) for act in acts])  # type: ignore[misc]  # a lambda's default has no type
    assert len(raised) >= 4
    assert all(isinstance(error, ConflictError) for error in raised), raised
    db.session.expire_all()
    per_entry = db.session.execute(
        select(PayoutItem.entry_id, func.count()).where(PayoutItem.is_live).group_by("entry_id")
    ).all()
    assert all(count == 1 for _, count in per_entry)
    left = balances_of(PARTNER_PAYABLE, "EUR", list(partners))
    reserved = balance(PAYOUT_CLEARING, "EUR")
    assert sum(left.values()) + reserved == 8 * 5_000
    assert reserved in {0, 8 * 5_000}
