"""Who is part of the application, and who reacts to which event: one readable list."""

from flask import Flask
from flask_wtf.csrf import CSRFProtect

from marketplace.catalogue.engagement.views import engagement, requests
from marketplace.site.health import blueprint as health
from marketplace.site.media import blueprint as media


def register_blueprints(app: Flask, csrf: CSRFProtect) -> None:
    """Mount every blueprint. The API authenticates by itself and needs no CSRF token."""
    for blueprint in (
        health,
        media,
        engagement,
        requests,
    ):
        app.register_blueprint(blueprint)


def connect(app: Flask) -> None:
    """Connect what must know of each other across domains."""
