"""Which staff arrange what."""

from marketplace.catalogue.models import Listing
from marketplace.core.permissions import Actor, rule
from marketplace.identity.models import Organization

CURATORS = ("program_manager",)


@rule("collections.manage")
def may_manage_collections(actor: Actor, _resource: object = None) -> bool:
    """Program managers choose what the home page shows."""
    return actor.is_staff_as(*CURATORS)


@rule("categories.manage")
def may_manage_categories(actor: Actor, _resource: object = None) -> bool:
    """Program managers own the order of things."""
    return actor.is_staff_as(*CURATORS)


@rule("synonyms.manage")
def may_manage_synonyms(actor: Actor, _resource: object = None) -> bool:
    """Those who see what is searched."""
    return actor.is_staff_as(*CURATORS, "support")


@rule("search_log.read")
def may_read_search_log(actor: Actor, _resource: object = None) -> bool:
    """Those who can do something about it."""
    return actor.is_staff_as(*CURATORS, "support", "reviewer")


@rule("standing.read")
def may_read_standing(actor: Actor, _resource: object = None) -> bool:
    """Staff who talk to partners see every listing and publisher."""
    return actor.is_staff_as(*CURATORS, "support", "reviewer")


@rule("listing.certify")
def may_certify(actor: Actor, listing: Listing) -> bool:
    """Reviewers and program managers, but not a listing of an organization of theirs."""
    return actor.is_staff_as(*CURATORS, "reviewer") and actor.role_in(listing.publisher_id) is None


@rule("publisher.verify")
def may_verify(actor: Actor, publisher: Organization) -> bool:
    """Reviewers and program managers, but not their own organization."""
    return actor.is_staff_as(*CURATORS, "reviewer") and actor.role_in(publisher.id) is None
