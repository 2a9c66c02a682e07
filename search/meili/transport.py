"""Speaking to the server: a client for each thread, timeouts, safe retries, a breaker.

The client is not safe to share between threads, waits for ever by default, opens a connection
for each call and lets errors of ``requests`` through; all of that ends here.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any, TypeAlias

import meilisearch  # noqa: TID251 - this folder is the one that speaks to Meilisearch
import requests
from meilisearch.errors import (  # noqa: TID251 - this folder is the one that speaks to it
    MeilisearchApiError,
    MeilisearchCommunicationError,
    MeilisearchError,
    MeilisearchTimeoutError,
)

from search.engine import SearchUnavailable, WriteFailed

Body: TypeAlias = Mapping[str, Any] | Sequence[Mapping[str, Any]] | list[str] | str | None

READ_SECONDS = 3
WRITE_SECONDS = 30
_RETRY_PAUSE = 0.05
_FAILURES_TO_OPEN = 3
_OPEN_SECONDS = 5.0
_MAX_RETRY_AFTER = 60.0
_UNAVAILABLE = {
    HTTPStatus.TOO_MANY_REQUESTS,
    HTTPStatus.BAD_GATEWAY,
    HTTPStatus.SERVICE_UNAVAILABLE,
    HTTPStatus.GATEWAY_TIMEOUT,
    HTTPStatus.INTERNAL_SERVER_ERROR,
}


class Refused(Exception):  # noqa: N818 - says what is the case
    """The server answered that it will not. ``code`` is its own, such as
    ``index_not_found``."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


class Breaker:
    """After some failures in a row nobody waits for the server for a while; then one call
    tries, and its outcome decides."""

    def __init__(self, seconds: float = _OPEN_SECONDS) -> None:
        self._seconds = seconds
        self._lock = threading.Lock()
        self._failures = 0
        self._until = 0.0

    def check(self) -> None:
        """Raises :class:`SearchUnavailable` while the breaker is open."""
        with self._lock:
            left = self._until - time.monotonic()
            if left > 0:
                raise SearchUnavailable("the search server does not answer", retry_after=left)
            if self._failures >= _FAILURES_TO_OPEN:
                # This call is the one that tries; the others go on waiting for its outcome.
                self._until = time.monotonic() + self._seconds

    def succeeded(self) -> None:
        """The server answered."""
        with self._lock:
            self._failures = 0
            self._until = 0.0

    def failed(self, retry_after: float | None) -> None:
        """The server did not answer, or said when to come back."""
        with self._lock:
            self._failures += 1
            if retry_after or self._failures >= _FAILURES_TO_OPEN:
                self._until = time.monotonic() + (retry_after or self._seconds)


class _Line(threading.local):
    """A thread's own clients and connections. A fork gets new ones."""

    def __init__(self) -> None:
        self.pid = 0
        self.clients: dict[int, meilisearch.Client] = {}
        self.session = requests.Session()


class Transport:
    """Calls to one server. Every method is safe in any thread.

    Raises :class:`SearchUnavailable` and :class:`Refused`, and nothing else.
    """

    def __init__(self, url: str, api_key: str | None) -> None:
        self._url = url.rstrip("/")
        self._key = api_key
        self._line = _Line()
        self.breaker = Breaker()

    def get(self, path: str) -> Any:
        """Read something. Tried twice."""
        return self._twice("get", path, None)

    def ask(self, path: str, body: Body) -> Any:
        """Ask something that changes nothing. Tried twice."""
        return self._twice("post", path, body)

    def send(self, verb: str, path: str, body: Body = None) -> Any:
        """Change something. Tried once: whoever keeps the job tries again."""
        return self._call(verb, path, body, WRITE_SECONDS)

    def _twice(self, verb: str, path: str, body: Body) -> Any:
        try:
            return self._call(verb, path, body, READ_SECONDS)
        except SearchUnavailable as error:
            if error.retry_after is not None:
                raise  # it said when to come back, or the breaker is open
            time.sleep(_RETRY_PAUSE)
            return self._call(verb, path, body, READ_SECONDS)

    def _call(self, verb: str, path: str, body: Body, seconds: int) -> Any:
        self.breaker.check()
        client, session = self._thread(seconds)
        # A session's method in place of the client's own keeps the connection open.
        method = getattr(session, verb)
        kind = None if verb == "get" else "application/json"
        try:
            answer = client.http.send_request(method, path, body, kind)
        except MeilisearchApiError as error:
            raise self._told(error) from error
        except MeilisearchTimeoutError as error:
            raise self._lost("the search server took too long") from error
        except MeilisearchCommunicationError as error:
            raise self._lost("the search server cannot be reached") from error
        except (MeilisearchError, requests.RequestException, ValueError) as error:
            raise self._lost("the search server answered with something else") from error
        self.breaker.succeeded()
        return answer

    def _thread(self, seconds: int) -> tuple[meilisearch.Client, requests.Session]:
        line = self._line
        if line.pid != os.getpid():
            line.pid = os.getpid()
            line.clients = {}
            line.session = requests.Session()
            line.session.trust_env = False  # no proxy between us and our own server
        if seconds not in line.clients:
            line.clients[seconds] = meilisearch.Client(self._url, self._key, timeout=seconds)
        return line.clients[seconds], line.session

    def _told(self, error: MeilisearchApiError) -> Exception:
        if error.status_code not in _UNAVAILABLE:
            self.breaker.succeeded()
            return Refused(error.code or str(error.status_code), str(error.message))
        wait = _retry_after(error)
        self.breaker.failed(wait)
        return SearchUnavailable(
            f"the search server answered {error.status_code}", retry_after=wait
        )

    def _lost(self, reason: str) -> SearchUnavailable:
        self.breaker.failed(None)
        return SearchUnavailable(reason)

    def wait(self, task: int, timeout: float) -> dict[str, Any]:
        """Wait for a task to end well; its details.

        Raises :class:`WriteFailed` if it failed, :class:`SearchUnavailable` when the time
        is up.
        """
        deadline = time.monotonic() + timeout
        pause = 0.005
        while True:
            found: dict[str, Any] = self.get(f"tasks/{task}")
            status = found["status"]
            if status == "succeeded":
                return found.get("details") or {}
            if status in {"failed", "canceled"}:
                told = found.get("error") or {}
                raise WriteFailed(str(told.get("message") or f"the task was {status}"))
            if time.monotonic() >= deadline:
                raise SearchUnavailable("the search server is still working on it", retry_after=1.0)
            time.sleep(pause)
            pause = min(pause * 1.5, 0.25)

    def close(self) -> None:
        """Close this thread's connections."""
        self._line.session.close()


def _retry_after(error: MeilisearchApiError) -> float | None:
    """Seconds after which the server wants to be asked again, a minute at most."""
    response = getattr(error.__cause__, "response", None)
    told = response.headers.get("Retry-After", "") if response is not None else ""
    return min(float(told), _MAX_RETRY_AFTER) if told.isdigit() else None
