"""The stand-in as a process of its own: it lives by itself and keeps what it knows in a file."""

import json
import re
import signal
import subprocess
import sys
import time
from datetime import timedelta
from pathlib import Path
from typing import IO

import pytest
import requests

from billing.gateway import StripeGateway, verify_signature
from billing.sandbox_stripe.events import deliver_due, emit
from billing.sandbox_stripe.running import Sandbox, open_store
from billing.sandbox_stripe.store import Store
from tests.factories.answering import Answer, answering


def test_it_delivers_signed_webhooks_again_until_they_arrive(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("billing.sandbox_stripe.events.RETRY_AFTER", (timedelta(0),) * 3)
    monkeypatch.setattr("billing.sandbox_stripe.running.TICK_SECONDS", 0.02)
    with answering() as site:
        url = site.plan("/webhooks/stripe", Answer(status=500), Answer(status=200))
        store = open_store(tmp_path / "sandbox.db", url, "whsec_one", "whsec_two")
        with Sandbox(store) as sandbox:
            gateway = StripeGateway("sk_test_sandbox", sandbox.url)
            gateway.call("customers.create", {"email": "a@people.example"}, idem_key="k")
            deadline = time.monotonic() + 5
            while len(site.to("/webhooks/stripe")) < 2 and time.monotonic() < deadline:
                time.sleep(0.02)
        store.close()
        first, second = site.to("/webhooks/stripe")
    assert first.body == second.body
    for received in (first, second):
        verify_signature(received.body, received.headers["stripe-signature"], ("whsec_one",))


@pytest.mark.parametrize(
    ("fault", "arrive"),
    [
        ({}, ["evt 0", "evt 1", "evt 2"]),
        ({"reverse": True}, ["evt 2", "evt 1", "evt 0"]),
        ({"lose": True}, []),
        ({"repeat": 1}, ["evt 0", "evt 0", "evt 1", "evt 1", "evt 2", "evt 2"]),
    ],
)
def test_webhooks_are_lost_repeated_and_turned_round_on_order(
    tmp_path: Path, fault: dict[str, bool], arrive: list[str]
) -> None:
    with answering() as site:
        store = open_store(tmp_path / "sandbox.db", site.url("/hook"), "whsec_1", "whsec_2")
        with store.transaction():
            store.set("webhook_fault", fault)
            names = {
                emit(store, "customer.created", {"id": f"cus_{number}"})["id"]: f"evt {number}"
                for number in range(3)
            }
        assert deliver_due(store) == 3
        store.close()
        assert [names[json.loads(each.body)["id"]] for each in site.to("/hook")] == arrive


def test_it_keeps_what_it_knows(tmp_path: Path) -> None:
    for expected in (0, 1):
        store = open_store(tmp_path / "sandbox.db", "http://127.0.0.1:9/", "whsec_1", "whsec_2")
        with Sandbox(store, lively=False) as sandbox:
            gateway = StripeGateway("sk_test_sandbox", sandbox.url)
            assert len(list(gateway.pages("customers"))) == expected
            gateway.call("customers.create", {"email": "a@people.example"}, idem_key="k")
        store.close()


def test_it_is_served_on_loopback_alone() -> None:
    store = Store()
    with pytest.raises(ValueError, match=r"not on 0\.0\.0\.0"):
        Sandbox(store, host="0.0.0.0")  # noqa: S104 - what is refused here
    store.close()


def test_the_command_serves_until_it_is_told_to_stop(tmp_path: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-m", "billing.sandbox_stripe", "--port", "0",
         "--data", str(tmp_path / "sandbox.db")],
        stdout=subprocess.PIPE,
        text=True,
    ) as process:  # fmt: skip
        output: IO[str] | None = process.stdout
        assert output is not None
        found = re.search(r"http://127\.0\.0\.1:\d+", output.readline())
        assert found is not None
        assert requests.get(f"{found.group()}/", timeout=5).status_code == 200
        process.send_signal(signal.SIGTERM)
        assert process.wait(10) == 0
