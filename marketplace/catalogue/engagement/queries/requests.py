"""Requested integrations and their votes."""

from collections.abc import Sequence

from sqlalchemy import func, or_, select
from sqlalchemy.orm import joinedload

from marketplace.catalogue.engagement.request_names import name_key
from marketplace.catalogue.models import IntegrationRequest, Listing, RequestState, RequestVote
from marketplace.catalogue.visibility import findable_listings
from marketplace.core.database import db
from marketplace.core.pagination import Page, paginate
from marketplace.identity.models import User

PER_PAGE = 20
SORTS = {"votes": "Most votes", "newest": "Newest"}
WANTED = (RequestState.OPEN, RequestState.PLANNED, RequestState.BUILDING)


def find_request(request_id: int) -> IntegrationRequest | None:
    """The request with its listing, or None."""
    return db.session.scalar(
        select(IntegrationRequest)
        .options(joinedload(IntegrationRequest.listing).joinedload(Listing.publisher))
        .where(IntegrationRequest.id == request_id)
    )


def request_by_key(key: str) -> IntegrationRequest | None:
    """The request kept under that key, or None."""
    return db.session.scalar(select(IntegrationRequest).where(IntegrationRequest.name_key == key))


def page_of_requests(
    text: str, states: Sequence[RequestState], sort: str, page: int
) -> Page[IntegrationRequest]:
    """One page of the requests in `states` whose name holds `text`."""
    query = (
        select(IntegrationRequest)
        .options(joinedload(IntegrationRequest.listing).joinedload(Listing.publisher))
        .where(IntegrationRequest.state.in_(states))
    )
    if text:
        named = IntegrationRequest.name.icontains(text, autoescape=True)
        key = name_key(text)
        query = query.where(
            or_(named, IntegrationRequest.name_key.contains(key, autoescape=True)) if key else named
        )
    newest = (IntegrationRequest.created_at.desc(), IntegrationRequest.id.desc())
    if sort == "votes":
        query = query.order_by(IntegrationRequest.vote_count.desc(), *newest)
    else:
        query = query.order_by(*newest)
    return paginate(query, page=page, per_page=PER_PAGE)


def counts_by_state() -> dict[RequestState, int]:
    """How many requests are in each state."""
    rows = db.session.execute(
        select(IntegrationRequest.state, func.count()).group_by(IntegrationRequest.state)
    )
    found = {state: count for state, count in rows}  # noqa: C416 - dict() does not type-check on rows
    return {state: found.get(state, 0) for state in RequestState}


def voted_by(user_id: int | None, request_ids: Sequence[int]) -> set[int]:
    """Which of these requests the person voted for."""
    if user_id is None or not request_ids:
        return set()
    return set(
        db.session.scalars(
            select(RequestVote.request_id).where(
                RequestVote.user_id == user_id, RequestVote.request_id.in_(request_ids)
            )
        )
    )


def voting_organizations(request_id: int) -> int:
    """How many organizations the voters acted for."""
    return (
        db.session.scalar(
            select(func.count(func.distinct(RequestVote.organization_id))).where(
                RequestVote.request_id == request_id
            )
        )
        or 0
    )


def voter_addresses(request_id: int) -> list[str]:
    """Verified addresses of everybody who voted."""
    query = (
        select(User.email)
        .join(RequestVote, RequestVote.user_id == User.id)
        .where(
            RequestVote.request_id == request_id,
            User.deactivated_at.is_(None),
            User.email_verified.is_(True),
            User.email.is_not(None),
        )
        .order_by(User.id)
    )
    return [address for address in db.session.scalars(query) if address]


def listing_named(name: str) -> Listing | None:
    """A findable listing of exactly that name in any case, or None."""
    return db.session.scalars(
        findable_listings()
        .where(func.lower(Listing.name) == name.strip().lower())
        .order_by(Listing.popularity.desc(), Listing.id)
        .limit(1)
    ).first()
