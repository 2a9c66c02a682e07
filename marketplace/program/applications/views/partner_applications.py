"""A partner's own applications."""

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from marketplace.core.errors import InvalidError
from marketplace.core.limits import limiter
from marketplace.core.pagination import page_number
from marketplace.core.permissions import current_actor, needs
from marketplace.program.applications import queries
from marketplace.program.applications.answers import form_of, shown_answers
from marketplace.program.applications.forms import ReplyForm
from marketplace.program.applications.models import FOR_APPLICANTS, Application
from marketplace.program.applications.services import deciding, reviewing
from marketplace.program.applications.services.promises import (
    position,
    positions,
    queue_of,
    queues_of,
)
from marketplace.program.applications.stages import stages_of
from marketplace.program.applications.views.blueprints import (
    applications,
    partner_tabs,
    show_errors,
    user_key,
)

_PATH = "/partner/applications/<application_id>"
_MANAGE = needs("application.manage", load=queries.find_application, name="application")


@applications.get("/partner/applications")
@needs("applications.use")
def index() -> ResponseReturnValue:
    """What the organization applied for, and where it takes part."""
    own_id = current_actor().organization_id or 0
    page = queries.applications_of(own_id, page_number(request.args.get("page")))
    places = queries.places_of(own_id)
    return render_template(
        "applications/index.html",
        tabs=partner_tabs("applications.index"),
        page=page,
        positions=positions([row for row in page.items if row.is_open]),
        clocks=queues_of(sorted({row.kind for row in page.items})),
        places=places,
        rounds=queries.rounds_by_id(each.round_id for each in places),
        counts=queries.milestone_counts(each.id for each in places),
    )


@applications.get(_PATH)
@_MANAGE
def own_application(application: Application) -> ResponseReturnValue:
    """One of them: stage, place in the queue, questions, history."""
    return _page(application, ReplyForm(formdata=None))


@applications.post(f"{_PATH}/answer")
@_MANAGE
@limiter.limit("60 per hour", key_func=user_key)
def answer(application: Application) -> ResponseReturnValue:
    """Answer what was asked."""
    form = ReplyForm()
    try:
        reviewing.answer_question(
            application, form.answer.data or "", by_user_id=current_actor().user_id
        )
    except InvalidError as error:
        show_errors(form, error)
        return _page(application, form), 422
    flash("Sent. We go on with your application.", "success")
    return _to(application)


@applications.get(f"{_PATH}/withdrawal")
@_MANAGE
def withdrawing(application: Application) -> ResponseReturnValue:
    """Ask once more."""
    return render_template(
        "applications/withdrawal.html",
        application=application,
        layout="layouts/portal.html",
        action=url_for(".withdraw", application_id=application.public_id),
        back=url_for(".own_application", application_id=application.public_id),
    )


@applications.post(f"{_PATH}/withdrawal")
@_MANAGE
def withdraw(application: Application) -> ResponseReturnValue:
    """Take it back."""
    deciding.withdraw(application, by_user_id=current_actor().user_id)
    flash("Withdrawn.", "success")
    return _to(application)


def _page(application: Application, form: ReplyForm) -> str:
    places = [
        each
        for each in queries.places_of(application.organization_id or 0)
        if each.application_id == application.id
    ]
    return render_template(
        "applications/own.html",
        application=application,
        answers=shown_answers(form_of(application.form), application.answers),
        stages=stages_of(application.stages),
        history=queries.history_of(application.id, FOR_APPLICANTS),
        position=position(application),
        clock=queue_of(application.kind),
        place=places[0] if places else None,
        form=form,
    )


def _to(application: Application) -> ResponseReturnValue:
    return redirect(url_for(".own_application", application_id=application.public_id), code=303)
