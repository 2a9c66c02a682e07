"""Stripe's webhooks: taken in, against an endpoint that does nothing but insert a row.

    python -m benchmarks.stripe_events

Prints the section `stripe_events` of the results as JSON. Both endpoints are called by the same
client in the same process, on the same database. Then all events are handled, by a handler that
writes one row, against bare jobs that write the same row: what the inbox costs beyond a job.
"""

import json
import logging
import os
import tempfile
import time
from collections.abc import Callable
from typing import Any

from flask import Flask, request
from flask.typing import ResponseReturnValue

from benchmarks.timing import percentiles

EVENTS = 3_000
WARM_UP = 100
SECRET = "whsec_of_the_benchmark"  # noqa: S105 - guards nothing
JOBS_AT_ONCE = 500


def main() -> int:
    """Measure, print JSON; the exit status is 1 when an event was lost or handled twice."""
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
            "STRIPE_API_KEY": "sk_test_benchmark",
            "STRIPE_WEBHOOK_SECRET": SECRET,
        }
        from marketplace.app import create_app
        from marketplace.core.database import db
        from marketplace.core.jobs import wake_with

        app = create_app()
        logging.disable(logging.CRITICAL)
        # Nothing runs beside what is measured.
        wake_with(lambda _job_id: None)
        _add_bare_endpoint(app)
        with app.app_context():
            db.create_all()
            db.session.remove()
        found = _measure(app)
    print(json.dumps(found, indent=1))
    return 0 if found["lost"] == 0 and found["handled_twice"] == 0 else 1


def table(found: dict[str, Any]) -> str:
    """The figures for people."""
    rows = [
        ("stripe events", f"{found['events']:,}"),
        ("  lost or handled twice", f"{found['lost'] + found['handled_twice']:,}"),
        ("  taken in a second", f"{found['taken_per_second']:,.0f}"),
        ("    to a bare insert endpoint", f"{found['taken_to_bare']:.3f} x"),
        ("  a repeated one, to a bare insert", f"{found['repeated_to_bare']:.3f} x"),
        ("  handled a second", f"{found['handled_per_second']:,.0f}"),
        ("    to bare jobs", f"{found['handled_to_bare_jobs']:.3f} x"),
    ]
    return "\n".join(label.ljust(40) + cell.rjust(14) for label, cell in rows)


def _add_bare_endpoint(app: Flask) -> None:
    """An endpoint that reads its body as JSON and inserts a row: the floor."""
    from marketplace.app import csrf
    from marketplace.core.permissions import public

    @app.post("/bare-insert")
    @csrf.exempt
    @public("the floor of a measurement")
    def bare_insert() -> ResponseReturnValue:
        _insert_row(str(request.get_json()["id"]))
        return {"received": True}, 200


def _insert_row(key: str) -> None:
    from sqlalchemy import insert

    from billing.models.stripe import StripeCursor
    from marketplace.core import clock
    from marketplace.core.database import db

    at = clock.now()
    db.session.execute(insert(StripeCursor).values(name=key, reached_at=at, updated_at=at))


def _payload(number: int) -> bytes:
    """An event of about the size that Stripe sends."""
    event = {
        "id": f"evt_{number:08d}",
        "object": "event",
        "api_version": "2026-10-28",
        "created": int(time.time()),
        "livemode": False,
        "pending_webhooks": 1,
        "type": "benchmark.happened",
        "data": {"object": {"id": f"in_{number:08d}", "lines": ["x" * 80] * 40}},
    }
    return json.dumps(event, indent=2).encode()


def _measure(app: Flask) -> dict[str, Any]:
    from sqlalchemy import func, select

    from billing.events import on_event
    from billing.gateway import sign
    from billing.models.stripe import EventState, StripeCursor, StripeEvent
    from marketplace.core import clock
    from marketplace.core.database import db
    from marketplace.core.jobs import enqueue, job_handler
    from marketplace.core.unit_of_work import unit_of_work

    handled: list[str] = []

    @on_event("benchmark.happened")
    def handle(event: StripeEvent) -> None:
        handled.append(event.event_id)
        _insert_row(f"event {event.event_id}")

    @job_handler("benchmark.bare")
    def bare_job(payload: dict[str, Any]) -> None:
        _insert_row(f"job {payload['n']}")

    client = app.test_client()

    def post(path: str, number: int) -> None:
        body = _payload(number)
        answer = client.post(
            path,
            data=body,
            content_type="application/json",
            headers={"Stripe-Signature": sign(body, SECRET, clock.now())},
        )
        if answer.status_code != 200:
            raise SystemExit(f"{path} answered with {answer.status_code}")

    for number in range(WARM_UP):
        post("/bare-insert", number)
        post("/webhooks/stripe", number)
    # In turns of a tenth, so that both meet the same noise of the machine.
    bare: list[float] = []
    taken: list[float] = []
    step = EVENTS // 10
    for start in range(WARM_UP, WARM_UP + EVENTS, step):
        bare += _timed(lambda number: post("/bare-insert", number), start, step)
        taken += _timed(lambda number: post("/webhooks/stripe", number), start, step)
    repeated = _timed(lambda number: post("/webhooks/stripe", number), WARM_UP, step)
    with app.app_context():
        handling = _run_all()
        done = db.session.scalar(
            select(func.count())
            .select_from(StripeEvent)
            .where(StripeEvent.state == EventState.DONE)
        )
        written = db.session.scalar(
            select(func.count()).select_from(StripeCursor).where(StripeCursor.name.like("event %"))
        )
        db.session.rollback()
        for number in range(EVENTS):
            with unit_of_work():
                enqueue("benchmark.bare", {"n": number})
        bare_handling = _run_all()
        db.session.remove()
    total = WARM_UP + EVENTS
    return {
        "events": EVENTS,
        "lost": total - int(done or 0),
        "handled_twice": len(handled) - len(set(handled)) + abs(int(written or 0) - total),
        "taken_per_second": round(1_000 * len(taken) / sum(taken), 1),
        "taken_ms": percentiles(taken).as_json(),
        "bare_ms": percentiles(bare).as_json(),
        "taken_to_bare": round(sum(bare) / len(bare) / (sum(taken) / len(taken)), 3),
        "repeated_to_bare": round(sum(bare) / len(bare) / (sum(repeated) / len(repeated)), 3),
        "handled_per_second": round(total / handling, 1),
        "handled_to_bare_jobs": round((EVENTS / bare_handling) ** -1 * (total / handling), 3),
    }


def _timed(act: Callable[[int], None], start: int, count: int) -> list[float]:
    """How long each call takes, in milliseconds."""
    times = []
    for number in range(start, start + count):
        began = time.perf_counter()
        act(number)
        times.append((time.perf_counter() - began) * 1_000)
    return times


def _run_all() -> float:
    """Run all due jobs; how many seconds it took."""
    from marketplace.core.jobs import run_due

    began = time.perf_counter()
    while run_due(JOBS_AT_ONCE):
        pass
    return time.perf_counter() - began


if __name__ == "__main__":
    raise SystemExit(main())
