"""Asking for an integration, voting, and what staff make of it."""

from sqlalchemy import delete, func, select, update

from marketplace.catalogue.content import clean_text
from marketplace.catalogue.engagement.links import listing_url, request_url
from marketplace.catalogue.engagement.queries.listings import find_live_listing
from marketplace.catalogue.engagement.queries.requests import request_by_key, voter_addresses
from marketplace.catalogue.engagement.request_names import MAX_NAME, name_key
from marketplace.catalogue.models import IntegrationRequest, Listing, RequestState, RequestVote
from marketplace.core import clock
from marketplace.core.database import db
from marketplace.core.errors import ConflictError, InvalidError
from marketplace.core.facts import record_fact
from marketplace.core.jobs import enqueue
from marketplace.core.mail import send_mail
from marketplace.core.once import insert_if_new
from marketplace.core.permissions import Actor

MAX_DETAILS = 2_000
MAX_NOTE = 1_000
TELL_VOTERS = "engagement.tell_voters"
OPEN_FOR_VOTES = frozenset({RequestState.OPEN, RequestState.PLANNED, RequestState.BUILDING})


def create_request(actor: Actor, name: str, details: str) -> tuple[IntegrationRequest, bool]:
    """Ask for an integration and vote for it; the request, and whether it is new.

    When somebody asked for the same before, that request gets the vote instead. Raises
    InvalidError at a field.
    """
    name, details = " ".join(clean_text(name).split()), clean_text(details)
    key = name_key(name)
    wrong: dict[str, str] = {}
    if not key:
        wrong["name"] = "Enter the name of a product."
    elif len(name) > MAX_NAME:
        wrong["name"] = f"Use at most {MAX_NAME} characters; this has {len(name):,}."
    if len(details) > MAX_DETAILS:
        wrong["details"] = f"Use at most {MAX_DETAILS:,} characters; this has {len(details):,}."
    if wrong:
        raise InvalidError(wrong)
    new = insert_if_new(
        IntegrationRequest,
        name=name,
        name_key=key,
        details=details,
        state=RequestState.OPEN,
        state_note="",
        requested_by_id=actor.user_id,
        vote_count=0,
        created_at=clock.now(),
    )
    request = request_by_key(key)
    if request is None:  # pragma: no cover - deleted by staff within this very moment
        raise ConflictError("This request was just removed. Send it again.")
    if new:
        _fact("request.created", request, actor)
    if request.state in OPEN_FOR_VOTES:
        vote(actor, request)
    return request, new is not None


def vote(actor: Actor, request: IntegrationRequest) -> bool:
    """Vote for the request, once a person; whether the vote is new.

    Raises ConflictError when it is listed or declined.
    """
    _lock(request)
    if request.state not in OPEN_FOR_VOTES:
        raise ConflictError("The voting on this request is over.")
    new = insert_if_new(
        RequestVote,
        request_id=request.id,
        user_id=actor.user_id,
        organization_id=actor.organization_id,
        created_at=clock.now(),
    )
    if new:
        _fact("request.voted", request, actor)
        _recount(request)
    return new is not None


def unvote(actor: Actor, request: IntegrationRequest) -> bool:
    """Take the vote back; whether there was one."""
    _lock(request)
    gone = db.session.execute(
        delete(RequestVote).where(
            RequestVote.request_id == request.id, RequestVote.user_id == actor.user_id
        )
    )
    if getattr(gone, "rowcount", 0) == 0:
        return False
    _fact("request.unvoted", request, actor)
    _recount(request)
    return True


def change_state(
    actor: Actor, request: IntegrationRequest, state: str, note: str, listing_slug: str
) -> None:
    """Say what becomes of the request. `listed` names the listing, and its voters are mailed.

    Raises InvalidError at a field.
    """
    note = clean_text(note)
    wrong: dict[str, str] = {}
    if state not in {known.value for known in RequestState}:
        wrong["state"] = "Choose a state."
    if len(note) > MAX_NOTE:
        wrong["note"] = f"Use at most {MAX_NOTE:,} characters; this has {len(note):,}."
    listing = _listing_of(listing_slug) if state == RequestState.LISTED.value else None
    if state == RequestState.LISTED.value and listing is None:
        wrong["listing"] = "Enter the address or the slug of a public listing."
    if wrong:
        raise InvalidError(wrong)
    _lock(request)
    before = request.state
    request.state, request.state_note = RequestState(state), note
    if listing is not None and (listing.id != request.listing_id):
        request.listing_id = listing.id
        enqueue(TELL_VOTERS, {"request_id": request.id, "listing_id": listing.id})
    _fact("request.state_changed", request, actor, before=before.value, after=state)
    db.session.flush()


def remove_request(actor: Actor, request: IntegrationRequest) -> None:
    """Delete the request with its votes, as staff do with what is no request."""
    _lock(request)
    _fact("request.removed", request, actor, name=request.name)
    db.session.execute(delete(RequestVote).where(RequestVote.request_id == request.id))
    db.session.delete(request)
    db.session.flush()


def tell_voters(request_id: int, listing_id: int) -> int:
    """Mail everybody who voted that what they asked for is here; how many mails.

    Says nothing when the request has moved on or the listing is not public any more.
    """
    request = db.session.get(IntegrationRequest, request_id)
    listing = db.session.get(Listing, listing_id)
    if (
        request is None
        or listing is None
        or request.state is not RequestState.LISTED
        or request.listing_id != listing_id
        or not listing.is_findable
    ):
        return 0
    addresses = voter_addresses(request_id)
    for address in addresses:
        send_mail(
            address,
            f"{request.name}: what you voted for is here",
            f"You voted for {request.name}. It is listed now:\n\n"
            f"{listing.name}: {listing.tagline}\n{listing_url(listing.slug)}\n\n"
            + (f"{request.state_note}\n\n" if request.state_note else "")
            + f"The request: {request_url(request.id)}\n",
        )
    return len(addresses)


def _listing_of(given: str) -> Listing | None:
    """The public listing of a slug or of an address that ends with one."""
    slug = given.strip().split("?")[0].split("#")[0].rstrip("/").rsplit("/", 1)[-1]
    return find_live_listing(slug) if slug else None


def _lock(request: IntegrationRequest) -> None:
    db.session.flush()
    db.session.execute(
        update(IntegrationRequest)
        .where(IntegrationRequest.id == request.id)
        .values(vote_count=IntegrationRequest.vote_count)
        .execution_options(synchronize_session=False)
    )
    db.session.refresh(request)


def _recount(request: IntegrationRequest) -> None:
    request.vote_count = (
        db.session.scalar(
            select(func.count())
            .select_from(RequestVote)
            .where(RequestVote.request_id == request.id)
        )
        or 0
    )
    db.session.flush()


def _fact(kind: str, request: IntegrationRequest, actor: Actor, **data: object) -> None:
    record_fact(
        kind,
        subject=("request", request.id),
        actor_user_id=actor.user_id,
        organization_id=actor.organization_id,
        data=data,
    )
