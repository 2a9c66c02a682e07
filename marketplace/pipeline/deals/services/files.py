"""Files of deals: kept while they are looked at, then registered or forgotten."""

from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import delete

from billing.public_ids import new_public_id
from marketplace.catalogue.content import clean_text
from marketplace.core import clock
from marketplace.core.database import db
from marketplace.core.errors import ConflictError, InvalidError
from marketplace.core.jobs import Payload, periodic
from marketplace.core.locks import lock_row
from marketplace.identity.models import Organization
from marketplace.pipeline.deals.importing import FindListing, terms_of
from marketplace.pipeline.deals.models import DealImport, DealState
from marketplace.pipeline.deals.services.registering import register_deal
from marketplace.pipeline.leads.importing import ImportedRow
from marketplace.pipeline.leads.normalizing import normal_domain

KEPT = timedelta(days=1)


@dataclass(frozen=True)
class Registration:
    """What became of a file: how many were registered, how many of them are conflicts, and how
    many were left out."""

    registered: int
    conflicts: int
    left_out: int


def keep(
    rows: list[ImportedRow], *, file_name: str, organization_id: int, by_user_id: int | None
) -> DealImport:
    """Keep what a file says until somebody confirms it. Flushes."""
    found = DealImport(
        public_id=new_public_id("dim"),
        organization_id=organization_id,
        by_user_id=by_user_id,
        file_name=" ".join(clean_text(file_name).split())[:120] or "deals.csv",
        rows=[{"line": row.line, "values": row.values, "errors": row.errors} for row in rows],
    )
    db.session.add(found)
    db.session.flush()
    return found


def confirm(
    found: DealImport,
    *,
    organization: Organization,
    find_listing: FindListing,
    by_user_id: int | None,
) -> Registration:
    """Register the rows without errors. What was refused meanwhile (registered by a colleague, for
    one) stays in the file with the reason; otherwise the file is forgotten. Flushes.

    Raises InvalidError when no row is without errors, ConflictError when it was confirmed at this
    moment, ForbiddenError for who may not register deals.
    """
    held = lock_row(DealImport, DealImport.id == found.id)
    if held is None:
        raise ConflictError("This file was confirmed already.")
    good = [row for row in held.rows if not row["errors"]]
    if not good:
        raise InvalidError({}, "There is no row without errors. Correct the file.")
    # In one order, so that two files cannot wait for each other.
    good.sort(key=lambda row: (normal_domain(row["values"].get("domain", "")), row["line"]))
    states: list[DealState] = []
    refused: dict[int, dict[str, str]] = {}
    for row in good:
        terms, _errors = terms_of(row["values"], organization, find_listing)
        try:
            with db.session.begin_nested():
                deal = register_deal(terms, organization=organization, by_user_id=by_user_id)
        except InvalidError as error:
            refused[row["line"]] = dict(error.fields)
        except ConflictError as error:
            refused[row["line"]] = {"row": error.detail}
        else:
            states.append(deal.state)
    if refused:
        held.rows = [
            {**row, "errors": row["errors"] or refused[row["line"]]}
            for row in held.rows
            if row["errors"] or row["line"] in refused
        ]
        db.session.flush()
    else:
        discard(held)
    return Registration(len(states), states.count(DealState.CONFLICT), len(refused))


def discard(found: DealImport) -> None:
    """Forget a file."""
    db.session.execute(delete(DealImport).where(DealImport.id == found.id))
    db.session.flush()


@periodic("deals.forget_files", every=timedelta(hours=6))
def forget_files(_payload: Payload) -> None:
    """Forget files that nobody confirmed within a day."""
    db.session.execute(delete(DealImport).where(DealImport.created_at < clock.now() - KEPT))
