"""Verification as a partner does it: domains, documents, submitting."""

from typing import Any

from flask import flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from marketplace.accreditation import uploads
from marketplace.accreditation.form_errors import show_errors, upload_of
from marketplace.accreditation.verification import queries, texts
from marketplace.accreditation.verification.domains import shown
from marketplace.accreditation.verification.forms import (
    DisputeForm,
    DocumentForm,
    DomainForm,
    SubmitForm,
)
from marketplace.accreditation.verification.models import DomainProof, VerificationDocument
from marketplace.accreditation.verification.records import record_name, record_text
from marketplace.accreditation.verification.services import documents, proving, verifying
from marketplace.accreditation.verification.views.blueprints import verification
from marketplace.core import clock
from marketplace.core.errors import ConflictError, InvalidError, NotFoundError
from marketplace.core.limits import limiter
from marketplace.core.permissions import current_actor, needs
from marketplace.identity.models import Organization

_PROOF = "/partner/verification/domains/<proof_id>"
_DOCUMENT = "/partner/verification/documents/<verification_document_id>"
_MANAGE = needs("domain_proof.manage", load=queries.find_proof, name="proof")
_OWN_DOCUMENT = needs("verification_document.manage", load=queries.find_document, name="document")


def _by_person() -> str:
    return f"user:{current_actor().user_id}"


@verification.get("/partner/verification")
@needs("verification.use")
def index() -> ResponseReturnValue:
    """Where the verification stands, and all that it rests on."""
    return _page()


@verification.post("/partner/verification/domains")
@needs("verification.use")
@limiter.limit("30 per hour", key_func=_by_person)
def claim() -> ResponseReturnValue:
    """Begin to prove a domain."""
    form = DomainForm()
    if not form.validate():
        return _page(domain_form=form), 422
    try:
        proof = proving.claim_domain(
            _organization(),
            domain=form.domain.data or "",
            method=form.method.data or "",
            email=form.email.data or "",
            by_user_id=current_actor().user_id,
        )
    except InvalidError as error:
        show_errors(form, error)
        return _page(domain_form=form), 422
    except ConflictError as error:
        flash(error.detail, "warning")
        return _back()
    return _to(proof)


@verification.get(_PROOF)
@_MANAGE
def domain(proof: DomainProof) -> ResponseReturnValue:
    """One domain: what to do, what was found."""
    return _proof_page(proof, DisputeForm(formdata=None, data={"dispute": proof.dispute}))


@verification.post(f"{_PROOF}/check")
@_MANAGE
@limiter.limit("6 per minute;60 per hour", key_func=_by_person)
def check(proof: DomainProof) -> ResponseReturnValue:
    """Look for the record now."""
    try:
        proving.check_soon(proof)
        flash("We are looking. Load this page again in a few seconds.", "info")
    except ConflictError as error:
        flash(error.detail, "warning")
    return _to(proof)


@verification.post(f"{_PROOF}/mail")
@_MANAGE
@limiter.limit("10 per hour", key_func=_by_person)
def mail(proof: DomainProof) -> ResponseReturnValue:
    """Send the link again."""
    try:
        proving.send_link(proof)
        flash(f"A link is on its way to {proof.email}.", "success")
    except ConflictError as error:
        flash(error.detail, "warning")
    return _to(proof)


@verification.get(f"{_PROOF}/removal")
@_MANAGE
def removing(proof: DomainProof) -> ResponseReturnValue:
    """Ask once more."""
    return render_template("verification/removal.html", proof=proof, shown=shown)


@verification.post(f"{_PROOF}/removal")
@_MANAGE
def remove(proof: DomainProof) -> ResponseReturnValue:
    """Give the domain up."""
    proving.remove_proof(proof, by_user_id=current_actor().user_id)
    flash(f"{shown(proof.domain)} is removed.", "success")
    return _back()


@verification.post(f"{_PROOF}/dispute")
@_MANAGE
@limiter.limit("20 per hour", key_func=_by_person)
def dispute(proof: DomainProof) -> ResponseReturnValue:
    """Say why the domain is ours."""
    form = DisputeForm()
    if not form.validate():
        return _proof_page(proof, form), 422
    try:
        proving.write_dispute(proof, form.dispute.data or "")
        flash("Our team reads it and decides.", "success")
    except InvalidError as error:
        show_errors(form, error)
        return _proof_page(proof, form), 422
    except ConflictError as error:
        flash(error.detail, "info")
    return _to(proof)


@verification.post("/partner/verification/documents")
@needs("verification.use")
@limiter.limit("20 per hour", key_func=_by_person)
def upload() -> ResponseReturnValue:
    """Show a document."""
    form = DocumentForm()
    if not form.validate():
        return _page(document_form=form), 422
    name, data = upload_of(form.file)
    try:
        documents.add_document(
            _organization(),
            kind=form.kind.data or "",
            name=name,
            upload=data,
            by_user_id=current_actor().user_id,
        )
        flash("Uploaded. Only our reviewers can open it.", "success")
    except InvalidError as error:
        show_errors(form, error)
        return _page(document_form=form), 422
    except ConflictError as error:
        flash(error.detail, "warning")
    return _back()


@verification.get(_DOCUMENT)
@_OWN_DOCUMENT
def document(document: VerificationDocument) -> ResponseReturnValue:
    """One's own document, as a download."""
    return uploads.download(document.storage_key, document.file_name, document.content_type)


@verification.get(f"{_DOCUMENT}/deletion")
@_OWN_DOCUMENT
def deleting(document: VerificationDocument) -> ResponseReturnValue:
    """Ask once more."""
    return render_template("verification/deletion.html", document=document)


@verification.post(f"{_DOCUMENT}/deletion")
@_OWN_DOCUMENT
def delete(document: VerificationDocument) -> ResponseReturnValue:
    """Delete the file."""
    documents.delete_document(document, by_user_id=current_actor().user_id)
    flash("The file is deleted.", "success")
    return _back()


@verification.post("/partner/verification/submission")
@needs("verification.use")
@limiter.limit("20 per hour", key_func=_by_person)
def submit() -> ResponseReturnValue:
    """Ask for the decision."""
    form = SubmitForm()
    if not form.validate():
        return _page(submit_form=form), 422
    try:
        verifying.submit(
            _organization(), note=form.note.data or "", by_user_id=current_actor().user_id
        )
        flash("Submitted. Our team looks at it and writes to you.", "success")
    except InvalidError as error:
        show_errors(form, error)
        return _page(submit_form=form), 422
    except ConflictError as error:
        flash(error.detail, "warning")
    return _back()


def _organization() -> Organization:
    found = queries.own_partner(current_actor().organization_id)
    if found is None:
        raise NotFoundError
    return found


def _page(**forms: Any) -> str:
    organization = _organization()
    found = queries.verification_of(organization.id)
    return render_template(
        "verification/index.html",
        organization=organization,
        verification=found,
        may_submit=verifying.may_submit(found, clock.now()),
        proofs=queries.proofs_of(organization.id),
        documents=queries.documents_of(organization.id),
        domain_form=forms.get("domain_form") or DomainForm(formdata=None),
        document_form=forms.get("document_form") or DocumentForm(formdata=None),
        submit_form=forms.get("submit_form") or SubmitForm(formdata=None),
        texts=texts,
        shown=shown,
        accept=uploads.ACCEPT,
        most_bytes=uploads.MOST_BYTES,
    )


def _proof_page(proof: DomainProof, form: DisputeForm) -> str:
    return render_template(
        "verification/domain.html",
        proof=proof,
        form=form,
        record_name=record_name(proof.domain),
        record_text=record_text(proof.challenge),
        texts=texts,
        shown=shown,
    )


def _back() -> ResponseReturnValue:
    return redirect(url_for("verification.index"), code=303)


def _to(proof: DomainProof) -> ResponseReturnValue:
    return redirect(url_for("verification.domain", proof_id=proof.public_id), code=303)
