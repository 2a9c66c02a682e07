"""Where a person goes after an act, and how a refused form keeps what was typed."""

import re

from flask import redirect, request
from flask.typing import ResponseReturnValue
from flask_wtf import FlaskForm

from marketplace.core.errors import InvalidError

# A path of this site: one slash, then neither a second nor a backslash, no control characters.
_LOCAL = re.compile(r"/(?![/\\])[^\\\x00-\x20\x7f]*")


def back_to(default: str) -> ResponseReturnValue:
    """Go where the form's `next` says if that is a page of ours, else to `default`."""
    wanted = request.form.get("next", "")
    return redirect(wanted if _LOCAL.fullmatch(wanted) else default, code=303)


def show_errors(form: FlaskForm, error: InvalidError) -> None:
    """Put a service's messages at the form's fields."""
    for name, text in error.fields.items():
        if name in form:
            form[name].errors = [*form[name].errors, text]
        else:
            form.form_errors.append(text)
