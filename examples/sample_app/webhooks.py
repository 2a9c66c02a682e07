"""What the marketplace tells this app: verified, taken once, and acted upon."""

import json
import logging
import sqlite3
import threading
import time
from collections.abc import Mapping
from typing import Any

import requests
from authlib.integrations.base_client.errors import OAuthError
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from examples.sample_app.oauth import Portico
from examples.sample_app.store import Store

log = logging.getLogger(__name__)
RETRY_SECONDS = 30
RECEIPT = "The tokens, the customer's name and all events that we kept were erased."


class RefusedWebhookError(Exception):
    """Not signed by the marketplace, too old, or no event at all."""


def read_webhook(
    secret: str, body: bytes, headers: Mapping[str, str]
) -> tuple[str, dict[str, Any]]:
    """The message's id and its content. Raises RefusedWebhookError."""
    try:
        # The body as it came: parsing and writing it again would change its signature.
        event = Webhook(secret).verify(body, dict(headers))
    except (WebhookVerificationError, ValueError) as error:
        raise RefusedWebhookError(str(error)) from error
    if not isinstance(event, dict) or not isinstance(event.get("data"), dict):
        raise RefusedWebhookError("This is no event.")
    return next(value for name, value in headers.items() if name.lower() == "webhook-id"), event


def take(store: Store, message_id: str, event: Mapping[str, Any]) -> bool:
    """Act upon an event, once: the id is kept in the same transaction. False for a repeat."""
    kind, data = str(event.get("type", "")), event["data"]
    installation = data.get("installation") or {}
    installation_id = str(installation.get("id") or "")
    with store.begin() as db:
        new = db.execute(
            "INSERT INTO webhook (id, type, installation, received_at, data) "
            "VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
            (message_id, kind, installation_id, time.time(), json.dumps(data)),
        )
        if new.rowcount == 0:
            return False
        if kind == "data.erasure_requested":
            _erase(db, installation_id, str(data["erasure"]["id"]))
        elif kind.startswith("installation.") and installation_id:
            _follow(db, installation_id, installation)
    return True


def _follow(db: sqlite3.Connection, installation_id: str, told: Mapping[str, Any]) -> None:
    """Keep what the event says of the installation; without tokens once it is removed."""
    customer = str((told.get("organization") or {}).get("name") or "")
    db.execute(
        "INSERT INTO installation (id, customer, state) VALUES (?, ?, ?) "
        "ON CONFLICT (id) DO UPDATE SET customer = excluded.customer, state = excluded.state",
        (installation_id, customer, str(told.get("state") or "active")),
    )
    if told.get("state") == "uninstalled":
        db.execute(
            "UPDATE installation SET access_token = NULL, refresh_token = NULL, "
            "problem = 'The customer removed the app.' WHERE id = ?",
            (installation_id,),
        )


def _erase(db: sqlite3.Connection, installation_id: str, erasure_id: str) -> None:
    """Forget the customer: everything that speaks of it, events included."""
    db.execute("DELETE FROM installation WHERE id = ?", (installation_id,))
    db.execute(
        "UPDATE webhook SET data = '{}' WHERE installation = ?",
        (installation_id,),
    )
    db.execute(
        "INSERT INTO erasure (id, installation, erased_at) VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
        (erasure_id, installation_id, time.time()),
    )


class Confirmations:
    """Sends the receipts of erasures, and tries again until they are taken.

    Webhooks want a fast answer, so that calling back is done beside it.
    """

    def __init__(self, store: Store, portico: Portico) -> None:
        self._store, self._portico = store, portico
        self._wake = threading.Event()

    def start(self) -> None:
        """Begin with what is left of an earlier run."""
        self._wake.set()
        threading.Thread(target=self._run, daemon=True, name="confirmations").start()

    def wake(self) -> None:
        """There is something to confirm."""
        self._wake.set()

    def _run(self) -> None:
        while True:
            self._wake.wait(RETRY_SECONDS)
            self._wake.clear()
            for erasure_id in self._store.open_erasures():
                self.confirm(erasure_id)

    def confirm(self, erasure_id: str) -> None:
        """Send one receipt; what fails for now is tried again later."""
        try:
            answer = self._portico.confirm_erasure(erasure_id, RECEIPT)
        except (requests.RequestException, OAuthError) as error:
            log.warning("could not confirm erasure %s: %s", erasure_id, error)
            return
        if answer.ok:
            self._store.close_erasure(erasure_id)
        elif answer.status_code == 404:
            # Such as one that was made up in the sandbox.
            self._store.close_erasure(erasure_id, "The marketplace does not know it.")
        else:
            log.warning("erasure %s: answered %s", erasure_id, answer.status_code)
