"""Certifications as a partner works on them."""

from typing import Any

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from marketplace.accreditation import uploads
from marketplace.accreditation.acting import people_by_id
from marketplace.accreditation.certification import fees, queries, texts
from marketplace.accreditation.certification.checklist import is_given, percent_accepted
from marketplace.accreditation.certification.forms import EvidenceForm, StartForm
from marketplace.accreditation.certification.listings import listings_of
from marketplace.accreditation.certification.models import (
    EDITABLE,
    Certification,
    CertificationProgram,
    CertificationState,
    Subject,
)
from marketplace.accreditation.certification.queries import ItemOf
from marketplace.accreditation.certification.services import gathering, programs
from marketplace.accreditation.certification.tabs import certification_tabs
from marketplace.accreditation.certification.views.blueprints import certification
from marketplace.accreditation.form_errors import show_errors, upload_of
from marketplace.core.errors import ConflictError, InvalidError, NotFoundError
from marketplace.core.limits import limiter
from marketplace.core.pagination import page_number
from marketplace.core.permissions import current_actor, needs
from marketplace.identity.forms import choices_of
from marketplace.identity.models import Organization

_START = "/partner/certifications/new/<certification_program_id>"
_PATH = "/partner/certifications/<certification_id>"
_MAY_START = needs("certification_program.start", load=queries.find_program, name="program")
_MANAGE = needs("certification.manage", load=queries.find_certification, name="found")
_ITEM = needs("certification.manage", load=queries.find_item, name="item")


def _by_person() -> str:
    return f"user:{current_actor().user_id}"


@certification.get("/partner/certifications")
@needs("certifications.use")
def index() -> ResponseReturnValue:
    """What is certified or under way, and what can be started."""
    organization = _organization()
    ended = request.args.get("show") == "ended"
    page = queries.certifications_of_partner(
        organization.id, page_number(request.args.get("page")), current=not ended
    )
    return render_template(
        "certification/index.html",
        tabs=certification_tabs("certification.index"),
        page=page,
        ended=ended,
        names=queries.names_of(page.items),
        programs=queries.programs_for(organization.partner_type),
        texts=texts,
    )


@certification.get(_START)
@_MAY_START
def starting(program: CertificationProgram) -> ResponseReturnValue:
    """What the program asks, and what to certify by it."""
    form = StartForm(formdata=None, data={"listing": request.args.get("listing", "")})
    return _start_page(program, form)


@certification.post(_START)
@_MAY_START
@limiter.limit("30 per hour", key_func=_by_person)
def start(program: CertificationProgram) -> ResponseReturnValue:
    """Begin."""
    form = StartForm()
    if not form.validate():
        return _start_page(program, form), 422
    try:
        found = gathering.start(
            program,
            _organization(),
            listing_id=_number(form.listing.data),
            user_id=_number(form.person.data),
            by_user_id=current_actor().user_id,
        )
    except InvalidError as error:
        show_errors(form, error)
        return _start_page(program, form), 422
    except ConflictError as error:
        flash(error.detail, "warning")
        return redirect(url_for("certification.index"), code=303)
    return _to(found)


@certification.get(_PATH)
@_MANAGE
def show(found: Certification) -> ResponseReturnValue:
    """One certification: what is asked, what was given, what was said of it."""
    return _page(found)


@certification.post(f"{_PATH}/items/<item_key>")
@_ITEM
@limiter.limit("240 per hour", key_func=_by_person)
def give(item: ItemOf) -> ResponseReturnValue:
    """Give the evidence of one item."""
    found = item.certification
    form = EvidenceForm(prefix=f"{item.key[:40]}-")
    if not form.validate():
        return _page(found, {item.key: form}), 422
    try:
        gathering.give(
            found,
            item.key,
            value=form.value.data or "",
            file=upload_of(form.file),
            by_user_id=current_actor().user_id,
        )
        flash("Saved.", "success")
    except InvalidError as error:
        show_errors(form, error)
        return _page(found, {item.key: form}), 422
    except ConflictError as error:
        flash(error.detail, "warning")
    return redirect(
        url_for("certification.show", certification_id=found.public_id, _anchor=f"item-{item.key}"),
        code=303,
    )


@certification.get(f"{_PATH}/items/<item_key>/file")
@_ITEM
def file(item: ItemOf) -> ResponseReturnValue:
    """One's own file, as a download."""
    return file_of(item)


@certification.post(f"{_PATH}/items/<item_key>/file/removal")
@_ITEM
@limiter.limit("240 per hour", key_func=_by_person)
def take_file_back(item: ItemOf) -> ResponseReturnValue:
    """Take one's own file back."""
    found = item.certification
    try:
        if gathering.take_file_back(found, item.key, by_user_id=current_actor().user_id):
            flash("The file is removed.", "success")
    except ConflictError as error:
        flash(error.detail, "warning")
    return redirect(
        url_for("certification.show", certification_id=found.public_id, _anchor=f"item-{item.key}"),
        code=303,
    )


@certification.post(f"{_PATH}/checks")
@_MANAGE
@limiter.limit("60 per hour", key_func=_by_person)
def check(found: Certification) -> ResponseReturnValue:
    """Look at the automatic items anew."""
    if found.state in EDITABLE:
        gathering.run_checks(found)
        flash("Looked again.", "success")
    return _to(found)


@certification.post(f"{_PATH}/submission")
@_MANAGE
@limiter.limit("60 per hour", key_func=_by_person)
def submit(found: Certification) -> ResponseReturnValue:
    """Hand it to our reviewers."""
    try:
        gathering.submit(found, by_user_id=current_actor().user_id)
    except InvalidError as error:
        return _page(found, missing=error.fields), 422
    except ConflictError as error:
        flash(error.detail, "warning")
        return _to(found)
    flash("Submitted. Our reviewers look at it and write to you.", "success")
    return _to(found)


@certification.get(f"{_PATH}/withdrawal")
@_MANAGE
def withdrawing(found: Certification) -> ResponseReturnValue:
    """Ask once more."""
    return render_template(
        "certification/withdrawal.html", found=found, name=queries.names_of([found])[found.id]
    )


@certification.post(f"{_PATH}/withdrawal")
@_MANAGE
def withdraw(found: Certification) -> ResponseReturnValue:
    """Give it up."""
    gathering.withdraw(found, by_user_id=current_actor().user_id)
    flash("Withdrawn.", "success")
    return redirect(url_for("certification.index"), code=303)


@certification.post(f"{_PATH}/renewal")
@_MANAGE
@limiter.limit("30 per hour", key_func=_by_person)
def renew(found: Certification) -> ResponseReturnValue:
    """Begin its renewal by the checklist that counts now."""
    renewable = (CertificationState.CERTIFIED, CertificationState.EXPIRED)
    if found.program is None or found.state not in renewable:
        flash("This certification cannot be renewed.", "warning")
        return _to(found)
    try:
        renewed = gathering.start(
            found.program,
            found.organization,
            listing_id=found.listing_id,
            user_id=found.user_id,
            renews=found,
            by_user_id=current_actor().user_id,
        )
    except InvalidError as error:
        flash("; ".join(error.fields.values()), "warning")
        return _to(found)
    except ConflictError as error:
        flash(error.detail, "warning")
        return _to(found)
    return _to(renewed)


def file_of(item: ItemOf) -> ResponseReturnValue:
    """The file that was given for an item. Raises NotFoundError."""
    evidence = gathering.evidence_of(item.certification).get(item.key)
    if evidence is None or evidence.storage_key is None:
        raise NotFoundError
    return uploads.download(
        evidence.storage_key,
        evidence.file_name or "file",
        evidence.content_type or "application/octet-stream",
    )


def _organization() -> Organization:
    found = queries.own_partner(current_actor().organization_id)
    if found is None:
        raise NotFoundError
    return found


def _start_page(program: CertificationProgram, form: StartForm) -> str:
    organization = _organization()
    checklist = programs.current_checklist(program.id)
    if program.subject is Subject.LISTING:
        listings = [
            each
            for each in listings_of(organization.id)
            if not program.listing_kinds or each.kind in program.listing_kinds
        ]
        form.listing.choices = choices_of(
            [("", "Choose"), *((str(each.id), each.name) for each in listings)]
        )
    elif program.subject is Subject.PERSON:
        people = queries.members_of(organization.id)
        form.person.choices = choices_of(
            [("", "Choose"), *((str(each.id), each.name) for each in people)]
        )
    return render_template(
        "certification/start.html",
        program=program,
        checklist=checklist,
        items=checklist.items if checklist else [],
        form=form,
        fee_due=fees.is_due(program, organization.id),
        texts=texts,
    )


def _page(
    found: Certification,
    forms: dict[str, EvidenceForm] | None = None,
    missing: dict[str, str] | None = None,
) -> str:
    items = gathering.items_of(found)
    given = gathering.evidence_of(found)
    shown: dict[str, Any] = {}
    for item in items:
        evidence = given.get(item.key)
        data = {"value": evidence.value if evidence else ""}
        shown[item.key] = (forms or {}).get(item.key) or EvidenceForm(
            formdata=None, prefix=f"{item.key}-", data=data
        )
    program = found.program
    needs_fee = (
        program is not None
        and found.state in EDITABLE
        and found.fee_order_id is None
        and found.listing_id is not None
        and fees.is_due(program, found.organization_id)
        and fees.paid_order_id(found.organization_id, found.listing_id) is None
    )
    return render_template(
        "certification/show.html",
        found=found,
        name=queries.names_of([found])[found.id],
        items=items,
        given=given,
        forms=shown,
        missing=missing or {},
        is_editable=found.state in EDITABLE,
        percent=percent_accepted(items, given),
        done=sum(is_given(item, given.get(item.key)) for item in items),
        needs_fee=needs_fee,
        people=people_by_id([row.reviewed_by_id for row in given.values()]),
        texts=texts,
        accept=uploads.ACCEPT,
        most_bytes=uploads.MOST_BYTES,
    )


def _number(text: str | None) -> int | None:
    typed = text or ""
    return int(typed) if typed.isascii() and typed.isdigit() and len(typed) < 16 else None


def _to(found: Certification) -> ResponseReturnValue:
    return redirect(url_for("certification.show", certification_id=found.public_id), code=303)
