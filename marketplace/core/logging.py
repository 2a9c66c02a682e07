"""Structured logs with a request id, without secrets."""

import logging
import re
import sys
import time
import uuid
from collections.abc import Iterator, MutableMapping
from functools import lru_cache
from typing import Any
from urllib.parse import unquote

import structlog
from flask import Flask, Response, g, has_request_context, request

from marketplace.core.card_numbers import mask_card_numbers

_SECRET_NAMES = re.compile(
    r"(secret|token|password|authorization|cookie|api_?key|code_verifier|client_secret)",
    re.IGNORECASE,
)
_SECRET_IN_TEXT = re.compile(
    r"((?:code|state|token|secret|password|api_?key|access_token|id_token|nonce)=)[^&\s\"']+",
    re.IGNORECASE,
)
_BEARER = re.compile(r"(bearer\s+)[\w.~+/-]+=*", re.IGNORECASE)
# Our own secrets, codes and tokens say by their prefix what they are (installs/credentials.py).
_OUR_SECRETS = re.compile(
    r"((?<![A-Za-z0-9])(?:pcs|pco|pat|prt|pkp|pko|whsec)_|urn:ietf:params:oauth:request_uri:)"
    r"[\w+/=-]{16,}"
)
# One of these stands in every text that has something to mask; most lines of the log have none.
_SUSPECT = re.compile(r"=|bearer|://|urn:|(?:pcs|pco|pat|prt|pkp|pko|whsec)_", re.IGNORECASE)
# In an address one is recognised even amid other letters. Longer than what is left of the API's
# cursors (22 random characters), so that no cursor is ever mistaken for one.
_OUR_SECRETS_IN_ADDRESS = re.compile(r"((?:pcs|pco|pat|prt|pkp|pko|whsec)_)[\w+/=-]{20,}", re.ASCII)
_MOST_DECODINGS = 5
_REQUEST_ID = re.compile(r"[A-Za-z0-9_-]{8,64}")
_URL_PASSWORD = re.compile(r"(://[^:/\s@]*:)[^@\s]+(@)")


def redact_text(text: str) -> str:
    """`text` with values of secret query parameters, tokens and URL passwords masked."""
    if not _SUSPECT.search(text):
        return text
    text = _SECRET_IN_TEXT.sub(r"\1***", text)
    text = _BEARER.sub(r"\1***", text)
    text = _OUR_SECRETS.sub(r"\1***", text)
    return _URL_PASSWORD.sub(r"\1***\2", text)


def has_secret(address: str) -> bool:
    """Whether something in an address looks like a secret of ours, however it is encoded."""
    return any(map(_OUR_SECRETS_IN_ADDRESS.search, _decodings(address)))


def redact_address(address: str) -> str:
    """`address`, or a part of one, like `redact_text`; decoded where a secret is encoded."""
    for text in _decodings(address):
        if _OUR_SECRETS_IN_ADDRESS.search(text):
            address = _OUR_SECRETS_IN_ADDRESS.sub(r"\1***", text)
    return redact_text(address)


def _decodings(address: str) -> Iterator[str]:
    """An address as it is, then percent-decoded until nothing is left to decode."""
    yield address
    for _time in range(_MOST_DECODINGS):
        decoded = unquote(address) if "%" in address else address
        if decoded == address:
            return
        address = decoded
        yield address


@lru_cache(maxsize=1024)
def _is_secret_name(name: str) -> bool:
    return _SECRET_NAMES.search(name) is not None


def _redact(
    _logger: Any, _method: str, entry: MutableMapping[str, Any]
) -> MutableMapping[str, Any]:
    for name, value in entry.items():
        if _is_secret_name(name):
            entry[name] = "***"
        elif isinstance(value, str):
            entry[name] = mask_card_numbers(redact_text(value))
    return entry


def _add_request_id(
    _logger: Any, _method: str, entry: MutableMapping[str, Any]
) -> MutableMapping[str, Any]:
    if has_request_context() and "request_id" in g:
        entry.setdefault("request_id", g.request_id)
    return entry


def configure_logging(log_format: str) -> None:
    """Send all logs of the process to standard error, as JSON lines or for the console."""
    shared: list[Any] = [
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.stdlib.ExtraAdder(),
        _add_request_id,
        structlog.processors.format_exc_info,
        _redact,
    ]
    renderer: Any = (
        structlog.processors.JSONRenderer()
        if log_format == "json"
        else structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.INFO)
    for noisy in ("werkzeug", "huey", "authlib", "urllib3", "stripe", "fontTools"):
        logging.getLogger(noisy).setLevel(logging.WARNING)


def setup_request_log(app: Flask) -> None:
    """Give each request an id (kept from X-Request-ID when it is well formed) and one log line."""
    log = logging.getLogger("portico.request")

    @app.before_request
    def begin() -> None:
        given = request.headers.get("X-Request-ID", "")
        # It is shown and logged: a token that strayed into it is not kept.
        is_fine = _REQUEST_ID.fullmatch(given) and not has_secret(given)
        g.request_id = given if is_fine else uuid.uuid4().hex
        g.request_started = time.perf_counter()

    @app.after_request
    def end(response: Response) -> Response:
        if "request_id" not in g:
            return response
        response.headers["X-Request-ID"] = g.request_id
        if request.endpoint not in {"static", "health.process"}:
            log.info(
                "request",
                extra={
                    "method": request.method,
                    "path": redact_address(request.path),
                    "endpoint": request.endpoint,
                    "status": response.status_code,
                    "ms": round((time.perf_counter() - g.request_started) * 1000, 1),
                },
            )
        return response
