"""The web application: Stripe's API, the hosted pages and the control pages."""

import hashlib
import json
import logging
import secrets
import socket
import time
from typing import Any

from flask import Flask, Response, request

from billing.sandbox_stripe import changes as _changes  # noqa: F401 - its endpoints
from billing.sandbox_stripe import idempotency
from billing.sandbox_stripe.accounts import get_account
from billing.sandbox_stripe.bank import bank
from billing.sandbox_stripe.control import control
from billing.sandbox_stripe.endpoints import Call, Endpoint, Shown, find_endpoint
from billing.sandbox_stripe.errors import ApiError
from billing.sandbox_stripe.faults import take_fault
from billing.sandbox_stripe.pages import pages
from billing.sandbox_stripe.parameters import check, decode_form
from billing.sandbox_stripe.store import Store

log = logging.getLogger(__name__)

_METHODS = ["GET", "POST", "DELETE"]


def create_sandbox(store: Store) -> Flask:
    """The stand-in over `store`."""
    app = Flask("billing.sandbox_stripe")
    app.extensions["sandbox_store"] = store
    app.config["MAX_CONTENT_LENGTH"] = 1024 * 1024
    app.register_blueprint(pages)
    app.register_blueprint(bank)
    app.register_blueprint(control)

    @app.route("/v1/<path:path>", methods=_METHODS)
    @app.route("/v2/<path:path>", methods=_METHODS)
    def api(path: str) -> Response:
        """Stripe's API."""
        return _Request(store).answer()

    return app


class _Request:
    """One request to the API, from the key to the answer."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.account = request.headers.get("Stripe-Account", "")
        self.key = request.headers.get("Idempotency-Key", "")
        self.body = request.get_data(as_text=True)

    def answer(self) -> Response:
        """Do what is asked, unless a fault was ordered."""
        try:
            endpoint, path = find_endpoint(request.method, request.path)
            self._authenticate()
            with self.store.transaction():
                fault = take_fault(self.store, endpoint.name) or {}
            self._fail_before(fault)
            status, body, replayed = self._answer_once(endpoint, path, fault)
        except ApiError as error:
            return self._response(error.status, {"error": error.body})
        except _HungUpError:
            return _hang_up()
        if fault.get("kind") == "lost":
            return _hang_up()
        if fault.get("kind") == "error_after":
            return self._response(500, {"error": _broken()})
        return self._response(status, body, replayed=replayed)

    def _authenticate(self) -> None:
        given = request.headers.get("Authorization", "")
        if not given.startswith("Bearer sk_test_"):
            raise ApiError(401, "Invalid API Key provided.", code="api_key_invalid")
        if self.account:
            with self.store.transaction():
                get_account(self.store, self.account)

    def _fail_before(self, fault: dict[str, Any]) -> None:
        kind = fault.get("kind")
        if kind == "dropped":
            raise _HungUpError
        if kind == "slow":
            time.sleep(float(fault.get("seconds", 1)))
        if kind == "rate_limited":
            error = ApiError(429, "Too many requests.", code="rate_limit")
            error.body["_retry_after"] = int(fault.get("seconds", 1))
            raise error
        if kind == "conflict":
            raise ApiError(409, "There is currently another in-progress request using this "
                           "Idempotent Key.", code="idempotency_key_in_use",
                           kind="idempotency_error")  # fmt: skip
        if kind == "refused":
            raise ApiError(
                int(fault.get("status", 400)),
                str(fault.get("message", "Refused.")),
                code=str(fault.get("code", "")),
            )
        if kind == "error" and not fault.get("cached"):
            error = ApiError(500, "")
            error.body = _broken()
            raise error

    def _answer_once(
        self, endpoint: Endpoint, path: dict[str, str], fault: dict[str, Any]
    ) -> tuple[int, Any, bool]:
        """(status, body, whether it is an earlier answer again)."""
        params = self._params(endpoint)
        if request.method == "POST" and self.key:
            seen = f"{request.method} {request.path} {self.body}"
            with self.store.transaction():
                kept = idempotency.begin(
                    self.store, self.key, self.account, hashlib.sha256(seen.encode()).hexdigest()
                )
            if kept is not None:
                return (*kept, True)
        try:
            if fault.get("cached"):
                status, body = 500, {"error": _broken()}
            else:
                status, body = self._run(endpoint, path, params)
        except BaseException:
            if self.key:
                with self.store.transaction():
                    idempotency.forget(self.store, self.key, self.account)
            raise
        if request.method == "POST" and self.key:
            with self.store.transaction():
                idempotency.finish(self.store, self.key, self.account, status, body)
        return status, body, False

    def _params(self, endpoint: Endpoint) -> dict[str, Any]:
        params = decode_form(request.query_string.decode())
        if self.body and request.path.startswith("/v2/"):
            params |= json.loads(self.body)
        elif self.body:
            params |= decode_form(self.body)
        return check(params, endpoint.params) if endpoint.params else params

    def _run(
        self, endpoint: Endpoint, path: dict[str, str], params: dict[str, Any]
    ) -> tuple[int, Any]:
        base = request.host_url.rstrip("/")
        call = Call(self.store, params, path, self.account, base)
        try:
            with self.store.transaction():
                found = endpoint.answer(call)
                expand = [each.split(".") for each in params.get("expand", [])]
                if endpoint.name.endswith(".list"):
                    expand = [each for each in expand if each[0] == "data"]
                return 200, Shown(self.store, expand).of(found)
        except ApiError as error:
            return error.status, {"error": error.body}

    def _response(self, status: int, body: Any, *, replayed: bool = False) -> Response:
        headers = {"Request-Id": f"req_{secrets.token_hex(7)}"}
        if replayed:
            headers["Idempotent-Replayed"] = "true"
        retry_after = body.get("error", {}).pop("_retry_after", None)
        if retry_after is not None:
            headers["Retry-After"] = str(retry_after)
        return Response(
            json.dumps(body), status=status, headers=headers, mimetype="application/json"
        )


def _broken() -> dict[str, Any]:
    return {"type": "api_error", "message": "Something went wrong on Stripe's end."}


class _HungUpError(Exception):
    """Nobody shall ever learn the answer."""


def _hang_up() -> Response:
    """Break the connection."""
    connection: socket.socket | None = request.environ.get("werkzeug.socket")
    if connection is None:
        raise ConnectionError("hung up on order")
    connection.shutdown(socket.SHUT_RDWR)
    return Response(status=500)
