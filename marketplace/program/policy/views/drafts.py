"""Beginning, describing and giving up drafts."""

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from werkzeug.datastructures import FileStorage

from marketplace.core.errors import ConflictError, InvalidError
from marketplace.core.limits import limiter
from marketplace.core.permissions import current_actor, needs
from marketplace.program.policy import queries
from marketplace.program.policy.document import Policy
from marketplace.program.policy.documents import DocumentError
from marketplace.program.policy.forms import DescribeForm, GeneralForm, StartForm, UploadForm
from marketplace.program.policy.models import PolicyState, PolicyVersion
from marketplace.program.policy.services import drafting
from marketplace.program.policy.views.blueprints import policy_staff
from marketplace.program.policy.views.versions import PATH, policy_in
from marketplace.program.policy.yaml_text import MAX_BYTES, TEMPLATES, policy_from_yaml, template

EDIT = needs("policy.edit", load=queries.find_version, name="version")
_LIMIT = limiter.limit("60 per hour", key_func=lambda: f"user:{current_actor().user_id}")


@policy_staff.post("/staff/policy/drafts")
@needs("policy.edit")
@_LIMIT
def begin() -> ResponseReturnValue:
    """Begin a draft: of a template, of a version (its public id), or of what is in force."""
    form = StartForm()
    source = form.source.data or ""
    base: PolicyVersion | None = None
    if source in TEMPLATES:
        policy, name = template(source), TEMPLATES[source][0]
    else:
        base = queries.find_version(source) or queries.version_in_force()
        if base is None:
            flash("There is nothing to begin from yet. Choose a template.", "warning")
            return redirect(url_for("policy_staff.index"), code=303)
        policy, name = policy_in(base), f"After version {base.number or base.name}"
    return _begun(policy, base, name)


@policy_staff.get("/staff/policy/upload")
@needs("policy.edit")
def upload() -> ResponseReturnValue:
    """The form to upload a policy."""
    return _upload_page(UploadForm(formdata=None), [])


@policy_staff.post("/staff/policy/upload")
@needs("policy.edit")
@_LIMIT
def uploaded() -> ResponseReturnValue:
    """Begin a draft with what a file says."""
    form = UploadForm()
    given = form.file.data
    if not isinstance(given, FileStorage) or not given.filename:
        form.file.errors = ["Choose a file."]
        return _upload_page(form, []), 422
    try:
        with given.stream as stream:
            policy = policy_from_yaml(stream.read(MAX_BYTES + 1))
    except DocumentError as error:
        form.file.errors = ["This is no policy. What must change stands below."]
        return _upload_page(form, [str(each) for each in error.problems[:50]]), 422
    return _begun(policy, queries.version_in_force(), f"From {given.filename}"[: drafting.MAX_NAME])


@policy_staff.get(f"{PATH}/name")
@EDIT
def naming(version: PolicyVersion) -> ResponseReturnValue:
    """The form to name a draft."""
    form = DescribeForm(formdata=None)
    form.name.data, form.note.data = version.name, version.note
    form.edition.data = version.edition
    return _name_page(version, form)


@policy_staff.post(f"{PATH}/name")
@EDIT
def name(version: PolicyVersion) -> ResponseReturnValue:
    """Name a draft, and say why it is."""
    form = DescribeForm()
    try:
        drafting.describe(
            version,
            name=form.name.data or "",
            note=form.note.data or "",
            edition=form.seen(),
            by_user_id=current_actor().user_id,
        )
    except InvalidError as error:
        form.name.errors = [error.fields["name"]] if "name" in error.fields else []
        form.note.errors = [error.fields["note"]] if "note" in error.fields else []
        return _name_page(version, form), 422
    except ConflictError as error:
        return conflict_page(_name_page, version, form, error)
    flash("Saved.", "success")
    return to_version(version)


@policy_staff.get(f"{PATH}/general")
@EDIT
def general(version: PolicyVersion) -> ResponseReturnValue:
    """The form of what holds for the whole program."""
    form = GeneralForm(formdata=None)
    form.show(policy_in(version))
    form.edition.data = version.edition
    return _general_page(version, form)


@policy_staff.post(f"{PATH}/general")
@EDIT
def general_save(version: PolicyVersion) -> ResponseReturnValue:
    """Save it."""
    form = GeneralForm()
    if "add_row" in request.form or "remove_row" in request.form:
        form.change_rows(request.form.get("add_row", ""), request.form.get("remove_row", ""))
        return _general_page(version, form)
    values, problems = form.values()
    if values["grace_days"] is None:
        values["grace_days"] = 0
    try:
        if problems:
            raise DocumentError(problems)
        drafting.save(
            version,
            {**version.document, **values},
            edition=form.seen(),
            by_user_id=current_actor().user_id,
        )
    except DocumentError as error:
        form.show_problems(error.problems)
        return _general_page(version, form), 422
    except ConflictError as error:
        return conflict_page(_general_page, version, form, error)
    flash("Saved.", "success")
    return to_version(version)


@policy_staff.get(f"{PATH}/discard")
@EDIT
def discarding(version: PolicyVersion) -> ResponseReturnValue:
    """Ask once more."""
    return render_template("program_policy/discard.html", version=version)


@policy_staff.post(f"{PATH}/discard")
@EDIT
def discard(version: PolicyVersion) -> ResponseReturnValue:
    """Give a draft up."""
    try:
        drafting.discard(version, by_user_id=current_actor().user_id)
        flash("The draft is discarded.", "success")
    except ConflictError as error:
        flash(error.detail, "warning")
        return to_version(version)
    return redirect(url_for("policy_staff.index"), code=303)


def to_version(version: PolicyVersion) -> ResponseReturnValue:
    """Back to a version's page."""
    return redirect(url_for("policy_staff.version", policy_id=version.public_id), code=303)


def conflict_page(  # type: ignore[no-untyped-def]  # any page function, any form
    page, version: PolicyVersion, form, error: ConflictError
) -> ResponseReturnValue:
    """The form again with what was typed; saving once more saves it on top of what the other has
    saved meanwhile."""
    if version.state is not PolicyState.DRAFT:
        flash(error.detail, "warning")
        return to_version(version)
    form.form_errors.append(error.detail)
    form.edition.data = version.edition
    form.edition.raw_data = None
    return page(version, form), 409


def _begun(policy: Policy, base: PolicyVersion | None, name: str) -> ResponseReturnValue:
    draft = drafting.begin(
        policy, by_user_id=current_actor().user_id, based_on=base, name=name[: drafting.MAX_NAME]
    )
    flash("A draft is begun. Nothing changes for anybody until you publish it.", "success")
    return to_version(draft)


def _upload_page(form: UploadForm, problems: list[str]) -> str:
    return render_template("program_policy/upload.html", form=form, problems=problems)


def _name_page(version: PolicyVersion, form: DescribeForm) -> str:
    return render_template("program_policy/name.html", version=version, form=form)


def _general_page(version: PolicyVersion, form: GeneralForm) -> str:
    return render_template("program_policy/general.html", version=version, form=form)
