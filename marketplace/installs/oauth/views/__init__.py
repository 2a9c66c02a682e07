"""The pages and the endpoints of the authorization server."""

from marketplace.installs.oauth.views import authorize, machines
from marketplace.installs.oauth.views.blueprints import endpoints, oauth

__all__ = ["authorize", "endpoints", "machines", "oauth"]
