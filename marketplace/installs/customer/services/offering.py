"""Telling customers that an installed app asks for more."""

from collections import defaultdict

from sqlalchemy import select
from sqlalchemy.orm import joinedload

from marketplace.catalogue.models import Listing
from marketplace.core.database import db
from marketplace.core.jobs import enqueue
from marketplace.identity.models import Membership, Role, User
from marketplace.installs.customer import mails
from marketplace.installs.customer.queries.policies import organizations_not_allowing
from marketplace.installs.customer.services.recording import record
from marketplace.installs.customer.updates import NOTHING_DECLINED, Declined, update_in
from marketplace.installs.models import (
    Environment,
    Installation,
    InstallationEvent,
    InstallationState,
)
from marketplace.installs.scopes import describe_scopes

OFFER_UPDATES = "installs.offer_updates"
BATCH = 200


def offer_updates_later(listing: Listing, approved: bool, _note: str = "") -> None:
    """Once new content is published, look whether it asks customers for more."""
    if approved:
        enqueue(
            OFFER_UPDATES,
            {"listing_id": listing.id, "after": 0},
            dedupe_key=f"{OFFER_UPDATES}:{listing.id}",
        )


def offer_updates(listing_id: int, after: int = 0) -> int:
    """Mail the owners and admins of each organization whose installation lacks scopes that the
    published listing asks for, or has not agreed to data that it moves, once for each; how many
    organizations were told. Nobody is mailed about what its allow list forbids anyway.

    `after` is the id of the last installation that an earlier run looked at.
    """
    listing = db.session.get(Listing, listing_id)
    if listing is None or not listing.is_findable:
        return 0
    rows = db.session.scalars(
        select(Installation)
        .where(
            Installation.listing_id == listing_id,
            Installation.environment == Environment.LIVE,
            Installation.state != InstallationState.UNINSTALLED,
            Installation.id > after,
        )
        .options(joinedload(Installation.organization), joinedload(Installation.app))
        .order_by(Installation.id)
        .limit(BATCH)
    ).all()
    told = _told_before([row.id for row in rows])
    closed = organizations_not_allowing(listing, [row.organization_id for row in rows])
    due = []
    for row in rows:
        update = update_in(
            row.granted_scopes,
            row.consented_content or {},
            listing.content or {},
            told.get(row.id, NOTHING_DECLINED),
            is_allowed=row.organization_id not in closed,
        )
        # What was told of, or declined, before is no news.
        if update is not None and update.is_offered:
            due.append((row, update))
    addresses = _admins_of([row.organization_id for row, _update in due])
    for row, update in due:
        titles = [text.title for text in describe_scopes(update.scopes)]
        parts = [part.name for part in update.data]
        record(
            row,
            "update_offered",
            None,
            tells_partner=False,
            data={
                "scopes": list(update.scopes),
                "data": [list(part.key) for part in update.data],
                "revision": listing.published_revision_id,
            },
        )
        for address in addresses[row.organization_id]:
            mails.tell_update_available(address, row, titles, parts)
    if len(rows) == BATCH:
        enqueue(OFFER_UPDATES, {"listing_id": listing_id, "after": rows[-1].id})
    return len(due)


def _told_before(installation_ids: list[int]) -> dict[int, Declined]:
    found: dict[int, Declined] = {}
    if installation_ids:
        for event in db.session.scalars(
            select(InstallationEvent).where(
                InstallationEvent.installation_id.in_(installation_ids),
                InstallationEvent.kind.in_(("update_offered", "update_declined")),
            )
        ):
            before = found.get(event.installation_id, NOTHING_DECLINED)
            found[event.installation_id] = before.plus(event.data)
    return found


def _admins_of(organization_ids: list[int]) -> dict[int, list[str]]:
    """The verified addresses of owners and admins by organization. One query."""
    found: dict[int, list[str]] = defaultdict(list)
    if organization_ids:
        rows = db.session.execute(
            select(Membership.organization_id, User.email)
            .join(Membership.user)
            .where(
                Membership.organization_id.in_(organization_ids),
                Membership.role.in_((Role.OWNER, Role.ADMIN)),
                User.deactivated_at.is_(None),
                User.email_verified.is_(True),
                User.email.is_not(None),
            )
            .order_by(User.id)
        )
        for organization_id, email in rows:
            if email:
                found[organization_id].append(email)
    return found
