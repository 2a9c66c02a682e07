"""The site on loopback, for what speaks HTTP to it from outside."""

from collections.abc import Iterator

import pytest
from flask import Flask

from marketplace.core.limits import limiter
from marketplace.demo.oidc_provider import make_provider_server, serving


@pytest.fixture(autouse=True)
def _fresh_limits(app: Flask) -> None:
    """Rate limits count across tests of one process."""
    limiter.reset()


@pytest.fixture
def site(app: Flask) -> Iterator[str]:
    """The address of the site, served on loopback."""
    server = make_provider_server("127.0.0.1", 0, app)
    address = f"http://127.0.0.1:{server.server_port}"
    before = app.config["PUBLIC_URL"]
    app.config["PUBLIC_URL"] = address
    with serving(server):
        yield address
    app.config["PUBLIC_URL"] = before
