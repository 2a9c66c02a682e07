"""What customers did in the demo: organizations, uses, reviews, wishes; and what staff chose.

Each function reads rows as the JSON files give them and adds what is missing, so that loading
twice changes nothing. Counters are counted from the rows at the end.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from sqlalchemy import func, select, update

from marketplace.catalogue.engagement import ratings
from marketplace.catalogue.engagement.request_names import name_key
from marketplace.catalogue.models import (
    Collection,
    CollectionItem,
    IntegrationRequest,
    Listing,
    ListingReview,
    ListingUse,
    RequestState,
    RequestVote,
    ReviewState,
    SynonymGroup,
)
from marketplace.core import clock
from marketplace.core.database import db
from marketplace.identity.models import Membership, Organization, OrganizationKind, Role, User

Row = Mapping[str, Any]


def listing_ids() -> dict[str, int]:
    """The ids of all listings by slug."""
    return {row.slug: row.id for row in db.session.execute(select(Listing.slug, Listing.id))}


def organization_ids() -> dict[str, int]:
    """The ids of all organizations by slug."""
    rows = db.session.execute(select(Organization.slug, Organization.id))
    return {row.slug: row.id for row in rows}


def add_customers(rows: Sequence[Row], reviews: Sequence[Row]) -> int:
    """The customer organizations, each with the person who wrote its first review as owner.

    How many were new.
    """
    authors: dict[str, str] = {}
    for review in reviews:
        authors.setdefault(review["organization"], review["author"])
    known = organization_ids()
    added = 0
    for row in rows:
        if row["slug"] in known:
            continue
        organization = Organization(
            slug=row["slug"],
            name=row["name"],
            kind=OrganizationKind.CUSTOMER,
            website=row.get("website") or "",
            country=row.get("country"),
        )
        name = authors.get(row["slug"], f"{row['name']} team")
        address = ".".join(name.casefold().split())
        owner = User(name=name, email=f"{address}@{row['slug']}.example", email_verified=True)
        db.session.add_all([organization, owner])
        db.session.flush()
        db.session.add(
            Membership(user_id=owner.id, organization_id=organization.id, role=Role.OWNER)
        )
        added += 1
    db.session.flush()
    return added


def add_uses(rows: Iterable[Row]) -> int:
    """Which organization uses which listing. How many were new."""
    listings, organizations = listing_ids(), organization_ids()
    known = {
        (row.listing_id, row.organization_id)
        for row in db.session.execute(select(ListingUse.listing_id, ListingUse.organization_id))
    }
    added = 0
    for row in rows:
        pair = (listings.get(row["listing"]), organizations.get(row["organization"]))
        if None in pair or pair in known:
            continue
        known.add(pair)
        db.session.add(
            ListingUse(listing_id=pair[0], organization_id=pair[1], since=_moment(row["since"]))
        )
        added += 1
    db.session.flush()
    return added


def add_reviews(rows: Iterable[Row]) -> int:
    """Ratings with their words and answers. How many were new."""
    listings, organizations = listing_ids(), organization_ids()
    owners = {
        row.organization_id: row.user_id
        for row in db.session.execute(
            select(Membership.organization_id, Membership.user_id).where(
                Membership.role == Role.OWNER
            )
        )
    }
    known = {
        (row.listing_id, row.organization_id)
        for row in db.session.execute(
            select(ListingReview.listing_id, ListingReview.organization_id)
        )
    }
    added = 0
    for row in rows:
        listing_id = listings.get(row["listing"])
        organization_id = organizations.get(row["organization"])
        if listing_id is None or organization_id is None or (listing_id, organization_id) in known:
            continue
        known.add((listing_id, organization_id))
        db.session.add(
            ListingReview(
                listing_id=listing_id,
                organization_id=organization_id,
                author_id=owners.get(organization_id),
                author_name=row["author"],
                rating=row["rating"],
                title=row.get("title") or "",
                body=row.get("body") or "",
                answer=row.get("answer") or "",
                answered_at=_moment(row["answered_on"]) if row.get("answered_on") else None,
                created_at=_moment(row["posted_on"]),
            )
        )
        added += 1
    db.session.flush()
    return added


def add_requests(rows: Iterable[Row]) -> int:
    """Wishes with their votes, by the owners of customers. How many were new."""
    listings = listing_ids()
    known = set(db.session.scalars(select(IntegrationRequest.name_key)))
    voters = list(
        db.session.scalars(
            select(Membership.user_id)
            .join(Membership.organization)
            .where(
                Organization.kind == OrganizationKind.CUSTOMER,
                Organization.sandbox_of_id.is_(None),
            )
            .order_by(Membership.user_id)
        )
    )
    added = 0
    for number, row in enumerate(rows):
        key = name_key(row["name"])
        if key in known:
            continue
        known.add(key)
        # A different part of the customers votes for each wish.
        chosen = [voters[(number * 7 + each) % len(voters)] for each in range(len(voters))]
        chosen = chosen[: min(int(row.get("votes") or 0), len(voters))]
        asked_at = clock.now() - timedelta(days=9 * number + 3)
        request = IntegrationRequest(
            name=row["name"],
            name_key=key,
            details=row.get("details") or "",
            state=RequestState(row.get("status") or "open"),
            listing_id=listings.get(row.get("listing") or ""),
            requested_by_id=chosen[0] if chosen else None,
            vote_count=len(chosen),
            created_at=asked_at,
        )
        db.session.add(request)
        db.session.flush()
        db.session.add_all(
            RequestVote(request_id=request.id, user_id=user_id, created_at=asked_at)
            for user_id in chosen
        )
        added += 1
    db.session.flush()
    return added


def add_collections(rows: Iterable[Row]) -> int:
    """The operator's collections, published. How many were new."""
    listings = listing_ids()
    known = set(db.session.scalars(select(Collection.slug)))
    added = 0
    for row in rows:
        if row["slug"] in known:
            continue
        collection = Collection(
            slug=row["slug"],
            title=row["title"],
            description=row.get("description") or "",
            position=row.get("position") or 0,
            is_published=True,
            starts_at=_moment(row["starts_on"]) if row.get("starts_on") else None,
            ends_at=_moment(row["ends_on"]) if row.get("ends_on") else None,
        )
        for item in row["listings"]:
            entry = {"slug": item} if isinstance(item, str) else item
            slug = entry.get("slug") or entry.get("listing") or ""
            if slug in listings:
                collection.items.append(
                    CollectionItem(
                        listing_id=listings[slug],
                        position=len(collection.items),
                        blurb=entry.get("blurb") or "",
                    )
                )
        db.session.add(collection)
        added += 1
    db.session.flush()
    return added


def add_synonyms(rows: Iterable[Row]) -> int:
    """Groups of words that mean the same to search. How many were new."""
    known = {tuple(sorted(terms)) for terms in db.session.scalars(select(SynonymGroup.terms))}
    added = 0
    for row in rows:
        terms = list(row["terms"])
        if tuple(sorted(terms)) in known:
            continue
        db.session.add(SynonymGroup(terms=terms))
        added += 1
    db.session.flush()
    return added


def count_everything() -> None:
    """Set each listing's counters from its uses and reviews."""
    uses = {
        row.listing_id: row.uses
        for row in db.session.execute(
            select(ListingUse.listing_id, func.count().label("uses")).group_by(
                ListingUse.listing_id
            )
        )
    }
    rated = {
        row.listing_id: (row.ratings, int(row.total))
        for row in db.session.execute(
            select(
                ListingReview.listing_id,
                func.count().label("ratings"),
                func.sum(ListingReview.rating).label("total"),
            )
            .where(ListingReview.state == ReviewState.PUBLISHED)
            .group_by(ListingReview.listing_id)
        )
    }
    mean = ratings.catalogue_mean(
        sum(total for _count, total in rated.values()),
        sum(count for count, _total in rated.values()),
    )
    values = []
    for listing_id in set(uses) | set(rated):
        count, total = rated.get(listing_id, (0, 0))
        values.append(
            {
                "id": listing_id,
                "use_count": uses.get(listing_id, 0),
                "rating_count": count,
                "rating_sum": total,
                "rating_hundredths": ratings.smoothed(total, count, mean),
            }
        )
    if values:
        db.session.execute(update(Listing), values)


def _moment(day: str) -> datetime:
    """Nine in the morning of an ISO day, in UTC."""
    return datetime.combine(date.fromisoformat(day), time(9), UTC)
