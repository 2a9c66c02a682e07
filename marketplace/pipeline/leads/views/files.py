"""Many leads at once: a file is read, looked at, and confirmed."""

from flask import flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from marketplace.core.database import db
from marketplace.core.errors import InvalidError
from marketplace.core.limits import limiter
from marketplace.core.permissions import current_actor, needs
from marketplace.identity.models import Organization
from marketplace.pipeline.leads import importing, queries
from marketplace.pipeline.leads.forms import FileForm
from marketplace.pipeline.leads.models import LeadImport
from marketplace.pipeline.leads.services import files
from marketplace.pipeline.leads.views.blueprints import leads
from marketplace.pipeline.leads.views.own import by_person, own_id

_PATH = "/partner/leads/imports/<lead_import_id>"
_CONFIRM = needs("lead_import.confirm", load=queries.find_import, name="found")


@leads.get("/partner/leads/import")
@needs("leads.use")
def file_new() -> ResponseReturnValue:
    """Choose a file."""
    return _page(FileForm(formdata=None))


@leads.post("/partner/leads/import")
@needs("leads.use")
@limiter.limit("30 per hour", key_func=by_person)
def file_read() -> ResponseReturnValue:
    """Read it and show what it says; nothing is registered yet."""
    form = FileForm()
    upload = form.file.data
    if not upload or not getattr(upload, "filename", ""):
        form.file.errors = ["Choose a file."]
        return _page(form), 422
    try:
        rows = importing.read_file(upload.stream.read(importing.MAX_BYTES + 1))
    except importing.ImportFileError as error:
        form.file.errors = [str(error)]
        return _page(form), 422
    found = files.keep(
        rows,
        file_name=upload.filename,
        organization_id=own_id(),
        by_user_id=current_actor().user_id,
    )
    return redirect(url_for("leads.file_preview", lead_import_id=found.public_id), code=303)


@leads.get(_PATH)
@_CONFIRM
def file_preview(found: LeadImport) -> ResponseReturnValue:
    """What the file says, with the errors of each row."""
    good = sum(not row["errors"] for row in found.rows)
    return render_template(
        "leads/import_preview.html",
        found=found,
        good=good,
        bad=len(found.rows) - good,
        columns=("name", "email", "company", "country", "need"),
    )


@leads.post(_PATH)
@_CONFIRM
def file_confirm(found: LeadImport) -> ResponseReturnValue:
    """Register the rows without errors."""
    organization = db.session.get_one(Organization, own_id())
    try:
        made = files.confirm(found, organization=organization, by_user_id=current_actor().user_id)
    except InvalidError as error:
        flash(error.detail, "warning")
        return redirect(url_for("leads.file_new"), code=303)
    known = f", {made.duplicates} of them known already" if made.duplicates else ""
    flash(f"Registered {made.registered} leads{known}.", "success")
    return redirect(url_for("leads.index"), code=303)


@leads.post(f"{_PATH}/discard")
@_CONFIRM
def file_discard(found: LeadImport) -> ResponseReturnValue:
    """Forget the file."""
    files.discard(found)
    flash("The file is forgotten. Nothing was registered.", "success")
    return redirect(url_for("leads.file_new"), code=303)


def _page(form: FileForm) -> str:
    return render_template(
        "leads/import.html",
        form=form,
        columns=importing.COLUMNS,
        most_bytes=importing.MAX_BYTES,
        most_rows=importing.MAX_ROWS,
    )
