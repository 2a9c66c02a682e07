"""Sign-in by OpenID Connect: any issuer that publishes its discovery document."""

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlsplit

import requests
from authlib.common.errors import AuthlibBaseError

from marketplace.config import OidcProvider
from marketplace.core import clock
from marketplace.identity.id_token import (
    TENANT,
    TokenRefusedError,
    UnknownKeyError,
    allowed_algorithms,
    read_id_token,
)
from marketplace.identity.profiles import Profile, profile_of_claims
from marketplace.identity.provider_http import (
    UNREADABLE,
    ProviderError,
    ProviderRefusedError,
    ProviderUnavailableError,
    is_loopback,
    open_session,
    read_json_object,
)
from marketplace.identity.second_factor import is_recent, proves_second_factor

SCOPE = "openid profile email"
KEEP_SECONDS = 3600.0
# An unknown key makes us fetch the keys again (the provider may have changed them), but not more
# often than this, so that forged tokens do not become requests to the provider.
REFETCH_KEYS_AFTER_SECONDS = 60.0
# While a provider is down, those who wait for the same answer are told at once, not one by one
# after a timeout each; after this time it is asked again.
KEEP_FAILURE_SECONDS = 5.0
MICROSOFT = "https://login.microsoftonline.com/"
MICROSOFT_SHARED = {f"{MICROSOFT}{name}/v2.0" for name in ("common", "organizations", "consumers")}


@dataclass(frozen=True)
class Fetched:
    """What came of a fetch, a value or a failure, and when (monotonic seconds)."""

    at: float
    value: dict[str, Any] | None = None
    failure: ProviderError | None = None


class KeptFetch:
    """Something fetched now and then, kept in between. Thread-safe: one fetch at a time."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._last: Fetched | None = None

    def get(self, fetch: Callable[[], dict[str, Any]], *, keep: float) -> dict[str, Any]:
        """The value, not older than `keep` seconds. Raises ProviderError."""
        with self._lock:
            last = self._last
            age = time.monotonic() - last.at if last is not None else 0.0
            if last is not None and last.failure is not None and age < KEEP_FAILURE_SECONDS:
                raise type(last.failure)(last.failure.reason)
            if last is None or last.value is None or age > keep:
                try:
                    last = Fetched(time.monotonic(), value=fetch())
                except ProviderError as error:
                    self._last = Fetched(time.monotonic(), failure=error)
                    raise
                self._last = last
            return last.value or {}


class OidcAdapter:
    """One OpenID Connect provider. Thread-safe; keeps its metadata and keys for an hour."""

    def __init__(self, settings: OidcProvider, redirect_uri: str) -> None:
        self.settings = settings
        self.name = settings.name
        self.label = settings.label
        self.redirect_uri = redirect_uri
        self._metadata = KeptFetch()
        self._keys = KeptFetch()

    def authorization_url(
        self, *, state: str, nonce: str, code_verifier: str, confirm: bool = False
    ) -> str:
        """Where the browser is sent; `confirm` asks the provider to have the person sign in anew,
        with two factors. Raises ProviderError."""
        extra = {}
        if confirm:
            extra = {"prompt": "login", "max_age": "0"}
            if self.settings.mfa_acr:
                extra["acr_values"] = " ".join(self.settings.mfa_acr)
        with self._session() as session:
            url, _state = session.create_authorization_url(
                self._endpoint("authorization_endpoint"),
                state=state,
                nonce=nonce,
                code_verifier=code_verifier,
                **extra,
            )
        return str(url)

    def profile(self, answer: Mapping[str, str], *, nonce: str, code_verifier: str) -> Profile:
        """Who signed in, proven by the provider's answer. Raises ProviderError."""
        metadata = self.metadata()
        self._check_answer_issuer(answer, metadata)
        token = self._fetch_token(answer["code"], code_verifier, metadata)
        access_token = token.get("access_token")
        # What userinfo says about how the person signed in counts for nothing: only what is signed.
        proven = self._read(token.get("id_token"), nonce, access_token, metadata)
        claims = proven
        if "email" not in claims or "name" not in claims:
            claims = {**self._userinfo(token, claims["sub"], metadata), **claims}
        found = profile_of_claims(
            self.name,
            claims["iss"],
            claims,
            trust_email_claim=not claims["iss"].startswith(MICROSOFT),
        )
        return replace(
            found,
            second_factor=proves_second_factor(proven, frozenset(self.settings.mfa_acr)),
            just_now=is_recent(proven, clock.now()),
        )

    def metadata(self) -> dict[str, Any]:
        """The discovery document, checked. Raises ProviderError."""
        return self._metadata.get(self._discover, keep=KEEP_SECONDS)

    def _discover(self) -> dict[str, Any]:
        found = self._get(f"{self.settings.issuer}/.well-known/openid-configuration", "discovery")
        self._check_metadata(found)
        return found

    def _check_metadata(self, found: dict[str, Any]) -> None:
        expected = self.settings.issuer
        if expected in MICROSOFT_SHARED:
            # The only providers whose tokens come from another issuer than the one asked for.
            expected = f"{MICROSOFT}{TENANT}/v2.0"
        announced = found.get("issuer")
        # Settings drop a slash at the end that some issuers (Auth0) have; tokens are then compared
        # with the issuer as it is announced.
        if not isinstance(announced, str) or announced.rstrip("/") != expected:
            raise ProviderRefusedError("discovery names another issuer")
        for name in ("authorization_endpoint", "token_endpoint", "jwks_uri"):
            _check_endpoint(found.get(name), name, self.settings.issuer)
        if found.get("userinfo_endpoint") is not None:
            _check_endpoint(found["userinfo_endpoint"], "userinfo_endpoint", self.settings.issuer)

    def _check_answer_issuer(self, answer: Mapping[str, str], metadata: dict[str, Any]) -> None:
        """RFC 9207: an answer that names its issuer must name this one."""
        if TENANT in metadata["issuer"]:
            return
        given = answer.get("iss")
        required = metadata.get("authorization_response_iss_parameter_supported") is True
        if given is None and required:
            raise ProviderRefusedError("the answer does not name its issuer")
        if given is not None and given != metadata["issuer"]:
            raise ProviderRefusedError("the answer comes from another issuer")

    def _fetch_token(
        self, code: str, code_verifier: str, metadata: dict[str, Any]
    ) -> dict[str, Any]:
        methods = metadata.get("token_endpoint_auth_methods_supported")
        method = "client_secret_basic"
        if isinstance(methods, list) and method not in methods and "client_secret_post" in methods:
            method = "client_secret_post"
        with self._session(token_endpoint_auth_method=method) as session:
            try:
                token = session.fetch_token(
                    metadata["token_endpoint"],
                    grant_type="authorization_code",
                    code=code,
                    code_verifier=code_verifier,
                )
            except requests.RequestException as error:
                raise ProviderUnavailableError(f"token: {type(error).__name__}") from error
            except AuthlibBaseError as error:
                raise ProviderRefusedError(f"token: {error.error}") from error
            except UNREADABLE as error:
                raise ProviderRefusedError(f"token answer: {type(error).__name__}") from error
        if not isinstance(token, dict):
            raise ProviderRefusedError("the token answer is not an object")
        return token

    def _read(
        self, token: object, nonce: str, access_token: object, metadata: dict[str, Any]
    ) -> dict[str, Any]:
        for is_second_try in (False, True):
            try:
                return read_id_token(
                    token,
                    keys=self._key_set(metadata, again=is_second_try),
                    algorithms=allowed_algorithms(
                        metadata.get("id_token_signing_alg_values_supported")
                    ),
                    issuer=metadata["issuer"],
                    client_id=self.settings.client_id,
                    nonce=nonce,
                    access_token=access_token if isinstance(access_token, str) else None,
                    now=clock.now(),
                )
            except UnknownKeyError as error:
                if is_second_try:
                    raise ProviderRefusedError(f"ID token: {error}") from error
            except TokenRefusedError as error:
                raise ProviderRefusedError(f"ID token: {error}") from error
        raise ProviderRefusedError("ID token: no known key")

    def _key_set(self, metadata: dict[str, Any], *, again: bool) -> dict[str, Any]:
        return self._keys.get(
            lambda: self._get(metadata["jwks_uri"], "the key set"),
            keep=REFETCH_KEYS_AFTER_SECONDS if again else KEEP_SECONDS,
        )

    def _userinfo(
        self, token: dict[str, Any], subject: str, metadata: dict[str, Any]
    ) -> dict[str, Any]:
        url = metadata.get("userinfo_endpoint")
        if url is None or not isinstance(token.get("access_token"), str):
            return {}
        found = self._get(url, "userinfo", access_token=token["access_token"])
        if found.get("sub") != subject:
            raise ProviderRefusedError("userinfo speaks of another person")
        return found

    def _get(self, url: str, what: str, *, access_token: str | None = None) -> dict[str, Any]:
        headers = {"Authorization": f"Bearer {access_token}"} if access_token else {}
        with self._session() as session:
            try:
                response = session.get(url, withhold_token=True, headers=headers)
            except requests.RequestException as error:
                raise ProviderUnavailableError(f"{what}: {type(error).__name__}") from error
        return read_json_object(response, what)

    def _endpoint(self, name: str) -> str:
        return str(self.metadata()[name])

    def _session(self, **options: Any) -> Any:
        return open_session(
            self.settings.issuer,
            client_id=self.settings.client_id,
            client_secret=self.settings.client_secret,
            scope=SCOPE,
            redirect_uri=self.redirect_uri,
            code_challenge_method="S256",
            **options,
        )


def _check_endpoint(url: object, name: str, issuer: str) -> None:
    """An endpoint is an https URL; plain http only on this machine, for an issuer on it."""
    if isinstance(url, str):
        try:
            parts = urlsplit(url)
            # Only reading the port and encoding the host find what is wrong with them.
            _ = parts.port, (parts.hostname or "").encode("idna")
        except ValueError as error:
            raise ProviderRefusedError(f"discovery has no usable {name}") from error
        if parts.scheme == "https" and parts.netloc:
            return
        if parts.scheme == "http" and is_loopback(url) and is_loopback(issuer):
            return
    raise ProviderRefusedError(f"discovery has no usable {name}")
