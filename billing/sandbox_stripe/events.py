"""Events, and the webhooks that carry them.

An endpoint is {url, secret, connect}: the platform's events go to endpoints that are not
`connect`, those of connected accounts to the others, as with Stripe's two kinds of endpoints; one
that is `both` gets all.
"""

import json
import logging
from datetime import timedelta
from typing import Any

import requests

from billing.gateway import sign
from billing.sandbox_stripe.endpoints import Call, Shown, endpoint, own, page_of
from billing.sandbox_stripe.store import Store, Thing, timestamp
from marketplace.core import clock

log = logging.getLogger(__name__)

API_VERSION = "2026-10-28.endive"
# After a failed delivery number n. Stripe keeps trying for three days.
RETRY_AFTER = tuple(timedelta(seconds=each) for each in (5, 30, 300, 1800, 7200, 18_000, 36_000))
DELIVERY_TIMEOUT_SECONDS = 20
KEEP_FOR = timedelta(days=30)


def emit(store: Store, kind: str, thing: Thing, *, account: str = "") -> Thing:
    """Write an event about `thing` as it is now, and queue its webhooks."""
    snapshot = Shown(store).of(thing)
    values: dict[str, Any] = {
        "type": kind,
        "api_version": API_VERSION,
        "data": {"object": snapshot},
        "pending_webhooks": 0,
        "request": {"id": None, "idempotency_key": None},
        "_deliver_to": [],
    }
    if account:
        values["account"] = account
    event = store.add("event", "evt", values, account=account)
    _queue(store, event["id"], bool(account))
    return event


def emit_thin(store: Store, kind: str, related: Thing, account: str) -> Thing:
    """An event of version 2: it names its object and carries nothing of it."""
    event = store.add(
        "v2.core.event",
        "evt",
        {
            "type": kind,
            "created": clock.now().isoformat().replace("+00:00", "Z"),
            "context": account,
            "related_object": {
                "id": related["id"],
                "type": "v2.core.account",
                "url": f"/v2/core/accounts/{related['id']}",
            },
        },
    )
    _queue(store, event["id"], False)
    return event


def _queue(store: Store, event_id: str, is_connect: bool) -> None:
    for place in store.setting("endpoints", []):
        if place.get("both") or bool(place.get("connect")) == is_connect:
            store.execute(
                "INSERT INTO delivery (event, endpoint, due) VALUES (?, ?, ?)",
                event_id,
                json.dumps(place),
                clock.now().timestamp(),
            )


def body_of(store: Store, event_id: str) -> bytes:
    """The bytes of a webhook."""
    event = store.find(event_id)
    return json.dumps(Shown(store).of(event), indent=2).encode()


def due_deliveries(store: Store, limit: int = 50) -> list[tuple[int, str, dict[str, Any], int]]:
    """(delivery, event, endpoint, attempts so far) of what is to be sent now."""
    rows = store.execute(
        "SELECT id, event, endpoint, attempts FROM delivery "
        "WHERE state = 'waiting' AND due <= ? ORDER BY due, id LIMIT ?",
        clock.now().timestamp(),
        limit,
    ).fetchall()
    return [(row[0], row[1], json.loads(row[2]), row[3]) for row in rows]


def finish_delivery(store: Store, delivery_id: int, attempts: int, succeeded: bool) -> None:
    """Write down how a delivery went; a failed one is due again later."""
    attempts += 1
    if succeeded:
        state, due = "done", 0.0
    elif attempts > len(RETRY_AFTER):
        state, due = "failed", 0.0
    else:
        state, due = "waiting", (clock.now() + RETRY_AFTER[attempts - 1]).timestamp()
    store.execute(
        "UPDATE delivery SET attempts = ?, state = ?, due = ? WHERE id = ?",
        attempts,
        state,
        due,
        delivery_id,
    )


def deliver_due(store: Store) -> int:
    """Send what is due over HTTP, signed; how many arrived. Faults named `webhooks` apply."""
    with store.transaction():
        waiting = due_deliveries(store)
        bodies = {event_id: body_of(store, event_id) for _, event_id, _, _ in waiting}
        fault = store.setting("webhook_fault", {})
    if fault.get("reverse"):
        waiting.reverse()
    arrived = 0
    for delivery_id, event_id, place, attempts in waiting:
        if fault.get("lose"):
            succeeded = True
        else:
            succeeded = all(
                _post(place, bodies[event_id]) for _ in range(1 + int(fault.get("repeat", 0)))
            )
        with store.transaction():
            finish_delivery(store, delivery_id, attempts, succeeded)
        arrived += succeeded
    return arrived


def _post(place: dict[str, Any], body: bytes) -> bool:
    try:
        answer = requests.post(
            place["url"],
            data=body,
            headers={
                "Content-Type": "application/json; charset=utf-8",
                "Stripe-Signature": sign(body, place["secret"], clock.now()),
            },
            timeout=DELIVERY_TIMEOUT_SECONDS,
        )
    except requests.RequestException as error:
        log.info("a webhook did not arrive", extra={"error": str(error)[:200]})
        return False
    return 200 <= answer.status_code < 300


@endpoint("events.list", "GET", "/v1/events", "EventListParams")
def _list(call: Call) -> dict[str, Any]:
    kinds = set(call.params.get("types", []))
    if call.params.get("type"):
        kinds.add(call.params["type"])
    oldest = timestamp() - int(KEEP_FOR.total_seconds())

    def fits(event: Thing) -> bool:
        return event["created"] >= oldest and (not kinds or event["type"] in kinds)

    return page_of(call, "event", "/v1/events", fits)


@endpoint("events.retrieve", "GET", "/v1/events/{id}", "EventRetrieveParams")
def _retrieve(call: Call) -> Thing:
    return own(call, "event", call.id)
