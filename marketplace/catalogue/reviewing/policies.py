"""Who may review what. Nobody reviews their own organization's listing."""

from typing import Any

from marketplace.catalogue.models import ListingVersion, Revision
from marketplace.core.permissions import Actor, rule


@rule("reviews.queue")
def may_see_queue(actor: Actor, _resource: Any) -> bool:
    """Reviewers and program managers."""
    return actor.is_staff_as("reviewer", "program_manager")


@rule("reviews.open")
def may_open(actor: Actor, revision: Any) -> bool:
    """Who sees the queue may read a revision, unless they belong to its publisher."""
    return may_see_queue(actor, None) and not is_own(actor, revision)


@rule("reviews.decide")
def may_decide(actor: Actor, revision: Any) -> bool:
    """Reviewers who neither belong to the publisher nor submitted it."""
    return (
        actor.is_staff_as("reviewer")
        and not is_own(actor, revision)
        and revision.submitted_by_id != actor.user_id
    )


@rule("version.decide")
def may_decide_version(actor: Actor, version: Any) -> bool:
    """Reviewers who neither belong to the publisher nor added it; None asks for versions at all."""
    return actor.is_staff_as("reviewer") and (
        version is None
        or (
            isinstance(version, ListingVersion)
            and actor.role_in(version.listing.publisher_id) is None
            and version.created_by_id != actor.user_id
        )
    )


def is_own(actor: Actor, revision: Any) -> bool:
    """Whether the person belongs to the revision's publisher in any role."""
    return (
        not isinstance(revision, Revision)
        or actor.role_in(revision.listing.publisher_id) is not None
    )
