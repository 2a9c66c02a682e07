"""Where programs find the API: APIs.json, the metadata of the protected resource, the changelog."""

import hashlib
import json
from functools import lru_cache
from typing import Any

from flask import Blueprint, Response, current_app, render_template, request, url_for
from flask.typing import ResponseReturnValue

from marketplace.api.v1.answers import add_headers
from marketplace.config import ROOT, Settings
from marketplace.core.markdown import render_markdown
from marketplace.core.permissions import public
from marketplace.installs.scopes import CUSTOMER_SCOPES, PARTNER_SCOPES

index = Blueprint("api_index", __name__)
index.after_request(add_headers)
CHANGELOG = ROOT / "docs" / "api-changelog.md"


@index.get("/apis.json")
@public("the index of what is public")
def apis_json() -> ResponseReturnValue:
    """The APIs of this site (https://apisjson.org, 0.19)."""
    return _json(_apis())


@index.get("/.well-known/oauth-protected-resource/api/v1")
@public("metadata for clients that have no token yet")
def protected_resource() -> ResponseReturnValue:
    """What the API is to an OAuth client (RFC 9728)."""
    base = current_app.config["PUBLIC_URL"]
    return _json(
        {
            "resource": f"{base}/api/v1",
            "resource_name": f"{current_app.config['SITE_NAME']} API",
            "authorization_servers": [base],
            "scopes_supported": [*CUSTOMER_SCOPES, *PARTNER_SCOPES],
            "bearer_methods_supported": ["header"],
            "resource_documentation": f"{base}/api/v1/docs",
        }
    )


@index.get("/api/v1/changelog")
@public("what changed in the API")
def changelog() -> ResponseReturnValue:
    """What changed in the API, and what will go away."""
    return render_template("api/changelog.html", text=render_markdown(_changelog()))


@lru_cache(maxsize=1)
def _changelog() -> str:
    text = CHANGELOG.read_text(encoding="utf-8")
    # The page has its own title.
    return text.partition("\n")[2] if text.startswith("# ") else text


def _json(body: dict[str, Any]) -> Response:
    data = json.dumps(body, ensure_ascii=False, indent=1)
    response = Response(data, content_type="application/json")
    response.set_etag(hashlib.sha256(data.encode()).hexdigest()[:24])
    response.headers["Cache-Control"] = "public, max-age=300"
    response.make_conditional(request)
    return response


def _apis() -> dict[str, Any]:
    base = current_app.config["PUBLIC_URL"]
    settings: Settings = current_app.extensions["portico_settings"]
    name = settings.site_name
    documentation = [
        {"type": "OpenAPI", "url": f"{base}/api/v1/openapi.json"},
        {"type": "Documentation", "url": f"{base}/api/v1/docs"},
        {"type": "ChangeLog", "url": f"{base}/api/v1/changelog"},
    ]
    signing_in = [
        {"type": "Authentication", "url": f"{base}/.well-known/oauth-authorization-server"},
        {"type": "SignUp", "url": f"{base}{url_for('identity.login')}"},
    ]
    return {
        "aid": f"{_host(base)}:portico",
        "name": name,
        "description": f"The APIs of {name}: its catalogue, and what partners build on it.",
        "type": "Index",
        "url": f"{base}/apis.json",
        "created": "2026-11-28",
        "modified": "2026-11-28",
        "specificationVersion": "0.19",
        "tags": ["marketplace", "integrations", "partners"],
        "apis": [
            {
                "aid": f"{_host(base)}:catalogue",
                "name": f"{name} catalogue",
                "description": "What the marketplace lists. Read only, without a token.",
                "humanURL": f"{base}/api/v1/docs",
                "baseURL": f"{base}/api/v1",
                "tags": ["catalogue"],
                "properties": documentation,
            },
            {
                "aid": f"{_host(base)}:platform",
                "name": f"{name} platform",
                "description": "For installed apps and for partners: listings, installations, "
                "events, reviews, figures. With a token.",
                "humanURL": f"{base}/api/v1/docs",
                "baseURL": f"{base}/api/v1",
                "tags": ["platform"],
                "properties": [*documentation, *signing_in],
            },
        ],
        "maintainers": [{"FN": name, "url": base}],
        "common": [{"type": "Website", "url": base}, *signing_in],
    }


def _host(base: str) -> str:
    return str(base).partition("://")[2]
