"""Certification programs and their checklists, as program managers write them."""

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from marketplace.accreditation.certification import queries, texts
from marketplace.accreditation.certification.forms import ChecklistForm, ProgramForm, bounded
from marketplace.accreditation.certification.models import (
    CertificationProgram,
    Checklist,
    ChecklistState,
)
from marketplace.accreditation.certification.services import programs as services
from marketplace.accreditation.certification.views.blueprints import certification_staff
from marketplace.accreditation.form_errors import show_errors
from marketplace.core.errors import ConflictError, InvalidError
from marketplace.core.pagination import page_number
from marketplace.core.permissions import current_actor, needs

_PATH = "/staff/certifications/programs/<certification_program_id>"
_LIST = "/staff/certifications/checklists/<checklist_id>"
_PROGRAM = needs("certification_program.manage", load=queries.find_program, name="program")
_CHECKLIST = needs("certification_checklist.manage", load=queries.find_checklist, name="checklist")


@certification_staff.get("/staff/certifications/programs")
@needs("certifications.manage")
def programs() -> ResponseReturnValue:
    """All programs."""
    page = queries.page_of_programs(page_number(request.args.get("page")))
    return render_template(
        "certification/programs.html",
        page=page,
        counts=queries.certified_counts([row.id for row in page.items]),
        texts=texts,
    )


@certification_staff.get("/staff/certifications/programs/new")
@needs("certifications.manage")
def program_new() -> ResponseReturnValue:
    """The form for a program."""
    return _form_page(ProgramForm(formdata=None))


@certification_staff.post("/staff/certifications/programs/new")
@needs("certifications.manage")
def program_create() -> ResponseReturnValue:
    """Create it, with a first draft of its checklist."""
    form = ProgramForm()
    if not form.validate():
        return _form_page(form), 422
    try:
        program = services.create_program(form.terms(), by_user_id=current_actor().user_id)
    except InvalidError as error:
        show_errors(form, error)
        return _form_page(form), 422
    flash("Created. Write its checklist now; publish it to let partners start.", "success")
    return _to(program)


@certification_staff.get(_PATH)
@_PROGRAM
def program(program: CertificationProgram) -> ResponseReturnValue:
    """One program with the versions of its checklist."""
    return render_template(
        "certification/program.html",
        program=program,
        checklists=queries.checklists_of(program.id),
        certified=queries.certified_counts([program.id]).get(program.id, 0),
        texts=texts,
    )


@certification_staff.get(f"{_PATH}/edit")
@_PROGRAM
def program_edit(program: CertificationProgram) -> ResponseReturnValue:
    """The form to change it."""
    form = ProgramForm(formdata=None)
    form.show(program)
    return _form_page(form, program)


@certification_staff.post(f"{_PATH}/edit")
@_PROGRAM
def program_save(program: CertificationProgram) -> ResponseReturnValue:
    """Change it."""
    form = ProgramForm()
    form.subject.data = program.subject.value
    if not form.validate():
        return _form_page(form, program), 422
    try:
        services.edit_program(program, form.terms(), by_user_id=current_actor().user_id)
    except InvalidError as error:
        show_errors(form, error)
        return _form_page(form, program), 422
    flash("Saved. Listings are looked at anew.", "success")
    return _to(program)


@certification_staff.post(f"{_PATH}/opening")
@_PROGRAM
def program_open(program: CertificationProgram) -> ResponseReturnValue:
    """Let it be started again."""
    services.set_open(program, is_open=True, by_user_id=current_actor().user_id)
    flash("Open.", "success")
    return _to(program)


@certification_staff.post(f"{_PATH}/closing")
@_PROGRAM
def program_close(program: CertificationProgram) -> ResponseReturnValue:
    """Let it be started no more."""
    services.set_open(program, is_open=False, by_user_id=current_actor().user_id)
    flash("Closed. What is certified stays so.", "success")
    return _to(program)


@certification_staff.post(f"{_PATH}/draft")
@_PROGRAM
def draft(program: CertificationProgram) -> ResponseReturnValue:
    """The draft of the next version, begun when there is none."""
    return redirect(
        url_for("certification_staff.checklist", checklist_id=services.draft_of(program).public_id),
        code=303,
    )


@certification_staff.get(_LIST)
@_CHECKLIST
def checklist(checklist: Checklist) -> ResponseReturnValue:
    """One version: a draft can be changed, a published one is shown."""
    form = ChecklistForm(formdata=None)
    form.show(checklist)
    return _checklist_page(checklist, form)


@certification_staff.post(_LIST)
@_CHECKLIST
def checklist_save(checklist: Checklist) -> ResponseReturnValue:
    """Change the draft."""
    form = ChecklistForm()
    if "add_row" in request.form or "remove_row" in request.form:
        form.change_rows("add_row" in request.form, request.form.get("remove_row", ""))
        return _checklist_page(checklist, form)
    if not form.validate():
        return _checklist_page(checklist, form), 422
    edition = form.edition.data or ""
    try:
        services.save_draft(
            checklist,
            form.rows(),
            pass_percent=bounded(form.pass_percent.data, 100),
            note=form.note.data or "",
            edition=int(edition) if edition.isascii() and edition.isdigit() else -1,
            by_user_id=current_actor().user_id,
        )
    except InvalidError as error:
        show_errors(form, error)
        return _checklist_page(checklist, form), 422
    except ConflictError as error:
        return _checklist_page(checklist, form, problem=error.detail), 409
    flash("Saved.", "success")
    return redirect(
        url_for("certification_staff.checklist", checklist_id=checklist.public_id), code=303
    )


@certification_staff.post(f"{_LIST}/publication")
@_CHECKLIST
def checklist_publish(checklist: Checklist) -> ResponseReturnValue:
    """Let it count."""
    services.publish(checklist, by_user_id=current_actor().user_id)
    flash(
        f"Version {checklist.number} counts for what is started or renewed from now on.",
        "success",
    )
    return _to(checklist.program)


def _checklist_page(checklist: Checklist, form: ChecklistForm, problem: str = "") -> str:
    return render_template(
        "certification/checklist.html",
        checklist=checklist,
        program=checklist.program,
        form=form,
        is_draft=checklist.state is ChecklistState.DRAFT,
        problem=problem,
        texts=texts,
    )


def _form_page(form: ProgramForm, program: CertificationProgram | None = None) -> str:
    return render_template(
        "certification/program_form.html", form=form, program=program, texts=texts
    )


def _to(program: CertificationProgram) -> ResponseReturnValue:
    return redirect(
        url_for("certification_staff.program", certification_program_id=program.public_id),
        code=303,
    )
