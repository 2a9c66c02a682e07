"""Managed services, as a partner files them."""

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from marketplace.accreditation import uploads
from marketplace.accreditation.certification.tabs import certification_tabs
from marketplace.accreditation.form_errors import show_errors, upload_of
from marketplace.accreditation.managed_services import queries, services, texts
from marketplace.accreditation.managed_services.forms import (
    ServiceEvidenceForm,
    ServiceForm,
    bps_of,
    minutes_of,
)
from marketplace.accreditation.managed_services.models import ManagedService, ServiceEvidence
from marketplace.accreditation.managed_services.views.blueprints import managed_services
from marketplace.accreditation.verification.queries import own_partner
from marketplace.core import clock
from marketplace.core.errors import ConflictError, InvalidError, NotFoundError
from marketplace.core.limits import limiter
from marketplace.core.pagination import page_number
from marketplace.core.permissions import current_actor, needs

_PATH = "/partner/managed-services/<managed_service_id>"
_MANAGE = needs("managed_service.manage", load=queries.find_service, name="service")


def _by_person() -> str:
    return f"user:{current_actor().user_id}"


@managed_services.get("/partner/managed-services")
@needs("managed_services.use")
def index() -> ResponseReturnValue:
    """The organization's services, and how old their evidence is."""
    page = queries.page_of_services(
        current_actor().organization_id or 0, page_number(request.args.get("page"))
    )
    today = clock.today_in(current_actor().timezone)
    newest = queries.newest_accepted([row.id for row in page.items])
    return render_template(
        "managed_services/index.html",
        tabs=certification_tabs("managed_services.index"),
        page=page,
        ages={each: max(0, (today - day).days) for each, day in newest.items()},
        texts=texts,
    )


@managed_services.get("/partner/managed-services/new")
@needs("managed_services.use")
def new() -> ResponseReturnValue:
    """The form for a service."""
    return _form_page(ServiceForm(formdata=None))


@managed_services.post("/partner/managed-services/new")
@needs("managed_services.use")
@limiter.limit("30 per hour", key_func=_by_person)
def create() -> ResponseReturnValue:
    """File a service."""
    return _save(None)


@managed_services.get(_PATH)
@_MANAGE
def show(service: ManagedService) -> ResponseReturnValue:
    """One service with its evidence."""
    return _page(service, ServiceEvidenceForm(formdata=None))


@managed_services.get(f"{_PATH}/edit")
@_MANAGE
def edit(service: ManagedService) -> ResponseReturnValue:
    """The form to change it."""
    form = ServiceForm(formdata=None)
    form.title.data, form.description.data = service.title, service.description
    form.hours.data, form.response_minutes.data = service.hours, service.response_minutes
    form.availability.data = service.availability_bps / 100
    return _form_page(form, service)


@managed_services.post(f"{_PATH}/edit")
@_MANAGE
def save(service: ManagedService) -> ResponseReturnValue:
    """Change it."""
    return _save(service)


@managed_services.get(f"{_PATH}/end")
@_MANAGE
def ending(service: ManagedService) -> ResponseReturnValue:
    """Ask once more."""
    return render_template("managed_services/end.html", service=service)


@managed_services.post(f"{_PATH}/end")
@_MANAGE
def end(service: ManagedService) -> ResponseReturnValue:
    """It is not offered any more."""
    services.end_service(service, by_user_id=current_actor().user_id)
    flash("Ended. Its evidence is kept.", "success")
    return redirect(url_for("managed_services.index"), code=303)


@managed_services.post(f"{_PATH}/evidence")
@_MANAGE
@limiter.limit("30 per hour", key_func=_by_person)
def add_evidence(service: ManagedService) -> ResponseReturnValue:
    """Hand in evidence."""
    form = ServiceEvidenceForm()
    if not form.validate():
        return _page(service, form), 422
    try:
        services.add_evidence(
            service,
            kind=form.kind.data or "",
            dated_on=form.dated_on.data,
            response_minutes=minutes_of(form.response_minutes.data),
            availability_bps=bps_of(form.availability.data),
            note=form.note.data or "",
            file=upload_of(form.file),
            by_user_id=current_actor().user_id,
            timezone=current_actor().timezone,
        )
        flash("Handed in. It counts once our reviewers accept it.", "success")
    except InvalidError as error:
        show_errors(form, error)
        return _page(service, form), 422
    except ConflictError as error:
        flash(error.detail, "warning")
    return _to(service)


@managed_services.get("/partner/managed-services/evidence/<service_evidence_id>")
@needs("service_evidence.read", load=queries.find_evidence, name="evidence")
def evidence_file(evidence: ServiceEvidence) -> ResponseReturnValue:
    """One's own file, as a download."""
    return uploads.download(evidence.storage_key, evidence.file_name, evidence.content_type)


def _save(service: ManagedService | None) -> ResponseReturnValue:
    form = ServiceForm()
    if not form.validate():
        return _form_page(form, service), 422
    organization = own_partner(current_actor().organization_id)
    if organization is None:
        raise NotFoundError
    minutes, bps = minutes_of(form.response_minutes.data), bps_of(form.availability.data)
    try:
        saved = services.save_service(
            organization,
            service,
            title=form.title.data or "",
            description=form.description.data or "",
            hours=form.hours.data or "",
            response_minutes=-1 if minutes is None else minutes,
            availability_bps=-1 if bps is None else bps,
            by_user_id=current_actor().user_id,
            form_key=form.form_key.data or "",
        )
    except InvalidError as error:
        show_errors(form, error)
        return _form_page(form, service), 422
    except ConflictError as error:
        flash(error.detail, "warning")
        return redirect(url_for("managed_services.index"), code=303)
    flash("Saved." if service else "Filed. Add evidence of how it is run.", "success")
    return _to(saved)


def _page(service: ManagedService, form: ServiceEvidenceForm) -> str:
    page = queries.evidence_of(service.id, page_number(request.args.get("page")))
    newest = queries.newest_accepted([service.id]).get(service.id)
    return render_template(
        "managed_services/show.html",
        service=service,
        page=page,
        age=max(0, (clock.today_in(current_actor().timezone) - newest).days) if newest else None,
        form=form,
        texts=texts,
        accept=uploads.ACCEPT,
        most_bytes=uploads.MOST_BYTES,
    )


def _form_page(form: ServiceForm, service: ManagedService | None = None) -> str:
    return render_template("managed_services/form.html", form=form, service=service)


def _to(service: ManagedService) -> ResponseReturnValue:
    return redirect(
        url_for("managed_services.show", managed_service_id=service.public_id), code=303
    )
