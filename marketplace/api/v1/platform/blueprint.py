"""The blueprint of the platform API: its problem documents, its headers, its log."""

import re
import time
from urllib.parse import urlencode

from flask import Blueprint, Response, current_app, g, request
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import HTTPException, MethodNotAllowed, NotFound

from marketplace.api.v1.answers import add_limits, add_links
from marketplace.api.v1.deprecations import add_deprecation
from marketplace.api.v1.platform.authentication import Credential
from marketplace.api.v1.platform.bodies import MAX_BYTES
from marketplace.api.v1.platform.errors import CODES, TokenInAddressError
from marketplace.api.v1.platform.operations import OPERATIONS
from marketplace.api.v1.platform.recording import Call, Recorder
from marketplace.core import clock
from marketplace.core.errors import (
    InvalidError,
    PorticoError,
    RateLimitedError,
    UnavailableError,
)
from marketplace.core.limits import limiter
from marketplace.core.logging import has_secret, redact_address
from marketplace.site.error_pages import TEXTS, problem_response

# Where the words for people on pages would mislead a program.
_TEXTS = {
    404: ("Not found", "There is nothing at this address."),
    405: ("Method not allowed", "The address takes other methods; Allow names them."),
    413: ("Too large", f"The body is larger than {MAX_BYTES // 1024} KB."),
}
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")

PREFIX = "/api/v1"
blueprint = Blueprint("platform_api", __name__, url_prefix=PREFIX)


@limiter.request_filter
def counts_by_itself() -> bool:
    """The limits of pages are none of the platform API's, see guard.py."""
    return request.blueprint == blueprint.name


@blueprint.before_app_request
def refuse_address() -> ResponseReturnValue | None:
    """Refuse what no view of the API sees or should see: an address with a token in it, which logs
    would keep; an address or a method that there is not."""
    if not (request.path == PREFIX or request.path.startswith(f"{PREFIX}/")):
        return None
    if has_secret(f"{request.path}?{request.environ.get('QUERY_STRING', '')}"):
        return refused(
            TokenInAddressError(
                "Send a token as `Authorization: Bearer …`. Something like one stood in the "
                "address, where logs may keep it: revoke it."
            )
        )
    error = request.routing_exception
    if isinstance(error, NotFound | MethodNotAllowed):
        return http_error(error)
    return None


@blueprint.before_request
def begin() -> None:
    """Note when the request began."""
    g.api_started = time.perf_counter()
    g.pop("api_credential", None)
    g.pop("api_allowance", None)
    g.api_problem = ""


@blueprint.errorhandler(PorticoError)
def refused(error: PorticoError) -> ResponseReturnValue:
    """A refusal as a problem document with its code."""
    code = error.code or CODES.get(error.status, "error")
    fields = error.fields if isinstance(error, InvalidError) else None
    response = _problem(error.status, error.title, error.detail, code, fields)
    for name, value in getattr(error, "headers", {}).items():
        response.headers[name] = value
    if isinstance(error, RateLimitedError | UnavailableError):
        response.headers["Retry-After"] = str(error.retry_after)
    return response


@blueprint.errorhandler(HTTPException)
def http_error(error: HTTPException) -> ResponseReturnValue:
    """What Flask itself refuses, likewise."""
    if error.code is None or error.code < 400:
        return error
    title, detail = _TEXTS.get(error.code) or TEXTS.get(error.code, (error.name, ""))
    response = _problem(error.code, title, detail, CODES.get(error.code, "error"), None)
    if isinstance(error, MethodNotAllowed):
        response.headers["Allow"] = ", ".join(sorted(error.valid_methods or ()))
    return response


def _problem(
    status: int, title: str, detail: str, code: str, fields: dict[str, str] | None
) -> Response:
    g.api_problem = code
    response = problem_response(status, title, detail, code=code, fields=fields)
    response.headers["Cache-Control"] = "no-store"
    return response


@blueprint.after_request
def finish(response: Response) -> Response:
    """The headers that every answer has, and the call's line in the log.

    No Access-Control-Allow-Origin: a token in a page of another site is a leaked token.
    """
    headers = response.headers
    headers["Vary"] = "Authorization"
    add_limits(headers)
    add_links(headers)
    add_deprecation(headers)
    credential: Credential | None = g.get("api_credential")
    if credential is not None:
        recorder: Recorder = current_app.extensions["portico_recorder"]
        recorder.add(_call(credential, response.status_code))
    return response


def _call(credential: Credential, status: int) -> Call:
    return Call(
        organization_id=credential.partner_id,
        environment=credential.environment,
        app_id=credential.app_id,
        installation_id=credential.installation_id,
        credential=credential.label,
        method=request.method,
        path=_path(),
        status=status,
        problem=g.api_problem,
        duration_ms=round((time.perf_counter() - g.api_started) * 1000),
        request_id=g.get("request_id", ""),
        created_at=clock.now(),
        key_id=credential.key_id,
        token_id=credential.token_id,
        scope=g.get("api_scope"),
    )


def _path() -> str:
    """The address as it is logged, without control characters and secrets; values of parameters
    that we do not know are left out."""
    path = redact_address(request.path)
    if request.environ.get("QUERY_STRING"):
        operation = OPERATIONS.get(request.endpoint or "")
        known = operation.parameter_names if operation else frozenset()
        pairs = [
            (redact_address(name), redact_address(value) if name in known else "***")
            for name, value in request.args.items(multi=True)
        ]
        path = f"{path}?{urlencode(pairs, safe='*')}"
    return _CONTROL.sub("\ufffd", path)[:300]
