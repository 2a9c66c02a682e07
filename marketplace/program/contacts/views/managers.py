"""The partner's own program manager."""

from flask import flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from marketplace.core import clock
from marketplace.core.errors import ConflictError, InvalidError
from marketplace.core.limits import limiter
from marketplace.core.permissions import current_actor, needs
from marketplace.identity import queries as identity
from marketplace.identity.forms import choices_of, show_errors
from marketplace.program.contacts import queries
from marketplace.program.contacts.forms import ManagerForm
from marketplace.program.contacts.manager_state import state_at
from marketplace.program.contacts.services import managers as services
from marketplace.program.contacts.views.blueprints import contacts
from marketplace.program.contacts.views.partner import own_partner


@contacts.get("/partner/contacts/manager")
@needs("contacts.use")
def manager() -> ResponseReturnValue:
    """Who manages the program, and whether they confirmed."""
    return _page(ManagerForm(formdata=None))


@contacts.post("/partner/contacts/manager")
@needs("program_manager.name")
@limiter.limit("20 per hour", key_func=lambda: f"user:{current_actor().user_id}")
def manager_name() -> ResponseReturnValue:
    """Name a member."""
    form = ManagerForm()
    value = form.member.data or ""
    member = int(value) if value.isascii() and value.isdigit() and len(value) < 19 else 0
    try:
        services.name_manager(own_partner(), member, by_user_id=current_actor().user_id)
    except InvalidError as error:
        return _page(form, show_errors(form, error)), 422
    flash("Named. They are asked by mail to confirm.", "success")
    return _back()


@contacts.post("/partner/contacts/manager/confirmation")
@needs("contacts.use")
def manager_confirm() -> ResponseReturnValue:
    """The named person confirms for another quarter."""
    try:
        services.confirm(own_partner(), current_actor().user_id or 0)
        flash("Confirmed. We ask again in a quarter.", "success")
    except ConflictError as error:
        flash(error.detail, "warning")
    return _back()


def _page(form: ManagerForm, extra: list[str] | None = None) -> str:
    organization, actor = own_partner(), current_actor()
    row = services.find_manager(organization.id)
    members = identity.members_of(organization.id)
    form.member.choices = choices_of(
        [("", "Choose one"), *((str(each.user_id), each.user.name) for each in members)]
    )
    return render_template(
        "contacts/manager.html",
        row=row,
        name=queries.names_of_people([row.user_id]).get(row.user_id, "") if row else "",
        state=state_at(services.facts_of(row), clock.now()).value,
        form=form,
        extra=extra or [],
        may_name=actor.can("program_manager.name"),
        is_named=row is not None and row.user_id == actor.user_id and row.departed_at is None,
    )


def _back() -> ResponseReturnValue:
    return redirect(url_for("contacts.manager"), code=303)
