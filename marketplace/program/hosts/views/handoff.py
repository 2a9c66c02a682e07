"""Handing a sign-in over to a mapped host, and what its pages need."""

import re
from datetime import timedelta
from urllib.parse import urlencode

from flask import Response, g, redirect, render_template, request, session, url_for
from flask.typing import ResponseReturnValue
from werkzeug.datastructures import MultiDict

from marketplace.core import clock
from marketplace.core.branding import current_brand
from marketplace.core.database import db
from marketplace.core.errors import NotFoundError
from marketplace.core.facts import record_fact
from marketplace.core.limits import limiter
from marketplace.core.once import insert_if_new
from marketplace.core.permissions import current_actor, needs, public
from marketplace.identity.models import UserSession
from marketplace.identity.next_path import local_path
from marketplace.identity.sessions import COOKIE, actor_of, set_session_cookie, start_session
from marketplace.identity.views.blueprint import settings
from marketplace.program.hosts.guard import mapped_host
from marketplace.program.hosts.handoff import make_token, take_token
from marketplace.program.hosts.live import LiveHost, address_of, live_host
from marketplace.program.hosts.models import HostKind, HostPerson
from marketplace.program.hosts.names import asked_host, shown_host
from marketplace.program.hosts.views.blueprints import hosts

NEW_FOR = timedelta(minutes=15)
# As `begin_handoff` makes it.
_NONCE = re.compile(r"[A-Za-z0-9_-]{32}")


@hosts.get("/hosts/handoff")
@needs("account.use")
def handoff() -> ResponseReturnValue:
    """Ask whether to go on to the host: nobody's sign-in is handed over without their click."""
    found, nonce, next_path = _asked(request.args)
    # The page speaks as the host that the person comes from.
    g.portico_brand = found.brand
    return render_template(
        "hosts/handoff.html", host=found, shown=shown_host(found.host), nonce=nonce, next=next_path
    )


@hosts.post("/hosts/handoff")
@needs("account.use")
@limiter.limit("30 per minute")
def hand_over() -> ResponseReturnValue:
    """Give the session of this browser to the host; here it ends."""
    found, nonce, next_path = _asked(request.form)
    actor = current_actor()
    token = make_token(session_id=actor.session_id or 0, host=found.host, nonce=nonce)
    query = "?" + urlencode({"token": token, **({"next": next_path} if next_path else {})})
    response = redirect(f"{address_of(found.host)}/hosts/session{query}", code=303)
    response.delete_cookie(COOKIE, httponly=True, samesite="Lax", secure=settings().is_https)
    return response


@hosts.get("/hosts/session")
@public("a browser comes back to a mapped host here; its token works once")
@limiter.limit("30 per minute")
def take_session() -> ResponseReturnValue:
    """Begin a session of this host by the token of the site's own."""
    found = mapped_host()
    if found is None:
        raise NotFoundError
    session_id = take_token(request.args.get("token", ""), host=found.host, kept=session)
    row = db.session.get(UserSession, session_id) if session_id else None
    usable = row is not None and row.revoked_at is None and row.user.deactivated_at is None
    if row is None or not usable or row.expires_at <= clock.now():
        return render_template("hosts/handoff_failed.html"), 400
    row.revoked_at = clock.now()
    new, token = start_session(
        row.user,
        organization_id=row.organization_id,
        identity_id=row.identity_id,
        user_agent=request.user_agent.string,
        ip_address=request.remote_addr or "",
        host=found.host,
    )
    record_fact(
        "session.handed_over",
        subject=("user_session", new.id),
        actor_user_id=row.user_id,
        data={"host": found.host},
    )
    is_new = row.user.created_at > clock.now() - NEW_FOR and not actor_of(row).organizations
    if is_new and found.kind is HostKind.WHITE_LABEL:
        insert_if_new(HostPerson, user_id=row.user_id, host_id=found.id, created_at=clock.now())
    next_path = local_path(request.args.get("next"))
    target = next_path or "/"
    if is_new:
        target = url_for("identity.welcome", next=next_path or None)
    response = redirect(target)
    set_session_cookie(response, token, secure=settings().is_https)
    return response


@hosts.get("/hosts/brand.css")
@public("the colours of a white-label host")
def brand_css() -> ResponseReturnValue:
    """The brand's colours as a style sheet. Raises NotFoundError on the site's own hosts."""
    brand = current_brand()
    if brand is None:
        raise NotFoundError
    css = ""
    if brand.color:
        ink = ink_on(brand.color)
        css = (
            f":root {{ --p-accent-solid: {brand.color}; --p-accent-hover: {brand.color}; "
            f"--p-on-accent: {ink}; }}\n"
            f".site-header {{ border-top: 4px solid {brand.color}; }}\n"
        )
    response = Response(css, mimetype="text/css")
    response.headers["Cache-Control"] = "public, max-age=60"
    return response


@hosts.get("/hosts/known")
@public("a reverse proxy asks whether to fetch a certificate for a name; it says yes or no")
@limiter.limit("600 per minute")
def known() -> ResponseReturnValue:
    """200 when a host is mapped and active, 404 otherwise: `ask` of Caddy's on-demand TLS."""
    host = asked_host(request.args.get("domain", ""))
    if host is None or live_host(host) is None:
        raise NotFoundError
    return Response("ok\n", mimetype="text/plain")


def ink_on(color: str) -> str:
    """Black or white, whichever reads better on a colour (WCAG's relative luminance)."""
    channels = [int(color[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    red, green, blue = (
        each / 12.92 if each <= 0.04045 else ((each + 0.055) / 1.055) ** 2.4 for each in channels
    )
    luminance = 0.2126 * red + 0.7152 * green + 0.0722 * blue
    return "#000000" if luminance > 0.179 else "#ffffff"


def _asked(values: MultiDict[str, str]) -> tuple[LiveHost, str, str]:
    """The host, the nonce and where to go on. Raises NotFoundError on a mapped host, and for a
    host that is not mapped."""
    if mapped_host() is not None:
        raise NotFoundError
    host = asked_host(values.get("host", ""))
    found = live_host(host) if host else None
    nonce = values.get("nonce", "")
    if found is None or not _NONCE.fullmatch(nonce):
        raise NotFoundError
    return found, nonce, local_path(values.get("next"))
