"""Stripe for tests: the stand-in in a thread, the gateway pointed at it, and a person's hands.

`stripe` is a fixture (tests/conftest.py imports it). What it does stays at Stripe until
`stripe.deliver(client)` brings the webhooks to our site and runs the jobs.
"""

import os
import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

import pytest
from flask import Flask
from flask.testing import FlaskClient

from billing.events import receive
from billing.gateway import (
    StripeGateway,
    StripeRejectedError,
    StripeSettings,
    configure_gateway,
    sign,
)
from billing.sandbox_stripe import (
    accounts,
    balance,
    cards,
    checkout,
    control,
    disputes,
    events,
    faults,
    payments,
    payouts,
    transfers,
)
from billing.sandbox_stripe.endpoints import Shown
from billing.sandbox_stripe.errors import ApiError
from billing.sandbox_stripe.running import Sandbox
from billing.sandbox_stripe.store import Store
from billing.sandbox_stripe.tick import tick
from marketplace.core import clock, jobs
from marketplace.core.unit_of_work import unit_of_work

SECRET = "whsec_of_the_platforms_endpoint"
CONNECT_SECRET = "whsec_of_the_connected_accounts_endpoint"
CARD = "4242424242424242"

Thing = dict[str, Any]


class StripeStandIn:
    """The stand-in, and everything that happens at Stripe and not at our site."""

    def __init__(self, store: Store, url: str) -> None:
        self.store = store
        self.url = url
        self.webhook_answers: list[int] = []

    # --- looking -----------------------------------------------------------------------------

    def get(self, thing_id: str) -> Thing:
        """An object by its id, as Stripe shows it."""
        with self.store.transaction():
            found = self.store.find(thing_id)
            assert found is not None, thing_id
            shown: Thing = Shown(self.store).of(found)
            return shown

    def all(self, kind: str, account: str | None = None) -> list[Thing]:
        """All objects of a kind (`charge`, `transfer`, `refund`, `event`…), oldest first."""
        with self.store.transaction():
            found: list[Thing] = Shown(self.store).of(self.store.all(kind, account=account))
            return found

    def balance(self, currency: str = "eur", account: str = "") -> tuple[int, int]:
        """(pending, available) in minor units."""
        with self.store.transaction():
            return balance.balances(self.store, account, currency.lower())

    def charge_of(self, checkout_url: str) -> Thing:
        """The charge that paid a checkout session (payment or subscription mode)."""
        session = self.get(_session_id(checkout_url))
        intent = session["payment_intent"]
        if intent is None:
            with self.store.transaction():
                invoice = self.store.get("invoice", session["invoice"])
            intent = invoice["_payments"]["data"][0]["payment"]["payment_intent"]
        return self.get(self.get(intent)["latest_charge"])

    # --- paying ------------------------------------------------------------------------------

    def pay(self, checkout_url: str, card: str = CARD, email: str = "buyer@people.example") -> None:
        """Fill in the checkout page and press the button. Raises ApiError when it is refused."""
        refused: ApiError | None = None
        with self.store.transaction():
            session = self.store.get("checkout.session", _session_id(checkout_url))
            try:
                checkout.complete(self.store, session, card, email)
            except ApiError as error:
                refused = error
        if refused is not None:
            raise refused

    def expire(self, checkout_url: str) -> None:
        """Let a checkout page run out."""
        with self.store.transaction():
            session = self.store.get("checkout.session", _session_id(checkout_url))
            checkout.expire(self.store, session)

    def refund(self, charge: str | Thing, amount: int | None = None) -> Thing:
        """A refund made in Stripe's own dashboard."""
        with self.store.transaction():
            return payments.refund_charge(self.store, self.store.get("charge", _id(charge)), amount)

    def fail_refund(self, refund: str | Thing) -> None:
        """The bank sends a refund back."""
        with self.store.transaction():
            payments.fail_refund(self.store, self.store.get("refund", _id(refund)))

    def dispute(
        self, charge: str | Thing, amount: int | None = None, reason: str = "fraudulent"
    ) -> Thing:
        """The customer's bank takes the money back."""
        with self.store.transaction():
            return disputes.open_dispute(
                self.store, self.store.get("charge", _id(charge)), amount=amount, reason=reason
            )

    def decide(self, dispute: str | Thing, *, won: bool) -> Thing:
        """The bank decides a dispute."""
        with self.store.transaction():
            return disputes.decide(self.store, self.store.get("dispute", _id(dispute)), won=won)

    def change_card(self, customer_id: str, number: str) -> None:
        """A customer's subscriptions are charged to another test card from now on."""
        with self.store.transaction():
            control.set_card(self.store, customer_id, number)

    # --- connected accounts ------------------------------------------------------------------

    def new_account(self, *, country: str = "DE", version: int = 2, ready: bool = True) -> str:
        """A connected account made behind our back (a test of transfers); its id."""
        with self.store.transaction():
            account = accounts._new(
                self.store,
                version,
                {"country": country, "capabilities": ["transfers"], "controller": {}},
            )
            if ready:
                accounts.finish_onboarding(self.store, account)
        return str(account["id"])

    def onboard(self, account_id: str, ok: bool = True) -> None:
        """The partner finishes onboarding at Stripe, or gives too little (`ok=False`)."""
        with self.store.transaction():
            account = accounts.get_account(self.store, account_id)
            if ok:
                accounts.finish_onboarding(self.store, account)
            else:
                accounts.restrict(self.store, account)

    def restrict(self, account_id: str, reason: str = "requirements.past_due") -> None:
        """Stripe stops an account from receiving."""
        with self.store.transaction():
            account = accounts.get_account(self.store, account_id)
            accounts.restrict(self.store, account, reason)

    def deauthorize(self, account_id: str) -> None:
        """The account's owner takes our access away."""
        with self.store.transaction():
            accounts.deauthorize(self.store, accounts.get_account(self.store, account_id))

    # --- money -------------------------------------------------------------------------------

    def fund(self, amount: int, currency: str = "eur", account: str = "") -> Thing:
        """A top-up: available at once."""
        return self.book(amount, currency, kind="topup", account=account)

    def book(
        self, amount: int, currency: str = "eur", *, kind: str, fee: int = 0, account: str = "",
        description: str | None = None, source: str | None = None,
    ) -> Thing:  # fmt: skip
        """Any balance transaction, like a `stripe_fee` or an `adjustment`."""
        with self.store.transaction():
            return balance.book(
                self.store, kind, amount, currency.lower(), source, fee=fee, account=account,
                description=description,
            )  # fmt: skip

    def reverse_transfer(self, transfer: str | Thing, amount: int | None = None) -> Thing:
        """A reversal made in Stripe's own dashboard."""
        with self.store.transaction():
            found = self.store.get("transfer", _id(transfer))
            return transfers.reverse_transfer(self.store, found, amount)

    def pay_out(self, account: str = "", *, arrive: bool = False) -> list[Thing]:
        """Today's automatic payouts of the platform or of a connected account, one a currency."""
        with self.store.transaction():
            made = payouts.pay_out_automatically(self.store, account)
            return [payouts.arrive(self.store, each) for each in made] if arrive else made

    def arrive(self, payout: str | Thing) -> Thing:
        """A payout reaches the bank."""
        with self.store.transaction():
            return payouts.arrive(self.store, self.store.get("payout", _id(payout)))

    def fail_payout(self, payout: str | Thing, code: str = "account_closed") -> Thing:
        """The bank refuses a payout, or returns it after it had arrived."""
        with self.store.transaction():
            return payouts.fail(self.store, self.store.get("payout", _id(payout)), code)

    def settle_in(self, default: str, currencies: list[str], **rates: float) -> None:
        """Convert charges in other currencies: `settle_in("eur", ["eur"], gbp=1.17)`."""
        with self.store.transaction():
            value = {"default": default, "currencies": currencies, "rates": rates}
            self.store.set("settlement", value)

    def schedule(self, *, platform: str = "manual", accounts: str = "manual") -> None:
        """`daily` or `manual` payouts, made when `advance` passes a day."""
        with self.store.transaction():
            self.store.set("schedule", {"platform": platform, "accounts": accounts})

    # --- time and faults ---------------------------------------------------------------------

    def advance(self, by: timedelta) -> None:
        """Let time pass, for us and for Stripe: renewals, availability, payouts, expiries."""
        clock.shift(by)
        tick(self.store)

    def tick(self) -> int:
        """Let happen what is due now (a test that holds the clock calls this)."""
        return tick(self.store)

    def fault(self, name: str, kind: str, *, times: int = 1, skip: int = 0, **more: Any) -> None:
        """Something goes wrong the next `times`, after `skip` calls that go well.

        `name` is an SDK name or a pattern (`transfers.create`, `refunds.*`); `kind` one of lost,
        dropped, error (cached=True), error_after, rate_limited (seconds=), conflict, refused
        (code=, message=, status=), slow (seconds=). See billing/sandbox_stripe/faults.py.
        """
        with self.store.transaction():
            faults.add_fault(self.store, name, kind, times=times, skip=skip, **more)

    def clear_faults(self) -> None:
        """Nothing goes wrong any more."""
        with self.store.transaction():
            faults.clear_faults(self.store)

    # --- webhooks ----------------------------------------------------------------------------

    def waiting(self) -> list[tuple[int, str]]:
        """(delivery, event id) of the webhooks that wait, oldest first."""
        with self.store.transaction():
            rows = self.store.execute(
                "SELECT id, event FROM delivery WHERE state = 'waiting' ORDER BY id"
            ).fetchall()
        return [(int(row[0]), str(row[1])) for row in rows]

    def lose(self, *types: str) -> int:
        """Webhooks of these types (all of them without any) never arrive; how many."""
        lost = 0
        for delivery_id, event_id in self.waiting():
            if not types or self.get(event_id)["type"] in types:
                with self.store.transaction():
                    events.finish_delivery(self.store, delivery_id, 0, True)
                lost += 1
        return lost

    def deliver(
        self,
        client: FlaskClient | None = None,
        *,
        order: str = "as sent",
        repeat: int = 1,
        seed: int = 0,
        run: bool = True,
    ) -> int:
        """Bring the waiting webhooks to /webhooks/stripe and run due jobs; how many arrived.

        `order` is `as sent`, `reversed` or `shuffled` (by `seed`); each comes `repeat` times.
        Goes on while the jobs cause new webhooks. Without `run`, jobs are left to the test.
        """
        arrived = 0
        for _round in range(50):
            waiting = self.waiting()
            if order == "reversed":
                waiting.reverse()
            elif order == "shuffled":
                random.Random(seed).shuffle(waiting)
            for delivery_id, event_id in waiting:
                for _time in range(repeat):
                    answer = self.post(client, event_id)
                    assert answer < 300, f"the webhook was answered with {answer}"
                with self.store.transaction():
                    events.finish_delivery(self.store, delivery_id, 0, True)
                arrived += 1
            if not run or (_run_jobs() == 0 and not self.waiting()):
                return arrived
        raise AssertionError("webhooks and jobs never come to rest")

    def post(self, client: FlaskClient | None, event_id: str, secret: str | None = None) -> int:
        """Bring one event to our site, signed; the status of the answer."""
        with self.store.transaction():
            body = events.body_of(self.store, event_id)
            found = self.store.find(event_id) or {}
        secret = secret or (CONNECT_SECRET if found.get("account") else SECRET)
        if client is None:
            with unit_of_work():
                receive(body, sign(body, secret, clock.now()))
            return 200
        answer = client.post(
            "/webhooks/stripe",
            data=body,
            headers={"Stripe-Signature": sign(body, secret, clock.now())},
            content_type="application/json",
        )
        self.webhook_answers.append(answer.status_code)
        return answer.status_code

    def event(self, kind: str, thing: Thing, account: str = "") -> str:
        """Make an event of any kind about a thing; its id. It waits like the others."""
        with self.store.transaction():
            return str(events.emit(self.store, kind, thing, account=account)["id"])

    def run_jobs(self) -> int:
        """Run due jobs, and those that they add; how many succeeded."""
        return _run_jobs()

    def reset(self) -> None:
        """An empty Stripe."""
        self.store.wipe()
        self.webhook_answers.clear()
        with self.store.transaction():
            self.store.set(
                "endpoints",
                [
                    {"url": "the platform's", "secret": SECRET},
                    {"url": "the accounts'", "secret": CONNECT_SECRET, "connect": True},
                ],
            )


def _id(thing: str | Thing) -> str:
    return thing if isinstance(thing, str) else str(thing["id"])


def _session_id(checkout_url: str) -> str:
    return urlsplit(checkout_url).path.rsplit("/", 1)[-1]


def _run_jobs() -> int:
    total = 0
    while done := jobs.run_due():
        total += done
    return total


@pytest.fixture(scope="session")
def stripe_server() -> Iterator[StripeStandIn]:
    """One stand-in for all tests of this process."""
    store = Store()
    with Sandbox(store, lively=False) as sandbox:
        yield StripeStandIn(store, sandbox.url)
    store.close()


def stripe_settings(url: str) -> StripeSettings:
    """What the process knows of Stripe when it is the stand-in."""
    return StripeSettings(
        api_key="sk_test_sandbox",
        api_base=url,
        webhook_secrets=(SECRET, CONNECT_SECRET),
        timeout=(2.0, 5.0),
        read_retries=0,
    )


class DoubledGateway(StripeGateway):
    """Says everything to stripe-mock first, which knows Stripe's specification to the letter.

    What stripe-mock refuses and the stand-in takes is kept in `complaints`. Version 2 of the API
    is not known to stripe-mock.
    """

    def __init__(self, settings: StripeSettings, mock_url: str) -> None:
        super().__init__(
            settings.api_key, settings.api_base, settings.timeout, settings.read_retries
        )
        self.mock = StripeGateway(settings.api_key, mock_url, settings.timeout, 0)
        self.complaints: list[str] = []

    def call(
        self, method: str, params: Mapping[str, Any], *, idem_key: str, account: str = ""
    ) -> Thing:
        refusal = self._refusal(
            method, lambda: self.mock.call(method, params, idem_key=idem_key, account=account)
        )
        done = super().call(method, params, idem_key=idem_key, account=account)
        self._complain(refusal, dict(params))
        return done

    def retrieve(
        self, resource: str, stripe_id: str = "", *, expand: Sequence[str] = (),
        account: str = "", parent: str = "",
    ) -> Thing:  # fmt: skip
        more: dict[str, Any] = {"expand": expand, "account": account, "parent": parent}
        refusal = self._refusal(resource, lambda: self.mock.retrieve(resource, stripe_id, **more))
        found = super().retrieve(resource, stripe_id, **more)
        self._complain(refusal, more)
        return found

    def pages(self, resource: str, *, account: str = "", **params: Any) -> Iterator[Thing]:
        self._complain(
            self._refusal(
                resource, lambda: next(self.mock.pages(resource, account=account, **params), None)
            ),
            params,
        )
        yield from super().pages(resource, account=account, **params)

    def _refusal(self, name: str, ask: Callable[[], object]) -> str:
        if name.startswith("v2."):
            return ""
        try:
            ask()
        except StripeRejectedError as error:
            return f"{name}: {error}"
        return ""

    def _complain(self, refusal: str, params: object) -> None:
        if refusal:
            self.complaints.append(f"{refusal} of {params}")


def doubled_gateway(url: str) -> DoubledGateway | None:
    """A gateway that also speaks to stripe-mock, where STRIPE_MOCK_URL names one."""
    mock_url = os.environ.get("STRIPE_MOCK_URL")
    return DoubledGateway(stripe_settings(url), mock_url) if mock_url else None


@pytest.fixture
def stripe(app: Flask, stripe_server: StripeStandIn) -> Iterator[StripeStandIn]:
    """An empty Stripe that our gateway talks to. Time that a test moves is put back after it.

    Where STRIPE_MOCK_URL is set, every request of every test goes to stripe-mock as well.
    """
    before = clock._offset
    stripe_server.reset()
    doubled = doubled_gateway(stripe_server.url)
    configure_gateway(stripe_settings(stripe_server.url), instead=doubled)
    yield stripe_server
    configure_gateway(StripeSettings())
    clock._offset = before
    if doubled is not None:
        assert doubled.complaints == []


__all__ = ["CARD", "CONNECT_SECRET", "SECRET", "StripeStandIn", "cards", "stripe", "stripe_server"]
