"""The blueprints, what their pages share, and that nothing of them is kept in a cache."""

from typing import Any

from flask import Blueprint, Response
from flask_wtf import FlaskForm

from marketplace.core.errors import InvalidError
from marketplace.core.permissions import current_actor
from marketplace.pipeline.ideas.models import IdeaState

ideas = Blueprint("ideas", __name__)
ideas_staff = Blueprint("ideas_staff", __name__)

STATES = {
    IdeaState.PROPOSED: ("Proposed", "warning"),
    IdeaState.OPEN: ("Open", "info"),
    IdeaState.CLAIMED: ("Being built", "brand"),
    IdeaState.LISTED: ("Listed", "success"),
    IdeaState.DECLINED: ("Declined", "neutral"),
}


@ideas.after_request
@ideas_staff.after_request
def _never_store(response: Response) -> Response:
    """Whoever uses the browser next finds nothing of an organization in its cache. A public page
    says otherwise by itself."""
    response.headers.setdefault("Cache-Control", "private, no-store")
    return response


@ideas.context_processor
@ideas_staff.context_processor
def _words() -> dict[str, Any]:
    return {"idea_states": STATES}


def show_errors(form: FlaskForm, error: InvalidError) -> None:
    """Put a service's messages at the form's fields; those of no field on top."""
    for name, text in error.fields.items():
        if name in form:
            form[name].errors = [*form[name].errors, text]
        else:
            form.form_errors.append(text)


def user_key() -> str:
    """Whom a limit counts."""
    return f"user:{current_actor().user_id}"
