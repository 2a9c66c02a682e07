"""The one module that speaks to Stripe.

Calls are named as the SDK names them (`transfers.create`, `checkout.sessions.create`,
`v2.core.accounts.create`) and take and give plain dictionaries, exactly as Stripe has them:
amounts in minor units, times in seconds since 1970 (version 2: RFC 3339), and currency codes in
lower case. In what we send, codes may be in upper case; they are lowered here.
"""

import inspect
import logging
import random
import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Protocol, cast

import stripe

from marketplace.core import clock
from marketplace.core.jobs import RetryLater

log = logging.getLogger(__name__)

JsonDict = dict[str, Any]

# Connecting, and waiting for the answer. A call that takes longer may still have happened.
TIMEOUT_SECONDS = (5.0, 30.0)
# Reads are repeated by themselves; what changes something is repeated by operations.py alone.
READ_RETRIES = 2
SIGNATURE_TOLERANCE = timedelta(seconds=300)
# Codes with which Stripe refuses because of the connected account itself, and what it says of one
# that let us act for it once.
_ACCOUNT_CODES = frozenset({"account_invalid", "account_closed"})
_NO_ACCESS = "access to account"
# Codes of our own key, unless it was used for a connected account.
_KEY_CODES = frozenset({"platform_api_key_expired", "insufficient_permissions"})
# How long a key that is refused is left alone, in seconds.
_KEY_WAIT = 300.0
_CURRENCY_NAMES = frozenset({"currency", "default_currency"})


class StripeError(Exception):
    """Something about a call to Stripe."""


class StripeNotConfiguredError(StripeError):
    """No key is set: nothing can be paid here."""


class StripeRejectedError(StripeError):
    """Stripe refused for good: it did not happen, and the same call will not succeed."""

    def __init__(self, code: str, message: str, status: int = 400) -> None:
        super().__init__(f"{code or status}: {message}")
        self.code = code
        self.message = message
        self.status = status


class StripeAccountError(StripeRejectedError):
    """The connected account is gone, or does not let us act for it any more."""


class StripeKeyReusedError(StripeError):
    """The idempotency key was used before with another request: a fault of ours, look into it."""


class StripeUnknownError(StripeError):
    """No answer, or a fault of Stripe's (5xx): nobody knows yet whether it happened."""


class StripeBusyError(StripeError):
    """Too many requests, or the same one is under way; `retry_after` in seconds."""

    def __init__(self, message: str, retry_after: float, *, under_way: bool = False) -> None:
        super().__init__(message)
        self.retry_after = retry_after
        # The same key is being worked on elsewhere: it may be happening.
        self.under_way = under_way


class StripeKeyRefusedError(StripeBusyError):
    """Stripe does not take our own key, or not for this: nothing happened, and nothing will until
    somebody has set it right. It says nothing about whom the call was for."""


class SignatureError(StripeError):
    """A webhook that Stripe did not sign, or signed too long ago."""


def retry_later(error: StripeUnknownError | StripeBusyError) -> RetryLater:
    """What a job raises so that it is tried again without counting as a failure."""
    jitter = 0.75 + random.random() / 2  # noqa: S311 - spreads load, guards nothing
    seconds = error.retry_after if isinstance(error, StripeBusyError) else 30.0
    return RetryLater(timedelta(seconds=max(1.0, seconds * jitter)), str(error)[:300])


class Gateway(Protocol):
    """What billing asks of Stripe."""

    livemode: bool

    def call(
        self, method: str, params: Mapping[str, Any], *, idem_key: str, account: str = ""
    ) -> JsonDict:
        """Change something; what it became.

        `params["id"]` is the id in the path where the SDK's method takes one. `account` acts for
        that connected account. Raises StripeRejectedError, StripeAccountError,
        StripeUnknownError, StripeBusyError, StripeKeyReusedError.
        """

    def retrieve(
        self,
        resource: str,
        stripe_id: str = "",
        *,
        expand: Sequence[str] = (),
        account: str = "",
        parent: str = "",
    ) -> JsonDict:
        """One object. For version 2, `expand` is what to `include`. Raises like `call`."""

    def pages(self, resource: str, *, account: str = "", **params: Any) -> Iterator[JsonDict]:
        """All objects of a list, newest first, fetched page by page. Raises like `call`."""


@dataclass
class StripeGateway:
    """Stripe, by its SDK."""

    api_key: str = field(repr=False)
    api_base: str | None = None
    timeout: tuple[float, float] = TIMEOUT_SECONDS
    read_retries: int = READ_RETRIES

    def __post_init__(self) -> None:
        self.livemode = self.api_key.startswith(("sk_live_", "rk_live_"))
        stripe.enable_telemetry = False
        self._client = stripe.StripeClient(
            self.api_key,
            http_client=stripe.RequestsClient(timeout=self.timeout),
            base_addresses={"api": self.api_base} if self.api_base else {},
            max_network_retries=0,
        )

    def call(
        self, method: str, params: Mapping[str, Any], *, idem_key: str, account: str = ""
    ) -> JsonDict:
        """See Gateway."""
        if not idem_key:
            raise ValueError("a call that changes something needs a key")
        resource, _, verb = method.rpartition(".")
        action = getattr(self._service(resource), verb)
        sent = dict(lower_currencies(params))
        path = [str(sent.pop("id")) for _name in _path_parameters(action)[:1]]
        options: JsonDict = {"idempotency_key": idem_key}
        return self._ask(action, path, sent, options, account)

    def retrieve(
        self,
        resource: str,
        stripe_id: str = "",
        *,
        expand: Sequence[str] = (),
        account: str = "",
        parent: str = "",
    ) -> JsonDict:
        """See Gateway."""
        action = self._service(resource).retrieve
        path = [each for each in (parent, stripe_id) if each]
        path = path[-len(_path_parameters(action)) :] if _path_parameters(action) else []
        name = "include" if resource.startswith("v2.") else "expand"
        params: JsonDict = {name: list(expand)} if expand else {}
        options: JsonDict = {"max_network_retries": self.read_retries}
        return self._ask(action, path, params, options, account)

    def pages(self, resource: str, *, account: str = "", **params: Any) -> Iterator[JsonDict]:
        """See Gateway."""
        service = self._service(resource)
        parent = params.pop("parent", "")
        options: JsonDict = {"max_network_retries": self.read_retries}
        if account:
            options["stripe_account"] = account
        params.setdefault("limit", 100)
        path = [parent] if parent else []
        found = self._translated(
            lambda: service.list(*path, params=lower_currencies(params), options=options), account
        )
        for each in self._iterate(found, account):
            yield _plain(each)

    def _iterate(self, found: Any, account: str) -> Iterator[Any]:
        iterator = found.auto_paging_iter()
        while True:
            each = self._translated(lambda: next(iterator, None), account)
            if each is None:
                return
            yield each

    def _ask(
        self, action: Any, path: list[str], params: JsonDict, options: JsonDict, account: str
    ) -> JsonDict:
        if account:
            options["stripe_account"] = account
        return _plain(
            self._translated(lambda: action(*path, params=params or None, options=options), account)
        )

    def _service(self, resource: str) -> Any:
        """The SDK's service of that name: `transfers`, `checkout.sessions`, `v2.core.accounts`."""
        names = resource.split(".")
        if names[0] == "v2":
            service: Any = self._client.v2
            names = names[1:]
            if names[0] not in {"core", "billing", "money_management"}:
                names = ["core", *names]
        else:
            service = self._client.v1
        for name in names:
            service = getattr(service, name)
        return service

    def _translated(self, ask: Any, account: str) -> Any:
        try:
            return ask()
        except stripe.StripeError as error:
            raise _our_error(error, account) from error


def _path_parameters(action: Any) -> list[str]:
    names = []
    for name in inspect.signature(action).parameters:
        if name in {"params", "options"}:
            break
        names.append(name)
    return names


def _plain(found: Any) -> JsonDict:
    return cast(JsonDict, found.to_dict(for_json=True))


def lower_currencies(value: Any) -> Any:
    """`value` with every currency code in lower case, as Stripe wants it."""
    if isinstance(value, Mapping):
        return {
            name: each.lower()
            if name in _CURRENCY_NAMES and isinstance(each, str)
            else lower_currencies(each)
            for name, each in value.items()
        }
    if isinstance(value, list | tuple):
        return [lower_currencies(each) for each in value]
    return value


def _our_error(error: stripe.StripeError, account: str) -> StripeError:
    status, code = error.http_status, error.code or ""
    message = error.user_message or str(error)
    if isinstance(error, stripe.RateLimitError) or status == 429:
        return StripeBusyError(message, _retry_after(error))
    if status == 409 or code in {"idempotency_key_in_use", "lock_timeout"}:
        return StripeBusyError(message, _retry_after(error), under_way=status == 409)
    if isinstance(error, stripe.IdempotencyError):
        return StripeKeyReusedError(message)
    if isinstance(error, stripe.APIConnectionError) or status is None or status >= 500:
        return StripeUnknownError(message)
    if status == 401:
        return StripeKeyRefusedError(message, _KEY_WAIT)
    is_denied = status == 403 or code in _KEY_CODES
    if code in _ACCOUNT_CODES or (is_denied and (account or _NO_ACCESS in message)):
        return StripeAccountError(code or "account_invalid", message, status)
    if is_denied:
        return StripeKeyRefusedError(message, _KEY_WAIT)
    return StripeRejectedError(code, message, status)


def _retry_after(error: stripe.StripeError) -> float:
    given = str((error.headers or {}).get("Retry-After", ""))
    return float(given) if given.isdigit() else 5.0


def verify_signature(
    payload: bytes, header: str, secrets: Sequence[str], *, at: datetime | None = None
) -> None:
    """Raise SignatureError unless one of `secrets` signed these very bytes lately.

    Lately is by our own clock, which may be late by as much: what was signed further in the future
    would be good for longer than it should. What is repeated is kept out by the event's id.
    """
    signed_at = None
    for secret in secrets:
        try:
            stripe.WebhookSignature.verify_header(payload, header, secret)
        except (stripe.SignatureVerificationError, UnicodeDecodeError):
            continue
        stamps = [part[2:] for part in header.split(",") if part.startswith("t=")]
        signed_at = int(stamps[0])
        break
    if signed_at is None:
        raise SignatureError("no secret of ours signed it")
    away = abs((at or clock.now()).timestamp() - signed_at)
    if away > SIGNATURE_TOLERANCE.total_seconds():
        raise SignatureError("it was signed too long ago, or is not signed yet")


def sign(payload: bytes, secret: str, at: datetime) -> str:
    """The Stripe-Signature header of a payload: what Stripe, and its stand-in, sends."""
    return str(
        stripe.WebhookSignature.generate_signature_header(
            payload.decode(), secret, timestamp=int(at.timestamp())
        )
    )


@dataclass(frozen=True)
class StripeSettings:
    """What the process knows of Stripe. No key: nothing can be bought or paid out."""

    api_key: str = field(default="", repr=False)
    api_base: str | None = None
    webhook_secrets: tuple[str, ...] = field(default=(), repr=False)
    timeout: tuple[float, float] = TIMEOUT_SECONDS
    read_retries: int = READ_RETRIES


_settings = StripeSettings()
_gateway: Gateway | None = None
_lock = threading.Lock()


def configure_gateway(settings: StripeSettings, *, instead: Gateway | None = None) -> None:
    """Set how this process reaches Stripe. `instead` is used in its place by a test."""
    global _settings, _gateway
    with _lock:
        _settings, _gateway = settings, instead


def gateway() -> Gateway:
    """Stripe. Raises StripeNotConfiguredError without a key."""
    global _gateway
    found = _gateway
    if found is not None:
        return found
    with _lock:
        if _gateway is None:
            if not _settings.api_key:
                raise StripeNotConfiguredError("STRIPE_API_KEY is not set")
            _gateway = StripeGateway(
                _settings.api_key, _settings.api_base, _settings.timeout, _settings.read_retries
            )
        return _gateway


def has_stripe() -> bool:
    """Whether money can move here at all."""
    return _gateway is not None or bool(_settings.api_key)


def webhook_secrets() -> tuple[str, ...]:
    """The secrets of our webhook endpoints (the platform's, and the connected accounts')."""
    return _settings.webhook_secrets
