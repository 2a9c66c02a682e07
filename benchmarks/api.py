"""The platform API against bare Flask pages that answer the same JSON, in one server.

    python -m benchmarks.api

Prints the section `platform_api` of the results as JSON. Three floors, each of which a token
check cannot be below: a page that has the JSON ready, one that also asks the database one bare
question, and one that also makes the JSON of what the API makes it of.
"""

import argparse
import contextlib
import http.client
import json
import logging
import os
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from flask import Flask, Response
from sqlalchemy import create_engine, text
from werkzeug.middleware.dispatcher import DispatcherMiddleware

from benchmarks.timing import Times, percentiles
from marketplace.config import ROOT

SECONDS = 4.0
WARM_SECONDS = 0.5
THREADS = 4
EVENTS = 500
PATHS = {
    "me": "/api/v1/me",
    "installation": "/api/v1/installation",
    "events": "/api/v1/events",
}


def site() -> Flask:
    """The application, and the bare pages beside it; served by gunicorn in the measurement."""
    from marketplace.app import create_app

    app = create_app()
    folder = Path(os.environ["DATA_DIR"])
    answers = {name: (folder / f"{name}.json").read_bytes() for name in PATHS}
    bare = Flask("bare")
    engine = create_engine(os.environ["DATABASE_URL"])

    @bare.get("/<name>")
    def page(name: str) -> Response:
        return Response(answers[name], content_type="application/json")

    @bare.get("/select/<name>")
    def page_with_select(name: str) -> Response:
        with engine.connect() as connection:
            connection.execute(_SELECT, {"hash": "x"}).first()
        return Response(answers[name], content_type="application/json")

    app.wsgi_app = DispatcherMiddleware(app.wsgi_app, {"/bare": bare})  # type: ignore[method-assign]  # as WSGI has it
    return app


_SELECT = text("SELECT id, scopes FROM access_key WHERE token_hash = :hash")


def measure() -> dict[str, Any]:
    """The section `platform_api` of the results."""
    with tempfile.TemporaryDirectory(prefix="portico-bench-api-") as name:
        folder = Path(name)
        environment = _environment(folder)
        done = subprocess.run(
            [sys.executable, "-m", "benchmarks.api", "--fill"],
            cwd=ROOT,
            env=environment,
            check=True,
            capture_output=True,
            text=True,
        )
        tokens: dict[str, str] = json.loads(done.stdout.strip().splitlines()[-1])
        with _served(environment) as port:
            return _measured(port, tokens)


def _measured(port: int, tokens: Mapping[str, str]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, path in PATHS.items():
        asked = {
            "bare": (f"/bare/{name}", None),
            "bare_select": (f"/bare/select/{name}", None),
            "api": (path, tokens[name]),
        }
        loads = {}
        for address, token in asked.values():
            _drive(port, address, token, WARM_SECONDS)
        for label, (address, token) in asked.items():
            loads[label] = _drive(port, address, token, SECONDS)
        found[name] = {
            label: {"requests_per_second": round(rate, 1), **times.as_json(), "failed": failed}
            for label, (rate, times, failed) in loads.items()
        }
        api, plain, select = loads["api"], loads["bare"], loads["bare_select"]
        found[name]["to_bare"] = _ratios(api, plain)
        found[name]["to_bare_select"] = _ratios(api, select)
    return found


Measured = tuple[float, Times, int]


def _ratios(one: Measured, other: Measured) -> dict[str, float]:
    """Times as long, and as many requests a second."""
    return {
        "p50": round(one[1].p50 / other[1].p50, 2),
        "rate": round(one[0] / other[0], 3),
    }


def _drive(port: int, path: str, token: str | None, seconds: float) -> Measured:
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    times: list[float] = []
    failures: list[int] = []
    until = time.perf_counter() + seconds

    def work() -> None:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
        mine: list[float] = []
        failed = 0
        while (started := time.perf_counter()) < until:
            connection.request("GET", path, headers=headers)
            response = connection.getresponse()
            response.read()
            if response.status == 200:
                mine.append((time.perf_counter() - started) * 1000)
            else:
                failed += 1
        connection.close()
        times.extend(mine)
        failures.append(failed)

    workers = [threading.Thread(target=work) for _ in range(THREADS)]
    started = time.perf_counter()
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    spent = time.perf_counter() - started
    return len(times) / spent, percentiles(times or [0.0]), sum(failures)


def _environment(folder: Path) -> dict[str, str]:
    kept = {
        key: value
        for key, value in os.environ.items()
        if not key.startswith(("OIDC_", "SMTP_", "S3_"))
    }
    return {
        **kept,
        "PORTICO_ENV": "demo",
        "DATA_DIR": str(folder),
        "DATABASE_URL": f"sqlite:///{folder}/portico.db",
        "PUBLIC_URL": "http://127.0.0.1:8000",
        "SECRET_KEY": "a-key-for-measuring-that-guards-nothing",
        "MAIL_BACKEND": "file",
        "MEILISEARCH_URL": "",
        "REDIS_URL": "",
        "OIDC_PROVIDERS": "",
        "RATE_LIMIT_API": "100000000 per minute",
        "RATE_LIMIT_TOKEN": "100000000 per minute",
    }


@contextlib.contextmanager
def _served(environment: Mapping[str, str]) -> Iterator[int]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "gunicorn", "--no-control-socket", "-w", "1"]
    command += ["--threads", str(THREADS), "-b", f"127.0.0.1:{port}", "benchmarks.api:site()"]
    server = subprocess.Popen(  # noqa: S603 - our own command, no shell
        command,
        cwd=ROOT,
        env=dict(environment),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        for _ in range(150):
            if server.poll() is not None:
                raise SystemExit("The server to measure did not start.")
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz", timeout=2):
                    break
            except (urllib.error.URLError, OSError):
                time.sleep(0.2)
        yield port
    finally:
        server.terminate()
        try:
            server.wait(timeout=10)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait()


def fill() -> dict[str, str]:
    """A partner with an installation and some hundred events; the token for each path. Keeps
    what the API answers beside the database, for the bare pages to answer the same."""
    from marketplace.app import create_app
    from marketplace.core.database import db
    from marketplace.installs.scopes import CUSTOMER_SCOPES, PARTNER_SCOPES
    from marketplace.installs.webhooks.events import emit
    from tests.factories.apps import (
        client_of,
        make_access_token,
        make_app,
        make_installation,
        make_key,
    )
    from tests.factories.listings import make_listing
    from tests.factories.people import make_customer

    logging.disable(logging.CRITICAL)
    app = create_app()
    with app.app_context():
        db.create_all()
        listing = make_listing()
        made = make_app(listing)
        customer = make_customer()
        scopes = tuple(CUSTOMER_SCOPES)
        installation = make_installation(made, customer, scopes=scopes)
        token = make_access_token(client_of(made), *scopes, installation=installation)
        key = make_key(listing.publisher, *PARTNER_SCOPES)
        for number in range(EVENTS):
            emit(
                "installation.upgraded",
                organization_id=listing.publisher_id,
                data={"installation": {"id": installation.public_id}, "number": number},
                installation=installation,
            )
        db.session.commit()
        tokens = {"me": key, "installation": token, "events": key}
        for name, path in PATHS.items():
            headers = {"Authorization": f"Bearer {tokens[name]}"}
            response = app.test_client().get(path, headers=headers)
            if response.status_code != 200:
                raise SystemExit(f"{path} answered {response.status_code}: {response.text}")
            (Path(os.environ["DATA_DIR"]) / f"{name}.json").write_bytes(response.data)
    return tokens


def table(found: Mapping[str, Any]) -> str:
    """The figures for people."""
    lines = [
        "GET                   p50 ms  a second  to bare: p50, rate  to bare and select: p50, rate"
    ]
    for name, figures in found.items():
        api, bare, select = figures["api"], figures["to_bare"], figures["to_bare_select"]
        lines.append(
            f"{PATHS[name]:<20} {api['p50_ms']:>7.2f} {api['requests_per_second']:>9.0f}"
            f" {bare['p50']:>10.2f} x  {bare['rate']:>6.3f}"
            f" {select['p50']:>17.2f} x  {select['rate']:>6.3f}"
        )
    return "\n".join(lines)


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and print; the exit status."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.api")
    parser.add_argument("--fill", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    if options.fill:
        print(json.dumps(fill()))
        return 0
    found = measure()
    print(json.dumps(found, indent=1))
    print(table(found), file=sys.stderr)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
