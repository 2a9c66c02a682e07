"""How a refused form keeps what was typed and says what is wrong."""

from typing import Any

from marketplace.core.errors import InvalidError


def show_errors(form: Any, error: InvalidError) -> None:
    """Put a service's messages at the form's fields."""
    for name, text in error.fields.items():
        if name in form:
            # What the field says of itself comes first, and is enough.
            form[name].errors = form[name].errors or [text]
        else:
            form.form_errors.append(text)


def upload_of(field: Any) -> tuple[str, bytes]:
    """The name and the bytes of an uploaded file; empty ones without a file."""
    found = field.data
    if not hasattr(found, "read"):
        return "", b""
    return str(found.filename or ""), bytes(found.read())
