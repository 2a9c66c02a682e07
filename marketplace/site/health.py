"""Is the process up, are its parts there, and how is it doing."""

import hmac
import logging

from flask import Blueprint, Response, current_app, jsonify, request
from flask.typing import ResponseReturnValue
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Gauge, generate_latest
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from marketplace.core import jobs
from marketplace.core.database import db
from marketplace.core.errors import NotFoundError
from marketplace.core.metrics import REGISTRY
from marketplace.core.permissions import public

log = logging.getLogger(__name__)
blueprint = Blueprint("health", __name__)
LATE_JOB_SECONDS = 300


@blueprint.get("/healthz")
@public("a load balancer asks; it says nothing but that the process answers")
def process() -> ResponseReturnValue:
    """200 while the process answers."""
    return jsonify(status="ok")


@blueprint.get("/readyz")
@public("a load balancer asks; it names parts, not contents")
def ready() -> ResponseReturnValue:
    """200 when the database answers; 503 otherwise. Search and jobs are named: without them
    the site goes on, degraded or late."""
    parts: dict[str, str] = {}
    try:
        db.session.execute(text("SELECT 1"))
        parts["database"] = "ok"
        late = jobs.oldest_due_age().total_seconds() > LATE_JOB_SECONDS
        parts["jobs"] = "late" if late else "ok"
    except SQLAlchemyError as error:
        db.session.rollback()
        log.warning("readiness: database", extra={"error": str(error)})
        parts["database"] = "unavailable"
        parts["jobs"] = "unavailable"
    parts["search"] = "ok" if current_app.extensions["portico_search"].health().ok else "degraded"
    ok = parts["database"] == "ok"
    return jsonify(status="ok" if ok else "unavailable", parts=parts), 200 if ok else 503


@blueprint.get("/metrics")
@public(
    "for Prometheus; asks for METRICS_TOKEN when it is set, and is off in production without it"
)
def metrics() -> ResponseReturnValue:
    """Metrics in Prometheus' text format."""
    settings = current_app.extensions["portico_settings"]
    given = request.headers.get("Authorization", "").removeprefix("Bearer ")
    if settings.metrics_token:
        if not hmac.compare_digest(given.encode(), settings.metrics_token.encode()):
            raise NotFoundError
    elif settings.is_production:
        raise NotFoundError
    gauges = CollectorRegistry()
    by_state = Gauge("portico_jobs", "Jobs by state", ["state"], registry=gauges)
    for state, count in jobs.counts().items():
        by_state.labels(state).set(count)
    Gauge("portico_oldest_due_job_seconds", "Age of the oldest due job", registry=gauges).set(
        jobs.oldest_due_age().total_seconds()
    )
    body = generate_latest(REGISTRY) + generate_latest(gauges)
    return Response(body, content_type=CONTENT_TYPE_LATEST)
