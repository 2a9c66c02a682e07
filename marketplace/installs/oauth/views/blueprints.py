"""Two blueprints: what people see, and what machines call."""

from flask import Blueprint

oauth = Blueprint("oauth", __name__)
# Clients authenticate by themselves and send no cookies: no CSRF token.
endpoints = Blueprint("oauth_endpoints", __name__)
