"""What other issuers publish: their keys and status lists, fetched through core.outbound alone."""

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

from marketplace.core.errors import PorticoError
from marketplace.core.outbound import check_url, send

_MOST_KEY_BYTES = 32 * 1024
_MOST_LIST_BYTES = 512 * 1024
# For one address, and for all that one question asks for.
_SECONDS = 5.0
_SECONDS_IN_ALL = 10.0
# How many questions of strangers fetch at once in a process: its other threads go on serving.
_at_once = threading.BoundedSemaphore(2)
_PATIENCE = 1.0


class ForeignIssuerError(ValueError):
    """The issuer's key or list cannot be had. The message is for a person."""


def same_origin(first: str, second: str) -> bool:
    """Whether two addresses are of one scheme, host and port."""
    try:
        left, right = urlsplit(first), urlsplit(second)
    except ValueError:
        return False
    return (
        left.scheme in {"http", "https"}
        and bool(left.netloc)
        and (left.scheme, left.netloc.lower()) == (right.scheme, right.netloc.lower())
    )


@contextmanager
def few_at_once() -> Iterator[None]:
    """Around what fetches because a stranger asked. Raises ForeignIssuerError when many do."""
    if not _at_once.acquire(timeout=_PATIENCE):
        raise ForeignIssuerError("Many are asking about other sites just now. Try again soon.")
    try:
        yield
    finally:
        _at_once.release()


class Fetching:
    """What is fetched to answer one question: each address once, and all of it in bounded time."""

    def __init__(self) -> None:
        self._until = time.monotonic() + _SECONDS_IN_ALL
        self._answers: dict[str, str | ForeignIssuerError] = {}

    def key(self, issuer: str, kid: str) -> dict[str, Any]:
        """The public key (JWK) at `kid`, which must be the issuer's own address.

        Raises ForeignIssuerError.
        """
        if not same_origin(issuer, kid):
            raise ForeignIssuerError("It does not say where its issuer publishes the key.")
        address, _, wanted = kid.partition("#")
        found = _json(self._text(address, _MOST_KEY_BYTES))
        keys = found.get("keys")
        if isinstance(keys, list):
            for each in keys:
                if isinstance(each, dict) and each.get("kid") in {kid, wanted} and each.get("kty"):
                    return each
            raise ForeignIssuerError("The issuer does not publish the key that it names.")
        if not isinstance(found.get("kty"), str):
            raise ForeignIssuerError("The issuer publishes no key where it says.")
        return found

    def list_at(self, issuer: str, address: str) -> str:
        """A status list at the issuer's own address. Raises ForeignIssuerError."""
        if not same_origin(issuer, address):
            raise ForeignIssuerError("The list of revoked credentials is not its issuer's own.")
        return self._text(address.partition("#")[0], _MOST_LIST_BYTES)

    def _text(self, address: str, most_bytes: int) -> str:
        answer = self._answers.get(address)
        if answer is None:
            left = self._until - time.monotonic()
            try:
                if left <= 0:
                    raise ForeignIssuerError("The issuer’s addresses answer too slowly.")
                answer = fetch_text(address, most_bytes, seconds=min(_SECONDS, left))
            except ForeignIssuerError as error:
                answer = error
            self._answers[address] = answer
        if isinstance(answer, ForeignIssuerError):
            raise answer
        return answer


def fetch_key(issuer: str, kid: str) -> dict[str, Any]:
    """The public key (JWK) at `kid`, which must be the issuer's own address.

    Raises ForeignIssuerError.
    """
    return Fetching().key(issuer, kid)


def fetch_text(address: str, most_bytes: int, *, seconds: float = _SECONDS) -> str:
    """What an address answers in so many seconds, as text. Raises ForeignIssuerError."""
    try:
        check_url(address, https_only=True)
        answer = send(
            "GET",
            address,
            headers={"Accept": "application/json, application/vc+jwt, text/plain"},
            total_timeout=seconds,
            max_bytes=most_bytes,
        )
    except PorticoError as error:
        raise ForeignIssuerError(error.detail) from None
    if answer.status != 200 or answer.is_cut:
        raise ForeignIssuerError(f"The issuer’s address answered {answer.status}.")
    return answer.body.decode("utf-8", "replace")


def _json(text: str) -> dict[str, Any]:
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        raise ForeignIssuerError("The issuer’s answer cannot be read.") from None
    if not isinstance(found, dict):
        raise ForeignIssuerError("The issuer’s answer cannot be read.")
    return found
