"""The parameters of a request as Authlib wants them, from the one place where they belong.

Authlib's own Flask request mixes the query string into the form: a secret in an address would
count. Here a machine's request is its form alone.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

from authlib.oauth2.rfc6749 import InvalidRequestError, OAuth2Payload, OAuth2Request
from werkzeug.datastructures import MultiDict

Parameters = MultiDict[str, str]

# Above the longest that is sensible (a state); a value that is longer is refused.
MAX_VALUE_LENGTH = 2_000
MAX_PARAMETERS = 40


class Payload(OAuth2Payload):  # type: ignore[misc]  # Authlib has no types
    """Parameters of a request."""

    def __init__(self, parameters: Parameters) -> None:
        self._parameters = parameters

    @property
    def data(self) -> Parameters:
        return self._parameters

    @property
    def datalist(self) -> defaultdict[str, list[str]]:
        return defaultdict(list, dict(self._parameters.lists()))


class ServerRequest(OAuth2Request):  # type: ignore[misc]  # Authlib has no types
    """A request to one of the endpoints.

    `uri` is made of PUBLIC_URL, which is https unless the site is on loopback; Authlib refuses
    anything else (`insecure_transport`).
    """

    def __init__(
        self, method: str, uri: str, parameters: Parameters, headers: Mapping[str, str]
    ) -> None:
        super().__init__(method, uri, headers=headers)
        self.payload = Payload(parameters)

    @property
    def form(self) -> Parameters:
        parameters: Parameters = self.payload.data
        return parameters

    @property
    def args(self) -> Parameters:
        return self.form


def refuse_repeated(parameters: Parameters) -> None:
    """Raise InvalidRequestError when a parameter comes twice (RFC 6749, 3.1 and 3.2), is too
    long, or there are too many."""
    if len(parameters) > MAX_PARAMETERS:
        raise InvalidRequestError("There are too many parameters.")
    for values in parameters.listvalues():
        if len(values) > 1:
            raise InvalidRequestError("A parameter is included more than once.")
        if len(values[0]) > MAX_VALUE_LENGTH:
            raise InvalidRequestError("A parameter is too long.")


def is_printable(text: str) -> bool:
    """Whether `text` has printable ASCII characters only (RFC 6749, appendix A)."""
    return all(" " <= character <= "~" for character in text)


def scope_names(scope: str | None) -> tuple[str, ...]:
    """The scopes of a request in its order, each once."""
    return tuple(dict.fromkeys(name for name in (scope or "").split(" ") if name))


def from_pairs(pairs: Iterable[Any]) -> Parameters:
    """Parameters of stored pairs."""
    return MultiDict((str(key), str(value)) for key, value in pairs)
