"""No card number is taken by any form, API call or address of ours: cards are typed at Stripe."""

from typing import Any

from flask import Flask, request
from werkzeug.exceptions import RequestEntityTooLarge

from marketplace.core.card_numbers import (
    fields_with_card_numbers,
    has_card_number,
    line_with_card_number,
)
from marketplace.core.errors import InvalidError

# Stripe's own payloads are signed bytes; they hold no card numbers and are not ours to judge.
EXEMPT = frozenset({"stripe_webhooks.stripe_webhook", "static"})
# What a bank writes is not the importer's choice: it is masked line by line as it is read.
MASKED_UPLOADS = frozenset({"reconciliation.import_file"})
# Uploads that are read as text; pictures and documents are bytes without meaning here.
_TEXT_FILES = (".csv", ".json", ".jwt", ".md", ".tsv", ".txt", ".xml", ".yaml", ".yml")
_MOST_TEXT_BYTES = 8 * 1024 * 1024
# No view takes more JSON than this (api/v1/platform/bodies.py).
MOST_JSON_BYTES = 512 * 1024
MESSAGE = "This looks like a card number. Take it out; cards are entered at checkout only."


class CardNumberError(InvalidError):
    """Something that was sent holds a card number. Nothing of it was kept."""

    title = "No card numbers here, please"


def setup_card_guard(app: Flask) -> None:
    """Refuse requests that hold a card number, before anybody reads them: in the address, in its
    query, in a form, in JSON, in an upload of text."""

    @app.before_request
    def refuse_card_numbers() -> None:
        if request.endpoint in EXEMPT:
            return
        if has_card_number(request.path):
            raise CardNumberError({}, MESSAGE)
        found = []
        if len(request.query_string) >= 13:
            found += list(fields_with_card_numbers(request.args.to_dict(flat=False)))
        if request.method not in {"GET", "HEAD", "OPTIONS"}:
            if request.is_json:
                found += list(fields_with_card_numbers(_json()))
            else:
                found += list(fields_with_card_numbers(_form()))
                if request.endpoint not in MASKED_UPLOADS:
                    _refuse_files()
        if found:
            names = {_field(name): MESSAGE for name in found}
            raise CardNumberError(names, f"{MESSAGE} Nothing was saved. ({', '.join(names)})")


def _refuse_files() -> None:
    try:
        files = list(request.files.items(multi=True))
    except RequestEntityTooLarge:
        return
    for name, upload in files:
        if not (upload.filename or "").lower().endswith(_TEXT_FILES):
            continue
        text = upload.stream.read(_MOST_TEXT_BYTES).decode("utf-8", errors="replace")
        upload.stream.seek(0)
        if line := line_with_card_number(text):
            said = f"Line {line} holds what looks like a card number. Take it out."
            raise CardNumberError({name: said}, f"{said} Nothing was saved.")


def _form() -> Any:
    """The form; one that is too large is the view's to refuse, which knows who sent it."""
    try:
        return request.form.to_dict(flat=False)
    except RequestEntityTooLarge:
        return None


def _json() -> Any:
    """The body, where it can be read; where not, or where it is too large, the view refuses it."""
    limit = request.max_content_length
    request.max_content_length = MOST_JSON_BYTES
    try:
        return request.get_json(silent=True)
    except (RecursionError, RequestEntityTooLarge):
        return None
    finally:
        request.max_content_length = limit


def _field(name: str) -> str:
    """A field's name without the place in its list of values (`note.0` is `note`)."""
    return name.removesuffix(".0") or "body"
