"""When reconciling happens, and what Stripe's events about payouts do."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import func, select

from billing.bank_files.importing import import_bank_file
from billing.gateway import StripeSettings, configure_gateway
from billing.ledger import balance
from billing.models import (
    BankLine,
    ReconciliationMatch,
    ReconciliationRun,
    StripeEvent,
    StripePayout,
)
from billing.reconciliation.bank_matching import match_bank
from billing.reconciliation.jobs import (
    DAILY,
    payout_told,
    reconcile_daily,
    reconcile_later,
)
from marketplace.core import clock, jobs
from marketplace.core.database import db
from marketplace.core.jobs import Job, JobState
from marketplace.core.unit_of_work import unit_of_work
from tests.factories.races import at_once
from tests.factories.reconciliation import NOW, ListedStripe, make_bank_line, make_charged_order

RunJobs = Callable[[], int]


def runs() -> list[ReconciliationRun]:
    db.session.expire_all()
    return list(db.session.scalars(select(ReconciliationRun).order_by(ReconciliationRun.id)))


def test_it_runs_once_a_day_by_itself(stripe: ListedStripe, run_jobs: RunJobs) -> None:
    for hours in (0, 1, 24):
        with clock.frozen(NOW + timedelta(hours=hours)):
            jobs.add_due_ticks()
            db.session.rollback()
            ids = db.session.scalars(
                select(Job.id).where(Job.kind == DAILY, Job.state == JobState.READY)
            ).all()
            db.session.rollback()
            for job_id in ids:
                assert jobs.run_job(job_id)
    assert [run.step for run in runs()] == ["done", "done"]


def test_without_stripe_nothing_happens(app: Flask) -> None:
    configure_gateway(StripeSettings())
    reconcile_daily({})
    assert runs() == []


def test_asked_for_twice_it_is_one_run(stripe: ListedStripe, run_jobs: RunJobs) -> None:
    with unit_of_work():
        first = reconcile_later(1)
        assert reconcile_later(2) == first
    run_jobs()
    (run,) = runs()
    assert (run.step, run.started_by_id) == ("done", 1)


def test_when_stripe_does_not_answer_the_job_waits_and_goes_on(
    stripe: ListedStripe, run_jobs: RunJobs
) -> None:
    make_charged_order(stripe)
    stripe.fails_after = 0
    with unit_of_work():
        reconcile_later(1)
    run_jobs()
    job = db.session.scalars(select(Job).where(Job.kind == "reconciliation.run")).one()
    assert (job.state, job.attempts) == (JobState.READY, 0)
    assert runs()[0].step == "mirror"
    stripe.fails_after = None
    with clock.frozen(NOW + timedelta(hours=1)):
        db.session.rollback()
        run_jobs()
    assert runs()[0].step == "done"


@pytest.mark.parametrize(("account", "kept"), [("", 1), ("acct_partner", 0)])
def test_an_event_about_our_payout_is_kept_and_a_partners_is_not_ours(
    stripe: ListedStripe, account: str, kept: int
) -> None:
    name = stripe.add_payout(500)
    db.session.rollback()
    # An event's handler asks within its own transaction.
    stripe.retrieve = lambda resource, stripe_id, **_more: stripe.payouts[stripe_id]  # type: ignore[method-assign]  # a stand-in's method is replaced
    for _ in range(2):
        with unit_of_work():
            payout_told(
                StripeEvent(
                    account=account, event_id="evt_1", type="payout.paid", object_id=name,
                    happened_at=NOW,
                )
            )  # fmt: skip
    assert db.session.scalar(select(func.count(StripePayout.id))) == kept


def test_a_run_and_a_person_match_the_same_line_once(
    app: Flask, stripe: ListedStripe, database_kind: str
) -> None:
    if database_kind != "postgresql":
        pytest.skip("SQLite has one writer at a time")
    payout = StripePayout(
        stripe_id="po_race", amount=3_000, currency="EUR", state="paid",
        arrival_on=NOW.date(), created_at=NOW,
    )  # fmt: skip
    db.session.add(payout)
    make_bank_line(3_000, NOW.date())
    db.session.commit()

    def by_run() -> None:
        with unit_of_work():
            match_bank()

    def by_file() -> None:
        with unit_of_work():
            import_bank_file(b"Date,Amount\n2026-11-03,1.00\n", "a.csv", currency="EUR")

    assert at_once(app, [by_run, by_file, by_run]) == []
    assert db.session.scalar(select(func.count(ReconciliationMatch.id))) == 1
    assert balance("bank", "EUR") == 3_000
    assert db.session.scalar(select(func.count(BankLine.id))) == 2
