"""Who is part of the application, and who reacts to which event: one readable list."""

from flask import Flask
from flask_wtf.csrf import CSRFProtect

from marketplace.api.v1.setup import setup_api
from marketplace.catalogue.changes import publisher_changed
from marketplace.catalogue.curation.views import curation
from marketplace.catalogue.discovery import views as discovery
from marketplace.catalogue.engagement.views import engagement, requests
from marketplace.catalogue.events import on_listing_decided, on_review_posted
from marketplace.catalogue.indexing.jobs import setup_indexing
from marketplace.catalogue.pages.contributions import contribute_to_listing_pages
from marketplace.catalogue.pages.views import blueprint as catalogue
from marketplace.catalogue.publishing.views import blueprint as portal
from marketplace.catalogue.reviewing.views import blueprint as reviewing
from marketplace.core.worker import run_beside_worker
from marketplace.identity.events import on_member_gone, on_organization_changed
from marketplace.identity.menu import count_beside_apps
from marketplace.identity.views import blueprint as identity
from marketplace.installs import models as _installs_models  # noqa: F401 - its tables
from marketplace.installs.customer.listing_panel import install_panel, scope_words
from marketplace.installs.customer.queries.requests import waiting as waiting_requests
from marketplace.installs.customer.services.offering import offer_updates_later
from marketplace.installs.customer.services.requests import withdraw_requests_of
from marketplace.installs.customer.views import installs, installs_staff
from marketplace.installs.developer.views import blueprint as developer
from marketplace.installs.health import jobs as _health_jobs  # noqa: F401 - its jobs
from marketplace.installs.health.panel import health_panel
from marketplace.installs.health.views import blueprint as app_health
from marketplace.installs.oauth import jobs as _oauth_jobs  # noqa: F401 - its daily job
from marketplace.installs.oauth.views import endpoints as oauth_endpoints
from marketplace.installs.oauth.views import oauth
from marketplace.installs.webhooks import jobs as _webhooks_jobs  # noqa: F401 - its jobs
from marketplace.installs.webhooks.catalogue_events import (
    tell_listing_decided,
    tell_review_posted,
)
from marketplace.installs.webhooks.dispatcher import run_until_stopped as deliver_webhooks
from marketplace.installs.webhooks.views import blueprint as webhooks
from marketplace.site.health import blueprint as health
from marketplace.site.media import blueprint as media
from marketplace.site.staff import blueprint as staff
from marketplace.site.views import blueprint as site


def register_blueprints(app: Flask, csrf: CSRFProtect) -> None:
    """Mount every blueprint. The API authenticates by itself and needs no CSRF token."""
    for blueprint in (
        health,
        identity,
        media,
        engagement,
        requests,
        curation,
        staff,
        site,
        catalogue,
        portal,
        reviewing,
        developer,
        discovery.blueprint,
        installs,
        installs_staff,
        webhooks,
        app_health,
        oauth,
        oauth_endpoints,
    ):
        app.register_blueprint(blueprint)
    discovery.exempt_from_csrf(csrf)
    csrf.exempt(oauth_endpoints)
    setup_api(app, csrf)


def connect(app: Flask) -> None:
    """Connect what must know of each other across domains."""
    setup_indexing(app)
    on_organization_changed(publisher_changed)
    on_member_gone(withdraw_requests_of)
    count_beside_apps(waiting_requests)
    on_review_posted(tell_review_posted)
    contribute_to_listing_pages(install_panel, scope_words, health_panel)
    on_listing_decided(tell_listing_decided, offer_updates_later)
    run_beside_worker(deliver_webhooks)
