"""The sign-in providers of this installation, as the settings name them."""

from collections.abc import Mapping
from typing import Protocol

from flask import Flask, current_app

from marketplace.config import Settings
from marketplace.identity.github import GitHubAdapter
from marketplace.identity.oidc import OidcAdapter
from marketplace.identity.profiles import Profile

_EXTENSION = "portico_sign_in_providers"


class SignInProvider(Protocol):
    """What a sign-in needs of a provider."""

    name: str
    label: str

    def authorization_url(
        self, *, state: str, nonce: str, code_verifier: str, confirm: bool = False
    ) -> str:
        """Where the browser is sent; `confirm`: to sign in anew. Raises ProviderError."""

    def profile(self, answer: Mapping[str, str], *, nonce: str, code_verifier: str) -> Profile:
        """Who signed in, proven by the answer (with its `code`). Raises ProviderError."""


def setup_providers(app: Flask, settings: Settings) -> None:
    """Build the adapter of each configured provider; nothing is fetched yet."""
    adapters: dict[str, SignInProvider] = {}
    for provider in settings.oidc_providers:
        redirect_uri = f"{settings.public_url}/auth/{provider.name}/callback"
        adapter = GitHubAdapter if provider.name == "github" else OidcAdapter
        adapters[provider.name] = adapter(provider, redirect_uri)
    app.extensions[_EXTENSION] = adapters


def all_providers() -> list[SignInProvider]:
    """The providers in the order of OIDC_PROVIDERS."""
    adapters: dict[str, SignInProvider] = current_app.extensions[_EXTENSION]
    return list(adapters.values())


def find_provider(name: str) -> SignInProvider | None:
    """The provider of that name, if it is configured."""
    adapters: dict[str, SignInProvider] = current_app.extensions[_EXTENSION]
    return adapters.get(name)


def provider_label(name: str) -> str:
    """How a provider is called on pages, also one that is no longer configured."""
    provider = find_provider(name)
    return provider.label if provider is not None else name.replace("_", " ").title()
