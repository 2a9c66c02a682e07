"""Who a draft would move, before it is published: at once for few partners, by jobs for many."""

from datetime import datetime, timedelta

from sqlalchemy import delete, func, insert, select

from billing.public_ids import new_public_id
from marketplace.core import clock
from marketplace.core.database import db
from marketplace.core.jobs import Payload, enqueue, job_handler
from marketplace.core.locks import lock_row
from marketplace.core.pagination import Page
from marketplace.identity.models import Organization
from marketplace.program.policy.document import Policy
from marketplace.program.policy.models import PolicyVersion
from marketplace.program.scorecards.evaluating import BATCH
from marketplace.program.scorecards.models import MoversPreview, PreviewedMove
from marketplace.program.scorecards.movers import Mover, movers_after
from marketplace.program.standing.models import Standing
from marketplace.program.standing.reading import IN_FORCE

GO_ON = "policy_previews.go_on"
# So many partners are looked at within a page.
AT_ONCE = BATCH
# What was worked out counts for so long: partners go on working meanwhile.
FRESH = timedelta(hours=1)
KEPT = timedelta(days=1)
PER_PAGE = 100


def partners_in_force() -> int:
    """How many partners a policy decides about."""
    query = select(func.count()).select_from(Standing).where(Standing.state.in_(IN_FORCE))
    return db.session.scalar(query) or 0


def find_preview(
    version: PolicyVersion, against: str, asked_for: datetime | None
) -> MoversPreview | None:
    """The newest preview of a draft as it is, against that version and for that moment; not one
    that is finished and too old."""
    return db.session.scalar(
        select(MoversPreview)
        .where(
            MoversPreview.version_id == version.id,
            MoversPreview.digest == version.digest,
            MoversPreview.against == against,
            MoversPreview.asked_for.is_(None)
            if asked_for is None
            else MoversPreview.asked_for == asked_for,
            MoversPreview.finished_at.is_(None) | (MoversPreview.finished_at > clock.now() - FRESH),
        )
        .order_by(MoversPreview.id.desc())
        .limit(1)
    )


def start_preview(
    version: PolicyVersion, against: str, asked_for: datetime | None, *, by_user_id: int | None
) -> MoversPreview:
    """Begin to work out who moves; jobs do the rest. The same that runs, or was just finished, is
    not begun again. Flushes."""
    # A second click waits here, and finds the first one's.
    lock_row(PolicyVersion, PolicyVersion.id == version.id)
    there = find_preview(version, against, asked_for)
    if there is not None:
        return there
    _forget_old_ones()
    now = clock.now()
    preview = MoversPreview(
        public_id=new_public_id("ppv"),
        version_id=version.id,
        document=version.document,
        digest=version.digest,
        against=against,
        asked_for=asked_for,
        moment=asked_for or now,
        total=partners_in_force(),
        created_by_id=by_user_id,
        created_at=now,
    )
    db.session.add(preview)
    db.session.flush()
    _enqueue(preview)
    return preview


@job_handler(GO_ON, lease=timedelta(minutes=5))
def go_on(payload: Payload) -> None:
    """Look at the partners that come next; what is found and how far it came are one
    transaction."""
    preview = lock_row(MoversPreview, MoversPreview.id == int(payload["preview_id"]))
    if preview is None or preview.finished_at is not None:
        return
    if preview.last_organization_id != int(payload["after"]):
        return
    last_id, looked_at, found = movers_after(
        preview.last_organization_id,
        Policy.model_validate(preview.document),
        preview.moment,
        _compared_with(preview.against),
    )
    if found:
        db.session.execute(
            insert(PreviewedMove),
            [
                {
                    "preview_id": preview.id,
                    "organization_id": each.organization_id,
                    "from_tier": each.from_tier or "",
                    "to_tier": each.to_tier or "",
                    "points": each.points,
                    "anyway": each.anyway,
                }
                for each in found
            ],
        )
    preview.done += looked_at
    preview.moved += len(found)
    if last_id is None:
        preview.finished_at, preview.total = clock.now(), preview.done
    else:
        preview.last_organization_id = last_id
        _enqueue(preview)
    db.session.flush()


def page_of_movers(preview: MoversPreview, page: int) -> Page[Mover]:
    """A page of what it found, by name: one query."""
    number = max(1, min(page, -(-preview.moved // PER_PAGE)))
    rows = db.session.execute(
        select(PreviewedMove, Organization.name, Organization.partner_type)
        .join(Organization, Organization.id == PreviewedMove.organization_id)
        .where(PreviewedMove.preview_id == preview.id)
        .order_by(func.lower(Organization.name), Organization.id)
        .limit(PER_PAGE)
        .offset((number - 1) * PER_PAGE)
    )
    items = [
        Mover(
            row.organization_id,
            name,
            partner_type or "",
            row.from_tier,
            row.to_tier,
            row.points,
            row.anyway,
        )
        for row, name, partner_type in rows
    ]
    return Page(items=items, total=preview.moved, page=number, per_page=PER_PAGE)


def _compared_with(against: str) -> Policy | None:
    document = (
        db.session.scalar(select(PolicyVersion.document).where(PolicyVersion.public_id == against))
        if against
        else None
    )
    return Policy.model_validate(document) if document is not None else None


def _forget_old_ones() -> None:
    old = select(MoversPreview.id).where(MoversPreview.created_at < clock.now() - KEPT)
    db.session.execute(delete(PreviewedMove).where(PreviewedMove.preview_id.in_(old)))
    db.session.execute(
        delete(MoversPreview)
        .where(MoversPreview.created_at < clock.now() - KEPT)
        .execution_options(synchronize_session=False)
    )


def _enqueue(preview: MoversPreview) -> None:
    enqueue(
        GO_ON,
        {"preview_id": preview.id, "after": preview.last_organization_id},
        dedupe_key=f"{GO_ON}:{preview.id}:{preview.last_organization_id}",
    )
