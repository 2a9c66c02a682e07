"""Real parts that some tests need: a visible skip without them on a laptop, a failure in CI.

CI sets PORTICO_CI=1 and starts them all, except a Meilisearch server, which no package
registry has.
"""

import os
import shutil
from pathlib import Path
from typing import NoReturn

import pytest

IN_CI = os.environ.get("PORTICO_CI") == "1"


def examples(in_ci: int) -> int:
    """How many examples a property is tried with: all in CI, a quarter of them on a laptop."""
    return in_ci if IN_CI else max(1, in_ci // 4)


def missing(part: str, how: str) -> NoReturn:
    """Skip the test, saying what is missing and how to get it; in CI, fail it."""
    reason = f"needs {part}: {how}"
    if IN_CI:
        pytest.fail(reason)
    pytest.skip(reason)


def chromium() -> str:
    """The path of a Chromium."""
    for name in ("chromium", "chromium-browser", "google-chrome"):
        path = os.environ.get("CHROMIUM") or shutil.which(name)
        if path:
            return path
    missing("Chromium", "install it, or set CHROMIUM to its path")


def redis_url() -> str:
    """The URL of a Redis server whose database may be emptied."""
    return os.environ.get("TEST_REDIS_URL") or missing("Redis", "set TEST_REDIS_URL")


def postgresql_url() -> str:
    """The URL of a PostgreSQL database beside which others may be created."""
    return os.environ.get("TEST_DATABASE_URL") or missing("PostgreSQL", "set TEST_DATABASE_URL")


def stripe_mock_url() -> str:
    """The address of a stripe-mock (https://github.com/stripe/stripe-mock)."""
    how = "go install github.com/stripe/stripe-mock@latest, start it, and set STRIPE_MOCK_URL"
    return os.environ.get("STRIPE_MOCK_URL") or missing("stripe-mock", how)


def connectors_file() -> str:
    """The path of the file of real connectors. It is data, not a part: without it, a skip."""
    path = os.environ.get("PORTICO_CONNECTORS")
    if not path:
        pytest.skip("needs the file of real connectors: set PORTICO_CONNECTORS to its path")
    return path


def node_clients() -> str:
    """The folder node_modules with npm's openid-client, beside a `node` on the PATH."""
    how = "npm install --prefix FOLDER openid-client@6, and set NODE_CLIENTS=FOLDER"
    if shutil.which("node") is None:
        missing("Node.js", "install it, then " + how)
    folder = Path(os.environ.get("NODE_CLIENTS") or "missing") / "node_modules"
    if not (folder / "openid-client").is_dir():
        missing("npm's openid-client", how)
    return str(folder.resolve())
