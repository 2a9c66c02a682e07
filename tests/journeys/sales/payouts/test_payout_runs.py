"""Finance computes a run, another approves it, it is paid, and what went wrong is put right."""

import csv
import io
import os
from collections.abc import Callable

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import delete, select

from billing.models import Payout, PayoutRun, PayoutSetting, PayoutState, RunState
from billing.payouts.canceling import abort
from billing.payouts.digest import digest_of
from billing.payouts.executing import pay_some
from billing.payouts.paying import pay
from marketplace.core.database import db
from marketplace.core.facts import Fact
from marketplace.core.jobs import Job
from marketplace.identity.models import Membership, Organization, Role, User
from tests.factories.mails import mails
from tests.factories.payouts import make_account, make_approved_run, make_payable
from tests.factories.people import make_member, make_organization, make_platform
from tests.factories.queries import count_queries
from tests.factories.stripe import StripeStandIn, stripe, stripe_server

__all__ = ["stripe", "stripe_server"]
SignIn = Callable[..., FlaskClient]
RunJobs = Callable[[], int]
HOME = "/staff/finance/payouts"


@pytest.fixture
def platform(app: Flask) -> Organization:
    return make_platform()


@pytest.fixture
def fay(platform: Organization, sign_in: SignIn) -> FlaskClient:
    """Somebody of finance."""
    return sign_in(make_member(platform, Role.FINANCE), platform)


@pytest.fixture
def max_(platform: Organization, sign_in: SignIn) -> FlaskClient:
    """Somebody else of finance."""
    return sign_in(make_member(platform, Role.FINANCE), platform)


def page(browser: FlaskClient, address: str, status: int = 200) -> str:
    answer = browser.get(address)
    assert answer.status_code == status, answer.location
    return answer.text


def address_of(run: PayoutRun) -> str:
    return f"{HOME}/{run.public_id}"


def newest_run() -> PayoutRun:
    db.session.expire_all()
    return db.session.scalars(select(PayoutRun).order_by(PayoutRun.id.desc())).first()  # type: ignore[return-value]  # there is one


def payouts() -> list[Payout]:
    db.session.expire_all()
    return list(db.session.scalars(select(Payout).order_by(Payout.id)))


def partners(stripe: StripeStandIn, *names: str) -> list[Organization]:
    stripe.fund(1_000_000)
    found = []
    for name in names:
        partner = make_organization(name)
        make_account(partner.id, stripe_id=stripe.new_account())
        make_payable(partner.id, 5_000)
        found.append(partner)
    db.session.commit()
    return found


def approve(browser: FlaskClient, run: PayoutRun) -> str:
    text = page(browser, address_of(run))
    digest = text.split('name="digest" value="')[1].split('"')[0]
    answer = browser.post(
        f"{address_of(run)}/approval", data={"digest": digest}, follow_redirects=True
    )
    return answer.text


def test_two_people_pay_everybody_who_is_due(
    fay: FlaskClient, max_: FlaskClient, stripe: StripeStandIn, run_jobs: RunJobs
) -> None:
    partners(stripe, "Quayside", "Northwind")
    held = make_organization("No Account")
    make_payable(held.id, 7_000)
    db.session.commit()
    assert "€170.00" in page(fay, HOME)
    assert fay.post(HOME).status_code == 303
    run = newest_run()
    assert "is being computed" in page(fay, address_of(run))
    run_jobs()
    text = page(fay, address_of(run))
    assert "so a colleague has to approve it" in text
    assert "No Stripe account is connected." in text
    assert "This is the first run." in text
    # Whoever computed it cannot get around the missing button.
    own = fay.post(f"{address_of(run)}/approval", data={"digest": "x"}, follow_redirects=True)
    assert "Ask a colleague" in own.text
    assert "Approved. The money is set aside" in approve(max_, run)
    assert newest_run().state is RunState.APPROVED
    assert max_.post(f"{address_of(run)}/execution").status_code == 303
    assert 'hx-trigger="every 2s"' in page(fay, f"{address_of(run)}/progress")
    run_jobs()
    text = page(fay, f"{address_of(run)}/progress")
    assert "2 of 2" in text
    assert "hx-trigger" not in text
    assert newest_run().state is RunState.COMPLETED
    assert [row.state for row in payouts()].count(PayoutState.TRANSFERRED) == 2
    assert "No Account" in page(fay, f"{address_of(run)}?show=held")
    assert "Northwind" not in page(fay, f"{address_of(run)}?q=quay")
    rows = list(
        csv.DictReader(io.StringIO(fay.get(f"{address_of(run)}.csv").text.removeprefix("\ufeff")))
    )
    assert {row["partner"] for row in rows} == {"Quayside", "Northwind", "No Account"}


def test_the_next_run_is_compared_with_the_last(
    fay: FlaskClient, stripe: StripeStandIn, run_jobs: RunJobs
) -> None:
    first, second = partners(stripe, "Quayside", "Northwind")
    make_approved_run()
    make_payable(first.id, 9_000)
    third = make_organization("Fresh")
    make_account(third.id)
    make_payable(third.id, 2_000)
    db.session.commit()
    fay.post(HOME)
    run_jobs()
    text = page(fay, address_of(newest_run()))
    assert "1 new, 1 gone" in text
    assert "+€40.00" in text
    assert "−€50.00" in text
    assert second.name in text


def test_what_is_approved_is_what_was_seen(
    fay: FlaskClient, max_: FlaskClient, stripe: StripeStandIn, run_jobs: RunJobs
) -> None:
    partners(stripe, "Quayside")
    fay.post(HOME)
    run_jobs()
    run = newest_run()
    answer = max_.post(
        f"{address_of(run)}/approval", data={"digest": "0" * 64}, follow_redirects=True
    )
    assert "The run is not the one that you looked at" in answer.text
    assert newest_run().state is RunState.COMPUTED
    # A second run has to wait for this one.
    answer = fay.post(HOME, follow_redirects=True)
    assert "Another run waits for approval" in answer.text


def test_nobody_approves_a_run_that_pays_an_organization_of_theirs(
    fay: FlaskClient,
    platform: Organization,
    sign_in: SignIn,
    stripe: StripeStandIn,
    run_jobs: RunJobs,
) -> None:
    person = make_member(platform, Role.FINANCE)
    browser = sign_in(person, platform)
    own, _ = partners(stripe, "Quayside", "Northwind")
    fay.post(HOME)
    run_jobs()
    run = newest_run()
    membership = Membership(user_id=person.id, organization_id=own.id, role=Role.VIEWER)
    db.session.add(membership)
    db.session.commit()
    seen = {"digest": digest_of(run.id)}
    answer = browser.post(f"{address_of(run)}/approval", data=seen, follow_redirects=True)
    assert "This run pays an organization that you belong to" in answer.text
    assert newest_run().state is RunState.COMPUTED
    db.session.delete(db.session.get_one(Membership, membership.id))
    db.session.commit()
    browser.post(f"{address_of(run)}/approval", data=seen)
    assert newest_run().state is not RunState.COMPUTED


def test_a_run_is_canceled_with_a_reason_after_a_second_look(
    fay: FlaskClient, stripe: StripeStandIn, run_jobs: RunJobs
) -> None:
    partners(stripe, "Quayside")
    fay.post(HOME)
    run_jobs()
    run = newest_run()
    address = f"{address_of(run)}/cancellation"
    assert "Cancel the run of" in page(fay, address)
    refused = fay.post(address, data={"reason": " "})
    assert refused.status_code == 422
    assert "Say why" in refused.text
    answer = fay.post(address, data={"reason": "Wrong week"}, follow_redirects=True)
    assert "Wrong week" in answer.text
    assert newest_run().state is RunState.ABORTED
    answer = fay.post(address, data={"reason": "Again"}, follow_redirects=True)
    assert "This run is over" in answer.text


def test_a_refused_payout_is_tried_again_or_canceled(
    fay: FlaskClient, stripe: StripeStandIn, run_jobs: RunJobs
) -> None:
    partners(stripe, "Quayside", "Northwind")
    stripe.fault("transfers.create", "refused", times=2, code="x", message="Not today.")
    run = make_approved_run()
    db.session.commit()
    fay.post(f"{address_of(run)}/execution")
    run_jobs()
    first, second = payouts()
    assert "Not today." in page(fay, f"{address_of(run)}?show=trouble")
    assert "Stripe refused 2 payouts" in page(fay, HOME)
    text = page(fay, f"{HOME}/payments/{first.public_id}")
    assert "payout:1:a1" in text
    answer = fay.post(f"{HOME}/payments/{first.public_id}/retry", follow_redirects=True)
    assert "It is tried again." in answer.text
    run_jobs()
    assert payouts()[0].state is PayoutState.TRANSFERRED
    address = f"{HOME}/payments/{second.public_id}/cancellation"
    assert "Cancel the payout of" in page(fay, address)
    assert fay.post(address, data={"reason": ""}).status_code == 422
    fay.post(address, data={"reason": "Paid by hand"})
    assert payouts()[1].state is PayoutState.CANCELED


def test_a_transfer_is_taken_back(
    fay: FlaskClient, stripe: StripeStandIn, run_jobs: RunJobs
) -> None:
    (partner,) = partners(stripe, "Quayside")
    person: User = make_member(partner, Role.FINANCE)
    run = make_approved_run()
    db.session.commit()
    fay.post(f"{address_of(run)}/execution")
    run_jobs()
    address = f"{HOME}/payments/{payouts()[0].public_id}/reversal"
    assert "Take back €50.00?" in page(fay, address)
    assert fay.post(address, data={}).status_code == 422
    fay.post(address, data={"reason": "To the wrong company"})
    run_jobs()
    assert payouts()[0].state is PayoutState.REVERSED
    told = [mail["subject"] for mail in mails() if mail["to"] == person.email]
    assert told == ["€50.00 is on its way to you", "€50.00 was taken back"]


def test_a_partner_s_payouts_are_frozen_and_capped(fay: FlaskClient, stripe: StripeStandIn) -> None:
    (partner,) = partners(stripe, "Quayside")
    assert "Quayside" in page(fay, f"{HOME}/partners?q=quay")
    address = f"{HOME}/partners/{partner.id}"
    assert "€50.00" in page(fay, address)
    assert fay.post(f"{address}/freeze", data={"reason": ""}).status_code == 422
    fay.post(f"{address}/freeze", data={"reason": "We look at a sale"})
    assert "We look at a sale" in page(fay, address)
    fay.post(f"{address}/unfreeze")
    answer = fay.post(f"{address}/unfreeze", follow_redirects=True)
    assert "not frozen" in answer.text
    refused = fay.post(f"{address}/cap", data={"currency": "EUR", "cap": "lots"})
    assert refused.status_code == 422
    assert 'value="lots"' in refused.text
    fay.post(f"{address}/cap", data={"currency": "EUR", "cap": "1000"})
    assert "€1,000.00" in page(fay, address)
    fay.post(f"{address}/cap", data={"currency": "EUR", "cap": ""})
    assert "There is none" in page(fay, address)
    setting = db.session.get(PayoutSetting, partner.id)
    assert setting is not None
    assert setting.caps == {}
    page(fay, f"{HOME}/partners/999999", 404)


def test_lists_cost_the_same_however_long_they_are(fay: FlaskClient, stripe: StripeStandIn) -> None:
    partners(stripe, "Quayside", "Northwind")
    run = make_approved_run()
    db.session.commit()
    addresses = (HOME, address_of(run), f"{HOME}/partners")
    before = [count_queries(lambda a=a: page(fay, a)) for a in addresses]  # type: ignore[misc]  # a lambda's default has no type
    partners(stripe, *(f"Partner {number}" for number in range(10)))
    run = make_approved_run()
    db.session.commit()
    addresses = (HOME, address_of(run), f"{HOME}/partners")
    after = [count_queries(lambda a=a: page(fay, a)) for a in addresses]  # type: ignore[misc]  # a lambda's default has no type
    # The second run has one before it to be compared with.
    assert [after[0], after[2]] == [before[0], before[2]]
    assert after[1] <= before[1] + 3


def test_the_payouts_on_the_page_follow_the_run_while_it_is_paid(
    fay: FlaskClient, stripe: StripeStandIn
) -> None:
    partners(stripe, "Quayside", "Northwind")
    run = make_approved_run()
    db.session.commit()
    fay.post(f"{address_of(run)}/execution")
    text = page(fay, address_of(run))
    assert text.count('id="run-payouts"') == 1
    assert "hx-swap-oob" not in text
    assert "/progress?show=paid&amp;page=1" in text
    pay(payouts()[0].id)
    answer = fay.get(f"{address_of(run)}/progress?show=paid&page=1")
    assert 'id="run-payouts" hx-swap-oob="true"' in " ".join(answer.text.split())
    assert answer.text.count("Transferred") == 1
    assert answer.text.count("Approved") == 1
    assert "HX-Refresh" not in answer.headers
    assert "Quayside" not in fay.get(f"{address_of(run)}/progress?q=north").text
    pay_some(newest_run().id)
    # It is over: the steps and the buttons of the page say other things now.
    answer = fay.get(f"{address_of(run)}/progress?show=paid&page=1")
    assert answer.headers["HX-Refresh"] == "true"


def test_a_run_that_waits_for_money_says_so_and_what_to_do_about_it(
    fay: FlaskClient, stripe: StripeStandIn
) -> None:
    (_, second) = partners(stripe, "Quayside", "Northwind")
    make_payable(second.id, 5_000, "USD")
    db.session.commit()
    run = make_approved_run()
    db.session.commit()
    fay.post(f"{address_of(run)}/execution")
    pay_some(newest_run().id)
    assert [row.state for row in payouts()].count(PayoutState.TRANSFERRED) == 2
    answer = fay.get(f"{address_of(run)}/progress?show=paid&page=1")
    assert "Stripe keeps no balance in USD" in answer.text
    assert "It goes on by itself once there is enough." in answer.text
    # The page did not know of it, and has a button for it now.
    assert answer.headers["HX-Refresh"] == "true"
    assert "HX-Refresh" not in fay.get(f"{address_of(run)}/progress?stalled=1").headers
    assert "Go on now" in page(fay, address_of(run))
    assert "A payout run waits for money" in page(fay, HOME)


def test_a_run_that_waits_for_money_and_is_being_canceled_waits_no_longer(
    fay: FlaskClient, stripe: StripeStandIn
) -> None:
    partners(stripe, "Quayside", "Northwind")
    run = make_approved_run()
    db.session.commit()
    fay.post(f"{address_of(run)}/execution")
    payouts()[0].state = PayoutState.UNKNOWN
    db.session.flush()
    run = newest_run()
    run.stalled_reason, run.short = "Stripe keeps no balance in EUR.", {"EUR": 5_000}
    db.session.commit()
    assert "Go on now" in page(fay, address_of(run))
    assert "A payout run waits for money" in page(fay, HOME)
    abort(run.id, by_user_id=1, reason="Wrong month")
    db.session.commit()
    assert newest_run().state is RunState.EXECUTING
    text = page(fay, address_of(run))
    assert "It is being canceled; what is under way at Stripe is finished first." in text
    for wrong in ("Go on now", "goes on by itself", "Stripe keeps no balance"):
        assert wrong not in text
    assert "A payout run waits" not in page(fay, HOME)


def test_a_run_whose_job_died_is_canceled_and_another_one_computed(
    fay: FlaskClient, stripe: StripeStandIn, run_jobs: RunJobs
) -> None:
    partners(stripe, "Quayside")
    fay.post(HOME)
    db.session.execute(delete(Job))
    db.session.commit()
    run = newest_run()
    assert "Another run waits" in fay.post(HOME, follow_redirects=True).text
    assert "Cancel the run" in page(fay, address_of(run))
    assert fay.get(f"{address_of(run)}/cancellation").status_code == 200
    answer = fay.post(f"{address_of(run)}/cancellation", data={"reason": "It died"})
    assert answer.status_code == 303
    assert newest_run().state is RunState.ABORTED
    text = page(fay, address_of(run))
    assert "It died" in text
    assert "Never computed; begun by" in text
    fay.post(HOME)
    run_jobs()
    assert newest_run().state is RunState.COMPUTED
    assert newest_run().id != run.id


def test_nobody_decides_about_the_payouts_of_their_own_organization(
    platform: Organization, sign_in: SignIn, stripe: StripeStandIn
) -> None:
    own, other = partners(stripe, "Quayside", "Northwind")
    fay = make_member(platform, Role.FINANCE)
    make_member(own, Role.OWNER, fay)
    browser = sign_in(fay, platform)
    stripe.fault("transfers.create", "refused", times=2, code="x", message="Not today.")
    run = make_approved_run()
    db.session.commit()
    browser.post(f"{address_of(run)}/execution")
    pay_some(newest_run().id)
    for partner, status in ((own, 404), (other, 303)):
        address = f"{HOME}/partners/{partner.id}"
        may = status == 303
        text = page(browser, address)
        assert ("a colleague sets its limits" in text) != may
        assert ("Freeze payouts" in text) == may
        assert browser.post(f"{address}/cap", data={"currency": "EUR"}).status_code == status
        assert browser.post(f"{address}/freeze", data={"reason": "Look"}).status_code == status
        assert browser.post(f"{address}/unfreeze").status_code == status
        (payout,) = [row for row in payouts() if row.partner_id == partner.id]
        address = f"{HOME}/payments/{payout.public_id}"
        assert ("Try again" in page(browser, address)) == may
        assert browser.post(f"{address}/retry").status_code == status
        for question in ("cancellation", "reversal"):
            assert (browser.get(f"{address}/{question}").status_code == 200) == may
            assert (browser.post(f"{address}/{question}").status_code == 404) != may


@pytest.mark.parametrize("role", [Role.SUPPORT, Role.REVIEWER])
def test_payouts_are_for_finance(
    platform: Organization, sign_in: SignIn, role: Role, stripe: StripeStandIn
) -> None:
    partners(stripe, "Quayside")
    run = make_approved_run()
    db.session.commit()
    browser = sign_in(make_member(platform, role), platform)
    assert browser.get(HOME).status_code == 403
    assert browser.get(address_of(run)).status_code == 404
    assert browser.post(f"{address_of(run)}/execution").status_code == 404


def test_the_run_from_a_terminal_takes_two_people(
    app: Flask, platform: Organization, stripe: StripeStandIn
) -> None:
    partners(stripe, "Quayside")
    fay, max_ = make_member(platform, Role.FINANCE), make_member(platform, Role.FINANCE)
    outsider = make_member(make_organization("Other"), Role.OWNER)
    db.session.commit()
    emails = {"fay": fay.email, "max": max_.email, "out": outsider.email}

    def command(*args: str) -> tuple[int, str]:
        done = app.test_cli_runner().invoke(args=["billing", "run", *args])
        return done.exit_code, done.output

    assert command() == (0, "No run was ever computed.\n")
    code, said = command("--execute")
    assert (code, "No run is approved." in said) == (1, True)
    code, said = command("--compute", "--as", str(emails["fay"]))
    assert code == 0, said
    assert "€50.00 in 1 payouts" in said
    # Nobody computes by leaving out who they are, to approve it themselves.
    code, said = command("--compute")
    assert (code, "--compute needs --as" in said) == (2, True)
    assert command("--compute", "--schedule", "--as", str(emails["max"]))[0] == 2
    assert command("--approve", "--schedule", "--as", str(emails["max"]))[0] == 2
    code, said = command("--compute", "--schedule")
    assert (code, "waits for approval" in said) == (1, True)
    assert command("--approve")[0] == 2
    assert command("--approve", "--as", str(emails["out"]))[0] == 2
    code, said = command("--approve", "--as", str(emails["fay"]))
    assert (code, "does not approve it" in said) == (1, True)
    code, said = command("--approve", "--as", str(emails["max"]), "--digest", "0" * 64)
    assert code == 1
    code, said = command("--approve", "--as", str(emails["max"]))
    assert (code, "approved" in said) == (0, True), said
    noted = db.session.execute(
        select(Fact.actor_user_id, Fact.data)
        .where(Fact.kind == "payout_run.used_from_terminal")
        .order_by(Fact.id)
    ).all()
    assert [tuple(each) for each in noted] == [
        (fay.id, {"step": "computed", "system_user_id": os.getuid()}),
        (max_.id, {"step": "approved", "system_user_id": os.getuid()}),
    ]
    stripe.fault("transfers.create", "lost")
    code, said = command("--execute")
    assert (code, "not known yet" in said) == (2, True), said
    db.session.expire_all()
    payouts()[0].state = PayoutState.SUBMITTING
    db.session.commit()
    code, said = command("--execute")
    assert (code, "completed" in said) == (0, True), said
    assert len(stripe.all("transfer")) == 1
