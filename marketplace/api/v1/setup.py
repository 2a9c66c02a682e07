"""Mounting the API, its description and the page that shows it."""

import hashlib
import json
from typing import Any

from flask import Blueprint, Flask, Response, current_app, render_template, request
from flask.typing import ResponseReturnValue
from flask_smorest import Api
from flask_wtf.csrf import CSRFProtect

from marketplace.api.v1.answers import add_headers
from marketplace.api.v1.rate import RateLimit
from marketplace.api.v1.reference import describe
from marketplace.api.v1.views import blueprint
from marketplace.config import ConfigError, Settings
from marketplace.core.permissions import public

DESCRIPTION = (
    "What the marketplace lists, for programs. Read only, without a key. Errors are problem "
    "documents (RFC 9457). Answers carry an ETag and may be kept for the seconds of "
    "Cache-Control. Each client address has a number of requests a minute; RateLimit-Remaining "
    "tells what is left, and after too many Retry-After tells when to come again."
)

reference = Blueprint("api_reference", __name__, url_prefix="/api/v1")
reference.after_request(add_headers)


class _Api(Api):  # type: ignore[misc]  # flask-smorest has no types
    """flask-smorest for the description alone: errors are the application's own."""

    def _register_error_handlers(self) -> None:
        """Leave errors to site.error_pages, which knows problem documents."""


def setup_api(app: Flask, csrf: CSRFProtect) -> None:
    """Mount the API under /api/v1."""
    settings: Settings = app.extensions["portico_settings"]
    try:
        limit = RateLimit(settings.rate_limit_api, settings.redis_url)
    except ValueError:
        raise ConfigError("RATE_LIMIT_API is wrong: write it like `120 per minute`.") from None
    app.extensions["portico_api_limit"] = limit
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
    api.register_blueprint(blueprint)
    app.register_blueprint(reference)
    document = _complete(api.spec.to_dict())
    app.extensions["portico_api_document"] = document
    app.extensions["portico_api_json"] = json.dumps(document, ensure_ascii=False, indent=1)


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
