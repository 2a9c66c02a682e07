"""Evidence of managed services, as reviewers decide it."""

from collections.abc import Callable

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from marketplace.accreditation import uploads
from marketplace.accreditation.form_errors import show_errors
from marketplace.accreditation.managed_services import queries, services, texts
from marketplace.accreditation.managed_services.forms import RemarkForm
from marketplace.accreditation.managed_services.models import (
    ServiceEvidence,
    ServiceEvidenceState,
)
from marketplace.accreditation.managed_services.views.blueprints import managed_services_staff
from marketplace.core.errors import ConflictError, InvalidError
from marketplace.core.pagination import page_number
from marketplace.core.permissions import current_actor, needs

_PATH = "/staff/certifications/evidence/<service_evidence_id>"
_DECIDE = needs("service_evidence.decide", load=queries.find_evidence, name="evidence")


@managed_services_staff.get("/staff/certifications/evidence")
@needs("service_evidence.review")
def queue() -> ResponseReturnValue:
    """Evidence that waits, or was decided."""
    asked = request.args.get("show", "")
    known = {each.value for each in ServiceEvidenceState}
    state = ServiceEvidenceState(asked) if asked in known else ServiceEvidenceState.SUBMITTED
    return render_template(
        "managed_services/queue.html",
        page=queries.page_of_queue(state, page_number(request.args.get("page"))),
        shown=state.value,
        texts=texts,
    )


@managed_services_staff.get(_PATH)
@_DECIDE
def case(evidence: ServiceEvidence) -> ResponseReturnValue:
    """One piece of evidence beside what is promised."""
    return _page(evidence, RemarkForm(formdata=None))


@managed_services_staff.get(f"{_PATH}/file")
@_DECIDE
def file(evidence: ServiceEvidence) -> ResponseReturnValue:
    """The file, as a download."""
    return uploads.download(evidence.storage_key, evidence.file_name, evidence.content_type)


@managed_services_staff.post(f"{_PATH}/acceptance")
@_DECIDE
def accept(evidence: ServiceEvidence) -> ResponseReturnValue:
    """It counts."""
    try:
        services.accept(evidence, by_user_id=current_actor().user_id)
        flash("Accepted. It counts from the day that it is of.", "success")
    except ConflictError as error:
        flash(error.detail, "warning")
    return redirect(url_for("managed_services_staff.queue"), code=303)


@managed_services_staff.post(f"{_PATH}/return")
@_DECIDE
def send_back(evidence: ServiceEvidence) -> ResponseReturnValue:
    """It is not enough."""
    return _with_remark(evidence, services.send_back, "Sent back. The partner is told.")


@managed_services_staff.post(f"{_PATH}/revocation")
@_DECIDE
def revoke(evidence: ServiceEvidence) -> ResponseReturnValue:
    """It does not hold."""
    return _with_remark(
        evidence, services.revoke, "Taken back. It does not count any more; the partner is told."
    )


def _with_remark(
    evidence: ServiceEvidence, act: Callable[..., None], done: str
) -> ResponseReturnValue:
    form = RemarkForm()
    if not form.validate():
        return _page(evidence, form), 422
    try:
        act(evidence, remark=form.remark.data or "", by_user_id=current_actor().user_id)
        flash(done, "success")
    except InvalidError as error:
        show_errors(form, error)
        return _page(evidence, form), 422
    except ConflictError as error:
        flash(error.detail, "warning")
    return redirect(url_for("managed_services_staff.queue"), code=303)


def _page(evidence: ServiceEvidence, form: RemarkForm) -> str:
    return render_template("managed_services/case.html", evidence=evidence, form=form, texts=texts)
