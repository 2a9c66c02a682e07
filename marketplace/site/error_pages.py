"""Errors as pages for people and as RFC 9457 problem JSON for programs."""

import logging
import math
from http import HTTPStatus
from urllib.parse import urlsplit

from flask import Flask, Response, g, jsonify, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_wtf.csrf import CSRFError
from sqlalchemy.exc import DataError, DBAPIError, InterfaceError, OperationalError, TimeoutError
from werkzeug.exceptions import HTTPException

from marketplace.core import clock
from marketplace.core.database import db
from marketplace.core.errors import (
    InvalidError,
    PorticoError,
    RateLimitedError,
    SignInRequiredError,
    UnavailableError,
)
from marketplace.core.limits import limiter
from marketplace.identity.second_factor import SecondFactorNeededError

log = logging.getLogger(__name__)

TEXTS = {
    400: ("That request cannot be understood", "Go back and try again."),
    401: ("Sign in first", "This page is for people who are signed in."),
    403: ("Not allowed", "Your account or role does not allow this."),
    404: ("Page not found", "The address may be wrong, or the page has moved or is gone."),
    405: ("That does not work here", "The page does not take this kind of request."),
    409: ("That cannot be done now", "This has changed in the meantime. Load the page again."),
    410: ("No longer here", "This page was taken down."),
    413: ("Too large", "The upload is larger than 16 MB. Use a smaller file."),
    422: ("Some fields need attention", "Check what you entered and send it again."),
    429: ("Too many requests", "Wait a little, then try again."),
    500: ("Something went wrong", "It is our fault. The error was noted; try again later."),
    503: (
        "Temporarily unavailable",
        "A part that this page needs does not answer. Try again soon.",
    ),
}


def wants_json() -> bool:
    """Whether the client of this request is a program."""
    if request.path.startswith("/api/"):
        return True
    # Browsers send no JSON of their own, and our scripts say that they take pages.
    if request.is_json and "text/html" not in request.headers.get("Accept", ""):
        return True
    best = request.accept_mimetypes.best_match(["text/html", "application/json"])
    return best == "application/json" and request.accept_mimetypes["text/html"] == 0


def problem_response(
    status: int,
    title: str,
    detail: str = "",
    *,
    code: str = "",
    fields: dict[str, str] | None = None,
) -> Response:
    """An RFC 9457 problem document."""
    body: dict[str, object] = {
        # RFC 9457: the status says it all; `code` tells kinds of one status apart.
        "type": "about:blank",
        "title": title,
        "status": status,
    }
    if detail:
        body["detail"] = detail
    if code:
        body["code"] = code
    if fields:
        body["errors"] = [{"field": name, "detail": text} for name, text in fields.items()]
    if "request_id" in g:
        body["request_id"] = g.request_id
    response = jsonify(body)
    response.status_code = status
    response.content_type = "application/problem+json"
    return response


def error_response(
    status: int,
    detail: str = "",
    *,
    title: str = "",
    fields: dict[str, str] | None = None,
    action: tuple[str, str] | None = None,
) -> Response:
    """The page or the problem document of an error status. `action`: what helps, as a label and an
    address."""
    known_title, known_detail = TEXTS.get(status, (HTTPStatus(status).phrase, ""))
    if wants_json():
        return problem_response(status, title or known_title, detail or known_detail, fields=fields)
    page = render_template(
        "site/error.html",
        status=status,
        title=title or known_title,
        detail=detail or known_detail,
        request_id=g.get("request_id", ""),
        back_href=_way_back(),
        action=action,
    )
    response = Response(page, status=status, mimetype="text/html")
    response.headers["Cache-Control"] = "no-store"
    return response


def _way_back() -> str:
    """The page of this site from which the person came, empty without one."""
    try:
        came = urlsplit(request.referrer or "")
    except ValueError:
        return ""
    if came.netloc != request.host or came.scheme not in {"http", "https"}:
        return ""
    # Two slashes would lead to another site.
    path = "/" + came.path.lstrip("/\\") + (f"?{came.query}" if came.query else "")
    return "" if request.method == "GET" and path == request.full_path.rstrip("?") else path


def setup_error_pages(app: Flask) -> None:
    """Register what becomes of each error."""

    @app.errorhandler(PorticoError)
    def refused(error: PorticoError) -> ResponseReturnValue:
        if isinstance(error, SignInRequiredError) and not wants_json():
            if request.method in {"GET", "HEAD"} and "identity.login" in app.view_functions:
                return redirect(url_for("identity.login", next=request.full_path.rstrip("?")))
        fields = error.fields if isinstance(error, InvalidError) else None
        # The general kinds have texts here; a refusal of its own kind brings its own title.
        title = "" if type(error).__module__ == PorticoError.__module__ else error.title
        action = error.action
        if isinstance(error, SecondFactorNeededError):
            back = request.full_path.rstrip("?") if request.method == "GET" else _way_back()
            action = ("Confirm now", url_for("identity.confirm", next=back or None))
        response = error_response(
            error.status, error.detail, title=title, fields=fields, action=action
        )
        if isinstance(error, RateLimitedError | UnavailableError):
            response.headers["Retry-After"] = str(error.retry_after)
        return response

    @app.errorhandler(CSRFError)
    def forged(_error: CSRFError) -> ResponseReturnValue:
        return error_response(
            400,
            "The form was open for too long or came from another page. Go back, load the page "
            "again and send it once more.",
            title="The form has expired",
        )

    @app.errorhandler(HTTPException)
    def http_error(error: HTTPException) -> ResponseReturnValue:
        if error.code is None or error.code < 400:
            return error
        response = error_response(error.code, _limit_in_words(error))
        if error.code == 405 and getattr(error, "valid_methods", None):
            response.headers["Allow"] = ", ".join(sorted(error.valid_methods))  # type: ignore[attr-defined]  # set on 405 only
        if error.code == 429:
            response.headers["Retry-After"] = str(_seconds_left(error))
        return response

    @app.errorhandler(OperationalError)
    @app.errorhandler(InterfaceError)
    @app.errorhandler(TimeoutError)
    def database_gone(error: DBAPIError) -> ResponseReturnValue:
        log.error("database unavailable", exc_info=error)
        # The page is rendered without the database: whoever is signed in cannot be looked up.
        _forget_actor()
        response = error_response(503, "The database does not answer. Nothing was saved.")
        response.headers["Retry-After"] = "5"
        return response

    @app.errorhandler(DataError)
    def cannot_be_kept(error: DataError) -> ResponseReturnValue:
        # PostgreSQL takes every character but one, wherever it was typed.
        if "NUL" not in str(error.orig):
            return unexpected(error)
        if request.method in {"GET", "HEAD"}:
            return error_response(404)
        return error_response(
            422, "There is an invisible character (NUL) that cannot be kept. Type the text anew."
        )

    @app.errorhandler(Exception)
    def unexpected(error: Exception) -> ResponseReturnValue:
        log.error("unexpected error", exc_info=error)
        if app.testing and app.config.get("PROPAGATE_UNEXPECTED", True):
            raise error
        _forget_actor()
        return error_response(500)


def _limit_in_words(error: HTTPException) -> str:
    """What the view says of its limit, nothing for other errors."""
    limit = getattr(error, "limit", None)
    words = getattr(limit, "error_message", None)
    if isinstance(words, str):
        return words
    if error.code != 429 or limit is None:
        return ""
    return f"Wait a little: you can try again in {_time_in_words(_seconds_left(error))}."


def _seconds_left(error: HTTPException) -> int:
    """Until the limit takes a request again; its whole window when that cannot be told."""
    limit = getattr(error, "limit", None)
    if limit is None:
        return 60
    window = int(limit.limit.get_expiry())
    current = limiter.current_limit
    if current is None or not current.breached:
        return window
    left = math.ceil(current.reset_at - clock.now().timestamp())
    return min(max(left, 1), window)


def _time_in_words(seconds: int) -> str:
    for size, word in ((86_400, "day"), (3_600, "hour"), (60, "minute")):
        if seconds > size:
            return f"about {-(-seconds // size)} {word}s"
    return "a minute"


def _forget_actor() -> None:
    from marketplace.core.permissions import ANONYMOUS

    g.actor = ANONYMOUS
    db.session.rollback()
