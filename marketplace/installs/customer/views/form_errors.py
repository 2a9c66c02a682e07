"""How a refused form keeps what was typed and says what is wrong."""

from flask_wtf import FlaskForm

from marketplace.core.errors import InvalidError


def show_errors(form: FlaskForm, error: InvalidError) -> None:
    """Put a service's messages at the form's fields."""
    for name, text in error.fields.items():
        if name in form:
            form[name].errors = [*form[name].errors, text]
        else:
            form.form_errors.append(text)
