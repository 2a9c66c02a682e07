"""Visitors who came by an affiliate: a cookie of our own, only with consent, and what it tells.

The cookie holds a random token; its hash stands at the clicks that it followed. Who did not agree
has no cookie: the click's signed token then travels in the address alone.
"""

import hashlib
import hmac
import secrets
from urllib.parse import urlencode

from flask import Response, current_app, g, has_request_context, request
from itsdangerous import BadSignature, URLSafeTimedSerializer

from billing.affiliate import LONGEST_WINDOW_DAYS, Touch
from billing.affiliates.attributing import attribute
from billing.affiliates.clicks import touches_of_click, touches_of_leads, touches_of_visitor
from marketplace.core import clock
from marketplace.core.database import db
from marketplace.identity.models import Organization, OrganizationKind
from marketplace.sales.affiliates.queries.people import verified_addresses_of

COOKIE = "portico_visitor"
# The address parameter that carries a click on to the page that the link leads to.
PARAMETER = "via"
_TOKEN_DAYS = LONGEST_WINDOW_DAYS


def remember_visitor(organization_id: int) -> None:
    """Attribute the organization to the affiliates that this browser came by.

    Reads the cookie and the address of the current request, and the leads that affiliates' servers
    registered for the organization's people. Harmless to repeat, and outside of a request.
    Partners' sandboxes and the platform itself are never attributed.
    """
    organization = db.session.get(Organization, organization_id)
    if (
        organization is None
        or organization.kind is OrganizationKind.PLATFORM
        or organization.sandbox_of_id is not None
    ):
        return
    touches: list[Touch] = []
    if has_request_context():
        visitor = visitor_hash()
        if visitor is not None:
            touches += touches_of_visitor(visitor)
        click_id = click_of(request.args.get(PARAMETER, "")) or g.get("portico_click_id")
        if click_id is not None:
            touches += touches_of_click(click_id)
    hashes = {address_hash_of(each) for each in verified_addresses_of(organization_id)}
    touches += touches_of_leads(hashes, before=organization.created_at)
    attribute(organization_id, touches)


def visitor_hash() -> str | None:
    """The hash of the visitor's token, None without the cookie."""
    token = _token()
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest() if token else None


def is_remembered_for(organization_id: int) -> bool:
    """Whether this browser's clicks were looked at for that organization, since the last click."""
    return request.cookies.get(COOKIE, "").partition(".")[2] == str(organization_id)


def set_cookie(response: Response, *, remembered_for: int | None = None) -> str:
    """Give the browser a token, or let it keep the one it has; the token's hash.

    Only after the visitor agreed. It lives as long as the longest window; what a click is worth
    after its program's window, the server decides. `remembered_for` saves looking again at every
    page.
    """
    token = _token() or secrets.token_urlsafe(24)
    response.set_cookie(
        COOKIE,
        token if remembered_for is None else f"{token}.{remembered_for}",
        max_age=LONGEST_WINDOW_DAYS * 86_400,
        httponly=True,
        samesite="Lax",
        secure=current_app.config["SESSION_COOKIE_SECURE"],
    )
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()


def forget(response: Response) -> None:
    """Take the cookie back."""
    response.delete_cookie(
        COOKIE, httponly=True, samesite="Lax", secure=current_app.config["SESSION_COOKIE_SECURE"]
    )


def _token() -> str:
    """The cookie's token; empty without one that could be ours."""
    token = request.cookies.get(COOKIE, "").partition(".")[0]
    return token if 20 <= len(token) <= 64 else ""


def asked_not_to_be_followed() -> bool:
    """Whether the browser says so by itself: Global Privacy Control, or Do Not Track."""
    return request.headers.get("Sec-GPC") == "1" or request.headers.get("DNT") == "1"


def token_of(click_id: int) -> str:
    """The signed token that carries a click in an address."""
    return str(_serializer().dumps(click_id))


def click_of(token: str) -> int | None:
    """The click of a token; None when it was changed or is too old."""
    if not token or len(token) > 200:
        return None
    try:
        found = _serializer().loads(token, max_age=_TOKEN_DAYS * 86_400)
    except BadSignature:
        return None
    return found if isinstance(found, int) else None


def daily_address_hash(address: str) -> str:
    """The hash of an internet address, different every day, so that it tells nobody for long."""
    day = clock.now().date().isoformat()
    return _keyed(f"address:{day}:{address}")


def address_hash_of(email: str) -> str:
    """The hash under which an e-mail address of a lead is kept; case does not matter."""
    return _keyed(f"lead:{email.strip().lower()}")


def _keyed(text: str) -> str:
    key = str(current_app.config["SECRET_KEY"]).encode()
    return hmac.new(key, text.encode("utf-8", "surrogatepass"), hashlib.sha256).hexdigest()


def _serializer() -> URLSafeTimedSerializer:
    return URLSafeTimedSerializer(current_app.config["SECRET_KEY"], salt="portico affiliate click")


def clean_address() -> str:
    """The current page's path and query without the click."""
    rest = [(name, value) for name, value in request.args.items(multi=True) if name != PARAMETER]
    return request.path + (f"?{urlencode(rest)}" if rest else "")


def with_click(target: str, click_id: int) -> str:
    """A path of ours that carries a click."""
    path, mark, fragment = target.partition("#")
    joiner = "&" if "?" in path else "?"
    return f"{path}{joiner}{PARAMETER}={token_of(click_id)}{mark}{fragment}"
