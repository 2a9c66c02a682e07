"""Sign-in with GitHub, which speaks OAuth 2.0 but not OpenID Connect.

There is no ID token: who signed in is what GitHub's API says over TLS to the token that our own
code exchange (state and PKCE) gave us. https://docs.github.com/en/apps/oauth-apps
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import requests
from authlib.common.errors import AuthlibBaseError

from marketplace.config import OidcProvider
from marketplace.identity.profiles import Profile, clean_email, clean_name
from marketplace.identity.provider_http import (
    UNREADABLE,
    ProviderRefusedError,
    ProviderUnavailableError,
    open_session,
    read_json_object,
)

SCOPE = "read:user user:email"
SECRET_IN_BODY = "client_secret_post"  # noqa: S105 - the name of a method


@dataclass(frozen=True)
class GitHubEndpoints:
    """Where GitHub is; an Enterprise server has its own addresses."""

    authorize: str
    token: str
    api: str


def endpoints_of(issuer: str) -> GitHubEndpoints:
    """The endpoints of github.com, or of the GitHub Enterprise server that `issuer` names."""
    api = "https://api.github.com" if issuer == "https://github.com" else f"{issuer}/api/v3"
    return GitHubEndpoints(
        authorize=f"{issuer}/login/oauth/authorize",
        token=f"{issuer}/login/oauth/access_token",
        api=api,
    )


class GitHubAdapter:
    """GitHub as a sign-in provider."""

    def __init__(self, settings: OidcProvider, redirect_uri: str) -> None:
        self.settings = settings
        self.name = settings.name
        self.label = settings.label
        self.redirect_uri = redirect_uri
        self._endpoints = endpoints_of(settings.issuer)

    def authorization_url(
        self, *, state: str, nonce: str, code_verifier: str, confirm: bool = False
    ) -> str:
        """Where the browser is sent. GitHub has no nonce; PKCE and the state do its work. It does
        not tell of second factors, so `confirm` proves nothing there."""
        with self._session() as session:
            url, _state = session.create_authorization_url(
                self._endpoints.authorize, state=state, code_verifier=code_verifier
            )
        return str(url)

    def profile(self, answer: Mapping[str, str], *, nonce: str, code_verifier: str) -> Profile:
        """Who signed in. Raises ProviderError."""
        token = self._fetch_token(answer["code"], code_verifier)
        person = read_json_object(self._get("/user", token), "the user")
        number = person.get("id")
        # The id stays when a person renames the account; the login name can pass to another.
        if not isinstance(number, int) or isinstance(number, bool):
            raise ProviderRefusedError("the user has no id")
        email = self._primary_email(token)
        return Profile(
            provider=self.name,
            issuer=self.settings.issuer,
            subject=str(number),
            name=clean_name(person.get("name"), person.get("login")),
            email=email,
            email_verified=email is not None,
        )

    def _primary_email(self, token: str) -> str | None:
        """The primary address if GitHub has verified it; the profile's public one is not proof."""
        response = self._get("/user/emails", token)
        if response.status_code in {403, 404}:
            return None
        if response.status_code != 200:
            raise ProviderUnavailableError(f"the addresses answered {response.status_code}")
        try:
            found = response.json()
        except UNREADABLE as error:
            raise ProviderRefusedError("the addresses are not JSON") from error
        if not isinstance(found, list):
            raise ProviderRefusedError("the addresses are not a list")
        for entry in found:
            if (
                isinstance(entry, dict)
                and entry.get("primary") is True
                and entry.get("verified") is True
            ):
                return clean_email(entry.get("email"))
        return None

    def _fetch_token(self, code: str, code_verifier: str) -> str:
        # GitHub reads the client's secret from the body.
        with self._session(token_endpoint_auth_method=SECRET_IN_BODY) as session:
            try:
                token = session.fetch_token(
                    self._endpoints.token,
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
        access_token = token.get("access_token") if isinstance(token, dict) else None
        if not isinstance(access_token, str):
            raise ProviderRefusedError("there is no access token")
        return access_token

    def _get(self, path: str, token: str) -> requests.Response:
        headers = {
            "Authorization": f"Bearer {token}",
            "Accept": "application/vnd.github+json",
            "X-GitHub-Api-Version": "2022-11-28",
        }
        with self._session() as session:
            try:
                response: requests.Response = session.get(
                    self._endpoints.api + path, withhold_token=True, headers=headers
                )
            except requests.RequestException as error:
                raise ProviderUnavailableError(f"{path}: {type(error).__name__}") from error
        return response

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
