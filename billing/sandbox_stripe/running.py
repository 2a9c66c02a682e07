"""Serving the stand-in on loopback, in threads of the process that asks for it."""

import logging
import threading
from pathlib import Path
from types import TracebackType

from werkzeug.serving import WSGIRequestHandler, make_server

from billing.sandbox_stripe.events import deliver_due
from billing.sandbox_stripe.server import create_sandbox
from billing.sandbox_stripe.store import Store
from billing.sandbox_stripe.tick import tick

log = logging.getLogger(__name__)

TICK_SECONDS = 0.5
LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})


class _Quiet(WSGIRequestHandler):
    def log(self, type: str, message: str, *args: object) -> None:
        """Say nothing of each request."""


class Sandbox:
    """A running stand-in: `url` is where the gateway finds it.

    `store` holds its objects. With `lively` it lets time pass and delivers webhooks by itself;
    without, somebody calls `tick` and `deliver_due`.
    """

    def __init__(
        self, store: Store, *, host: str = "127.0.0.1", port: int = 0, lively: bool = True
    ) -> None:
        if host not in LOOPBACK:
            raise ValueError(f"the stand-in takes orders from anybody; not on {host}")
        self.store = store
        self._server = make_server(
            host, port, create_sandbox(store), threaded=True, request_handler=_Quiet
        )
        self.url = f"http://{host}:{self._server.server_port}"
        store.base_url = self.url
        self._stop = threading.Event()
        self._threads = [threading.Thread(target=self._server.serve_forever, daemon=True)]
        if lively:
            self._threads.append(threading.Thread(target=self._live, daemon=True))

    def __enter__(self) -> "Sandbox":
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        self._stop.set()
        self._server.shutdown()
        for thread in self._threads:
            thread.join()
        self._server.server_close()

    def _live(self) -> None:
        while not self._stop.wait(TICK_SECONDS):
            try:
                tick(self.store)
                deliver_due(self.store)
            except Exception as error:
                # A stand-in that stops delivering because of one bad object helps nobody.
                log.warning("the stand-in's clockwork broke", exc_info=error)


def open_store(path: Path, webhook_url: str, secret: str, connect_secret: str) -> Store:
    """The stand-in's file, with our site as the receiver of its webhooks and daily payouts."""
    path.parent.mkdir(parents=True, exist_ok=True)
    store = Store(str(path))
    with store.transaction():
        store.set(
            "endpoints",
            [
                {"url": webhook_url, "secret": secret},
                {"url": webhook_url, "secret": connect_secret, "connect": True},
            ],
        )
        if store.setting("schedule") is None:
            store.set("schedule", {"platform": "daily", "accounts": "daily"})
    return store
