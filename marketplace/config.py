"""Typed settings from the environment. The application refuses to start when one is wrong.

Every setting is explained in .env.example.
"""

import ipaddress
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

PRESETS: dict[str, tuple[str, str]] = {
    # name: (issuer, label). GitHub is OAuth only, see identity/providers.py.
    "github": ("https://github.com", "GitHub"),
    "google": ("https://accounts.google.com", "Google"),
    "microsoft": ("https://login.microsoftonline.com/common/v2.0", "Microsoft"),
}
ROOT = Path(__file__).resolve().parent.parent
WEAK_SECRETS = {"secret", "changeme", "change-me", "dev", "development", "demo", "test", "portico"}


class ConfigError(SystemExit):
    """A setting is wrong. The message names the variable and says what to do."""


class OidcProvider(BaseModel):
    """One sign-in provider."""

    model_config = ConfigDict(frozen=True)

    name: str
    label: str
    issuer: str
    client_id: str
    client_secret: str = Field(repr=False)
    # Values of `acr` that mean two factors, asked for when a second factor is needed.
    mfa_acr: tuple[str, ...] = ()


class Settings(BaseModel):
    """All settings. Field names are the environment variables in lower case."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    portico_env: Literal["production", "demo", "test"] = "production"
    secret_key: str = Field(repr=False)
    public_url: str
    site_name: str = Field(default="Portico", min_length=1, max_length=60)
    database_url: str
    data_dir: Path
    meilisearch_url: str | None = None
    meilisearch_api_key: str | None = Field(default=None, repr=False)
    redis_url: str | None = Field(default=None, repr=False)
    oidc_providers: tuple[OidcProvider, ...] = ()
    payout_second_factor: Literal["required", "off"] = "required"
    mail_backend: Literal["console", "file", "smtp"] = "console"
    mail_from: str = "portico@localhost"
    smtp_host: str | None = None
    smtp_port: int = Field(default=587, ge=1, le=65_535)
    smtp_username: str | None = None
    smtp_password: str | None = Field(default=None, repr=False)
    smtp_tls: Literal["starttls", "tls", "none"] = "starttls"
    storage_url: str | None = None
    s3_endpoint: str | None = None
    s3_region: str | None = None
    s3_access_key_id: str | None = None
    s3_secret_access_key: str | None = Field(default=None, repr=False)
    trusted_proxies: int = Field(default=0, ge=0, le=5)
    log_format: Literal["json", "console"] = "json"
    rate_limit_api: str = "1200 per minute"
    rate_limit_token: str = "600 per minute"  # noqa: S105 - a rate, no secret
    uncertified_install_cap: int = Field(default=25, ge=0, le=1_000_000)
    outbound_allowed_networks: tuple[str, ...] = ()
    # Addresses of DNS servers, each with an optional port: 9.9.9.9 or 127.0.0.1:5353.
    dns_servers: tuple[str, ...] = ()
    secret_key_previous: str | None = Field(default=None, repr=False)
    staff_emails: tuple[str, ...] = ()
    # Hosts that are answered beside that of PUBLIC_URL, such as www.example.com.
    allowed_hosts: tuple[str, ...] = ()
    seller_name: str | None = Field(default=None, max_length=120)
    seller_address: str = Field(default="", max_length=300)
    seller_country: str | None = None
    seller_tax_id: str = Field(default="", max_length=40)
    payout_run_every_days: int = Field(default=31, ge=1, le=366)
    payment_grace_days: int = Field(default=7, ge=0, le=90)
    close_tolerance: int = Field(default=0, ge=0, le=1_000_000)
    metrics_token: str | None = Field(default=None, repr=False)
    stripe_api_key: str | None = Field(default=None, repr=False)
    stripe_api_base: str | None = None
    stripe_webhook_secret: str | None = Field(default=None, repr=False)
    stripe_connect_webhook_secret: str | None = Field(default=None, repr=False)

    @field_validator("public_url")
    @classmethod
    def _absolute_url(cls, value: str) -> str:
        if not re.fullmatch(r"https?://[^/\s?#]+", value.rstrip("/")):
            raise ValueError("must be an absolute http(s) URL without a path")
        return value.rstrip("/")

    @field_validator("meilisearch_url", "s3_endpoint", "stripe_api_base")
    @classmethod
    def _http_url(cls, value: str | None) -> str | None:
        if value and not re.fullmatch(r"https?://[^/\s?#]\S*", value):
            raise ValueError("must begin with http:// or https:// and name a host")
        return value

    @field_validator("stripe_api_key")
    @classmethod
    def _stripe_key(cls, value: str | None) -> str | None:
        if value and not re.fullmatch(r"[sr]k_(test|live)_\w{6,}", value):
            raise ValueError("must be a secret or restricted key, like sk_test_…")
        return value

    @field_validator("stripe_webhook_secret", "stripe_connect_webhook_secret")
    @classmethod
    def _webhook_secret(cls, value: str | None) -> str | None:
        if value and not re.fullmatch(r"whsec_\S{8,}", value):
            raise ValueError("must be an endpoint's signing secret, like whsec_…")
        return value

    @field_validator("redis_url")
    @classmethod
    def _redis_address(cls, value: str | None) -> str | None:
        if value and not re.fullmatch(r"rediss?://[^/\s]\S*", value):
            raise ValueError("must begin with redis:// or rediss:// and name a server")
        return value

    @field_validator("storage_url")
    @classmethod
    def _bucket(cls, value: str | None) -> str | None:
        if value and not re.fullmatch(r"s3://[^/\s]\S*", value):
            raise ValueError("must be like s3://bucket/prefix")
        return value

    @field_validator("seller_country")
    @classmethod
    def _country_code(cls, value: str | None) -> str | None:
        if value and not re.fullmatch(r"[A-Z]{2}", value):
            raise ValueError("must be two capital letters like DE")
        return value

    @field_validator("staff_emails")
    @classmethod
    def _addresses(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for address in value:
            if not re.fullmatch(r"[^@\s]+@[^@\s]+", address):
                raise ValueError(f"{address!r} is no e-mail address")
        return value

    @field_validator("outbound_allowed_networks")
    @classmethod
    def _networks(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for network in value:
            try:
                ipaddress.ip_network(network)
            except ValueError:
                raise ValueError(f"{network!r} is no network like 10.0.0.0/8") from None
        return value

    @field_validator("dns_servers")
    @classmethod
    def _name_servers(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for server in value:
            _name_server(server)
        return value

    @property
    def name_servers(self) -> tuple[tuple[str, int], ...]:
        """The DNS servers as addresses and ports."""
        return tuple(_name_server(server) for server in self.dns_servers)

    @property
    def is_production(self) -> bool:
        return self.portico_env == "production"

    @property
    def stripe_webhook_secrets(self) -> tuple[str, ...]:
        """The signing secrets of our endpoints at Stripe."""
        both = (self.stripe_webhook_secret, self.stripe_connect_webhook_secret)
        return tuple(secret for secret in both if secret)

    @property
    def is_https(self) -> bool:
        return self.public_url.startswith("https://")


def load_settings(environ: Mapping[str, str] | None = None) -> Settings:
    """Read the settings from `environ` (the process environment by default).

    Raises ConfigError that names the variable which is missing or wrong.
    """
    env = {
        key: value.strip() for key, value in (os.environ if environ is None else environ).items()
    }
    values: dict[str, object] = {
        name: env[name.upper()] for name in Settings.model_fields if env.get(name.upper())
    }
    mode = str(values.get("portico_env", "production"))
    data_dir = Path(str(values.get("data_dir", ROOT / "instance")))
    values["data_dir"] = data_dir.resolve()
    if mode == "production":
        for name in ("secret_key", "public_url", "database_url"):
            if name not in values:
                raise ConfigError(f"{name.upper()} is not set; production needs it.")
    values.setdefault("secret_key", "portico-demo-key-not-for-production")
    values.setdefault("public_url", "http://127.0.0.1:8000")
    values.setdefault("database_url", f"sqlite:///{data_dir.resolve()}/portico.db")
    values["staff_emails"] = tuple(_names(env.get("STAFF_EMAILS", "")))
    values["allowed_hosts"] = tuple(_names(env.get("ALLOWED_HOSTS", "")))
    values["outbound_allowed_networks"] = tuple(_names(env.get("OUTBOUND_ALLOWED_NETWORKS", "")))
    values["dns_servers"] = tuple(_names(env.get("DNS_SERVERS", "")))
    values["oidc_providers"] = tuple(_providers(env))
    try:
        settings = Settings.model_validate(values)
    except ValidationError as error:
        first = error.errors()[0]
        name = str(first["loc"][0]).upper() if first["loc"] else "settings"
        raise ConfigError(
            f"{name} is wrong: {first['msg'].removeprefix('Value error, ')}."
        ) from None
    _refuse_unsafe(settings)
    return settings


def _name_server(text: str) -> tuple[str, int]:
    address, _, port = text.rpartition(":") if text.count(":") == 1 else (text, "", "53")
    try:
        return str(ipaddress.ip_address(address)), int(port)
    except ValueError:
        raise ValueError(f"{text!r} is no DNS server like 9.9.9.9 or 127.0.0.1:5353") from None


def _names(text: str) -> list[str]:
    return [part.strip().lower() for part in text.split(",") if part.strip()]


def _providers(env: Mapping[str, str]) -> list[OidcProvider]:
    providers = []
    for name in _names(env.get("OIDC_PROVIDERS", "")):
        if not re.fullmatch(r"[a-z][a-z0-9_]{0,30}", name):
            raise ConfigError(f"OIDC_PROVIDERS is wrong: {name!r} is not a name like `acme`.")
        prefix = f"OIDC_{name.upper()}_"
        preset_issuer, preset_label = PRESETS.get(name, ("", name.replace("_", " ").title()))
        issuer = env.get(prefix + "ISSUER") or preset_issuer
        for part, value in (
            ("ISSUER", issuer),
            ("CLIENT_ID", env.get(prefix + "CLIENT_ID")),
            ("CLIENT_SECRET", env.get(prefix + "CLIENT_SECRET")),
        ):
            if not value:
                raise ConfigError(f"{prefix}{part} is not set; the provider {name!r} needs it.")
        providers.append(
            OidcProvider(
                name=name,
                label=env.get(prefix + "LABEL") or preset_label,
                issuer=issuer.rstrip("/"),
                client_id=env[prefix + "CLIENT_ID"],
                client_secret=env[prefix + "CLIENT_SECRET"],
                mfa_acr=tuple(env.get(prefix + "MFA_ACR", "").split()),
            )
        )
    return providers


def _refuse_unsafe(settings: Settings) -> None:
    if not settings.database_url.startswith(
        ("sqlite:///", "postgresql://", "postgresql+psycopg://")
    ):
        raise ConfigError("DATABASE_URL is wrong: it must begin with sqlite:/// or postgresql://.")
    if settings.mail_backend == "smtp" and not settings.smtp_host:
        raise ConfigError("SMTP_HOST is not set; MAIL_BACKEND=smtp needs it.")
    if settings.stripe_api_key and not settings.stripe_webhook_secrets:
        raise ConfigError("STRIPE_WEBHOOK_SECRET is not set; STRIPE_API_KEY needs it.")
    if not settings.is_production:
        return
    if settings.stripe_api_base:
        raise ConfigError(
            "STRIPE_API_BASE is set; it is for the sandbox of the demo and of tests alone."
        )
    key = settings.secret_key
    if len(key) < 32 or len(set(key)) < 10 or key.lower() in WEAK_SECRETS or "demo" in key.lower():
        raise ConfigError(
            "SECRET_KEY is too weak for production: use 32 or more random characters, for example "
            'from `python3 -c "import secrets; print(secrets.token_urlsafe(48))"`.'
        )
    for provider in settings.oidc_providers:
        local = re.match(r"https?://(localhost|127\.|\[::1\])", provider.issuer)
        if provider.name == "demo" or (local and not settings.public_url.startswith("http://127.")):
            raise ConfigError(
                f"OIDC_PROVIDERS is wrong: {provider.name!r} is a demo provider; "
                "production refuses it."
            )
        if provider.issuer.startswith("http://") and not local:
            raise ConfigError(f"OIDC_{provider.name.upper()}_ISSUER is wrong: it must be https.")


def sqlalchemy_url(database_url: str) -> str:
    """The SQLAlchemy form of DATABASE_URL: PostgreSQL through psycopg 3."""
    if database_url.startswith("postgresql://"):
        return "postgresql+psycopg://" + database_url.removeprefix("postgresql://")
    return database_url
