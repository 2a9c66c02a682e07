"""The draft of a listing that a graduate of the partner program gets; wiring.py connects it."""

from marketplace.catalogue.publishing import queries
from marketplace.catalogue.publishing.services.drafts import NAME_LENGTH, create_listing
from marketplace.core.database import db
from marketplace.core.errors import InvalidError
from marketplace.core.permissions import Actor
from marketplace.identity.models import Organization
from marketplace.program.events import Graduation


def draft_for_graduate(graduation: Graduation) -> str:
    """Draft a listing for whoever graduated; its slug, empty when that is not possible here.

    Everything in it can be changed before it is submitted, its category too. Flushes.
    """
    publisher = db.session.get(Organization, graduation.organization_id)
    category = next(iter(queries.categories()), None)
    if publisher is None or not publisher.is_partner or category is None:
        return ""
    name = " ".join(graduation.name.split())[:NAME_LENGTH].strip()
    for each in (name, publisher.name[:NAME_LENGTH]):
        try:
            listing = create_listing(
                publisher,
                name=each,
                kind="app",
                category=category.slug,
                actor=Actor(user_id=graduation.by_user_id),
            )
        except InvalidError:
            # What an applicant called it may be no name for a listing; the partner's own is.
            continue
        return listing.slug
    return ""
