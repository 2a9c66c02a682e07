"""Whatever happens around a real payout run, at the stand-in for Stripe: the books stay whole.

Hypothesis makes up the story: sales, releases, runs that one person computes and another approves
by what they saw, transfers that are lost, refused or turned away, workers that are killed, refunds,
freezes, transfers that are taken back, cancellations, and Stripe's events in any order. After each
step every check of `billing verify` holds, and Stripe has sent each payout once.
"""

import shutil
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from typing import Any

import hypothesis.strategies as st
import pytest
from flask import Flask
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy import func, select

from billing.accounts import PAYOUT_CLEARING
from billing.ledger import balance
from billing.models import Earning, Order, Payout, PayoutRun, PayoutState, RunState
from billing.payouts import stripe_events
from billing.payouts.approving import approve
from billing.payouts.canceling import OPEN_RUNS, UNSENT, abort, cancel_payout
from billing.payouts.computing import compute, start_run
from billing.payouts.digest import digest_of
from billing.payouts.executing import execute, pay_some, retry
from billing.payouts.returns import take_back
from billing.sandbox_stripe import cards, payments
from billing.settlement.freezing import freeze, unfreeze
from billing.settlement.parts import SettlementError
from billing.settlement.refunds import refundable, request_refund
from billing.settlement.release import release_due
from billing.settlement.sales import post_sale
from billing.verify import verify
from marketplace.core import clock, jobs
from marketplace.core.database import db
from marketplace.core.errors import ConflictError, ForbiddenError
from marketplace.core.unit_of_work import unit_of_work
from tests.factories.payouts import make_account
from tests.factories.settlement import PUBLISHER, RESELLER, LineTerms, make_order
from tests.factories.stripe import StripeStandIn
from tests.parts import IN_CI

assert stripe_events
EXAMPLES = 60 if IN_CI else 3
STEPS = 12
PARTNERS = (PUBLISHER, RESELLER)
# HUF is sent in whole units: what is left over is carried to the next run.
CURRENCIES = ("EUR", "HUF")
FAULTS = ("lost", "dropped", "error", "error_after", "rate_limited", "refused")
picks = st.integers(0, 1_000)


class Killed(BaseException):
    """The worker's process ends here."""


class Runs(RuleBasedStateMachine):
    """One database and one Stripe, empty at the beginning of each story."""

    stripe: StripeStandIn
    empty: Callable[[], None]

    def __init__(self) -> None:
        super().__init__()
        type(self).empty()
        clock.unshift()
        self.stripe.reset()
        for partner in PARTNERS:
            make_account(partner, stripe_id=self.stripe.new_account(), currencies=[*CURRENCIES])
        for currency in CURRENCIES:
            self.stripe.fund(100_000_000, currency)
        db.session.commit()

    def teardown(self) -> None:
        """In the end nothing is under way any more, and all that Stripe did is in the books."""
        self.stripe.clear_faults()
        for _ in range(4):
            self.time_passes(hours=1)
            self.events_arrive(seed=1)
        self.nothing_is_broken()
        under_way = (PayoutState.SUBMITTING, PayoutState.UNKNOWN, PayoutState.REVERSING)
        assert self.rows(Payout, Payout.state.in_(under_way)) == []
        db.session.remove()

    def rows(self, kind: Any, *where: Any) -> list[Any]:
        return list(db.session.scalars(select(kind).where(*where).order_by(kind.id)))

    def one(self, which: int, kind: Any, *where: Any) -> Any:
        """One of the rows, or None; nothing is locked."""
        found = self.rows(kind, *where)
        return found[which % len(found)] if found else None

    # --- what may happen -----------------------------------------------------------------------

    @initialize(
        prices=st.lists(st.integers(30, 200), min_size=2, max_size=3),
        goes_wrong=st.sampled_from(FAULTS) | st.integers(1, 9) | st.none(),
    )
    def a_run_is_begun(self, prices: list[int], goes_wrong: str | int | None) -> None:
        """By a worker that hears no answer, is killed after so many commits, or pays it all."""
        for price in prices:
            self.sale(price, "EUR", PUBLISHER)
            self.sale(price, "HUF", RESELLER)
        self.time_passes(hours=1)
        self.run_is_computed(by=1)
        self.run_is_approved(by=2, is_old=False)
        if isinstance(goes_wrong, int):
            self.worker_is_killed(which=0, commit=goes_wrong)
        else:
            self.run_is_paid(which=0, fault=goes_wrong)

    @rule(
        price=st.integers(30, 200),
        currency=st.sampled_from(CURRENCIES),
        partner=st.sampled_from(PARTNERS),
    )
    def sale(self, price: int, currency: str, partner: int) -> None:
        terms = LineTerms(price * 10_100, hold_days=0, publisher=partner)
        order = make_order(terms, currency=currency)
        with self.stripe.store.transaction():
            intent = payments.new_intent(
                self.stripe.store, order.total, currency.lower(), customer=None, data={}
            )
            method = cards.new_method(self.stripe.store, "4242424242424242", None, None)
            charge, _ = payments.pay_intent(self.stripe.store, intent, method)
        order.charge_id, order.payment_intent_id = str(charge["id"]), str(intent["id"])
        post_sale(order)
        db.session.commit()

    @rule(hours=st.integers(1, 30))
    def time_passes(self, hours: int) -> None:
        self.stripe.advance(timedelta(hours=hours))
        with unit_of_work():
            release_due()
        self.jobs_run()

    @rule()
    def jobs_run(self) -> None:
        while jobs.run_due():
            pass

    @rule(by=st.sampled_from([1, 2]))
    def run_is_computed(self, by: int) -> None:
        with suppress(ConflictError), unit_of_work():
            compute(start_run(by).id)

    @rule(by=st.sampled_from([1, 2]), is_old=st.booleans())
    def run_is_approved(self, by: int, is_old: bool) -> None:
        run = self.one(0, PayoutRun, PayoutRun.state == RunState.COMPUTED)
        if run is None:
            return
        run_id, computed_by = run.id, run.computed_by_id
        digest = "0" * 64 if is_old else digest_of(run_id)
        try:
            with unit_of_work():
                approve(run_id, by_user_id=by, digest=digest)
        except ForbiddenError:
            assert by == computed_by
        except ConflictError:
            # It is an old page, or nobody is left to be paid.
            assert db.session.get_one(PayoutRun, run_id).state is RunState.COMPUTED
        else:
            assert by != computed_by
            assert not is_old

    @rule(which=picks, fault=st.sampled_from([None, *FAULTS]))
    def run_is_paid(self, which: int, fault: str | None) -> None:
        run = self.one(which, PayoutRun, PayoutRun.state == RunState.APPROVED)
        if run is None:
            return
        more = {"code": "x", "message": "No."} if fault == "refused" else {}
        if fault is not None:
            self.stripe.fault("transfers.create", fault, **more)
        with unit_of_work():
            execute(run.id, by_user_id=3)
        self.jobs_run()
        self.stripe.clear_faults()

    @rule(which=picks, commit=st.integers(1, 9))
    def worker_is_killed(self, which: int, commit: int) -> None:
        run = self.one(which, PayoutRun, PayoutRun.state == RunState.APPROVED)
        if run is None:
            return
        run_id, kind, seen = run.id, type(db.session()), [0]
        with unit_of_work():
            execute(run_id, by_user_id=3)
        really = kind.commit

        def commit_and_die(session: Any) -> None:
            really(session)
            seen[0] += 1
            if seen[0] == commit:
                raise Killed

        with pytest.MonkeyPatch.context() as patch, suppress(Killed):
            patch.setattr(kind, "commit", commit_and_die)
            pay_some(run_id)
        db.session.remove()

    @rule(which=picks)
    def rejected_payout_is_tried_again(self, which: int) -> None:
        payout = self.one(which, Payout, Payout.state == PayoutState.REJECTED)
        if payout is not None:
            with suppress(ConflictError), unit_of_work():
                retry(payout.id, by_user_id=3)

    @rule(which=picks)
    def run_is_canceled(self, which: int) -> None:
        run = self.one(which, PayoutRun, PayoutRun.state.in_(OPEN_RUNS))
        if run is not None:
            with suppress(ConflictError), unit_of_work():
                abort(run.id, by_user_id=1, reason="Wrong day")

    @rule(which=picks)
    def payout_is_canceled(self, which: int) -> None:
        payout = self.one(which, Payout, Payout.state.in_(UNSENT))
        if payout is not None:
            with suppress(ConflictError), unit_of_work():
                cancel_payout(payout.id, by_user_id=1, reason="Asked for")

    @rule(which=picks)
    def transfer_is_taken_back(self, which: int) -> None:
        payout = self.one(which, Payout, Payout.state == PayoutState.TRANSFERRED)
        if payout is not None:
            with suppress(ConflictError), unit_of_work():
                take_back(payout.id, by_user_id=3, reason="A mistake")

    @rule(which=picks, percent=st.integers(1, 100))
    def customer_is_refunded(self, which: int, percent: int) -> None:
        order = self.one(which, Order)
        if order is None:
            return
        # Stripe gives back whole units of HUF alone.
        amount = min(order.total * percent // 100 // 100 * 100, refundable(order))
        if amount > 0:
            with suppress(SettlementError), unit_of_work():
                request_refund(order, amount, reason="Asked.", by_user_id=1)

    @rule(which=picks, is_lifted=st.booleans())
    def finance_freezes_or_unfreezes(self, which: int, is_lifted: bool) -> None:
        earning = self.one(which, Earning)
        if earning is not None:
            with unit_of_work():
                unfreeze(earning) if is_lifted else freeze(earning, "Looks strange")

    @rule(seed=picks)
    def events_arrive(self, seed: int) -> None:
        self.stripe.deliver(order="shuffled", seed=seed)

    # --- what must be true ---------------------------------------------------------------------

    @invariant()
    def nothing_is_broken(self) -> None:
        """All that `billing verify` looks at, and that Stripe sent each payout once."""
        db.session.rollback()
        assert [str(broken) for broken in verify()] == []
        groups = [each["transfer_group"] for each in self.stripe.all("transfer")]
        assert len(groups) == len(set(groups))
        for currency in CURRENCIES:
            apart = (*UNSENT, PayoutState.SUBMITTING, PayoutState.UNKNOWN)
            amount = db.session.scalar(
                select(func.coalesce(func.sum(Payout.amount), 0)).where(
                    Payout.currency == currency, Payout.state.in_(apart)
                )
            )
            assert balance(PAYOUT_CLEARING, currency) == amount
        db.session.rollback()


@pytest.mark.timeout(1_800)
def test_whatever_happens_around_a_run_the_books_stay_whole(
    app: Flask, stripe: StripeStandIn, database_kind: str
) -> None:
    if database_kind != "sqlite":
        pytest.skip("The rules are the same; what happens at once is tried there by itself.")
    folder = app.extensions["portico_settings"].data_dir

    def empty() -> None:
        db.session.remove()
        db.engine.dispose()
        for suffix in ("-wal", "-shm"):
            (folder / f"portico.db{suffix}").unlink(missing_ok=True)
        shutil.copy(folder / "empty.db", folder / "portico.db")

    class Story(Runs):
        pass

    Story.stripe, Story.empty = stripe, staticmethod(empty)  # type: ignore[assignment]  # Hypothesis makes the machine itself
    run_state_machine_as_test(  # type: ignore[no-untyped-call]  # Hypothesis has no types for it
        Story,
        settings=settings(
            max_examples=EXAMPLES,
            stateful_step_count=STEPS,
            deadline=None,
            phases=[Phase.explicit, Phase.generate, Phase.shrink],
            suppress_health_check=list(HealthCheck),
            database=None,
        ),
    )
