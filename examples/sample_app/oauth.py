"""The marketplace as this app's authorization server and API.

All addresses but one come from the server's metadata (RFC 8414): the app is configured with the
issuer alone.
"""

import threading
import time
from typing import Any

import requests
from authlib.common.security import generate_token
from authlib.integrations.base_client.errors import OAuthError
from authlib.integrations.requests_client import OAuth2Session

from examples.sample_app.settings import Settings
from examples.sample_app.store import Store

TIMEOUT_SECONDS = 10
# A token that ends this soon is exchanged before it is used.
EARLY_SECONDS = 30


class NotConnectedError(Exception):
    """There is no token for the installation (any more)."""


class Portico:
    """A client of the marketplace."""

    def __init__(self, settings: Settings, store: Store) -> None:
        self._settings, self._store = settings, store
        self._metadata: dict[str, Any] = {}
        # A refresh token works once, and using it twice ends all tokens: one refresh at a time.
        # An app of several processes needs a lock that they share, such as one in its database.
        self._refreshing = threading.Lock()

    @property
    def metadata(self) -> dict[str, Any]:
        """The server's metadata, fetched once. Raises ValueError when it is somebody else's."""
        if not self._metadata:
            issuer = self._settings.portico_url
            answer = requests.get(
                f"{issuer}/.well-known/oauth-authorization-server", timeout=TIMEOUT_SECONDS
            )
            answer.raise_for_status()
            found = answer.json()
            if found.get("issuer") != issuer:
                raise ValueError(f"{issuer} says that it is {found.get('issuer')}")
            self._metadata = found
        return self._metadata

    def begin(self, installation_id: str = "") -> tuple[str, str, str]:
        """The address to send the customer to, with the state and the verifier to remember."""
        verifier = generate_token(64)
        # Without a scope the app asks for all that its listing names.
        extra = {"installation": installation_id} if installation_id else {}
        url, state = self._session().create_authorization_url(
            self.metadata["authorization_endpoint"], code_verifier=verifier, **extra
        )
        return url, state, verifier

    def finish(self, code: str, verifier: str) -> str:
        """Exchange the code for tokens and keep them; the installation's id."""
        token = self._session().fetch_token(
            self.metadata["token_endpoint"],
            grant_type="authorization_code",
            code=code,
            code_verifier=verifier,
            timeout=TIMEOUT_SECONDS,
        )
        installation_id = str(token["installation"])
        self._store.keep_tokens(installation_id, token)
        return installation_id

    def call(self, installation_id: str, path: str) -> requests.Response:
        """GET an address of the API for an installation, with a fresh token where it needs one.

        A 401 that a fresh token does not mend is the answer. Raises NotConnectedError when there
        is no token at all.
        """
        token = self._access_token(installation_id)
        answer = self._get(path, token)
        if answer.status_code != 401:
            return answer
        try:
            return self._get(path, self._access_token(installation_id, refused=token))
        except NotConnectedError:
            return answer

    def confirm_erasure(self, erasure_id: str, receipt: str) -> requests.Response:
        """Tell the marketplace that a customer's data are erased.

        The customer is gone, so the app speaks for its publisher: by client credentials.
        """
        token = self._session().fetch_token(
            self.metadata["token_endpoint"],
            grant_type="client_credentials",
            scope="partner.erasures.write",
            timeout=TIMEOUT_SECONDS,
        )
        return requests.post(
            f"{self._settings.portico_url}/api/v1/erasures/{erasure_id}/receipt",
            json={"receipt": receipt},
            headers={
                "Authorization": f"Bearer {token['access_token']}",
                # Sent twice, it is done once.
                "Idempotency-Key": erasure_id,
            },
            timeout=TIMEOUT_SECONDS,
        )

    def _access_token(self, installation_id: str, refused: str = "") -> str:
        with self._refreshing:
            row = self._store.installation(installation_id)
            if row is None or not row["access_token"]:
                raise NotConnectedError(row["problem"] if row else "It is not installed.")
            is_fresh = (row["expires_at"] or 0) > time.time() + EARLY_SECONDS
            # Another thread may have exchanged the refused one meanwhile.
            if is_fresh and row["access_token"] != refused:
                return str(row["access_token"])
            if not row["refresh_token"]:
                raise NotConnectedError("The token ended.")
            try:
                token = self._session().refresh_token(
                    self.metadata["token_endpoint"],
                    refresh_token=row["refresh_token"],
                    timeout=TIMEOUT_SECONDS,
                )
            except OAuthError as error:
                problem = f"The marketplace refused to renew the token: {error.error}."
                self._store.forget_tokens(installation_id, problem)
                raise NotConnectedError(problem) from error
            self._store.keep_tokens(installation_id, token)
            return str(token["access_token"])

    def _get(self, path: str, token: str) -> requests.Response:
        return requests.get(
            f"{self._settings.portico_url}{path}",
            headers={"Authorization": f"Bearer {token}", "Accept": "application/json"},
            timeout=TIMEOUT_SECONDS,
        )

    def _session(self) -> OAuth2Session:
        secret = self._settings.client_secret
        return OAuth2Session(
            self._settings.client_id,
            secret or None,
            redirect_uri=self._settings.redirect_uri,
            code_challenge_method="S256",
            token_endpoint_auth_method="client_secret_basic" if secret else "none",
        )
