"""Which hosts are answered at all, and as whom. It runs before everything else of a request.

The site's own host, what the settings name beside it, and mapped hosts that are active are
answered; any other Host header gets 404. Health checks are answered on every host: a load balancer
asks by number.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from flask import Flask, Response, abort, current_app, g, redirect, request
from flask.typing import ResponseReturnValue

from marketplace.config import Settings
from marketplace.core.branding import (
    Brand,
    in_the_words_of,
    written_in_html,
    written_in_json,
)
from marketplace.core.permissions import current_actor
from marketplace.program.hosts.handoff import begin_handoff
from marketplace.program.hosts.live import LiveHost, live_host
from marketplace.program.hosts.models import HostKind
from marketplace.program.hosts.names import asked_host, is_literal

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

LOOPBACK = frozenset({"localhost", "127.0.0.1", "[::1]"})
# How a brand's name is written in what is answered in its words.
_WRITTEN = {"text/html": written_in_html, "application/json": written_in_json}

# What a white-label host shows, decided by a room that knows listings: a response of its own, None
# for what the site answers as everywhere, or False for what is not there.
WhiteLabelAnswer = ResponseReturnValue | bool | None
AnswerAs = Callable[[Brand], WhiteLabelAnswer]
_answer: list[AnswerAs] = [lambda _brand: False]


def answer_white_label_with(answer: AnswerAs) -> None:
    """Tell who knows what a white-label host shows."""
    _answer[:] = [answer]


def refuse_unreadable_hosts(application: WSGIApplication) -> WSGIApplication:
    """Answer 404 to a Host header that names no host, before anybody tries to read it."""

    def guarded(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        header = environ.get("HTTP_HOST", "")
        if header and asked_host(header) is None:
            return _not_here()(environ, start_response)
        return application(environ, start_response)

    return guarded


def setup_hosts(app: Flask, settings: Settings) -> None:
    """Look at the host of each request first."""
    own = own_hosts(settings)
    any_number = settings.portico_env == "demo"

    @app.before_request
    def look_at_host() -> ResponseReturnValue | None:
        # `g` may outlive a request, within an application context that somebody else pushed.
        g.pop("portico_brand", None)
        g.pop("portico_mapped_host", None)
        g.pop("portico_session_host", None)
        if request.blueprint == "health":
            return None
        host = asked_host(request.environ.get("HTTP_HOST", "") or request.host)
        if host is None:
            return _not_here()
        # The demo is opened by number from other machines of its network.
        if host in own or (any_number and is_literal(host)):
            return None
        found = live_host(host)
        if found is None:
            return _not_here()
        g.portico_mapped_host = found
        g.portico_session_host = found.host
        if found.kind is HostKind.PROGRAM:
            return _as_program(found)
        return _as_white_label(found)

    @app.after_request
    def speak_as_host(response: Response) -> Response:
        brand: Brand | None = g.get("portico_brand")
        return response if brand is None else _branded(response, brand)


def own_hosts(settings: Settings) -> frozenset[str]:
    """The site's own hosts: of its public address, what the settings add, and loopback outside of
    production."""
    named = {asked_host(urlsplit(settings.public_url).netloc)}
    named |= {asked_host(each) for each in settings.allowed_hosts}
    if not settings.is_production:
        named |= LOOPBACK
    return frozenset(each for each in named if each)


def mapped_host() -> LiveHost | None:
    """The mapped host that was asked for; None on the site's own."""
    found: LiveHost | None = g.get("portico_mapped_host")
    return found


def _not_here() -> Response:
    """Says nothing about the site: whoever points a name at us learns only that it is not known."""
    response = Response("Not found.\n", status=404, mimetype="text/plain")
    response.headers["Cache-Control"] = "no-store"
    return response


def _as_program(found: LiveHost) -> ResponseReturnValue | None:
    if request.endpoint == "identity.provider_login":
        return begin_handoff(found)
    if request.endpoint == "site.home" and request.method in {"GET", "HEAD"}:
        active = current_actor().organization
        if active is not None and active.organization_kind == "partner":
            return redirect("/partner")
        answer: Any = current_app.view_functions["program.overview"]()
        return current_app.make_response(answer)
    return None


def _as_white_label(found: LiveHost) -> ResponseReturnValue | None:
    brand = found.brand
    if brand is None:
        return _not_here()
    g.portico_brand = brand
    if request.endpoint not in {"static", "media.show"}:
        # The page is in other words here: a copy of the site's own is no answer.
        for header in ("HTTP_IF_NONE_MATCH", "HTTP_IF_MODIFIED_SINCE"):
            request.environ.pop(header, None)
    if request.endpoint == "identity.provider_login":
        return begin_handoff(found)
    answer = _answer[0](brand)
    if answer is False:
        abort(404)
    return None if isinstance(answer, bool) else answer


def _branded(response: Response, brand: Brand) -> Response:
    """A page in the partner's words, kept by nobody but the browser that asked."""
    written = _WRITTEN.get(response.mimetype or "")
    if response.direct_passthrough or written is None:
        return response
    response.set_data(in_the_words_of(brand, response.get_data(as_text=True), written))
    response.headers.pop("ETag", None)
    # What must not be kept at all (accounts, purchases) is not kept here either.
    if not response.cache_control.no_store:
        response.headers["Cache-Control"] = "private, no-cache"
    response.headers["X-Robots-Tag"] = response.headers.get("X-Robots-Tag", "all")
    return response
