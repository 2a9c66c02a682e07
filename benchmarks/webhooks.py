"""Webhooks: 10,000 deliveries to a mix of fine, slow, failing and disabled endpoints.

    python -m benchmarks.webhooks

Prints the section `webhooks` of the results as JSON. The floor is the same HTTP client posting the
same body to the same server from as many threads, without a queue. A burst is run twice, without
and with the endpoints that are slow or fail: what is fine must not arrive later with them. Then a
trickle of events shows how long a single one takes beside a backlog of slow ones.
"""

import contextlib
import json
import logging
import os
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from flask import Flask
from sqlalchemy import func, select

from benchmarks.timing import percentiles
from marketplace.config import ROOT

DELIVERIES = 10_000
FINE_ENDPOINTS, KEYS = 10, 40
SLOW_ENDPOINTS, SLOW_EACH = 4, 40
FAILING_ENDPOINTS, FAILING_EACH = 4, 60
DISABLED = 200
FINE = DELIVERIES - SLOW_ENDPOINTS * SLOW_EACH - FAILING_ENDPOINTS * FAILING_EACH - DISABLED
BARE_POSTS = 2_000
TRICKLE, TRICKLE_EVERY_SECONDS = 60, 0.1
# Whatever happens, a run ends.
MOST_SECONDS = 300.0


@dataclass(frozen=True)
class Mix:
    """The endpoints of one run by what they are like."""

    fine: list[int]
    slow: list[int]
    failing: list[int]
    disabled: list[int]


def main() -> int:
    """Measure, print JSON; the exit status is 1 when something was lost or sent wrongly."""
    with tempfile.TemporaryDirectory(prefix="portico-bench-") as folder:
        os.environ |= {
            "PORTICO_ENV": "demo",
            "DATA_DIR": folder,
            "DATABASE_URL": f"sqlite:///{folder}/portico.db",
            "PUBLIC_URL": "http://127.0.0.1:8000",
            "SECRET_KEY": "a-key-for-measuring-that-guards-nothing",
            "MAIL_BACKEND": "file",
            "REDIS_URL": "",
            "MEILISEARCH_URL": "",
            "OIDC_PROVIDERS": "",
            "OUTBOUND_ALLOWED_NETWORKS": "127.0.0.0/8",
        }
        from marketplace.app import create_app
        from marketplace.core.database import db

        app = create_app()
        logging.disable(logging.CRITICAL)
        with app.app_context(), _partners() as port:
            db.create_all()
            found = _measure(app, port)
    print(json.dumps(found, indent=1))
    return 0 if found["lost"] == 0 and found["sent_to_disabled"] == 0 else 1


def _measure(app: Flask, port: int) -> dict[str, Any]:
    bare = _bare_posts(port)
    without = _burst(app, port, "a", with_others=False)
    mixed = _burst(app, port, "b", with_others=True)
    alone = _trickle(app, port, "c", with_slow=False)
    beside = _trickle(app, port, "d", with_slow=True)
    return {
        "deliveries": DELIVERIES,
        **mixed,
        "fine_ms_without_slow": without["fine_ms"],
        "fine_p95_with_to_without": _ratio(
            mixed["fine_ms"]["p95_ms"], without["fine_ms"]["p95_ms"]
        ),
        "fine_per_second_without_slow": without["fine_per_second"],
        "bare_posts_per_second": round(bare, 1),
        "to_bare_posts": _ratio(without["fine_per_second"], bare),
        "single_event_ms": alone,
        "single_event_ms_beside_slow": beside,
    }


@contextlib.contextmanager
def _partners() -> Iterator[int]:
    """The partners' server; its port."""
    server = subprocess.Popen(
        [sys.executable, "-m", "benchmarks.hook_server"],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert server.stdout is not None and server.stdin is not None  # noqa: PT018, S101 - PIPE above
    try:
        yield int(server.stdout.readline())
    finally:
        server.stdin.close()
        server.wait(timeout=10)
        server.stdout.close()


def _counts(port: int) -> dict[str, list[int]]:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/counts", timeout=10) as answer:
        found: dict[str, list[int]] = json.loads(answer.read())
    return found


def _bare_posts(port: int) -> float:
    """Posts a second of the guarded client alone, by as many threads as the engine has."""
    from marketplace.core.outbound import send
    from marketplace.installs.webhooks.dispatcher import THREADS
    from marketplace.installs.webhooks.signing import body_of, headers_of, new_signing_secret

    at, secret = _now(), new_signing_secret()
    body = body_of("review.posted", at, _DATA)
    headers = headers_of("evt_bare", body, [secret], at=at)
    url = f"http://127.0.0.1:{port}/bare"

    def post(_number: int) -> int:
        return send("POST", url, headers=headers, body=body).status

    with ThreadPoolExecutor(THREADS) as pool:
        list(pool.map(post, range(100)))
        started = time.perf_counter()
        statuses = list(pool.map(post, range(BARE_POSTS)))
        spent = time.perf_counter() - started
    if set(statuses) != {200}:
        raise RuntimeError(f"bare posts were answered {set(statuses)}")
    return BARE_POSTS / spent


def _burst(app: Flask, port: int, name: str, *, with_others: bool) -> dict[str, Any]:
    from marketplace.core.database import db
    from marketplace.core.unit_of_work import unit_of_work
    from marketplace.installs.models import DeliveryState, WebhookDelivery
    from marketplace.installs.webhooks.services.switching import switch_off

    mix, organizations = _endpoints(port, name, with_others=with_others)
    _emit_round(organizations["fine"], FINE // FINE_ENDPOINTS)
    if with_others:
        _emit_round(organizations["slow"], SLOW_EACH, keys=SLOW_EACH)
        _emit_round(organizations["failing"], FAILING_EACH, keys=FAILING_EACH)
        _emit_round(organizations["disabled"], DISABLED)
        with unit_of_work():
            for endpoint_id in mix.disabled:
                switch_off(endpoint_id, "For the measurement.")
    started_at, started = _now(), time.perf_counter()
    fine_spent = 0.0

    def is_done() -> bool:
        nonlocal fine_spent
        if not fine_spent and not _untried(mix.fine):
            fine_spent = time.perf_counter() - started
        return not _untried([*mix.fine, *mix.slow, *mix.failing])

    with _running(app):
        _wait_for(is_done)
    spent = time.perf_counter() - started
    fine = mix.fine
    arrived = list(
        db.session.scalars(
            select(WebhookDelivery.delivered_at).where(
                WebhookDelivery.endpoint_id.in_(fine), WebhookDelivery.delivered_at.is_not(None)
            )
        )
    )
    states = dict(
        db.session.execute(
            select(WebhookDelivery.state, func.count())
            .where(WebhookDelivery.endpoint_id.in_([*fine, *mix.slow, *mix.failing, *mix.disabled]))
            .group_by(WebhookDelivery.state)
        ).all()
    )
    counts = _counts(port)
    received = sum(
        ids
        for path, (_posts, ids) in counts.items()
        if path.startswith((f"/fine-{name}", f"/slow-{name}"))
    )
    expected = len(fine) * (FINE // FINE_ENDPOINTS) + len(mix.slow) * SLOW_EACH
    delivered = states.get(DeliveryState.DELIVERED, 0)
    retried = states.get(DeliveryState.WAITING, 0)
    return {
        "delivered": delivered,
        "retried_later": retried,
        "canceled": states.get(DeliveryState.CANCELED, 0),
        # Neither received by a partner that answers, nor kept for another try.
        "lost": expected - received + len(mix.failing) * FAILING_EACH - retried,
        # Those that fail are tried again; of the others none should be.
        "sent_more_than_once": sum(
            posts - ids
            for path, (posts, ids) in counts.items()
            if path.startswith((f"/fine-{name}", f"/slow-{name}"))
        ),
        "sent_to_disabled": sum(
            posts for path, (posts, _ids) in counts.items() if path.startswith("/disabled")
        ),
        "fine_ms": percentiles(
            [(at - started_at).total_seconds() * 1000 for at in arrived if at is not None]
        ).as_json(),
        "fine_per_second": round(len(arrived) / (fine_spent or spent), 1),
        "seconds": round(spent, 1),
    }


def _trickle(app: Flask, port: int, name: str, *, with_slow: bool) -> dict[str, float]:
    """One event now and then to a fine endpoint: how long from its commit to its arrival."""
    from marketplace.core.database import db
    from marketplace.installs.models import WebhookDelivery, WebhookEvent

    mix, organizations = _endpoints(port, name, with_others=with_slow)
    if with_slow:
        _emit_round(organizations["slow"], SLOW_EACH, keys=SLOW_EACH)
    first = organizations["fine"][0]
    with _running(app):
        time.sleep(3)
        for _number in range(TRICKLE):
            _emit_round([first], 1)
            time.sleep(TRICKLE_EVERY_SECONDS)
        _wait_for(lambda: not _untried(mix.fine))
    rows = db.session.execute(
        select(WebhookEvent.created_at, WebhookDelivery.delivered_at)
        .join(WebhookEvent, WebhookEvent.id == WebhookDelivery.event_id)
        .where(WebhookDelivery.endpoint_id == mix.fine[0])
    ).all()
    ages = [
        (arrived - told).total_seconds() * 1000 for told, arrived in rows if arrived is not None
    ]
    return percentiles(ages).as_json()


def _endpoints(port: int, name: str, *, with_others: bool) -> tuple[Mix, dict[str, list[int]]]:
    """Each endpoint with a partner of its own, so that an event is one delivery."""
    from marketplace.core.database import db
    from marketplace.core.sealing import seal
    from marketplace.core.unit_of_work import unit_of_work
    from marketplace.identity.models import Organization, OrganizationKind
    from marketplace.installs.credentials import new_public_id
    from marketplace.installs.models import Environment, WebhookEndpoint, WebhookSecret
    from marketplace.installs.webhooks.signing import new_signing_secret

    found: dict[str, list[int]] = {"fine": [], "slow": [], "failing": [], "disabled": []}
    organizations: dict[str, list[int]] = {kind: [] for kind in found}
    wanted = [("fine", FINE_ENDPOINTS)]
    if with_others:
        wanted += [("slow", SLOW_ENDPOINTS), ("failing", FAILING_ENDPOINTS), ("disabled", 1)]
    with unit_of_work():
        for kind, count in wanted:
            for number in range(count):
                partner = Organization(
                    slug=f"{kind}-{name}-{number}",
                    name=f"{kind} {name} {number}",
                    kind=OrganizationKind.PARTNER,
                )
                db.session.add(partner)
                db.session.flush()
                endpoint = WebhookEndpoint(
                    public_id=new_public_id("we"),
                    organization_id=partner.id,
                    environment=Environment.LIVE,
                    url=f"http://127.0.0.1:{port}/{kind}-{name}-{number}",
                    # All have worked before: nobody is known to be slow or failing yet.
                    last_success_at=_now(),
                )
                db.session.add(endpoint)
                db.session.flush()
                db.session.add(
                    WebhookSecret(endpoint_id=endpoint.id, sealed=seal(new_signing_secret()))
                )
                found[kind].append(endpoint.id)
                organizations[kind].append(partner.id)
    return Mix(**found), organizations


_DATA: dict[str, Any] = {
    "installation": {
        "id": "inst_5b1f0c9e2d7a4468b3c0e1f2",
        "state": "active",
        "scopes": ["organization.read"],
        "organization": {"slug": "blue-kite", "name": "Blue Kite"},
    }
}


def _emit_round(organizations: list[int], each: int, *, keys: int = KEYS) -> None:
    from marketplace.core.unit_of_work import unit_of_work
    from marketplace.installs.webhooks.events import emit

    for organization_id in organizations:
        with unit_of_work():
            for number in range(each):
                emit(
                    "review.posted",
                    organization_id=organization_id,
                    data=_DATA,
                    ordering_key=f"inst_{number % keys}",
                )


def _untried(endpoint_ids: list[int]) -> bool:
    """Whether something waits that was never sent."""
    from marketplace.core.database import db
    from marketplace.installs.models import DeliveryState, WebhookDelivery

    found = db.session.scalar(
        select(WebhookDelivery.id)
        .where(
            WebhookDelivery.endpoint_id.in_(endpoint_ids),
            WebhookDelivery.state == DeliveryState.WAITING,
            WebhookDelivery.attempts == 0,
        )
        .limit(1)
    )
    db.session.rollback()
    return found is not None


@contextlib.contextmanager
def _running(app: Flask) -> Iterator[None]:
    from marketplace.installs.webhooks.dispatcher import Dispatcher

    stop = threading.Event()
    thread = threading.Thread(target=Dispatcher(app).run, args=(stop,))
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


def _wait_for(is_done: Any) -> None:
    until = time.monotonic() + MOST_SECONDS
    while time.monotonic() < until:
        if is_done():
            return
        time.sleep(0.25)


def _now() -> datetime:
    from marketplace.core import clock

    return clock.now()


def _ratio(one: float, other: float) -> float:
    return round(one / other, 3) if other else 0.0


if __name__ == "__main__":
    raise SystemExit(main())
