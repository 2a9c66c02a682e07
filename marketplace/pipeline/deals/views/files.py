"""Many deals at once: a file is read, looked at, and confirmed."""

from flask import flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from marketplace.core.database import db
from marketplace.core.errors import InvalidError
from marketplace.core.limits import limiter
from marketplace.core.permissions import current_actor, needs
from marketplace.identity.models import Organization
from marketplace.pipeline.deals import importing, queries
from marketplace.pipeline.deals.models import DealImport
from marketplace.pipeline.deals.services import files
from marketplace.pipeline.deals.views.blueprints import deals
from marketplace.pipeline.leads.forms import FileForm
from marketplace.pipeline.leads.importing import MAX_BYTES, ImportFileError
from marketplace.pipeline.leads.queries import find_named_listing
from marketplace.pipeline.leads.views.own import by_person, own_id

_PATH = "/partner/deals/imports/<deal_import_id>"
_CONFIRM = needs("deal_import.confirm", load=queries.find_import, name="found")


@deals.get("/partner/deals/import")
@needs("deals.use")
def file_new() -> ResponseReturnValue:
    """Choose a file."""
    return _page(FileForm(formdata=None))


@deals.post("/partner/deals/import")
@needs("deals.use")
@limiter.limit("30 per hour", key_func=by_person)
def file_read() -> ResponseReturnValue:
    """Read it and show what it says; nothing is registered yet."""
    form = FileForm()
    upload = form.file.data
    if not upload or not getattr(upload, "filename", ""):
        form.file.errors = ["Choose a file."]
        return _page(form), 422
    try:
        rows = importing.read_file(
            upload.stream.read(MAX_BYTES + 1), organization=_own(), find_listing=_finder()
        )
    except ImportFileError as error:
        form.file.errors = [str(error)]
        return _page(form), 422
    found = files.keep(
        rows,
        file_name=upload.filename,
        organization_id=own_id(),
        by_user_id=current_actor().user_id,
    )
    return redirect(url_for("deals.file_preview", deal_import_id=found.public_id), code=303)


@deals.get(_PATH)
@_CONFIRM
def file_preview(found: DealImport) -> ResponseReturnValue:
    """What the file says, with the errors of each row."""
    good = sum(not row["errors"] for row in found.rows)
    return render_template(
        "deals/import_preview.html",
        found=found,
        good=good,
        bad=len(found.rows) - good,
        columns=importing.COLUMNS[:-1],
    )


@deals.post(_PATH)
@_CONFIRM
@limiter.limit("30 per hour", key_func=by_person)
def file_confirm(found: DealImport) -> ResponseReturnValue:
    """Register the rows without errors."""
    try:
        made = files.confirm(
            found,
            organization=_own(),
            find_listing=_finder(),
            by_user_id=current_actor().user_id,
        )
    except InvalidError as error:
        flash(error.detail, "warning")
        return redirect(url_for("deals.file_new"), code=303)
    if made.registered:
        what = "deal" if made.registered == 1 else "deals"
        known = f", {made.conflicts} of them in conflict: staff decide" if made.conflicts else ""
        flash(f"Registered {made.registered} {what}{known}.", "success")
    if made.left_out:
        flash("Some rows were refused meanwhile; the page says why.", "warning")
        return redirect(url_for("deals.file_preview", deal_import_id=found.public_id), code=303)
    return redirect(url_for("deals.index"), code=303)


@deals.post(f"{_PATH}/discard")
@_CONFIRM
def file_discard(found: DealImport) -> ResponseReturnValue:
    """Forget the file."""
    files.discard(found)
    flash("The file is forgotten.", "success")
    return redirect(url_for("deals.file_new"), code=303)


def _own() -> Organization:
    return db.session.get_one(Organization, own_id())


def _finder() -> importing.FindListing:
    """Finds listings by what was typed; what stands in many rows is asked for once."""
    known: dict[str, int | None] = {}

    def find(typed: str) -> int | None:
        if typed not in known:
            listing = find_named_listing(typed)
            known[typed] = listing.id if listing is not None else None
        return known[typed]

    return find


def _page(form: FileForm) -> str:
    return render_template(
        "deals/import.html",
        form=form,
        columns=importing.COLUMNS,
        most_bytes=MAX_BYTES,
        most_rows=importing.MAX_ROWS,
    )
