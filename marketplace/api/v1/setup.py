"""Mounting the API, its description and the page that shows it."""

import hashlib
import json
from typing import Any

from flask import Blueprint, Flask, Response, current_app, render_template, request
from flask.typing import ResponseReturnValue
from flask_smorest import Api
from flask_wtf.csrf import CSRFProtect

from marketplace.api.v1.answers import add_headers
from marketplace.api.v1.guides import guides
from marketplace.api.v1.index import index
from marketplace.api.v1.platform import policies, pruning
from marketplace.api.v1.platform.document import extend
from marketplace.api.v1.platform.mounting import blueprint as platform
from marketplace.api.v1.platform.recording import Recorder
from marketplace.api.v1.platform.webhooks import describe_webhooks
from marketplace.api.v1.rate import RateLimit
from marketplace.api.v1.reference import complete_examples, describe
from marketplace.api.v1.views import blueprint
from marketplace.config import ConfigError, Settings
from marketplace.core.permissions import public

DESCRIPTION = (
    "What the marketplace lists, for everybody, and what partners and installed apps work with, "
    "with a token (`Authorization: Bearer …`). Errors are problem documents (RFC 9457). Answers "
    "carry an ETag. Each client address, or token, has a number of requests a minute; "
    "RateLimit-Remaining tells what is left, and after too many Retry-After tells when to come "
    "again. Within version 1 fields and addresses are added, never changed or taken away without "
    "Deprecation and Sunset headers."
)
PERMISSION_RULES = policies.__name__
JOBS = pruning.__name__

reference = Blueprint("api_reference", __name__, url_prefix="/api/v1")
reference.after_request(add_headers)


class _Api(Api):  # type: ignore[misc]  # flask-smorest has no types
    """flask-smorest for the description alone: errors are the application's own."""

    def _register_error_handlers(self) -> None:
        """Leave errors to site.error_pages, which knows problem documents."""


def setup_api(app: Flask, csrf: CSRFProtect) -> None:
    """Mount the API under /api/v1: the anonymous catalogue, and the platform with tokens."""
    settings: Settings = app.extensions["portico_settings"]
    app.extensions["portico_api_limit"] = _limit(settings, "rate_limit_api")
    app.extensions["portico_token_limit"] = _limit(settings, "rate_limit_token")
    app.extensions["portico_recorder"] = Recorder(app, runs=settings.portico_env != "test")
    app.config.update(
        API_TITLE=f"{settings.site_name} API", API_VERSION="1", OPENAPI_VERSION="3.1.0"
    )
    api = _Api(
        app,
        spec_kwargs={
            "info": {"description": DESCRIPTION},
            "servers": [{"url": settings.public_url}],
        },
    )
    csrf.exempt(blueprint)
    csrf.exempt(platform)
    api.register_blueprint(blueprint)
    app.register_blueprint(platform)
    app.register_blueprint(reference)
    app.register_blueprint(index)
    app.register_blueprint(guides)
    document = _complete(api.spec.to_dict())
    extend(document, settings.public_url)
    complete_examples(document)
    document["webhooks"] = describe_webhooks()
    app.extensions["portico_api_document"] = document
    app.extensions["portico_api_json"] = json.dumps(document, ensure_ascii=False, indent=1)


def _limit(settings: Settings, name: str) -> RateLimit:
    try:
        return RateLimit(getattr(settings, name), settings.redis_url)
    except ValueError:
        raise ConfigError(f"{name.upper()} is wrong: write it like `120 per minute`.") from None


def _complete(document: dict[str, Any]) -> dict[str, Any]:
    """The description without what flask-smorest adds unasked."""
    document["tags"] = [
        {"name": "Listings", "description": "Apps, integrations, services and templates."},
        {"name": "Categories", "description": "What listings are filed under."},
        {"name": "Publishers", "description": "The partners who publish them."},
    ]
    for item in document["paths"].values():
        for operation in item.values():
            if isinstance(operation, dict):
                operation.get("responses", {}).pop("default", None)
    return document


@reference.get("/openapi.json")
@public("the API's description")
def openapi_json() -> ResponseReturnValue:
    """The description as JSON."""
    text: str = current_app.extensions["portico_api_json"]
    response = Response(text, content_type="application/json")
    response.set_etag(hashlib.sha256(text.encode()).hexdigest()[:24])
    response.headers["Cache-Control"] = "public, max-age=300"
    return response.make_conditional(request)


@reference.get("/docs")
@public("the API's description")
def docs() -> ResponseReturnValue:
    """The description as a page."""
    document = current_app.extensions["portico_api_document"]
    return render_template("api/reference.html", reference=describe(document))
