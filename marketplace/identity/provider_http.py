"""HTTP to a sign-in provider: slow, endless and wandering answers end early."""

import ipaddress
import time
from typing import Any
from urllib.parse import urlsplit

import requests
from authlib.integrations.requests_client import OAuth2Session
from requests.adapters import HTTPAdapter

CONNECT_SECONDS = 3.0
READ_SECONDS = 5.0
WHOLE_ANSWER_SECONDS = 10.0
MAX_BYTES = 1024 * 1024
USER_AGENT = "Portico sign-in"
# What parsing an answer of the wrong shape may raise, one of endless nesting included.
UNREADABLE = (ValueError, TypeError, KeyError, AttributeError, RecursionError)


class ProviderError(Exception):
    """A sign-in did not work. `reason` is for the log: never shown, holds no secret."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class ProviderUnavailableError(ProviderError):
    """The provider does not answer, or answers that it cannot."""


class ProviderRefusedError(ProviderError):
    """What came back is not proof of who the person is."""


class BoundedAdapter(HTTPAdapter):
    """Reads an answer within a size and a time, whatever the other side does."""

    def send(  # type: ignore[override]  # the same parameters, by keyword as requests calls it
        self, request: requests.PreparedRequest, **options: Any
    ) -> requests.Response:
        """Send with timeouts. Raises requests' exceptions, also for an answer beyond the bounds."""
        deadline = time.monotonic() + WHOLE_ANSWER_SECONDS
        options["timeout"] = (CONNECT_SECONDS, READ_SECONDS)
        options["stream"] = True
        response = super().send(request, **options)
        body = bytearray()
        for chunk in response.iter_content(16 * 1024):
            body += chunk
            if len(body) > MAX_BYTES:
                response.close()
                raise requests.exceptions.ContentDecodingError("the answer is too large")
            if time.monotonic() > deadline:
                response.close()
                raise requests.exceptions.ReadTimeout("the answer takes too long")
        response._content = bytes(body)  # requests' own way of keeping a body that was read
        return response


def is_loopback(url: str) -> bool:
    """Whether the URL's host is this machine."""
    try:
        host = urlsplit(url).hostname or ""
        if host == "localhost":
            return True
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def open_session(issuer: str, **options: Any) -> OAuth2Session:
    """An Authlib session (requests) for the provider. Use it in a `with` block."""
    session = OAuth2Session(**options)
    session.mount("https://", BoundedAdapter())
    session.mount("http://", BoundedAdapter())
    # Neither discovery nor a token endpoint redirects; following would carry secrets elsewhere.
    session.max_redirects = 0
    session.trust_env = not is_loopback(issuer)
    session.headers["User-Agent"] = USER_AGENT
    session.headers["Accept"] = "application/json"
    return session


def read_json_object(response: requests.Response, what: str) -> dict[str, Any]:
    """The JSON object of a 200 answer.

    Raises ProviderUnavailableError for a server's error, ProviderRefusedError for anything else.
    """
    if response.status_code >= 500 or response.status_code == 429:
        raise ProviderUnavailableError(f"{what} answered {response.status_code}")
    if response.status_code != 200:
        raise ProviderRefusedError(f"{what} answered {response.status_code}")
    try:
        found = response.json()
    except UNREADABLE as error:
        raise ProviderRefusedError(f"{what} is not JSON") from error
    if not isinstance(found, dict):
        raise ProviderRefusedError(f"{what} is not a JSON object")
    return found
