"""create_app(): settings in, a whole application out."""

import logging
from typing import Any
from urllib.parse import urlsplit

from flask import Flask, Request
from flask.sessions import SecureCookieSession, SecureCookieSessionInterface
from flask_limiter import Limiter
from flask_migrate import Migrate
from flask_wtf.csrf import CSRFProtect
from sqlalchemy.engine import make_url
from werkzeug.middleware.proxy_fix import ProxyFix
from werkzeug.routing import IntegerConverter, Map

from billing.gateway import StripeSettings, configure_gateway
from billing.payouts.alerts import configure_run_interval
from billing.periods import configure_close
from billing.seller import Seller, configure_seller
from marketplace import cli, wiring
from marketplace.accreditation.verification.records import DnsResolver, resolve_with
from marketplace.config import ROOT, Settings, load_settings, sqlalchemy_url
from marketplace.core.database import db
from marketplace.core.limits import limiter
from marketplace.core.logging import configure_logging, setup_request_log
from marketplace.core.mail import (
    ConsoleBackend,
    FileBackend,
    MailBackend,
    SmtpBackend,
    configure_mail,
)
from marketplace.core.metrics import setup_metrics
from marketplace.core.outbound import configure_outbound
from marketplace.core.sealing import configure_sealing
from marketplace.core.security_headers import setup_security_headers
from marketplace.core.storage import open_storage
from marketplace.core.unit_of_work import UnitOfWorkFlask
from marketplace.core.worker import open_queue, setup_worker
from marketplace.identity.sessions import setup_sessions
from marketplace.program.hosts.guard import refuse_unreadable_hosts, setup_hosts
from marketplace.sales.stripe.card_guard import setup_card_guard
from marketplace.site.error_pages import setup_error_pages
from marketplace.site.template_globals import setup_templates
from search.factory import build_engine

log = logging.getLogger(__name__)
MAX_REQUEST_BYTES = 16 * 1024 * 1024

csrf = CSRFProtect()
migrate = Migrate(directory=str(ROOT / "migrations"), render_as_batch=True, compare_type=True)


class Sessions(SecureCookieSessionInterface):
    """Flask's own, which makes a signer for every request, with and without a cookie to check."""

    def open_session(self, app: Flask, request: Request) -> SecureCookieSession | None:
        if self.get_cookie_name(app) not in request.environ.get("HTTP_COOKIE", ""):
            return self.session_class()
        return super().open_session(app, request)


class IdConverter(IntegerConverter):
    """Whole numbers in an address, up to what a BIGINT holds; more is an address of nothing."""

    def __init__(
        self, url_map: Map, fixed_digits: int = 0, min: int | None = 0, max: int | None = None
    ) -> None:
        super().__init__(url_map, fixed_digits, min, max if max is not None else 2**63 - 1)


def create_app(settings: Settings | None = None) -> Flask:
    """Build the application. Raises ConfigError (naming the variable) when a setting is wrong."""
    settings = settings or load_settings()
    if settings.portico_env != "test":
        configure_logging(settings.log_format)
    app = UnitOfWorkFlask(
        "portico",
        root_path=str(ROOT),
        template_folder=str(ROOT / "templates"),
        static_folder=str(ROOT / "static"),
    )
    app.session_interface = Sessions()
    app.extensions["portico_settings"] = settings
    _configure_flask(app, settings)
    setup_request_log(app)
    setup_metrics(app)
    _setup_database(app, settings)
    setup_sessions(app)
    setup_hosts(app, settings)
    csrf.init_app(app)
    setup_card_guard(app)
    _setup_limits(app, settings)
    setup_security_headers(app, https=settings.is_https, form_action=_form_action(settings))
    _setup_outside(app, settings)
    setup_templates(app, settings)
    setup_error_pages(app)
    wiring.register_blueprints(app, csrf)
    wiring.connect(app)
    cli.register_commands(app)
    return app


def _configure_flask(app: Flask, settings: Settings) -> None:
    parts = urlsplit(settings.public_url)
    app.config.update(
        SECRET_KEY=settings.secret_key,
        SITE_NAME=settings.site_name,
        PUBLIC_URL=settings.public_url,
        PREFERRED_URL_SCHEME=parts.scheme,
        MAX_CONTENT_LENGTH=MAX_REQUEST_BYTES,
        MAX_FORM_MEMORY_SIZE=2 * 1024 * 1024,
        MAX_FORM_PARTS=2_000,
        SESSION_COOKIE_NAME="portico_form",
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_COOKIE_SECURE=settings.is_https,
        WTF_CSRF_TIME_LIMIT=None,
        WTF_CSRF_SSL_STRICT=settings.is_https,
        WTF_CSRF_CHECK_DEFAULT=True,
        TESTING=settings.portico_env == "test",
    )
    app.url_map.converters["int"] = IdConverter
    app.jinja_env.trim_blocks = True
    app.jinja_env.lstrip_blocks = True
    app.wsgi_app = refuse_unreadable_hosts(app.wsgi_app)  # type: ignore[method-assign, assignment]  # as Flask documents it
    if settings.trusted_proxies:
        count = settings.trusted_proxies
        app.wsgi_app = ProxyFix(  # type: ignore[method-assign]  # the way Flask documents it
            app.wsgi_app, x_for=count, x_proto=count, x_host=count
        )


def _setup_database(app: Flask, settings: Settings) -> None:
    url = sqlalchemy_url(settings.database_url)
    options: dict[str, Any] = {}
    if url.startswith("sqlite"):
        database = make_url(url).database
        if database and database != ":memory:":
            settings.data_dir.mkdir(parents=True, exist_ok=True)
        options["connect_args"] = {"timeout": 5}
    else:
        options |= {
            "pool_pre_ping": True,
            "pool_size": 8,
            "max_overflow": 8,
            "pool_timeout": 5,
            "connect_args": {"connect_timeout": 3, "options": "-c statement_timeout=15000"},
        }
    app.config["SQLALCHEMY_DATABASE_URI"] = url
    app.config["SQLALCHEMY_ENGINE_OPTIONS"] = options
    db.init_app(app)
    migrate.init_app(app, db)


def _setup_limits(app: Flask, settings: Settings) -> None:
    app.config["RATELIMIT_STORAGE_URI"] = settings.redis_url or "memory://"
    if settings.redis_url:
        app.config["RATELIMIT_STORAGE_OPTIONS"] = {
            "socket_connect_timeout": 1,
            "socket_timeout": 1,
        }
    app.config["RATELIMIT_IN_MEMORY_FALLBACK_ENABLED"] = True
    app.config["RATELIMIT_IN_MEMORY_FALLBACK"] = []
    app.config["RATELIMIT_HEADERS_ENABLED"] = False
    configured: Limiter = limiter
    configured.init_app(app)


def _form_action(settings: Settings) -> str:
    """A form that starts a sign-in is redirected to its provider; the policy must name it."""
    origins = {"'self'"}
    for provider in settings.oidc_providers:
        parts = urlsplit(provider.issuer)
        origins.add(f"{parts.scheme}://{parts.netloc}")
    return " ".join(sorted(origins))


def configure_process(settings: Settings) -> None:
    """Set what a process has once, for the application that it runs: how it sends mail, whom it
    may call, and the keys that it seals with."""
    configure_mail(_mail_backend(settings), settings.mail_from)
    configure_outbound(settings.outbound_allowed_networks)
    resolve_with(DnsResolver(settings.name_servers))
    configure_sealing(settings.secret_key, settings.secret_key_previous)
    configure_gateway(
        StripeSettings(
            api_key=settings.stripe_api_key or "",
            api_base=settings.stripe_api_base,
            webhook_secrets=settings.stripe_webhook_secrets,
        )
    )
    configure_seller(
        Seller(
            name=settings.seller_name or settings.site_name,
            country=settings.seller_country,
            address=settings.seller_address,
            tax_id=settings.seller_tax_id,
            grace_days=settings.payment_grace_days,
        )
    )
    configure_close(settings.close_tolerance)
    configure_run_interval(settings.payout_run_every_days)


def _setup_outside(app: Flask, settings: Settings) -> None:
    configure_process(settings)
    app.extensions["portico_storage"] = open_storage(
        settings.data_dir,
        storage_url=settings.storage_url,
        endpoint=settings.s3_endpoint,
        region=settings.s3_region,
        access_key_id=settings.s3_access_key_id,
        secret_access_key=settings.s3_secret_access_key,
    )
    app.extensions["portico_search"] = build_engine(
        settings.meilisearch_url, settings.meilisearch_api_key, settings.data_dir / "search"
    )
    setup_worker(app, open_queue(settings.data_dir, settings.redis_url))


def _mail_backend(settings: Settings) -> MailBackend:
    if settings.mail_backend == "smtp" and settings.smtp_host is not None:
        return SmtpBackend(
            settings.smtp_host,
            settings.smtp_port,
            settings.smtp_tls,
            settings.smtp_username,
            settings.smtp_password,
        )
    if settings.mail_backend == "file":
        return FileBackend(settings.data_dir / "mail")
    return ConsoleBackend()
