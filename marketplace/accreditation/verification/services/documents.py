"""Documents: shown in confidence, and deleted after a while."""

import hashlib
from datetime import timedelta

from sqlalchemy import func, select

from billing.public_ids import new_public_id
from marketplace.accreditation.uploads import FileRefusedError, clean_file, forget, keep
from marketplace.accreditation.verification.models import DocumentKind, VerificationDocument
from marketplace.core import clock
from marketplace.core.database import db
from marketplace.core.errors import ConflictError, InvalidError
from marketplace.core.facts import record_fact
from marketplace.core.locks import lock_row
from marketplace.identity.models import Organization

MOST_DOCUMENTS = 12
# Without a decision a document is kept for a year.
KEEP_UNDECIDED_FOR = timedelta(days=365)


def add_document(
    organization: Organization, *, kind: str, name: str, upload: bytes, by_user_id: int | None
) -> VerificationDocument:
    """Keep an uploaded document; the same file twice is kept once.

    Raises InvalidError (fields kind, file), ConflictError for too many.
    """
    if kind not in set(DocumentKind):
        raise InvalidError({"kind": "Choose what the document shows."})
    try:
        file = clean_file(name, upload)
    except FileRefusedError as error:
        raise InvalidError({"file": str(error)}) from error
    digest = hashlib.sha256(file.data).hexdigest()
    lock_row(Organization, Organization.id == organization.id)
    twin = db.session.scalar(
        select(VerificationDocument).where(
            VerificationDocument.organization_id == organization.id,
            VerificationDocument.sha256 == digest,
            VerificationDocument.storage_key.is_not(None),
        )
    )
    if twin is not None:
        return twin
    count = db.session.scalar(
        select(func.count()).where(
            VerificationDocument.organization_id == organization.id,
            VerificationDocument.storage_key.is_not(None),
        )
    )
    if (count or 0) >= MOST_DOCUMENTS:
        raise ConflictError(f"{MOST_DOCUMENTS} documents are the most. Delete one first.")
    document = VerificationDocument(
        public_id=new_public_id("doc"),
        organization_id=organization.id,
        kind=DocumentKind(kind),
        file_name=file.name,
        content_type=file.content_type,
        size=len(file.data),
        sha256=digest,
        storage_key=keep(file, "verification"),
        uploaded_by_id=by_user_id,
        delete_at=clock.now() + KEEP_UNDECIDED_FOR,
    )
    db.session.add(document)
    db.session.flush()
    _fact(document, "verification_document.uploaded", by_user_id)
    return document


def delete_document(document: VerificationDocument, *, by_user_id: int | None) -> None:
    """Delete the file; that there was one stays. Twice is as good as once."""
    found = lock_row(VerificationDocument, VerificationDocument.id == document.id)
    if found is None or found.storage_key is None:
        return
    forget(found.storage_key)
    found.storage_key, found.deleted_at = None, clock.now()
    db.session.flush()
    _fact(found, "verification_document.deleted", by_user_id)


def note_seen(document: VerificationDocument, *, by_user_id: int | None) -> None:
    """A reviewer opened it: who saw a document can be looked up."""
    _fact(document, "verification_document.opened", by_user_id)


def _fact(document: VerificationDocument, kind: str, by_user_id: int | None) -> None:
    record_fact(
        kind,
        subject=("verification_document", document.id),
        actor_user_id=by_user_id,
        organization_id=document.organization_id,
        data={"kind": document.kind.value},
    )
