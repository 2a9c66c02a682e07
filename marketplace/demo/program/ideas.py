"""Ideas made of what the demo's customers ask for: open, being built, and listed."""

from collections.abc import Callable
from datetime import timedelta

from sqlalchemy import func, select

from marketplace.catalogue.models import IntegrationRequest, Listing, RequestState
from marketplace.core import clock
from marketplace.core.database import db
from marketplace.core.permissions import Actor
from marketplace.core.unit_of_work import unit_of_work
from marketplace.demo.program.applications import actor_of
from marketplace.identity.models import Membership, Organization, OrganizationKind
from marketplace.pipeline.ideas.models import Idea, LinkKind
from marketplace.pipeline.ideas.queries import linkable_places
from marketplace.pipeline.ideas.services import claiming, fulfilling, writing

REPORT = (
    "The beta reads and writes. We test it with three customers and write the documentation next."
)


def load(tell: Callable[[str], None]) -> None:
    """Make ideas of the most wanted requests, unless any idea is there. Commits."""
    if db.session.scalar(select(func.count()).select_from(Idea)):
        return
    staff = _staff()
    requests = db.session.scalars(
        select(IntegrationRequest)
        .where(IntegrationRequest.state == RequestState.OPEN)
        .order_by(IntegrationRequest.vote_count.desc(), IntegrationRequest.id)
        .limit(6)
    ).all()
    if staff is None or not requests:
        return
    now = clock.now()
    with unit_of_work():
        with clock.frozen(now - timedelta(days=70)):
            ideas = [
                writing.make_of_requests(
                    f"{request.name}: connect it both ways",
                    request.details
                    or f"Customers want their data of {request.name} here, and back again.",
                    [request.id],
                    actor=staff,
                )
                for request in requests
            ]
        _build(ideas[:1])
        _list(ideas[1:2], staff)
        customer = actor_of("birchline")
        if customer is not None:
            with clock.frozen(now - timedelta(days=2)):
                writing.propose(
                    "Reports for the tax adviser",
                    "One file a month that our adviser can open without an account.",
                    actor=customer,
                )
    tell(f"{len(ideas)} ideas stand behind what customers ask for.")


def _staff() -> Actor | None:
    user_id = db.session.scalar(
        select(Membership.user_id)
        .join(Organization, Organization.id == Membership.organization_id)
        .where(Organization.kind == OrganizationKind.PLATFORM, Membership.role == "program_manager")
        .limit(1)
    )
    return None if user_id is None else Actor(user_id=user_id)


def _build(ideas: list[Idea]) -> None:
    """Tidewater Labs builds one with the money of its grant."""
    builder = actor_of("tidewater-labs")
    now = clock.now()
    if builder is None or builder.organization_id is None:
        return
    for idea in ideas:
        with clock.frozen(now - timedelta(days=50)):
            claim = claiming.claim(idea, actor=builder)
        with clock.frozen(now - timedelta(days=12)):
            claiming.report(claim, REPORT, actor=builder)
            for place, round_ in linkable_places(builder.organization_id):
                if round_.kind.value == "grant":
                    fulfilling.link(claim, LinkKind.FUNDING, place.public_id, actor=builder)


def _list(ideas: list[Idea], staff: Actor) -> None:
    """Quillbright has built one: its listing is there."""
    builder = actor_of("quillbright")
    if builder is None or builder.organization_id is None:
        return
    listing = next(
        (
            each
            for each in db.session.scalars(
                select(Listing)
                .where(Listing.publisher_id == builder.organization_id)
                .order_by(Listing.id)
            )
            if each.is_findable
        ),
        None,
    )
    if listing is None:
        return
    now = clock.now()
    for idea in ideas:
        with clock.frozen(now - timedelta(days=60)):
            claim = claiming.claim(idea, actor=builder)
        with clock.frozen(now - timedelta(days=4)):
            fulfilling.link(claim, LinkKind.LISTING, listing.slug, actor=builder)
            if fulfilling.waiting_listing(idea) is not None:
                fulfilling.confirm(idea, actor=staff)
