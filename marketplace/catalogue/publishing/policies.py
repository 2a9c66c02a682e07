"""Who may do what in the partner portal."""

from typing import Any

from marketplace.catalogue.models import Listing
from marketplace.core.permissions import Actor, rule

WRITERS = frozenset({"owner", "admin", "editor"})
RELEASERS = WRITERS | {"developer"}


def _acts_for_publisher(actor: Actor, listing: Any) -> bool:
    # A person of two partners works for one at a time: drafts of the other stay out of sight.
    return isinstance(listing, Listing) and actor.organization_id == listing.publisher_id


@rule("portal.use")
def may_use_portal(actor: Actor, _resource: Any) -> bool:
    """Any signed-in person; who has no partner organization is guided."""
    return actor.is_authenticated


@rule("listing.create")
def may_create(actor: Actor, _resource: Any) -> bool:
    """Writers of the partner organization that they act for."""
    active = actor.organization
    return active is not None and active.organization_kind == "partner" and active.role in WRITERS


@rule("listing.view_draft")
def may_view_draft(actor: Actor, listing: Any) -> bool:
    """Everybody in the publishing organization."""
    return _acts_for_publisher(actor, listing)


@rule("listing.edit")
def may_edit(actor: Actor, listing: Any) -> bool:
    """Owners, admins and editors of the publisher."""
    return _acts_for_publisher(actor, listing) and actor.role_in(actor.organization_id) in WRITERS


@rule("listing.submit")
def may_submit(actor: Actor, listing: Any) -> bool:
    """Whoever may edit may submit."""
    return may_edit(actor, listing)


@rule("listing.change_status")
def may_change_status(actor: Actor, listing: Any) -> bool:
    """Whoever may edit may deprecate, withdraw, restore and rename."""
    return may_edit(actor, listing)


@rule("listing.add_version")
def may_add_version(actor: Actor, listing: Any) -> bool:
    """Developers may tell of releases as well."""
    return _acts_for_publisher(actor, listing) and actor.role_in(actor.organization_id) in RELEASERS
