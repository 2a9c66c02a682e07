"""The one way to call addresses that partners typed: webhook targets, status addresses.

The name is looked up once for a request, and the very addresses that were found are checked and
connected to: a name that changes between a check and the connection (DNS rebinding) gains nothing.
No redirect is followed and no proxy of the environment is used; the time, the headers and the body
of an answer are bounded.
"""

import http.client
import ipaddress
import re
import socket
import ssl
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import SplitResult, quote, urlsplit

import urllib3.connection
import urllib3.exceptions

from marketplace.core.errors import PorticoError
from marketplace.core.guarded_sockets import (
    GuardedSocket,
    GuardedTlsSocket,
    HeadersTooLargeError,
    Watch,
    guarded_tls_context,
)
from marketplace.core.public_addresses import (
    HostRefusedError,
    IPNetwork,
    is_allowed,
    is_public,
    literal_address,
    normal_host,
)

MAX_URL = 2_000
MAX_BODY_BYTES = 16 * 1024
MOST_INTERIM = 20
USER_AGENT = "Portico/1.0"
_FORBIDDEN = re.compile(r"[\x00-\x20\x7f\\]")
_PATH_SAFE = "/%:@!$&'()*+,;=~-._"

# getaddrinfo's shape: (family, type, protocol, canonical name, socket address).
Found = tuple[Any, Any, int, str, tuple[Any, ...]]
Resolver = Callable[..., Sequence[Found]]


class OutboundRefusedError(PorticoError):
    """The address may not be called. `detail` says why, for the person who typed it."""

    status = 422
    title = "This address cannot be used"


class OutboundFailedError(PorticoError):
    """No usable answer came. `code` is name, connection, tls, timeout, size or protocol."""

    status = 502
    title = "The address did not answer"


@dataclass(frozen=True)
class OutboundAnswer:
    """What was answered: header names in lower case, the body up to the limit, the time it took.

    `is_cut`: the body may go on beyond the limit; the rest was not read.
    """

    status: int
    headers: Mapping[str, str]
    body: bytes
    duration_ms: int
    is_cut: bool = False


@dataclass
class _Ways:
    """How this process calls out."""

    networks: tuple[IPNetwork, ...] = ()
    resolver: Resolver = socket.getaddrinfo
    tls: ssl.SSLContext | None = None
    lock: threading.Lock = field(default_factory=threading.Lock)


_ways = _Ways()


def configure_outbound(
    networks: Sequence[str] = (),
    *,
    resolver: Resolver = socket.getaddrinfo,
    tls: ssl.SSLContext | None = None,
) -> None:
    """Choose which private networks are let through, for this process.

    `resolver` is called like socket.getaddrinfo. `tls` says whom to trust (by default whom the
    system trusts) and must come from guarded_tls_context.
    """
    _ways.networks = tuple(ipaddress.ip_network(network) for network in networks)
    _ways.resolver = resolver
    _ways.tls = tls


def check_url(url: str, *, https_only: bool) -> None:
    """Raise OutboundRefusedError when a typed address cannot be right, without looking it up.

    With `https_only`, http is let through for literal addresses of allowed networks alone.
    """
    _parse(url, https_only=https_only)


def send(
    method: str,
    url: str,
    *,
    headers: Mapping[str, str],
    body: bytes = b"",
    connect_timeout: float = 3,
    total_timeout: float = 10,
    max_bytes: int = MAX_BODY_BYTES,
) -> OutboundAnswer:
    """Make one request; timeouts are in seconds, the total from the look-up to the last byte.

    Raises OutboundRefusedError when the address is or becomes a private one, OutboundFailedError
    when no complete answer came in time.
    """
    target = _parse(url, https_only=False)
    started = time.monotonic()
    watch = Watch(started + total_timeout)
    connection = _connection(target, watch, min(connect_timeout, total_timeout))
    try:
        connection.request(
            method,
            target.path,
            body=body or None,
            headers={
                "User-Agent": USER_AGENT,
                **headers,
                "Accept-Encoding": "identity",
                "Connection": "close",
            },
            preload_content=False,
            decode_content=False,
        )
        watch.expect_headers()
        response = connection.getresponse()
        watch.headers_are_read()
        read = _read_up_to(response, max_bytes + 1)
    except PorticoError:
        raise
    except (urllib3.exceptions.HTTPError, http.client.HTTPException, OSError, ValueError) as error:
        raise _in_plain_words(error, total_timeout) from error
    finally:
        connection.close()
    return OutboundAnswer(
        status=response.status,
        headers={name.lower(): value for name, value in response.headers.items()},
        body=read[:max_bytes],
        duration_ms=round((time.monotonic() - started) * 1000),
        is_cut=len(read) > max_bytes,
    )


def _read_up_to(response: urllib3.BaseHTTPResponse, most: int) -> bytes:
    read = b""
    while len(read) < most:
        piece = response.read(most - len(read), decode_content=False)
        if not piece:
            break
        read += piece
    return read


@dataclass(frozen=True)
class _Target:
    scheme: str
    host: str
    port: int
    path: str


def _parse(url: str, *, https_only: bool) -> _Target:
    if len(url) > MAX_URL:
        raise OutboundRefusedError(f"The address is longer than {MAX_URL:,} characters.")
    if _FORBIDDEN.search(url):
        raise OutboundRefusedError("The address contains spaces or characters that do not belong.")
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        raise OutboundRefusedError("This is not a valid address.") from None
    if parts.scheme not in {"http", "https"} or not url[len(parts.scheme) :].startswith("://"):
        raise OutboundRefusedError("The address must begin with https://.")
    if "@" in parts.netloc:
        raise OutboundRefusedError("The address must not contain a user name or password.")
    if "#" in url:
        raise OutboundRefusedError("The address must not contain a fragment (#…).")
    if not host:
        raise OutboundRefusedError("The address names no host.")
    if port == 0 or parts.netloc.endswith(":"):
        raise OutboundRefusedError("The port must be from 1 to 65535.")
    try:
        host = normal_host(host, _ways.networks)
    except HostRefusedError as error:
        raise OutboundRefusedError(str(error)) from None
    if https_only and parts.scheme == "http" and not _is_allowed_literal(host):
        raise OutboundRefusedError("The address must begin with https://.")
    return _Target(
        parts.scheme, host, port or (443 if parts.scheme == "https" else 80), _path_of(parts)
    )


def _is_allowed_literal(host: str) -> bool:
    address = literal_address(host)
    return address is not None and is_allowed(address, _ways.networks)


def _path_of(parts: SplitResult) -> str:
    path = quote(parts.path or "/", safe=_PATH_SAFE)
    return path + (f"?{quote(parts.query, safe=_PATH_SAFE + '?')}" if parts.query else "")


def _connection(
    target: _Target, watch: Watch, connect_timeout: float
) -> "_GuardedConnection | _GuardedTlsConnection":
    timeout = max(watch.left(), 0.001)
    if target.scheme == "https":
        secured = _GuardedTlsConnection(
            target.host, target.port, timeout=timeout, ssl_context=_tls_context()
        )
        secured.prepare(watch, connect_timeout)
        return secured
    plain = _GuardedConnection(target.host, target.port, timeout=timeout)
    plain.prepare(watch, connect_timeout)
    return plain


def _tls_context() -> ssl.SSLContext:
    with _ways.lock:
        if _ways.tls is None:
            _ways.tls = guarded_tls_context()
        return _ways.tls


class _FinalResponse(http.client.HTTPResponse):
    """Passes over interim answers (RFC 9110, 15.2: 103 Early Hints and its like), up to a number.

    http.client does so for 100 alone. 101 is final: nobody asked for another protocol.
    """

    def _read_status(self) -> tuple[str, int, str]:
        for _interim in range(MOST_INTERIM + 1):
            found: tuple[str, int, str] = super()._read_status()  # type: ignore[misc]  # not in the stubs
            if not 100 <= found[1] < 200 or found[1] == http.client.SWITCHING_PROTOCOLS:
                return found
            http.client.parse_headers(self.fp)
        raise HeadersTooLargeError("too many interim answers")


class _GuardedConnection(urllib3.connection.HTTPConnection):
    """Looks its host up once and connects to nothing but what it has checked."""

    response_class = _FinalResponse
    needs_allowed_network = True
    _watch: Watch
    _connect_timeout: float

    def prepare(self, watch: Watch, connect_timeout: float) -> None:
        """Say how long it may take. Call it before the request."""
        self._watch, self._connect_timeout = watch, connect_timeout

    def _new_conn(self) -> socket.socket:
        until = time.monotonic() + min(self._connect_timeout, self._watch.left())
        found = _look_up(self._dns_host, self.port, until)
        for *_rest, address in found:
            _refuse_unless_public(str(address[0]), allowed_only=self.needs_allowed_network)
        return _connect_to_one(found, until, self._watch, self._connect_timeout)


class _GuardedTlsConnection(_GuardedConnection, urllib3.connection.HTTPSConnection):
    """The same under TLS, checked against the host's name."""

    needs_allowed_network = False

    def connect(self) -> None:
        """Connect and shake hands within what is left of the time."""
        super().connect()
        if isinstance(self.sock, GuardedTlsSocket):
            self.sock.watch = self._watch


def _look_up(name: str, port: int, until: float) -> list[Found]:
    """All addresses of a name. The resolver knows no deadline, so a thread waits for it."""
    answer: list[Sequence[Found]] = []
    problems: list[BaseException] = []
    resolver = _ways.resolver

    def ask() -> None:
        try:
            answer.append(resolver(name, port, type=socket.SOCK_STREAM))
        except (OSError, UnicodeError) as error:
            problems.append(error)

    if literal_address(name) is not None:
        ask()
    else:
        thread = threading.Thread(target=ask, name="portico-look-up", daemon=True)
        thread.start()
        thread.join(max(0.0, until - time.monotonic()))
    if answer and answer[0]:
        return list(answer[0])
    if answer or problems:
        raise OutboundFailedError(f"The name {name} was not found.", code="name")
    raise OutboundFailedError(f"The name {name} was not found in time.", code="timeout")


def _refuse_unless_public(text: str, *, allowed_only: bool) -> None:
    address = ipaddress.ip_address(text)
    if is_allowed(address, _ways.networks):
        return
    if not is_public(address):
        raise OutboundRefusedError("The name leads into a private network.")
    if allowed_only:
        raise OutboundRefusedError("The address must begin with https://.")


def _connect_to_one(
    found: Sequence[Found], until: float, watch: Watch, connect_timeout: float
) -> socket.socket:
    problem: OSError = OSError("no address")
    for number, (family, kind, protocol, _name, address) in enumerate(found):
        # An address that does not answer leaves time for the ones after it.
        patience = (until - time.monotonic()) / (len(found) - number)
        if patience <= 0:
            break
        try:
            candidate = GuardedSocket(family, kind, protocol)
        except OSError as error:
            problem = error
            continue
        candidate.watch = watch
        candidate.settimeout(patience)
        try:
            candidate.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            candidate.connect(address)
        except OSError as error:
            candidate.close()
            problem = error
            continue
        # A TLS handshake, which follows at once, keeps this timeout for all of it.
        candidate.settimeout(max(watch.left(), 0.001))
        return candidate
    if isinstance(problem, TimeoutError) or time.monotonic() >= until:
        raise OutboundFailedError(f"No connection within {connect_timeout:g} s.", code="timeout")
    if isinstance(problem, ConnectionRefusedError):
        raise OutboundFailedError("The connection was refused.", code="connection")
    raise OutboundFailedError("No connection was possible.", code="connection")


def _in_plain_words(error: BaseException, total_timeout: float) -> OutboundFailedError:
    """What went wrong, from what urllib3, ssl or the socket raised (see their causes)."""
    causes: list[BaseException] = []
    cause: BaseException | None = error
    while cause is not None and cause not in causes:
        causes.append(cause)
        inner = next((arg for arg in cause.args if isinstance(arg, BaseException)), None)
        cause = cause.__cause__ or cause.__context__ or inner
    for found in causes:
        if isinstance(found, HeadersTooLargeError):
            return OutboundFailedError("The headers of the answer are too large.", code="size")
        if isinstance(found, TimeoutError):
            text = f"No complete answer within {total_timeout:g} s."
            return OutboundFailedError(text, code="timeout")
        if isinstance(found, ssl.SSLCertVerificationError):
            text = f"The TLS certificate is not valid: {found.verify_message}."
            return OutboundFailedError(text.replace("..", "."), code="tls")
        if isinstance(found, ssl.SSLError):
            return OutboundFailedError("No TLS connection was possible.", code="tls")
    closed = ConnectionError | http.client.IncompleteRead | urllib3.exceptions.IncompleteRead
    if any(isinstance(found, closed) for found in causes):
        text = "The connection was closed before the answer was complete."
        return OutboundFailedError(text, code="connection")
    # http.client says it in words alone: "got more than 100 headers".
    if any(
        isinstance(found, http.client.LineTooLong) or "headers" in str(found) for found in causes
    ):
        return OutboundFailedError("The headers of the answer are too large.", code="size")
    return OutboundFailedError("The answer is not HTTP.", code="protocol")
