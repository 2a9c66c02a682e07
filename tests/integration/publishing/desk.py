"""People with their actors, and short ways to do what the portal does."""

from dataclasses import dataclass
from typing import Any

from marketplace.catalogue.models import Listing, Revision
from marketplace.catalogue.publishing import queries
from marketplace.catalogue.publishing.services import drafts, submission
from marketplace.core.permissions import Actor, MembershipInfo
from marketplace.identity.models import Organization, Role, User
from tests.factories.people import make_member, make_user


def actor_for(user: User, *places: tuple[Organization, Role]) -> Actor:
    """The actor of a person with these memberships, acting for the first."""
    infos = tuple(
        MembershipInfo(place.id, place.slug, place.name, place.kind.value, role.value)
        for place, role in places
    )
    return Actor(
        user_id=user.id,
        name=user.name,
        organization=infos[0] if infos else None,
        organizations=infos,
    )


def member(place: Organization, role: Role = Role.EDITOR, name: str = "Ada Okafor") -> Actor:
    """A new member and their actor."""
    return actor_for(make_member(place, role, make_user(name)), (place, role))


@dataclass(frozen=True)
class Desk:
    """One editor at one listing."""

    listing: Listing
    actor: Actor

    def save(self, **values: Any) -> drafts.Saved:
        """Save these fields on top of what is stored now."""
        stored = drafts.working_content(self.listing, queries.open_revision(self.listing.id))
        seen = drafts.fingerprint(stored, values)
        return drafts.save_fields(
            self.listing, values, fields=tuple(values), seen=seen, actor=self.actor
        )

    def submit(self, note: str = "") -> submission.Submission:
        """Submit the open revision."""
        return submission.submit(self.listing, self.open(), self.actor, note=note)

    def open(self) -> Revision:
        """The open revision."""
        revision = queries.open_revision(self.listing.id)
        assert revision is not None
        return revision
