"""Requests that may be sent twice: the same key gets the same answer, and is acted on once.

After draft-ietf-httpapi-idempotency-key-header. The key's row is written in the transaction of
the act: two requests at once wait for each other at its unique rule, and what was rolled back
left no row.
"""

import hashlib
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from flask import Response, current_app, request
from flask.typing import ResponseReturnValue
from sqlalchemy import delete, select, text, update
from sqlalchemy.exc import OperationalError
from werkzeug.exceptions import HTTPException

from marketplace.api.v1.platform.errors import (
    BadRequestError,
    KeyInProgressError,
    KeyReusedError,
)
from marketplace.core import clock
from marketplace.core.database import db
from marketplace.core.errors import PorticoError
from marketplace.core.once import insert_if_new
from marketplace.core.unit_of_work import keep_writes, roll_back
from marketplace.installs.models import IdempotentAnswer

HEADER = "Idempotency-Key"
REPLAYED = "Idempotent-Replayed"
MAX_LENGTH = 255
KEPT_FOR = timedelta(hours=24)
_KEPT_HEADERS = ("Content-Type", "ETag", "Location", "Cache-Control")
_WAIT = "4s"
_LOCK_NOT_AVAILABLE = "55P03"


def answer_once(owner: str, act: Callable[[], ResponseReturnValue]) -> ResponseReturnValue:
    """What `act` answers; with an Idempotency-Key, what it answered the first time.

    Refusals are kept as well, failures of ours (5xx) are not. Raises BadRequestError,
    KeyReusedError, KeyInProgressError.
    """
    given = request.headers.get(HEADER)
    if given is None:
        return act()
    key = _checked(given)
    digest = _request_hash()
    known = _claim(owner, key, digest)
    if known is not None:
        return _replayed(known)
    try:
        response = current_app.make_response(act())
    except (PorticoError, HTTPException) as error:
        response = current_app.make_response(current_app.handle_user_exception(error))
    if response.status_code >= 500:
        return response
    if response.status_code >= 400:
        # Nothing that the act wrote stays; that it was refused does.
        roll_back(db.session())
        keep_writes()
    _keep(owner, key, digest, response)
    return response


def _checked(given: str) -> str:
    # The draft has a quoted text; most clients send it bare.
    key = given[1:-1] if len(given) > 1 and given[0] == given[-1] == '"' else given
    if not 1 <= len(key) <= MAX_LENGTH or not (key.isascii() and key.isprintable()):
        raise BadRequestError(
            f"Idempotency-Key takes 1 to {MAX_LENGTH} printable ASCII characters, such as a UUID."
        )
    return key


def _request_hash() -> str:
    whole = "\n".join((request.method, request.path, request.environ.get("QUERY_STRING", "")))
    return hashlib.sha256(whole.encode() + b"\n" + request.get_data()).hexdigest()


def _claim(owner: str, key: str, digest: str) -> IdempotentAnswer | None:
    """Take the key for this request (None), or the answer that it had."""
    for _try in range(3):
        at = clock.now()
        if _insert(owner, key, digest, at, status=None) is not None:
            return None
        row = db.session.scalar(
            select(IdempotentAnswer)
            .where(IdempotentAnswer.owner == owner, IdempotentAnswer.key == key)
            .execution_options(populate_existing=True)
        )
        if row is not None and row.created_at > at - KEPT_FOR:
            if row.request_hash != digest:
                raise KeyReusedError("Use a new Idempotency-Key for each new request.")
            if row.status is None:
                break
            return row
        if row is not None:
            db.session.execute(delete(IdempotentAnswer).where(IdempotentAnswer.id == row.id))
            db.session.expunge(row)
    raise _in_progress()


def _insert(owner: str, key: str, digest: str, at: Any, **answer: Any) -> int | None:
    """A row for the key, unless there is one. Waits while another request holds the key."""
    session = db.session()
    postgresql = session.get_bind().dialect.name == "postgresql"
    if postgresql:
        session.execute(text(f"SET LOCAL lock_timeout = '{_WAIT}'"))
    try:
        found = insert_if_new(
            IdempotentAnswer,
            **{"owner": owner, "key": key, "request_hash": digest, "created_at": at}
            | {"headers": {}, "body": ""}
            | answer,
        )
    except OperationalError as error:
        if getattr(error.orig, "sqlstate", None) != _LOCK_NOT_AVAILABLE:
            raise
        roll_back(session)
        raise _in_progress() from error
    if postgresql:
        session.execute(text("SET LOCAL lock_timeout = DEFAULT"))
    return found


def _in_progress() -> KeyInProgressError:
    return KeyInProgressError(
        "Wait a moment, then send the same request again.", headers={"Retry-After": "1"}
    )


def _keep(owner: str, key: str, digest: str, response: Response) -> None:
    answer = {
        "status": response.status_code,
        "headers": {
            name: response.headers[name] for name in _KEPT_HEADERS if name in response.headers
        },
        "body": response.get_data(as_text=True),
    }
    done = db.session.execute(
        update(IdempotentAnswer)
        .where(
            IdempotentAnswer.owner == owner,
            IdempotentAnswer.key == key,
            IdempotentAnswer.request_hash == digest,
            IdempotentAnswer.status.is_(None),
        )
        .values(**answer)
        .execution_options(synchronize_session=False)
    )
    if getattr(done, "rowcount", 0) == 0:
        # The row went with a transaction that was rolled back.
        _insert(owner, key, digest, clock.now(), **answer)


def _replayed(known: IdempotentAnswer) -> Response:
    if known.status is None:
        raise _in_progress()
    response = Response(known.body, status=known.status)
    for name, value in known.headers.items():
        response.headers[name] = value
    if not known.body:
        response.headers.pop("Content-Type", None)
    response.headers[REPLAYED] = "true"
    return response
