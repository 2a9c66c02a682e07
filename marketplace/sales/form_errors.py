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


def fields_hold(form: Any) -> bool:
    """Whether what was typed could be read: amounts, numbers, days. The rest a service checks."""
    return bool(form.validate())
