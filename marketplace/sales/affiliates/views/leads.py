"""Leads that affiliates' servers register: a small API of its own, by key."""

from typing import Any

from email_validator import EmailNotValidError, validate_email
from flask import Response, jsonify, request
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import RequestEntityTooLarge

from billing.affiliates.clicks import MAX_SUB_ID, register_lead
from billing.affiliates.links import affiliate_of_key
from billing.models import Affiliate
from marketplace.core.errors import RateLimitedError
from marketplace.core.limits import limiter
from marketplace.sales.affiliates.views.blueprints import affiliates_api
from marketplace.sales.affiliates.visitors import address_hash_of

MAX_BYTES = 8 * 1024


def _affiliate() -> Affiliate | None:
    kind, _, key = request.headers.get("Authorization", "").partition(" ")
    return affiliate_of_key(key.strip()) if kind.lower() == "bearer" else None


@limiter.limit("120 per minute")
def register() -> ResponseReturnValue:
    """POST {"email": "…", "sub_id": "…"} with `Authorization: Bearer paf_…`.

    202 whoever the address belongs to, and whether or not it was registered before: the answer
    tells nothing about our customers.
    """
    affiliate = _affiliate()
    if affiliate is None:
        answer = _problem(401, "Unauthorized", "The key is missing, wrong or was replaced.")
        answer.headers["WWW-Authenticate"] = "Bearer"
        return answer
    try:
        body = _body()
    except RequestEntityTooLarge:
        return _problem(413, "Too large", f"At most {MAX_BYTES:,} bytes.")
    if not isinstance(body, dict) or set(body) - {"email", "sub_id"}:
        return _problem(422, "Invalid", 'Send {"email": "…"}, and "sub_id" if you like.')
    email, sub_id = body.get("email"), body.get("sub_id", "")
    if not isinstance(sub_id, str) or len(sub_id) > MAX_SUB_ID:
        return _problem(422, "Invalid", f"sub_id is a text of at most {MAX_SUB_ID} characters.")
    try:
        found = validate_email(
            email if isinstance(email, str) else "",
            check_deliverability=False,
            test_environment=True,
        )
    except EmailNotValidError:
        return _problem(422, "Invalid", "email is no e-mail address.")
    try:
        register_lead(affiliate, address_hash_of(found.normalized), sub_id)
    except RateLimitedError as error:
        answer = _problem(429, "Too many requests", error.detail)
        answer.headers["Retry-After"] = str(error.retry_after)
        return answer
    return jsonify(status="registered"), 202


def _body() -> Any:
    """What was sent, as far as it is JSON. Raises RequestEntityTooLarge."""
    request.max_content_length = MAX_BYTES
    # What was read before (for numbers of cards) was read by another bound.
    if len(request.get_data()) > MAX_BYTES:
        raise RequestEntityTooLarge
    try:
        return request.get_json(silent=True)
    except RecursionError:
        return None


def _problem(status: int, title: str, detail: str) -> Response:
    response = jsonify(type="about:blank", title=title, status=status, detail=detail)
    response.status_code = status
    response.content_type = "application/problem+json"
    return response


register.portico_permission = "token: affiliate key"  # type: ignore[attr-defined]  # read by the URL-map test
affiliates_api.post("/leads")(register)
