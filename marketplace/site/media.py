"""Stored images. Their keys are hashes of their content, so they can be cached for ever."""

import re

from flask import Blueprint, Response, current_app, request
from flask.typing import ResponseReturnValue

from marketplace.core.errors import NotFoundError
from marketplace.core.permissions import public

blueprint = Blueprint("media", __name__)
KEY = re.compile(r"[0-9a-f]{2}/[0-9a-f]{64}\.(png|jpg|webp)")
TYPES = {"png": "image/png", "jpg": "image/jpeg", "webp": "image/webp"}


@blueprint.get("/media/<path:key>")
@public("images of listings and publishers; a key cannot be guessed before it is published")
def show(key: str) -> ResponseReturnValue:
    """One image."""
    found = KEY.fullmatch(key)
    if found is None:
        raise NotFoundError
    if request.if_none_match.contains(key):
        return Response(status=304)
    data = current_app.extensions["portico_storage"].get(key)
    if data is None:
        raise NotFoundError
    response = Response(data, mimetype=TYPES[found[1]])
    response.set_etag(key)
    response.headers["Cache-Control"] = "public, max-age=31536000, immutable"
    # An image is never a document of ours, whatever a browser makes of it.
    response.headers["Content-Security-Policy"] = "default-src 'none'; sandbox"
    return response
