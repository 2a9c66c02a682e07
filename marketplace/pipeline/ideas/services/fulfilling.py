"""From an idea to a listing: proofs and funding on the way, and telling everybody who asked."""

from sqlalchemy import select

from marketplace.catalogue.models import IntegrationRequest, Listing, RequestState
from marketplace.core import clock
from marketplace.core.database import db
from marketplace.core.errors import ConflictError, InvalidError
from marketplace.core.facts import record_fact
from marketplace.core.jobs import enqueue
from marketplace.core.locks import lock_row
from marketplace.core.permissions import Actor
from marketplace.pipeline.ideas import mails
from marketplace.pipeline.ideas.models import (
    ClaimState,
    Idea,
    IdeaClaim,
    IdeaLink,
    IdeaRequest,
    IdeaState,
    LinkKind,
)
from marketplace.pipeline.ideas.queries import linkable_listings, linkable_places, people_behind
from marketplace.pipeline.ideas.services.claiming import active_claim
from marketplace.program.applications.models import RoundKind, RoundPlace

TELL = "ideas.tell_listed"


def link(claim: IdeaClaim, kind: LinkKind, target: str, *, actor: Actor) -> None:
    """Say what an idea led to: a place in a round, or a listing, by its public id or slug. Flushes.

    A listing that became public since the claim fulfils the idea at once; one that was there
    before waits for the staff. Raises InvalidError at `target`,
    ConflictError when the claim has ended.
    """
    lock_row(Idea, Idea.id == claim.idea_id)
    row = lock_row(IdeaClaim, IdeaClaim.id == claim.id)
    if row is None or row.state is not ClaimState.ACTIVE:
        raise ConflictError("This claim has ended.")
    target_id = _target(row, kind, target)
    if target_id is None:
        raise InvalidError({"target": "Choose one of the list."})
    _write(row, kind, target_id, actor.user_id)
    if kind is LinkKind.LISTING:
        listing = db.session.get_one(Listing, target_id)
        if listing.is_findable:
            fulfil(row.idea_id, listing)


def listing_decided(listing: Listing, approved: bool, _note: str) -> None:
    """When a listing that an idea led to is published, the idea is fulfilled. wiring.py connects
    it to the catalogue."""
    if not approved:
        return
    ids = set(
        db.session.scalars(
            select(IdeaLink.idea_id).where(
                IdeaLink.kind == LinkKind.LISTING, IdeaLink.target_id == listing.id
            )
        )
    )
    # A draft that graduation made of a linked place.
    ids |= set(
        db.session.scalars(
            select(IdeaLink.idea_id)
            .join(RoundPlace, RoundPlace.id == IdeaLink.target_id)
            .where(
                IdeaLink.kind.in_((LinkKind.PROOF, LinkKind.FUNDING)),
                RoundPlace.outcome == listing.slug,
                RoundPlace.organization_id == listing.publisher_id,
            )
        )
    )
    for idea_id in sorted(ids):
        fulfil(idea_id, listing)


def waiting_listing(idea: Idea) -> Listing | None:
    """The public listing of which a partner says that it does what an idea asks for, while nobody
    of the staff has confirmed it."""
    claim = active_claim(idea.id)
    if claim is None:
        return None
    listing = db.session.scalar(
        select(Listing)
        .join(IdeaLink, IdeaLink.target_id == Listing.id)
        .where(IdeaLink.claim_id == claim.id, IdeaLink.kind == LinkKind.LISTING)
    )
    return listing if listing is not None and listing.is_findable else None


def confirm(idea: Idea, *, actor: Actor) -> None:
    """Staff say that the linked listing does what the idea asks for. Flushes. Raises
    ConflictError."""
    listing = waiting_listing(idea)
    if listing is None or not fulfil(idea.id, listing, by_user_id=actor.user_id):
        raise ConflictError("No public listing of its partner is linked to it.")


def take_back(idea: Idea, *, actor: Actor) -> None:
    """Staff say that the listing does not do it after all: the idea is open again, and a later
    listing is told of. Flushes. Raises ConflictError."""
    row = lock_row(Idea, Idea.id == idea.id)
    if row is None or row.state is not IdeaState.LISTED:
        raise ConflictError("Only an idea with a listing can be opened again.")
    for request in db.session.scalars(
        select(IntegrationRequest)
        .join(IdeaRequest, IdeaRequest.request_id == IntegrationRequest.id)
        .where(
            IdeaRequest.idea_id == row.id,
            IntegrationRequest.state == RequestState.LISTED,
            IntegrationRequest.listing_id == row.listing_id,
        )
    ):
        request.state, request.listing_id = RequestState.PLANNED, None
        request.state_note = "Partners can build this now."
    row.state, row.listing_id, row.listed_at, row.told_at = IdeaState.OPEN, None, None, None
    record_fact("idea.reopened", subject=("idea", row.id), actor_user_id=actor.user_id)
    db.session.flush()


def fulfil(idea_id: int, listing: Listing, *, by_user_id: int | None = None) -> bool:
    """An idea has its listing; whether that is new. Flushes. Everybody who asked is told once.

    Only the partner whose claim is active fulfils it. What was public before the claim needs
    somebody of the staff (`by_user_id`) who says so: it was not built for it.
    """
    idea = lock_row(Idea, Idea.id == idea_id)
    if idea is None or idea.state is not IdeaState.CLAIMED:
        return False
    claim = active_claim(idea.id)
    if claim is None or claim.organization_id != listing.publisher_id:
        return False
    if by_user_id is None and (
        listing.published_at is None or listing.published_at < claim.claimed_at
    ):
        return False
    now = clock.now()
    _write(claim, LinkKind.LISTING, listing.id, None)
    idea.state, idea.listing_id, idea.listed_at = IdeaState.LISTED, listing.id, now
    claim.state, claim.active_idea_id, claim.ended_at = ClaimState.FULFILLED, None, now
    for request in db.session.scalars(
        select(IntegrationRequest)
        .join(IdeaRequest, IdeaRequest.request_id == IntegrationRequest.id)
        .where(
            IdeaRequest.idea_id == idea.id,
            IntegrationRequest.state.not_in((RequestState.LISTED, RequestState.DECLINED)),
        )
    ):
        # Its voters are told below, once for all requests of the idea.
        request.state, request.listing_id = RequestState.LISTED, listing.id
        request.state_note = ""
    record_fact(
        "idea.fulfilled",
        subject=("idea", idea.id),
        organization_id=claim.organization_id,
        data={"listing": listing.id},
        actor_user_id=by_user_id,
        idempotency_key=f"idea.fulfilled:{idea.id}:{claim.id}",
    )
    enqueue(TELL, {"idea_id": idea.id}, dedupe_key=f"{TELL}:{idea.id}")
    db.session.flush()
    return True


def tell_listed(idea_id: int) -> int:
    """Mail everybody who asked or voted, each address once and only once; how many mails.

    Waits for the listing to be public: it may have been suspended meanwhile, and then nobody is
    told.
    """
    idea = lock_row(Idea, Idea.id == idea_id)
    if idea is None or idea.told_at is not None or idea.listing_id is None:
        return 0
    listing = db.session.get(Listing, idea.listing_id)
    if listing is None or not listing.is_findable:
        return 0
    idea.told_at = clock.now()
    return mails.tell_people(
        people_behind(idea.id),
        f"{idea.title}: what you asked for is here",
        f"You asked for “{idea.title}”. It is listed now:\n\n{listing.name}: {listing.tagline}",
        f"/listings/{listing.slug}",
    )


def _target(claim: IdeaClaim, kind: LinkKind, target: str) -> int | None:
    if kind is LinkKind.LISTING:
        listings = linkable_listings(claim.organization_id)
        return next((each.id for each in listings if each.slug == target), None)
    wanted = RoundKind.PROOF_OF_CONCEPT if kind is LinkKind.PROOF else None
    return next(
        (
            place.id
            for place, round_ in linkable_places(claim.organization_id)
            if place.public_id == target
            and (round_.kind is RoundKind.PROOF_OF_CONCEPT) is (wanted is not None)
        ),
        None,
    )


def _write(claim: IdeaClaim, kind: LinkKind, target_id: int, by_user_id: int | None) -> None:
    row = db.session.scalar(
        select(IdeaLink).where(IdeaLink.claim_id == claim.id, IdeaLink.kind == kind)
    )
    if row is not None and row.target_id == target_id:
        return
    if row is None:
        row = IdeaLink(idea_id=claim.idea_id, claim_id=claim.id, kind=kind, target_id=target_id)
        db.session.add(row)
    row.target_id, row.by_user_id, row.created_at = target_id, by_user_id, clock.now()
    record_fact(
        "idea.linked",
        subject=("idea", claim.idea_id),
        actor_user_id=by_user_id,
        organization_id=claim.organization_id,
        data={"kind": kind.value, "target": target_id},
    )
    db.session.flush()
