"""A worker that is killed at any commit: whoever goes on makes nothing twice, and loses nothing.

Each story is told once for every commit that it makes, with the worker's end just before it (what
Stripe was asked is done, and nobody wrote it down) and just after it. The last number is one too
many: there the worker lives, which proves that no commit was left out.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta

import pytest
from flask.testing import FlaskClient
from sqlalchemy import func, select

from billing.accounts import PAYOUT_CLEARING
from billing.checkout import open_checkout
from billing.connect import open_account
from billing.entitlements import entitlement_of
from billing.gateway import StripeRejectedError, gateway
from billing.ledger import balance
from billing.models import (
    ConnectedAccount,
    DiscountKind,
    Dispute,
    Order,
    OrderKind,
    OrderState,
    Payout,
    PayoutRun,
    PayoutState,
    PlanBilling,
    RunState,
    Subscription,
    SubscriptionState,
    TransferReversal,
)
from billing.models.stripe import OperationState, StripeOperation
from billing.orders import Buyer
from billing.payouts.executing import execute
from billing.payouts.returns import take_back
from billing.settlement.evidence import submit_evidence
from billing.settlement.parts import SettlementError
from billing.settlement.release import release_due
from billing.subscriptions.changing import cancel_now, change_subscription
from marketplace.core import jobs
from marketplace.core.database import db
from marketplace.core.errors import ConflictError
from marketplace.core.facts import Fact
from marketplace.core.unit_of_work import unit_of_work
from tests.factories.listings import make_listing
from tests.factories.payouts import make_account, make_approved_run
from tests.factories.people import make_customer, make_organization
from tests.factories.selling import (
    make_discount,
    make_order,
    make_plan,
    make_sale_fee,
    make_tax_rate,
)
from tests.factories.settlement import PUBLISHER, assert_sound, buy, purse
from tests.factories.stripe import CARD, StripeStandIn
from tests.parts import IN_CI

REFUSED = "4000000000000341"
# Longer than any job's lease, shorter than a key lives at Stripe.
LATER = timedelta(hours=1)


class Killed(BaseException):
    """The worker's process ends here."""


@dataclass
class Story:
    """What a worker does, how somebody goes on with it, and what must be true then."""

    act: Callable[[], object]
    again: Callable[[], object]
    check: Callable[[], object]


@contextmanager
def mortal(monkeypatch: pytest.MonkeyPatch, commit: int, when: str) -> Iterator[None]:
    """The worker's end `before` or `after` its nth commit, whoever makes it."""
    kind = type(db.session())
    really, seen = kind.commit, [0]

    def commit_or_die(self: object) -> None:
        seen[0] += 1
        if seen[0] == commit and when == "before":
            raise Killed
        really(self)  # type: ignore[arg-type]  # handed on as it came
        if seen[0] == commit:
            raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(kind, "commit", commit_or_die)
        yield


def count(kind: type) -> int:
    return db.session.scalar(select(func.count()).select_from(kind)) or 0


def facts(kind: str) -> int:
    return len(db.session.scalars(select(Fact.id).where(Fact.kind == kind)).all())


def run_jobs() -> None:
    while jobs.run_due():
        pass


def no_question_is_open() -> None:
    """Of everything that was asked of Stripe, it is known what became of it."""
    states = select(StripeOperation.idem_key).where(
        StripeOperation.state.not_in((OperationState.SUCCEEDED, OperationState.REJECTED))
    )
    assert db.session.scalars(states).all() == []


# --- buying --------------------------------------------------------------------------------------


def _buyers(seats: int, **plan: object) -> tuple[int, int, int]:
    """The ids of a listing, a plan by the seat and a pending order of `seats`, with tax and a
    discount; committed."""
    publisher = make_organization("Quayside")
    listing = make_listing(publisher)
    make_sale_fee(2_000)
    make_tax_rate("DE", 1_900)
    make_discount(publisher, "AUTUMN", kind=DiscountKind.PERCENT, months=3)
    found = make_plan(listing, 1_000, billing=PlanBilling.MONTHLY, is_per_seat=True)
    customer = make_customer("Blue Kite")
    details = {"legal_name": "Blue Kite GmbH", "email": "billing@kite.example"}
    buyer = Buyer(customer.id, country="DE", billing_details=details)
    order = make_order(found, customer, quantity=seats, buyer=buyer, code="AUTUMN")
    ids = listing.id, found.id, order.id
    db.session.commit()
    return ids


def _open(order_id: int) -> str:
    return open_checkout(
        order_id, success_url="http://localhost/done", cancel_url="http://localhost/back"
    )


def checkout(stripe: StripeStandIn, client: FlaskClient) -> Story:
    listing_id, plan_id, order_id = _buyers(2)
    urls: list[str] = []

    def check() -> None:
        assert urls[-1] == _open(order_id)
        for kind in ("customer", "product", "tax_rate", "coupon", "checkout.session"):
            assert len(stripe.all(kind)) == 1, kind
        no_question_is_open()
        db.session.rollback()
        stripe.pay(urls[-1])
        stripe.deliver(client)
        db.session.expire_all()
        order = db.session.get_one(Order, order_id)
        assert order.state is OrderState.PAID
        assert [each["amount"] for each in stripe.all("charge")] == [order.total]
        held = entitlement_of(listing_id, order.organization_id)
        assert held is not None
        assert (held.plan_id, held.quantity) == (plan_id, 2)

    return Story(lambda: urls.append(_open(order_id)), lambda: urls.append(_open(order_id)), check)


def _subscribe(stripe: StripeStandIn, client: FlaskClient) -> tuple[int, int, int]:
    """The ids of a listing, its plan, and a subscription of five seats of which two are to be
    paid next time."""
    listing_id, plan_id, order_id = _buyers(5)
    stripe.pay(_open(order_id))
    stripe.deliver(client)
    subscription_id = db.session.scalars(select(Subscription.id)).one()
    db.session.rollback()
    stripe.advance(timedelta(days=3))
    change_subscription(subscription_id, plan_id, 2, token="less", by_user_id=1)
    stripe.deliver(client)
    return listing_id, plan_id, subscription_id


def _seats(listing_id: int, subscription_id: int) -> tuple[int, int]:
    """What may be used now, and what the next payment is for."""
    db.session.expire_all()
    row = db.session.get_one(Subscription, subscription_id)
    held = entitlement_of(listing_id, row.organization_id)
    found = (held.quantity if held is not None else 0, row.quantity)
    db.session.rollback()
    return found


def more_seats(stripe: StripeStandIn, client: FlaskClient) -> Story:
    listing_id, plan_id, subscription_id = _subscribe(stripe, client)

    def ask(token: str) -> None:
        change_subscription(subscription_id, plan_id, 6, token=token, by_user_id=1)

    def again() -> None:
        try:
            ask("more")
        except ConflictError:
            # The page is old, and the person looks at it again.
            if _seats(listing_id, subscription_id) != (6, 6):
                ask("anew")

    def check() -> None:
        stripe.deliver(client)
        assert _seats(listing_id, subscription_id) == (6, 6)
        (found,) = stripe.all("subscription")
        assert [each["quantity"] for each in found["items"]["data"]] == [6]
        # The five seats, and the sixth for the rest of the month.
        first, second = stripe.all("charge")
        assert second["amount"] < first["amount"] / 5
        changes = db.session.scalars(select(Order).where(Order.kind == OrderKind.CHANGE)).all()
        assert [each.total for each in changes] == [second["amount"]]
        no_question_is_open()

    return Story(lambda: ask("more"), again, check)


def refused_seats(stripe: StripeStandIn, client: FlaskClient) -> Story:
    listing_id, plan_id, subscription_id = _subscribe(stripe, client)
    (customer,) = stripe.all("customer")
    stripe.change_card(customer["id"], REFUSED)

    def ask() -> None:
        with pytest.raises(StripeRejectedError):
            change_subscription(subscription_id, plan_id, 6, token="more", by_user_id=1)

    def check() -> None:
        stripe.deliver(client)
        assert len(stripe.all("charge")) == 1
        assert _seats(listing_id, subscription_id) == (5, 2)

    # Nobody clicks again: what was planned for the next payment is planned still.
    return Story(ask, run_jobs, check)


def lapsed_seats(stripe: StripeStandIn, client: FlaskClient) -> Story:
    """The same, and after that the old form is sent once more, with a card that is good."""
    told = refused_seats(stripe, client)
    subscription_id, plan_id = db.session.execute(
        select(Subscription.id, Subscription.plan_id)
    ).one()
    (customer,) = stripe.all("customer")
    db.session.rollback()

    def again() -> None:
        run_jobs()
        stripe.change_card(customer["id"], CARD)
        with suppress(ConflictError, StripeRejectedError):
            change_subscription(subscription_id, plan_id, 6, token="more", by_user_id=1)

    def check() -> None:
        stripe.deliver(client)
        # The sixth seat is charged, or nothing; never what was paid already.
        first, *more = stripe.all("charge")
        assert sum(each["amount"] for each in more) < first["amount"] / 5
        (found,) = stripe.all("subscription")
        seats = db.session.get_one(Subscription, subscription_id).quantity
        assert [each["quantity"] for each in found["items"]["data"]] == [seats]
        assert seats == (6 if more else 2)

    return Story(told.act, again, check)


def ended(stripe: StripeStandIn, client: FlaskClient) -> Story:
    listing_id, _, subscription_id = _subscribe(stripe, client)

    def check() -> None:
        stripe.deliver(client)
        assert _seats(listing_id, subscription_id)[0] == 0
        row = db.session.get_one(Subscription, subscription_id)
        assert row.state is SubscriptionState.CANCELED
        assert [each["status"] for each in stripe.all("subscription")] == ["canceled"]
        assert facts("subscription.canceled") == 1
        no_question_is_open()

    return Story(lambda: cancel_now(subscription_id), lambda: cancel_now(subscription_id), check)


# --- partners ------------------------------------------------------------------------------------


def account(stripe: StripeStandIn, client: FlaskClient) -> Story:
    def act() -> None:
        open_account(1, name="Quayside", email="ada@people.example", country="DE", by_user_id=9)

    def check() -> None:
        (made,) = stripe.all("account")
        (row,) = db.session.scalars(select(ConnectedAccount)).all()
        assert row.stripe_id == made["id"]
        assert facts("payout_account.opened") == 1
        no_question_is_open()

    return Story(act, act, check)


def _approved(stripe: StripeStandIn) -> int:
    """The id of an approved run that pays one partner."""
    buy(stripe)
    stripe.fund(100_000)
    make_account(PUBLISHER, stripe_id=stripe.new_account())
    release_due()
    run_id = make_approved_run().id
    db.session.commit()
    return run_id


def payout_run(stripe: StripeStandIn, client: FlaskClient) -> Story:
    run_id = _approved(stripe)

    def act() -> None:
        with unit_of_work():
            execute(run_id, by_user_id=3)
        run_jobs()

    def again() -> None:
        if db.session.get_one(PayoutRun, run_id).state is RunState.APPROVED:
            act()
        run_jobs()

    def check() -> None:
        assert [each["amount"] for each in stripe.all("transfer")] == [8_500]
        run = db.session.get_one(PayoutRun, run_id)
        assert run.state is RunState.COMPLETED
        assert run.finished_at is not None
        assert db.session.scalars(select(Payout.state)).all() == [PayoutState.TRANSFERRED]
        assert balance(PAYOUT_CLEARING, "EUR") == 0
        assert facts("payout_run.finished") == 1
        no_question_is_open()

    return Story(act, again, check)


def taken_back(stripe: StripeStandIn, client: FlaskClient) -> Story:
    run_id = _approved(stripe)
    execute(run_id, by_user_id=3)
    db.session.commit()
    run_jobs()
    payout_id = db.session.scalars(select(Payout.id)).one()
    db.session.rollback()

    def act() -> None:
        with unit_of_work():
            take_back(payout_id, by_user_id=3, reason="To the wrong company")
        run_jobs()

    def again() -> None:
        if count(TransferReversal) == 0:
            act()
        run_jobs()

    def check() -> None:
        stripe.deliver(client)
        assert [each["amount_reversed"] for each in stripe.all("transfer")] == [8_500]
        (row,) = db.session.scalars(select(TransferReversal)).all()
        assert row.state == "succeeded"
        payout = db.session.get_one(Payout, payout_id)
        assert (payout.state, payout.reversed_amount) == (PayoutState.REVERSED, 8_500)
        assert purse(PUBLISHER) == (0, 8_500, 0)
        assert facts("payout.reversed") == facts("payout.take_back_asked") == 1
        no_question_is_open()

    return Story(act, again, check)


def evidence(stripe: StripeStandIn, client: FlaskClient) -> Story:
    order_id = buy(stripe)
    charge = db.session.get_one(Order, order_id).charge_id
    assert charge is not None
    stripe_id = stripe.dispute(charge)["id"]
    stripe.deliver(client)
    dispute_id = db.session.scalars(select(Dispute.id)).one()
    db.session.rollback()

    def act() -> None:
        with unit_of_work():
            submit_evidence(dispute_id, {"product_description": "Tide tables"}, 1)
        run_jobs()

    def again() -> None:
        try:
            act()
        except SettlementError:
            run_jobs()

    def check() -> None:
        stripe.deliver(client)
        found = gateway().retrieve("disputes", stripe_id)
        assert found["evidence_details"]["submission_count"] == 1
        row = db.session.get_one(Dispute, dispute_id)
        assert row.evidence == {"product_description": "Tide tables"}
        assert row.evidence_sent_at is not None
        assert facts("dispute.evidence_submitted") == 1
        no_question_is_open()

    return Story(act, again, check)


# Each with the number of its commits.
STORIES = {
    checkout: 20,
    more_seats: 12,
    refused_seats: 15,
    lapsed_seats: 15,
    ended: 5,
    account: 5,
    payout_run: 9,
    taken_back: 7,
    evidence: 7,
}


DEATHS = [
    pytest.param(story, commit, when, id=f"{story.__name__}-{when}-{commit}")
    for story, commits in STORIES.items()
    for when in ("before", "after")
    for commit in range(1, commits + 1 + (when == "before"))
    # What Stripe was asked in between is the same as in the story that it continues.
    if (when == "before" or story is not lapsed_seats)
    # All of them take minutes; on a laptop every third death is tried.
    and (IN_CI or (when == "before" and commit % 3 == 1))
]


@pytest.mark.parametrize(("story", "commit", "when"), DEATHS)
def test_a_worker_killed_at_any_commit_makes_nothing_twice_and_loses_nothing(
    stripe: StripeStandIn,
    client: FlaskClient,
    monkeypatch: pytest.MonkeyPatch,
    database_kind: str,
    story: Callable[[StripeStandIn, FlaskClient], Story],
    commit: int,
    when: str,
) -> None:
    if database_kind != "sqlite" and (when == "after" or commit % 3):
        pytest.skip("Some of the deaths are enough there: the rules are the same, and it is slow.")
    told = story(stripe, client)
    is_killed = False
    with mortal(monkeypatch, commit, when):
        try:
            told.act()
        except Killed:
            is_killed = True
    assert is_killed is (commit <= STORIES[story])
    db.session.remove()
    if is_killed:
        stripe.advance(LATER)
        told.again()
    db.session.expire_all()
    told.check()
    assert_sound()
