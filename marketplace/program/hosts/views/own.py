"""A white-label partner's domains: asking for one, proving it, its face."""

from flask import current_app, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from werkzeug.datastructures import FileStorage

from marketplace.core.database import db
from marketplace.core.errors import ConflictError, InvalidError
from marketplace.core.limits import limiter
from marketplace.core.permissions import current_actor, needs
from marketplace.identity.models import Organization
from marketplace.program.hosts import proving, queries
from marketplace.program.hosts.forms import BrandForm, HostForm
from marketplace.program.hosts.live import brand_of
from marketplace.program.hosts.models import HostState, MappedHost
from marketplace.program.hosts.names import shown_host
from marketplace.program.hosts.services import mapping
from marketplace.program.hosts.texts import STATES
from marketplace.program.hosts.views.blueprints import hosts

_PATH = "/partner/domains/<mapped_host_id>"
_OWN = needs("partner_host.manage", load=queries.find_host, name="host")
_LIMIT = limiter.limit("60 per hour", key_func=lambda: f"user:{current_actor().user_id}")


@hosts.get("/partner/domains")
@needs("hosts.read")
def index() -> ResponseReturnValue:
    """The partner's domains, or what they are for."""
    return _list_page(HostForm(formdata=None))


@hosts.post("/partner/domains")
@needs("hosts.request")
@_LIMIT
def request_host() -> ResponseReturnValue:
    """Ask for a domain; its record is looked up at once."""
    form = HostForm()
    try:
        row = mapping.request_host(
            _own_organization(), form.host.data or "", by_user_id=current_actor().user_id
        )
    except InvalidError as error:
        form.host.errors = list(error.fields.values())
        return _list_page(form), 422
    except ConflictError as error:
        return _list_page(form, problem=error.detail), 409
    flash("Added. Prove now that it is yours.", "success")
    return _to(row)


@hosts.get(_PATH)
@_OWN
def host(host: MappedHost) -> ResponseReturnValue:
    """One domain: how to prove it, and its face."""
    form = BrandForm(formdata=None)
    form.name.data, form.color.data, form.contact.data = (
        host.brand_name,
        host.brand_color,
        host.contact,
    )
    return _host_page(host, form)


@hosts.post(f"{_PATH}/check")
@_OWN
@_LIMIT
def check(host: MappedHost) -> ResponseReturnValue:
    """Look at the record again."""
    proving.look_later(host)
    flash("We look at the record now. Load this page again in a moment.", "info")
    return _to(host)


@hosts.post(f"{_PATH}/brand")
@_OWN
def brand(host: MappedHost) -> ResponseReturnValue:
    """Change name, colour, contact and logo."""
    form = BrandForm()
    user_id = current_actor().user_id
    try:
        mapping.set_brand(
            host,
            name=form.name.data or "",
            color=form.color.data or "",
            contact=form.contact.data or "",
            by_user_id=user_id,
        )
        upload = form.logo.data
        if isinstance(upload, FileStorage) and upload.filename:
            storage = current_app.extensions["portico_storage"]
            with upload.stream as stream:
                content = stream.read()
            mapping.set_logo(host, content, storage, by_user_id=user_id)
    except InvalidError as error:
        for name, text in error.fields.items():
            form[name].errors = [text]
        return _host_page(host, form), 422
    flash("Saved. Visitors see it within a few seconds.", "success")
    return _to(host)


@hosts.get(f"{_PATH}/remove")
@_OWN
def removing(host: MappedHost) -> ResponseReturnValue:
    """Say what removing means."""
    return render_template("hosts/remove.html", host=host, shown=shown_host, staff=False)


@hosts.post(f"{_PATH}/remove")
@_OWN
def remove(host: MappedHost) -> ResponseReturnValue:
    """Remove a domain."""
    mapping.withdraw(host, by_user_id=current_actor().user_id)
    flash("Removed. It does not answer any more.", "success")
    return redirect(url_for("hosts.index"), code=303)


def _own_organization() -> Organization:
    return db.session.get_one(Organization, current_actor().organization_id)


def _list_page(form: HostForm, *, problem: str = "") -> str:
    organization = _own_organization()
    return render_template(
        "hosts/index.html",
        rows=queries.hosts_of(organization.id),
        may=mapping.may_white_label(organization),
        may_request=current_actor().can("hosts.request"),
        most=mapping.MOST_OF_A_PARTNER,
        form=form,
        problem=problem,
        states=STATES,
        shown=shown_host,
    )


def _host_page(host: MappedHost, form: BrandForm) -> str:
    organization = _own_organization()
    return render_template(
        "hosts/host.html",
        host=host,
        form=form,
        brand=brand_of(host, organization.name),
        record_name=proving.record_name(host.host),
        is_pending=host.state is HostState.PENDING,
        states=STATES,
        shown=shown_host,
    )


def _to(row: MappedHost) -> ResponseReturnValue:
    return redirect(url_for("hosts.host", mapped_host_id=row.public_id), code=303)
