"""One installation: what it may do, and what people do about it."""

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from marketplace.core.errors import ConflictError, InvalidError, NotFoundError
from marketplace.core.pagination import page_number
from marketplace.core.permissions import current_actor, needs
from marketplace.installs.customer.forms import UninstallForm
from marketplace.installs.customer.handover import configure_target, install_target
from marketplace.installs.customer.queries.apps import client_for
from marketplace.installs.customer.queries.declines import declined_at
from marketplace.installs.customer.queries.erasures import erasure_of, last_event
from marketplace.installs.customer.queries.installations import events_of, find_installation
from marketplace.installs.customer.services import erasures, pausing, reducing, uninstalling
from marketplace.installs.customer.showing import (
    held_scopes,
    moving_data,
    rows_of,
    scope_names_in,
    timeline_of,
)
from marketplace.installs.customer.views.blueprints import installs
from marketplace.installs.customer.views.form_errors import show_errors
from marketplace.installs.health.panel import health_of
from marketplace.installs.models import Installation
from marketplace.installs.scopes import describe_scopes

_PATH = "/organizations/<slug>/apps/<installation_id>"


@installs.get(_PATH)
@needs("installation.view", load=find_installation, name="installation")
def installation(installation: Installation) -> ResponseReturnValue:
    """What it may do, who agreed to it, and what happened since."""
    actor = current_actor()
    client = client_for(installation)
    events = events_of(installation.id, page_number(request.args.get("history")))
    row = rows_of([installation])[0]
    words = {
        text.name: text for text in describe_scopes([*row.wanted, *scope_names_in(events.items)])
    }
    erasure = erasure_of(installation.id)
    return render_template(
        "installs/installation.html",
        installation=installation,
        organization=installation.organization,
        row=row,
        scopes=held_scopes(installation),
        wanted=[words[name] for name in row.wanted],
        data=moving_data(installation),
        declined_at=declined_at(installation.id),
        events=events,
        timeline=timeline_of(events.items, {name: text.title for name, text in words.items()}),
        health=health_of(installation.app) if installation.is_live else None,
        erasure=erasure,
        may_ask_again=erasure is not None
        and erasures.may_ask_again(erasure, last_event(installation.id, "erasure_asked_again")),
        open_href=install_target(client, installation) if client else None,
        configure_href=configure_target(client, installation) if client else None,
        manages=actor.can("installation.manage", installation),
        reasons=uninstalling.REASONS,
    )


@installs.post(f"{_PATH}/pause")
@needs("installation.manage", load=find_installation, name="installation")
def pause(installation: Installation) -> ResponseReturnValue:
    """Refuse its tokens for now."""
    try:
        if pausing.pause(current_actor(), installation):
            flash("It is paused: its access is refused until you resume it.", "success")
    except ConflictError as error:
        flash(error.detail, "warning")
    return _back(installation)


@installs.post(f"{_PATH}/resume")
@needs("installation.manage", load=find_installation, name="installation")
def resume(installation: Installation) -> ResponseReturnValue:
    """Let it work again."""
    try:
        if pausing.resume(current_actor(), installation):
            flash("It works again.", "success")
    except ConflictError as error:
        flash(error.detail, "warning")
    return _back(installation)


@installs.post(f"{_PATH}/reduction")
@needs("installation.manage", load=find_installation, name="installation")
def reduce(installation: Installation) -> ResponseReturnValue:
    """Take back what it asks for no longer."""
    gone = reducing.reduce_scopes(current_actor(), installation)
    if gone:
        flash(f"Taken back: {', '.join(gone)}. It takes effect at once.", "success")
    return _back(installation)


@installs.get(f"{_PATH}/uninstall")
@needs("installation.manage", load=find_installation, name="installation")
def uninstall_form(installation: Installation) -> ResponseReturnValue:
    """Say what happens, and ask why."""
    if not installation.is_live:
        return _back(installation)
    return _uninstall_page(installation, UninstallForm(formdata=None))


@installs.post(f"{_PATH}/uninstall")
@needs("installation.manage", load=find_installation, name="installation")
def uninstall(installation: Installation) -> ResponseReturnValue:
    """Remove it."""
    form = UninstallForm()
    try:
        done = uninstalling.uninstall(
            current_actor(),
            installation,
            reason=form.reason.data or "",
            note=form.note.data or "",
        )
    except InvalidError as error:
        show_errors(form, error)
        return _uninstall_page(installation, form), 422
    if done:
        flash("It is uninstalled. Its publisher must erase your data within 30 days.", "success")
    return _back(installation)


@installs.post(f"{_PATH}/erasure/reminder")
@needs("installation.manage", load=find_installation, name="installation")
def ask_again(installation: Installation) -> ResponseReturnValue:
    """Ask once more for an erasure that is overdue."""
    erasure = erasure_of(installation.id)
    if erasure is None:
        raise NotFoundError
    try:
        erasures.ask_again(current_actor(), erasure)
        flash("The publisher was asked again, and its people were mailed.", "success")
    except ConflictError as error:
        flash(error.detail, "warning")
    return _back(installation)


def _back(installation: Installation) -> ResponseReturnValue:
    return redirect(
        url_for(
            "installs.installation",
            slug=installation.organization.slug,
            installation_id=installation.public_id,
        ),
        code=303,
    )


def _uninstall_page(installation: Installation, form: UninstallForm) -> str:
    return render_template(
        "installs/uninstall.html",
        installation=installation,
        row=rows_of([installation])[0],
        form=form,
        days=erasures.DUE_AFTER.days,
        max_note=uninstalling.MAX_NOTE,
    )
