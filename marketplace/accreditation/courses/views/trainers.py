"""Trainers and the sessions that they hold."""

import secrets
from datetime import date

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from marketplace.accreditation.courses import queries
from marketplace.accreditation.courses.counting import trainer_credentials
from marketplace.accreditation.courses.forms import SessionForm, TrainerForm
from marketplace.accreditation.courses.models import Trainer, TrainingSession
from marketplace.accreditation.courses.services import training
from marketplace.accreditation.courses.views.blueprints import courses
from marketplace.accreditation.credentials.queries import member_ids, members_of
from marketplace.core import clock
from marketplace.core.csv_export import csv_response
from marketplace.core.errors import InvalidError
from marketplace.core.limits import limiter
from marketplace.core.pagination import page_number
from marketplace.core.permissions import current_actor, needs
from marketplace.identity.forms import choices_of, show_errors

_TRAINER = needs("trainer.manage", load=queries.find_trainer, name="trainer")
_SESSION = needs("training.manage", load=queries.find_training, name="session")


@courses.get("/partner/courses/trainers")
@needs("trainers.use")
def trainers() -> ResponseReturnValue:
    """Who trains for the organization, and what they have held."""
    return _page(TrainerForm(formdata=None))


@courses.post("/partner/courses/trainers")
@needs("trainers.use")
def register() -> ResponseReturnValue:
    """Register a member."""
    form = TrainerForm()
    value = form.member.data or ""
    try:
        if not form.validate():
            return _page(form), 422
        user_id = int(value) if value.isascii() and value.isdigit() and len(value) < 18 else 0
        trainer = training.register_trainer(
            current_actor().organization_id or 0, user_id, by_user_id=current_actor().user_id
        )
    except InvalidError as error:
        show_errors(form, error)
        return _page(form), 422
    flash(f"{trainer.name} is registered as a trainer.", "success")
    return _back()


@courses.get("/partner/courses/trainers/<trainer_id>/end")
@_TRAINER
def ending(trainer: Trainer) -> ResponseReturnValue:
    """Say what it means."""
    return render_template("courses/trainer_end.html", trainer=trainer)


@courses.post("/partner/courses/trainers/<trainer_id>/end")
@_TRAINER
def end(trainer: Trainer) -> ResponseReturnValue:
    """Take a trainer off."""
    if training.end_trainer(trainer, by_user_id=current_actor().user_id):
        flash(f"{trainer.name} no longer counts as a trainer.", "success")
    return _back()


@courses.get("/partner/courses/sessions/new")
@needs("trainers.use")
def session_new() -> ResponseReturnValue:
    """The form for a session."""
    form = SessionForm(formdata=None)
    form.nonce.data = secrets.token_hex(12)
    form.held_on.data = clock.today_in(current_actor().timezone)
    return _session_page(form)


@courses.post("/partner/courses/sessions/new")
@needs("trainers.use")
@limiter.limit("120 per hour", key_func=lambda: f"user:{current_actor().user_id}")
def session_create() -> ResponseReturnValue:
    """Log it."""
    form = SessionForm()
    if not form.validate():
        return _session_page(form), 422
    organization_id = current_actor().organization_id or 0
    own = {row.public_id: row for row in queries.trainers_of(organization_id)}
    held_on: date | None = form.held_on.data
    nonce = form.nonce.data or ""
    try:
        training.log_session(
            organization_id,
            own.get(form.trainer.data or ""),
            held_on=held_on,
            title=form.title.data or "",
            people=form.people.data,
            notes=form.notes.data or "",
            nonce=nonce if nonce.isascii() and nonce.isalnum() and len(nonce) <= 32 else "",
            by_user_id=current_actor().user_id,
            timezone=current_actor().timezone,
        )
    except InvalidError as error:
        show_errors(form, error)
        return _session_page(form), 422
    flash("Logged.", "success")
    return _back()


@courses.get("/partner/courses/sessions/<training_id>/withdraw")
@_SESSION
def withdrawing(session: TrainingSession) -> ResponseReturnValue:
    """Say what it means."""
    return render_template("courses/session_withdraw.html", session=session)


@courses.post("/partner/courses/sessions/<training_id>/withdraw")
@_SESSION
def withdraw(session: TrainingSession) -> ResponseReturnValue:
    """Take back a session that was logged by mistake."""
    if training.withdraw_session(session, by_user_id=current_actor().user_id):
        flash("Withdrawn. It counts no more.", "success")
    return _back()


@courses.get("/partner/courses/sessions.csv")
@needs("trainers.use")
def sessions_export() -> ResponseReturnValue:
    """The sessions as a file."""
    rows = [
        (
            row.held_on,
            row.title,
            row.trainer.name,
            row.people,
            row.notes,
            "withdrawn" if row.withdrawn_at else "",
        )
        for row in queries.session_rows(current_actor().organization_id or 0)
    ]
    head = ("day", "title", "trainer", "people", "notes", "state")
    return csv_response(f"trainings-{clock.now():%Y-%m-%d}.csv", head, rows)


def _page(form: TrainerForm) -> str:
    organization_id = current_actor().organization_id or 0
    rows = queries.trainers_of(organization_id)
    certified = trainer_credentials(organization_id, clock.now())
    registered = {row.user_id for row in rows if row.ended_at is None}
    members = {row.id: row for row in members_of(organization_id)}
    form.member.choices = choices_of(
        (str(user_id), members[user_id].name)
        for user_id in certified
        if user_id in members and user_id not in registered
    )
    return render_template(
        "courses/trainers.html",
        form=form,
        trainers=rows,
        certified=certified,
        page=queries.page_of_sessions(organization_id, page_number(request.args.get("page"))),
    )


def _session_page(form: SessionForm) -> str:
    rows = queries.trainers_of(current_actor().organization_id or 0)
    members = member_ids(current_actor().organization_id or 0)
    active = [row for row in rows if row.ended_at is None and row.user_id in members]
    form.trainer.choices = choices_of((row.public_id, row.name) for row in active)
    return render_template("courses/session_new.html", form=form, trainers=active)


def _back() -> ResponseReturnValue:
    return redirect(url_for("courses.trainers"), code=303)
