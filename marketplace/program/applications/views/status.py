"""The page behind a status link, for applicants without an organization here; the public clock."""

from flask import flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from marketplace.core import clock
from marketplace.core.errors import ForbiddenError, InvalidError, NotFoundError
from marketplace.core.limits import limiter
from marketplace.core.permissions import current_actor, public
from marketplace.program.applications import queries
from marketplace.program.applications.answers import form_of, shown_answers
from marketplace.program.applications.forms import AnswerForm, ReplyForm
from marketplace.program.applications.holders import is_of_partner
from marketplace.program.applications.models import FOR_APPLICANTS, Application
from marketplace.program.applications.services import deciding, reviewing
from marketplace.program.applications.services.promises import position, queue_of, queues_of
from marketplace.program.applications.stages import stages_of
from marketplace.program.applications.views.blueprints import applications, show_errors
from marketplace.program.policy.live import current_policy

_PATH = "/applications/status/<status_token>"


@applications.get(_PATH)
@public("the secret of the link is the right to see it")
@limiter.limit("120 per hour")
def status(status_token: str) -> ResponseReturnValue:
    """Where an application stands."""
    return _page(_found(status_token), status_token, ReplyForm(formdata=None))


@applications.post(f"{_PATH}/answer")
@public("the secret of the link is the right to answer")
@limiter.limit("30 per hour")
def status_answer(status_token: str) -> ResponseReturnValue:
    """Answer what was asked."""
    application = _answerable(status_token)
    form = ReplyForm()
    if not form.validate_on_submit():
        return _page(application, status_token, form), 422
    try:
        reviewing.answer_question(
            application, form.answer.data or "", by_user_id=current_actor().user_id
        )
    except InvalidError as error:
        show_errors(form, error)
        return _page(application, status_token, form), 422
    flash("Sent. We go on with your application.", "success")
    return redirect(url_for(".status", status_token=status_token), code=303)


@applications.get(f"{_PATH}/withdrawal")
@public("the secret of the link is the right to see it")
@limiter.limit("120 per hour")
def status_withdrawing(status_token: str) -> ResponseReturnValue:
    """Ask once more."""
    application = _answerable(status_token)
    return render_template(
        "applications/withdrawal.html",
        application=application,
        layout="layouts/base.html",
        action=url_for(".status_withdraw", status_token=status_token),
        back=url_for(".status", status_token=status_token),
    )


@applications.post(f"{_PATH}/withdrawal")
@public("the secret of the link is the right to take it back")
@limiter.limit("30 per hour")
def status_withdraw(status_token: str) -> ResponseReturnValue:
    """Take the application back."""
    application = _answerable(status_token)
    if AnswerForm().validate_on_submit():
        deciding.withdraw(application, by_user_id=current_actor().user_id)
        flash("Withdrawn.", "success")
    return redirect(url_for(".status", status_token=status_token), code=303)


@applications.get("/applications/clock")
@public("how long applications take is for everybody to see")
def review_clock() -> ResponseReturnValue:
    """The public review clock: how many wait, how long it takes, what is promised."""
    live = current_policy()
    types = [each for each in live.policy.types if each.is_open] if live else []
    rounds = queries.page_of_open_rounds(clock.now(), 1).items
    kinds = [f"admission:{each.key}" for each in types]
    kinds += [f"program:{each.public_id}" for each in rounds]
    found = queues_of(kinds)
    rows = [
        {"name": each.name, "queue": found[f"admission:{each.key}"], "promise": each.review_days}
        for each in types
    ] + [
        {
            "name": each.name,
            "queue": found[f"program:{each.public_id}"],
            "promise": each.review_days,
        }
        for each in rounds
    ]
    return render_template("applications/clock.html", rows=rows)


def _found(status_token: str) -> Application:
    application = queries.find_by_token(status_token)
    if application is None:
        raise NotFoundError
    return application


def _answerable(status_token: str) -> Application:
    """The same, unless it is a partner's: whoever got the link may have left the partner."""
    application = _found(status_token)
    if is_of_partner(application):
        raise ForbiddenError("Your organization answers and withdraws it in its portal.")
    return application


def _page(application: Application, status_token: str, form: ReplyForm) -> str:
    return render_template(
        "applications/status.html",
        application=application,
        status_token=status_token,
        answers=shown_answers(form_of(application.form), application.answers),
        stages=stages_of(application.stages),
        history=queries.history_of(application.id, FOR_APPLICANTS),
        position=position(application),
        clock=queue_of(application.kind),
        is_of_partner=is_of_partner(application),
        form=form,
    )
