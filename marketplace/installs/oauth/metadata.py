"""What the server says of itself (RFC 8414), from which a stock client works."""

from typing import Any

from sqlalchemy import select

from marketplace.core.database import db
from marketplace.installs.models import Scope
from marketplace.installs.oauth.answers import issuer
from marketplace.installs.oauth.clients import BASIC, NONE, POST
from marketplace.installs.scopes import CUSTOMER_SCOPES, PARTNER_SCOPES


def metadata() -> dict[str, Any]:
    """The metadata document. One query, for the operator's scopes."""
    base = issuer()
    operators = db.session.scalars(select(Scope.name).order_by(Scope.name))
    return {
        "issuer": base,
        "authorization_endpoint": f"{base}/oauth/authorize",
        "token_endpoint": f"{base}/oauth/token",
        "revocation_endpoint": f"{base}/oauth/revoke",
        "introspection_endpoint": f"{base}/oauth/introspect",
        "pushed_authorization_request_endpoint": f"{base}/oauth/par",
        "require_pushed_authorization_requests": False,
        "response_types_supported": ["code"],
        "response_modes_supported": ["query"],
        "grant_types_supported": ["authorization_code", "refresh_token", "client_credentials"],
        "code_challenge_methods_supported": ["S256"],
        "token_endpoint_auth_methods_supported": [BASIC, POST, NONE],
        "revocation_endpoint_auth_methods_supported": [BASIC, POST, NONE],
        "introspection_endpoint_auth_methods_supported": [BASIC, POST],
        "authorization_response_iss_parameter_supported": True,
        "scopes_supported": [*CUSTOMER_SCOPES, *operators, *PARTNER_SCOPES],
    }
