"""The stand-in for Stripe in this process, and a clock that both live by."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from email.message import EmailMessage
from pathlib import Path

from billing.events import receive
from billing.gateway import StripeSettings, configure_gateway, sign
from billing.sandbox_stripe import events
from billing.sandbox_stripe.running import Sandbox, open_store
from billing.sandbox_stripe.store import Store
from billing.sandbox_stripe.tick import tick
from marketplace.config import Settings
from marketplace.core import clock, jobs
from marketplace.core.mail import mail_sent_by
from marketplace.core.unit_of_work import unit_of_work
from marketplace.demo.trading import STORE

MOST_ROUNDS = 50


class _NoMail:
    """Nobody of the demo wants a hundred days of old mail."""

    def send(self, message: EmailMessage) -> None:
        """Forget it."""


class StandIn:
    """Stripe within reach: time passes, webhooks arrive and jobs run when they are told to."""

    def __init__(self, store: Store, settings: Settings) -> None:
        self.store = store
        self._settings = settings

    def pass_time(self, by: timedelta) -> None:
        """Let time pass at both, and everything that comes with it."""
        clock.shift(by)
        tick(self.store)
        self.settle()

    def settle(self) -> None:
        """Receive what Stripe has to say, and run the jobs, until nothing is left."""
        for _round in range(MOST_ROUNDS):
            if self._receive() + jobs.run_due() == 0:
                return

    def _receive(self) -> int:
        with self.store.transaction():
            waiting = [
                (delivery, events.body_of(self.store, event), place["secret"])
                for delivery, event, place, _tries in events.due_deliveries(self.store)
            ]
        for delivery, body, secret in waiting:
            with unit_of_work():
                receive(body, sign(body, secret, clock.now()))
            with self.store.transaction():
                events.finish_delivery(self.store, delivery, 0, True)
        return len(waiting)


@contextmanager
def stand_in(settings: Settings, started: timedelta) -> Iterator[StandIn]:
    """The stand-in, `started` ago. Afterwards the clock and the process are what they were."""
    secrets = settings.stripe_webhook_secrets
    # A history that was cut off is made anew, and so is its Stripe.
    path = Path(settings.data_dir) / STORE
    for each in (path, path.with_name(f"{STORE}-wal"), path.with_name(f"{STORE}-shm")):
        each.unlink(missing_ok=True)
    url = f"{settings.public_url}/webhooks/stripe"
    store = open_store(path, url, secrets[0], secrets[-1])
    before = clock.now()
    try:
        with store.transaction():
            store.set("schedule", {"platform": "manual", "accounts": "daily"})
        with Sandbox(store, lively=False) as sandbox, mail_sent_by(_NoMail()):
            configure_gateway(_settings(settings, sandbox.url))
            clock.shift(-started)
            yield StandIn(store, settings)
    finally:
        drift = clock.now() - before
        # What is left of the shift, apart from the time that really passed.
        days = round(drift / timedelta(days=1))
        if days:
            clock.shift(timedelta(days=-days))
        store.close()
        configure_gateway(_settings(settings, settings.stripe_api_base))


def _settings(settings: Settings, api_base: str | None) -> StripeSettings:
    return StripeSettings(
        api_key=settings.stripe_api_key or "",
        api_base=api_base,
        webhook_secrets=settings.stripe_webhook_secrets,
    )
