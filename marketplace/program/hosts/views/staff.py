"""The staff's page of hosts."""

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from marketplace.core.errors import ConflictError, InvalidError
from marketplace.core.pagination import page_number
from marketplace.core.permissions import current_actor, needs
from marketplace.program.hosts import proving, queries
from marketplace.program.hosts.forms import SenderForm, StaffHostForm
from marketplace.program.hosts.models import HostKind, HostState, MappedHost
from marketplace.program.hosts.names import shown_host
from marketplace.program.hosts.services import mapping
from marketplace.program.hosts.texts import KINDS, STATES
from marketplace.program.hosts.views.blueprints import hosts_staff

_PATH = "/staff/hosts/<mapped_host_id>"
_HOST = needs("hosts.manage", load=queries.find_host, name="host")


@hosts_staff.get("/staff/hosts")
@needs("hosts.manage")
def index() -> ResponseReturnValue:
    """All hosts, those that wait first."""
    return _list_page(StaffHostForm(formdata=None))


@hosts_staff.post("/staff/hosts")
@needs("hosts.manage")
def map_host() -> ResponseReturnValue:
    """Map a host to the program's portal, or for a partner."""
    form = StaffHostForm()
    by_user_id = current_actor().user_id
    try:
        if form.kind.data == HostKind.WHITE_LABEL.value:
            partner = queries.find_partner((form.partner.data or "").replace("\x00", ""))
            if partner is None:
                raise InvalidError({"partner": "No partner, or several, of that name."})
            row = mapping.request_host(partner, form.host.data or "", by_user_id=by_user_id)
        elif form.kind.data == HostKind.PROGRAM.value:
            row = mapping.map_program_host(form.host.data or "", by_user_id=by_user_id)
        else:
            raise InvalidError({"kind": "Choose what it shows."})
    except InvalidError as error:
        for name, text in error.fields.items():
            form[name].errors = [text]
        return _list_page(form), 422
    except ConflictError as error:
        form.partner.errors = [error.detail]
        return _list_page(form), 409
    flash(f"{shown_host(row.host)} is mapped.", "success")
    return _to(row)


@hosts_staff.get(_PATH)
@_HOST
def host(host: MappedHost) -> ResponseReturnValue:
    """One host."""
    form = SenderForm(formdata=None)
    form.sender.data = host.sender_address
    return _host_page(host, form)


@hosts_staff.post(f"{_PATH}/state")
@_HOST
def set_state(host: MappedHost) -> ResponseReturnValue:
    """Approve or resume it, or pause it."""
    by_user_id = current_actor().user_id
    if request.form.get("to") == "paused":
        done = mapping.pause(host, by_user_id=by_user_id)
        words = "Paused. It answers no more."
    else:
        done = mapping.activate(host, proven_by="staff", by_user_id=by_user_id)
        words = "It answers now, within a few seconds everywhere."
    if done:
        flash(words, "success")
    return _to(host)


@hosts_staff.post(f"{_PATH}/sender")
@_HOST
def sender(host: MappedHost) -> ResponseReturnValue:
    """Say where its mail comes from."""
    form = SenderForm()
    try:
        mapping.set_sender(host, form.sender.data or "", by_user_id=current_actor().user_id)
    except InvalidError as error:
        form.sender.errors = list(error.fields.values())
        return _host_page(host, form), 422
    flash("Saved.", "success")
    return _to(host)


@hosts_staff.get(f"{_PATH}/remove")
@_HOST
def removing(host: MappedHost) -> ResponseReturnValue:
    """Say what removing means."""
    return render_template("hosts/remove.html", host=host, shown=shown_host, staff=True)


@hosts_staff.post(f"{_PATH}/remove")
@_HOST
def remove(host: MappedHost) -> ResponseReturnValue:
    """Remove a host."""
    mapping.remove(host, by_user_id=current_actor().user_id)
    flash("Removed. It does not answer any more.", "success")
    return redirect(url_for("hosts_staff.index"), code=303)


def _list_page(form: StaffHostForm) -> str:
    chosen = request.args.get("state", "")
    state = HostState(chosen) if chosen in {each.value for each in HostState} else None
    text = request.args.get("q", "").replace("\x00", "").strip()[:100]
    page = queries.page_of_hosts(state, text, page_number(request.args.get("page")))
    return render_template(
        "hosts/staff_index.html",
        page=page,
        state=state,
        q=text,
        form=form,
        organizations=queries.organizations_by_id([row.organization_id for row in page.items]),
        states=STATES,
        kinds=KINDS,
        shown=shown_host,
        args={"state": state.value if state else None, "q": text or None},
    )


def _host_page(host: MappedHost, form: SenderForm) -> str:
    return render_template(
        "hosts/staff_host.html",
        host=host,
        form=form,
        organization=queries.organizations_by_id([host.organization_id]).get(
            host.organization_id or 0
        ),
        record_name=proving.record_name(host.host),
        states=STATES,
        kinds=KINDS,
        shown=shown_host,
    )


def _to(row: MappedHost) -> ResponseReturnValue:
    return redirect(url_for("hosts_staff.host", mapped_host_id=row.public_id), code=303)
