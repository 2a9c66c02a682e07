"""Reading ideas, the requests behind them, and the chain to a listing."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Select, func, or_, select, union

from marketplace.catalogue.models import IntegrationRequest, Listing, RequestState, RequestVote
from marketplace.core.database import db
from marketplace.core.pagination import Page, paginate
from marketplace.identity.models import Organization
from marketplace.pipeline.ideas.models import (
    SHOWN,
    Idea,
    IdeaClaim,
    IdeaLink,
    IdeaReport,
    IdeaRequest,
    IdeaState,
    IdeaVote,
    IdeaWatch,
    LinkKind,
)
from marketplace.program.applications.models import PlaceState, ProgramRound, RoundPlace

PER_PAGE = 20
SORTS = {"votes": "Most votes", "newest": "Newest"}


@dataclass(frozen=True)
class Step:
    """A step of the chain from a request to a listing. `title` and `href` are empty where it has
    not come yet."""

    name: str
    title: str = ""
    at: datetime | None = None
    href: str = ""
    note: str = ""

    @property
    def is_done(self) -> bool:
        """Whether it has come."""
        return self.at is not None


def find_idea(idea_id: str) -> Idea | None:
    """The idea of a public id."""
    return db.session.scalar(select(Idea).where(Idea.public_id == idea_id))


def idea_by_id(idea_id: int) -> Idea:
    """The idea of an id."""
    return db.session.get_one(Idea, idea_id)


def find_shown_idea(idea_id: str) -> Idea | None:
    """The same, if everybody may see it."""
    found = find_idea(idea_id)
    return found if found is not None and found.state in SHOWN else None


def find_claim(claim_id: str) -> IdeaClaim | None:
    """The claim of a public id."""
    return db.session.scalar(select(IdeaClaim).where(IdeaClaim.public_id == claim_id))


def page_of_ideas(
    states: Sequence[IdeaState], text: str, sort: str, page: int, *, claimed_by: int | None = None
) -> Page[Idea]:
    """One page of ideas in these states whose title or text holds `text`."""
    query = _ideas(states, text, sort, claimed_by)
    return paginate(query, page=page, per_page=PER_PAGE)


def all_ideas(
    states: Sequence[IdeaState], text: str, sort: str, most: int = 10_000
) -> Sequence[Idea]:
    """All that the pages show, for a file."""
    return db.session.scalars(_ideas(states, text, sort, None).limit(most)).all()


def _ideas(
    states: Sequence[IdeaState], text: str, sort: str, claimed_by: int | None
) -> Select[Idea]:
    votes = func.coalesce(
        select(func.sum(IntegrationRequest.vote_count))
        .join(IdeaRequest, IdeaRequest.request_id == IntegrationRequest.id)
        .where(IdeaRequest.idea_id == Idea.id)
        .scalar_subquery(),
        0,
    )
    query = select(Idea).where(Idea.state.in_(states))
    if text:
        query = query.where(
            or_(
                Idea.title.icontains(text, autoescape=True),
                Idea.text.icontains(text, autoescape=True),
            )
        )
    if claimed_by is not None:
        query = query.where(
            Idea.id.in_(select(IdeaClaim.idea_id).where(IdeaClaim.organization_id == claimed_by))
        )
    return (
        query.order_by((Idea.vote_count + votes).desc(), Idea.id.desc())
        if sort == "votes"
        else query.order_by(Idea.id.desc())
    )


def voted_by(user_id: int | None, idea_ids: Iterable[int]) -> set[int]:
    """Which of these ideas the person voted for."""
    if user_id is None:
        return set()
    return set(
        db.session.scalars(
            select(IdeaVote.idea_id).where(
                IdeaVote.user_id == user_id, IdeaVote.idea_id.in_(list(idea_ids))
            )
        )
    )


def claims_of(idea_ids: Iterable[int]) -> dict[int, IdeaClaim]:
    """The active claim of each idea that has one. One query."""
    rows = db.session.scalars(select(IdeaClaim).where(IdeaClaim.active_idea_id.in_(list(idea_ids))))
    return {row.idea_id: row for row in rows}


def past_claims_of(idea_id: int) -> Sequence[IdeaClaim]:
    """All claims of an idea, the newest first."""
    return db.session.scalars(
        select(IdeaClaim).where(IdeaClaim.idea_id == idea_id).order_by(IdeaClaim.id.desc())
    ).all()


def reports_of(claim_ids: Iterable[int]) -> Sequence[IdeaReport]:
    """Reports of progress, the newest first."""
    return db.session.scalars(
        select(IdeaReport)
        .where(IdeaReport.claim_id.in_(list(claim_ids)))
        .order_by(IdeaReport.id.desc())
        .limit(100)
    ).all()


def requests_behind(idea_id: int) -> Sequence[IntegrationRequest]:
    """The requests that an idea answers, the most wanted first."""
    return db.session.scalars(
        select(IntegrationRequest)
        .join(IdeaRequest, IdeaRequest.request_id == IntegrationRequest.id)
        .where(IdeaRequest.idea_id == idea_id)
        .order_by(IntegrationRequest.vote_count.desc(), IntegrationRequest.id)
    ).all()


def page_of_free_requests(text: str, page: int) -> Page[IntegrationRequest]:
    """Open requests that no idea answers yet, the most wanted first."""
    query = select(IntegrationRequest).where(
        IntegrationRequest.state.in_((RequestState.OPEN, RequestState.PLANNED)),
        IntegrationRequest.id.not_in(select(IdeaRequest.request_id)),
    )
    if text:
        query = query.where(IntegrationRequest.name.icontains(text, autoescape=True))
    return paginate(
        query.order_by(IntegrationRequest.vote_count.desc(), IntegrationRequest.id),
        page=page,
        per_page=50,
    )


def people_behind(idea_id: int) -> set[int]:
    """Who asked for an idea or voted for it: ids of people."""
    behind = select(IdeaRequest.request_id).where(IdeaRequest.idea_id == idea_id)
    rows = db.session.scalars(
        union(
            select(IdeaVote.user_id).where(IdeaVote.idea_id == idea_id),
            select(RequestVote.user_id).where(RequestVote.request_id.in_(behind)),
            select(IntegrationRequest.requested_by_id).where(
                IntegrationRequest.id.in_(behind),
                IntegrationRequest.requested_by_id.is_not(None),
            ),
            select(Idea.created_by_id).where(
                Idea.id == idea_id,
                Idea.created_by_id.is_not(None),
                # Who made it of requests is staff; who proposed it asked for it.
                ~select(IdeaRequest.request_id).where(IdeaRequest.idea_id == idea_id).exists(),
            ),
        )
    )
    return {int(each) for each in rows if each is not None}


def is_watching(idea_id: int, user_id: int | None) -> bool:
    """Whether a person wants to be told when it is free."""
    return (
        db.session.scalar(
            select(IdeaWatch.idea_id).where(
                IdeaWatch.idea_id == idea_id, IdeaWatch.user_id == user_id
            )
        )
        is not None
    )


def linkable_places(organization_id: int) -> list[tuple[RoundPlace, ProgramRound]]:
    """A partner's places in rounds, the newest first."""
    rows = db.session.execute(
        select(RoundPlace, ProgramRound)
        .join(ProgramRound, ProgramRound.id == RoundPlace.round_id)
        .where(RoundPlace.organization_id == organization_id, RoundPlace.state != PlaceState.ENDED)
        .order_by(RoundPlace.id.desc())
        .limit(100)
    )
    return [(place, round_) for place, round_ in rows]


def linkable_listings(organization_id: int) -> Sequence[Listing]:
    """A partner's listings, drafts too, by name."""
    return db.session.scalars(
        select(Listing)
        .where(Listing.publisher_id == organization_id)
        .order_by(Listing.name, Listing.id)
        .limit(500)
    ).all()


def organizations(ids: Iterable[int | None]) -> dict[int, Organization]:
    """Organizations by id. One query."""
    wanted = {each for each in ids if each is not None}
    rows = db.session.scalars(select(Organization).where(Organization.id.in_(wanted)))
    return {row.id: row for row in rows}


def chain_of(idea: Idea, *, in_private: bool) -> list[Step]:
    """Request, idea, claim, proof, funding and listing with their days. Six queries.

    `in_private`: for staff and the partner that builds it; others see neither rounds nor sums.
    """
    requests = requests_behind(idea.id)
    claims = past_claims_of(idea.id)
    claim = next((each for each in claims if each.state.value in ("active", "fulfilled")), None)
    links = (
        {
            row.kind: row
            for row in db.session.scalars(select(IdeaLink).where(IdeaLink.claim_id == claim.id))
        }
        if claim
        else {}
    )
    places = {
        place.id: (place, round_)
        for place, round_ in (linkable_places(claim.organization_id) if claim else [])
    }
    names = organizations([claim.organization_id] if claim else [])
    first = min(requests, key=lambda each: each.created_at, default=None)
    steps = [
        Step(
            "Request",
            ", ".join(each.name for each in requests[:3]) if first else "",
            first.created_at if first else None,
            f"/requests/{requests[0].id}" if first else "",
            f"{len(requests)} request{'s' if len(requests) != 1 else ''}" if first else "",
        ),
        Step("Idea", at=idea.opened_at or idea.created_at),
        Step(
            "Claim",
            names[claim.organization_id].name if claim else "",
            claim.claimed_at if claim else None,
        ),
    ]
    for kind, name in ((LinkKind.PROOF, "Proof of concept"), (LinkKind.FUNDING, "Funding")):
        linked = links.get(kind)
        found = places.get(linked.target_id) if linked else None
        steps.append(
            Step(
                name,
                (found[1].name if in_private else "Under way") if found else "",
                linked.created_at if linked else None,
                note=(
                    f"Completed {found[0].completed_at:%d %b %Y}"
                    if found and found[0].completed_at
                    else ""
                ),
            )
        )
    steps.append(_listing_step(idea, links.get(LinkKind.LISTING), in_private))
    return steps


def _listing_step(idea: Idea, link: IdeaLink | None, in_private: bool) -> Step:
    listing = db.session.get(Listing, idea.listing_id or (link.target_id if link else 0))
    if listing is None:
        return Step("Listing")
    if idea.listed_at is None:
        return Step("Listing", note=f"{listing.name} is a draft" if in_private else "")
    return Step(
        "Listing",
        listing.name,
        idea.listed_at,
        f"/listings/{listing.slug}" if listing.is_findable else "",
    )
