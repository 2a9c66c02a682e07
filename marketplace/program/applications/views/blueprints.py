"""The blueprints, what their pages share, and that nothing of them is kept in a cache."""

from typing import Any

from flask import Blueprint, Response, url_for
from flask_wtf import FlaskForm

from marketplace.core.errors import InvalidError
from marketplace.core.permissions import current_actor
from marketplace.program.applications import queries, texts
from marketplace.program.module_gate import may_go_to

applications = Blueprint("applications", __name__)
applications_staff = Blueprint("applications_staff", __name__)


@applications.after_request
@applications_staff.after_request
def _never_store(response: Response) -> Response:
    """Whoever uses the browser next finds nothing of an organization in its cache. A public page
    says otherwise by itself."""
    response.headers.setdefault("Cache-Control", "private, no-store")
    return response


@applications.context_processor
@applications_staff.context_processor
def _words() -> dict[str, Any]:
    return {"texts": texts}


def show_errors(form: FlaskForm, error: InvalidError) -> None:
    """Put a service's messages at the form's fields; those of no field on top."""
    for name, text in error.fields.items():
        if name in form:
            form[name].errors = [*form[name].errors, text]
        else:
            form.form_errors.append(text)


def add_error(form: FlaskForm, name: str, text: str) -> None:
    """Put one message at a field."""
    form[name].errors = [*form[name].errors, text]


def edition_of(form: Any) -> int:
    """The edition that a form was opened with; 0 for anything that is none."""
    typed = str(form.edition.data or "")
    return int(typed) if typed.isascii() and typed.isdigit() and len(typed) < 9 else 0


def user_key() -> str:
    """Whom a limit counts."""
    return f"user:{current_actor().user_id}"


def partner_tabs(current: str) -> list[dict[str, Any]]:
    """The tabs of the partner's pages, without what is closed to it."""
    pages = (
        ("applications.index", "Applications", "file-text"),
        ("applications.rounds", "Rounds", "calendar-range"),
        ("applications.plans", "Business plans", "target"),
    )
    return _tabs(current, tuple(each for each in pages if may_go_to(each[0])))


def staff_tabs(current: str) -> list[dict[str, Any]]:
    """The tabs of the staff's pages about applications."""
    actor = current_actor()
    pages = [("applications_staff.queue", "Applications", "file-text")]
    if actor.can("rounds.read"):
        pages.append(("applications_staff.rounds", "Rounds", "calendar-range"))
        pages.append(("applications_staff.evidence", "Evidence", "list-checks"))
    if actor.can("business_plans.read"):
        pages.append(("applications_staff.plans", "Business plans", "target"))
    counts = queries.waiting_counts()
    waiting = {
        "applications_staff.queue": counts["applications"],
        "applications_staff.evidence": counts["evidence"],
        "applications_staff.plans": counts["plans"],
    }
    return [
        {**each, "count": waiting.get(endpoint)}
        for each, (endpoint, *_rest) in zip(_tabs(current, tuple(pages)), pages, strict=True)
    ]


def _tabs(current: str, pages: tuple[tuple[str, str, str], ...]) -> list[dict[str, Any]]:
    return [
        {
            "label": label,
            "href": url_for(endpoint),
            "icon": icon,
            "current": endpoint == current,
        }
        for endpoint, label, icon in pages
    ]
