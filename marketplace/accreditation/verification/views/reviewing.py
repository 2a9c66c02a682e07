"""Verification as staff decide it."""

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from marketplace.accreditation import uploads
from marketplace.accreditation.acting import people_by_id
from marketplace.accreditation.form_errors import show_errors
from marketplace.accreditation.verification import queries, texts
from marketplace.accreditation.verification.domains import shown
from marketplace.accreditation.verification.forms import ReasonForm
from marketplace.accreditation.verification.models import (
    DomainProof,
    Verification,
    VerificationDocument,
)
from marketplace.accreditation.verification.services import documents, proving, verifying
from marketplace.accreditation.verification.views.blueprints import verification_staff
from marketplace.core.errors import ConflictError, InvalidError
from marketplace.core.pagination import page_number
from marketplace.core.permissions import current_actor, needs
from marketplace.core.seen import ChangedMeanwhileError
from marketplace.identity.models import Organization

_PATH = "/staff/verifications/<verification_id>"
_DECIDE = needs("verification.decide", load=queries.find_verification, name="found")
_DISPUTE = needs("domain_dispute.decide", load=queries.find_proof, name="proof")


@verification_staff.get("/staff/verifications")
@needs("verifications.review")
def queue() -> ResponseReturnValue:
    """Who waits for a decision."""
    shown_queue = request.args.get("show", "submitted")
    shown_queue = shown_queue if shown_queue in queries.QUEUES else "submitted"
    return render_template(
        "verification/queue.html",
        page=queries.page_of_verifications(shown_queue, page_number(request.args.get("page"))),
        shown=shown_queue,
        queues=queries.QUEUES,
        counts=queries.queue_counts(),
        texts=texts,
    )


@verification_staff.get("/staff/verifications/disputes")
@needs("verifications.review")
def disputes() -> ResponseReturnValue:
    """Domains that two organizations claim."""
    page = queries.page_of_disputes(page_number(request.args.get("page")))
    return render_template(
        "verification/disputes.html",
        page=page,
        holders=queries.holders_of([proof.domain for proof in page.items]),
        queues=queries.QUEUES,
        counts=queries.queue_counts(),
        domain_shown=shown,
    )


@verification_staff.get("/staff/verifications/disputes/<proof_id>")
@_DISPUTE
def dispute(proof: DomainProof) -> ResponseReturnValue:
    """One disputed domain."""
    return _dispute_page(proof, ReasonForm(formdata=None))


@verification_staff.post("/staff/verifications/disputes/<proof_id>/grant")
@_DISPUTE
def grant(proof: DomainProof) -> ResponseReturnValue:
    """It belongs to who claims it."""
    return _decide_dispute(proof, to_claimant=True)


@verification_staff.post("/staff/verifications/disputes/<proof_id>/refusal")
@_DISPUTE
def refuse_dispute(proof: DomainProof) -> ResponseReturnValue:
    """It stays with who holds it."""
    return _decide_dispute(proof, to_claimant=False)


@verification_staff.get(_PATH)
@_DECIDE
def case(found: Verification) -> ResponseReturnValue:
    """All that an organization showed."""
    return _case_page(found, ReasonForm(formdata=None))


@verification_staff.post(f"{_PATH}/approval")
@_DECIDE
def approve(found: Verification) -> ResponseReturnValue:
    """It is who it says it is."""
    try:
        verifying.approve(
            found, seen=request.form.get("seen", ""), by_user_id=current_actor().user_id
        )
    except ChangedMeanwhileError as error:
        return _case_page(found, ReasonForm(formdata=None), problem=error.detail), 409
    except ConflictError as error:
        flash(error.detail, "warning")
        return _to(found)
    flash(f"{found.organization.name} is verified.", "success")
    return redirect(url_for("verification_staff.queue"), code=303)


@verification_staff.post(f"{_PATH}/return")
@_DECIDE
def send_back(found: Verification) -> ResponseReturnValue:
    """It needs something."""
    return _with_reason(found, refuse=False)


@verification_staff.post(f"{_PATH}/refusal")
@_DECIDE
def refuse(found: Verification) -> ResponseReturnValue:
    """It is not verified."""
    return _with_reason(found, refuse=True)


@verification_staff.get("/staff/verifications/documents/<verification_document_id>")
@needs("verification_document.review", load=queries.find_document, name="document")
def document(document: VerificationDocument) -> ResponseReturnValue:
    """A document, as a download; who opened it is recorded."""
    response = uploads.download(document.storage_key, document.file_name, document.content_type)
    documents.note_seen(document, by_user_id=current_actor().user_id)
    return response


def _with_reason(found: Verification, *, refuse: bool) -> ResponseReturnValue:
    form = ReasonForm()
    if not form.validate():
        return _case_page(found, form), 422
    act = verifying.refuse if refuse else verifying.send_back
    try:
        act(found, reason=form.reason.data or "", by_user_id=current_actor().user_id)
    except InvalidError as error:
        show_errors(form, error)
        return _case_page(found, form), 422
    except ConflictError as error:
        flash(error.detail, "warning")
        return _to(found)
    flash("Refused. They are told." if refuse else "Sent back. They are told.", "success")
    return redirect(url_for("verification_staff.queue"), code=303)


def _decide_dispute(proof: DomainProof, *, to_claimant: bool) -> ResponseReturnValue:
    form = ReasonForm()
    if not form.validate():
        return _dispute_page(proof, form), 422
    try:
        proving.decide_dispute(
            proof,
            to_claimant=to_claimant,
            reason=form.reason.data or "",
            by_user_id=current_actor().user_id,
        )
    except InvalidError as error:
        show_errors(form, error)
        return _dispute_page(proof, form), 422
    except ConflictError as error:
        flash(error.detail, "warning")
    else:
        flash("Decided. Both are told.", "success")
    return redirect(url_for("verification_staff.disputes"), code=303)


def _case_page(found: Verification, form: ReasonForm, problem: str = "") -> str:
    proofs = queries.proofs_of(found.organization_id)
    rows = queries.documents_of(found.organization_id)
    similar = queries.similar_to([proof.domain for proof in proofs], found.organization_id)
    return render_template(
        "verification/case.html",
        found=found,
        organization=found.organization,
        proofs=proofs,
        documents=rows,
        similar=similar,
        owners=_names([like.organization_id for likes in similar.values() for like in likes]),
        people=people_by_id(
            [found.submitted_by_id, found.decided_by_id, *(row.uploaded_by_id for row in rows)]
        ),
        form=form,
        seen=verifying.shown_of(found),
        problem=problem,
        texts=texts,
        shown=shown,
    )


def _dispute_page(proof: DomainProof, form: ReasonForm) -> str:
    return render_template(
        "verification/dispute.html",
        proof=proof,
        holder=queries.holders_of([proof.domain]).get(proof.domain),
        form=form,
        shown=shown,
    )


def _names(ids: list[int]) -> dict[int, Organization]:
    return queries.organizations_by_id(ids) if ids else {}


def _to(found: Verification) -> ResponseReturnValue:
    return redirect(url_for("verification_staff.case", verification_id=found.public_id), code=303)
