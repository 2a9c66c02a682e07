"""Where another installation asks what of a passport of ours still holds, and says that it has
accepted it."""

from flask import Blueprint, Response, request
from flask.typing import ResponseReturnValue

from marketplace.accreditation.passport.queries import find_export
from marketplace.accreditation.passport.services.exporting import status_of, take_receipt
from marketplace.core.errors import NotFoundError
from marketplace.core.limits import limiter
from marketplace.core.permissions import public

# Machines call it: no form and no session, so no token against forged forms either.
passport_receipts = Blueprint("passport_receipts", __name__)
_MOST_BYTES = 16 * 1024


@passport_receipts.get("/passports/<passport_id>")
@public("the receiver of a passport asks what of it still holds; it is told places, not things")
@limiter.limit("60 per minute")
def status(passport_id: str) -> ResponseReturnValue:
    """What still holds of a passport of ours, signed."""
    export = find_export(passport_id)
    if export is None:
        raise NotFoundError
    response = Response(status_of(export), content_type="application/jwt")
    response.headers["Cache-Control"] = "no-store"
    return response


@passport_receipts.post("/passports/receipts")
@public("the receiver signs it; twenty a minute for one address")
@limiter.limit("20 per minute")
def receive() -> ResponseReturnValue:
    """Take a signed receipt."""
    body = request.get_data(cache=False)[: _MOST_BYTES + 1]
    taken = len(body) <= _MOST_BYTES and take_receipt(body.decode("utf-8", "replace"))
    return Response(status=204 if taken else 400)
