"""The workspace that two partners share once both have accepted."""

from collections.abc import Sequence

from sqlalchemy import select

from marketplace.catalogue.content import clean_text
from marketplace.core import clock
from marketplace.core.database import db
from marketplace.core.errors import ConflictError, InvalidError
from marketplace.core.facts import record_fact
from marketplace.core.locks import lock_row
from marketplace.core.once import id_of_form
from marketplace.pipeline.account_checks.models import AccountCheck, CheckState, WorkspaceNote

MOST = 4_000


def write(
    check_id: int,
    organization_id: int,
    body: str,
    *,
    by_user_id: int | None,
    form_key: str = "",
) -> WorkspaceNote:
    """Write something that both read, of a form once. Raises InvalidError, ConflictError."""
    words = clean_text(body)
    if not words:
        raise InvalidError({"body": "Write something first."})
    if len(words) > MOST:
        raise InvalidError({"body": f"Use at most {MOST:,} characters."})
    check = lock_row(AccountCheck, AccountCheck.id == check_id)
    if check is None or check.state is not CheckState.ACCEPTED:
        raise ConflictError("The workspace is closed.")
    form_id = id_of_form("wsn", form_key, check.id, organization_id, by_user_id, words)
    known = db.session.scalar(select(WorkspaceNote).where(WorkspaceNote.form_id == form_id))
    if known is not None:
        return known
    note = WorkspaceNote(
        check_id=check.id,
        organization_id=organization_id,
        by_user_id=by_user_id,
        body=words,
        at=clock.now(),
        form_id=form_id,
    )
    db.session.add(note)
    db.session.flush()
    record_fact(
        "account_workspace.written",
        subject=("account_check", check.id),
        actor_user_id=by_user_id,
        organization_id=organization_id,
    )
    return note


def notes_of(check: AccountCheck) -> Sequence[WorkspaceNote]:
    """What was written, the newest first."""
    return db.session.scalars(
        select(WorkspaceNote)
        .where(WorkspaceNote.check_id == check.id)
        .order_by(WorkspaceNote.id.desc())
        .limit(200)
    ).all()
