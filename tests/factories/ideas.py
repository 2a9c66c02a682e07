"""Requests of customers, and ideas that are made of them. All of it is flushed."""

from marketplace.catalogue.models import IntegrationRequest, RequestVote
from marketplace.core.database import db
from marketplace.identity.models import Organization, User
from marketplace.pipeline.ideas.models import Idea
from marketplace.pipeline.ideas.services import writing
from tests.factories.people import make_member, make_platform
from tests.factories.rounds import actor_of


def make_request(name: str, *voters: tuple[Organization, User]) -> IntegrationRequest:
    """What customers ask for, with their votes."""
    request = IntegrationRequest(
        name=name,
        name_key=name.lower().replace(" ", ""),
        requested_by_id=voters[0][1].id if voters else None,
        vote_count=len(voters),
    )
    db.session.add(request)
    db.session.flush()
    for organization, person in voters:
        db.session.add(
            RequestVote(request_id=request.id, user_id=person.id, organization_id=organization.id)
        )
    db.session.flush()
    return request


def make_idea(*requests: IntegrationRequest) -> Idea:
    """An idea of the staff."""
    platform = make_platform()
    staff = make_member(platform)
    return writing.make_of_requests(
        "Tide feed", "", [each.id for each in requests], actor=actor_of(staff, platform)
    )
