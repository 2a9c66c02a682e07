"""Counters of this process, for Prometheus."""

import time

from flask import Flask, Response, g, request
from prometheus_client import CollectorRegistry, Counter, Histogram

REGISTRY = CollectorRegistry()
REQUESTS = Counter(
    "portico_requests_total", "Requests", ["method", "endpoint", "status"], registry=REGISTRY
)
SECONDS = Histogram(
    "portico_request_seconds",
    "Seconds a request took",
    ["endpoint"],
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5),
    registry=REGISTRY,
)
SEARCH_DRIFT = Counter(
    "portico_search_drift_total", "Documents that verify had to mend", registry=REGISTRY
)
SEARCH_DEGRADED = Counter(
    "portico_search_degraded_total", "Searches answered by the database", registry=REGISTRY
)


def setup_metrics(app: Flask) -> None:
    """Count each request by endpoint (never by path: its labels would be without number)."""

    @app.before_request
    def begin() -> None:
        g.metrics_started = time.perf_counter()

    @app.after_request
    def end(response: Response) -> Response:
        endpoint = request.endpoint or "none"
        REQUESTS.labels(request.method, endpoint, str(response.status_code)).inc()
        if "metrics_started" in g:
            SECONDS.labels(endpoint).observe(time.perf_counter() - g.metrics_started)
        return response
