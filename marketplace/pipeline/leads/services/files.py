"""Files of leads: kept while they are looked at, then registered or forgotten."""

from dataclasses import dataclass

from sqlalchemy import delete

from billing.public_ids import new_public_id
from marketplace.catalogue.content import clean_text
from marketplace.core.database import db
from marketplace.core.errors import ConflictError, InvalidError
from marketplace.core.locks import lock_row
from marketplace.identity.models import Organization
from marketplace.pipeline.leads.importing import ImportedRow
from marketplace.pipeline.leads.models import LeadImport
from marketplace.pipeline.leads.services.capturing import keys_of, register
from marketplace.pipeline.leads.services.taking_turns import hold


@dataclass(frozen=True)
class Registration:
    """What became of a file."""

    registered: int
    duplicates: int


def keep(
    rows: list[ImportedRow], *, file_name: str, organization_id: int, by_user_id: int | None
) -> LeadImport:
    """Keep what a file says until somebody confirms it."""
    found = LeadImport(
        public_id=new_public_id("lim"),
        organization_id=organization_id,
        by_user_id=by_user_id,
        file_name=" ".join(clean_text(file_name).split())[:120] or "leads.csv",
        rows=[{"line": row.line, "values": row.values, "errors": row.errors} for row in rows],
    )
    db.session.add(found)
    db.session.flush()
    return found


def confirm(
    found: LeadImport, *, organization: Organization, by_user_id: int | None
) -> Registration:
    """Register the rows without errors and forget the file. Raises InvalidError when there are
    none, ConflictError when it was confirmed at this moment."""
    held = lock_row(LeadImport, LeadImport.id == found.id)
    if held is None:
        raise ConflictError("This file was confirmed already.")
    good = [row for row in held.rows if not row["errors"]]
    if not good:
        raise InvalidError({}, "There is no row without errors. Correct the file.")
    # All at once and in order, so that two files cannot wait for each other.
    hold(
        key
        for row in good
        for key in keys_of(
            str(row["values"].get("email", "")), str(row["values"].get("website", ""))
        )
    )
    leads = [
        register(row["values"], organization=organization, by_user_id=by_user_id) for row in good
    ]
    discard(held)
    different = {lead.id: lead for lead in leads}.values()
    return Registration(len(different), sum(lead.duplicate_of_id is not None for lead in different))


def discard(found: LeadImport) -> None:
    """Forget a file."""
    db.session.execute(delete(LeadImport).where(LeadImport.id == found.id))
    db.session.flush()
