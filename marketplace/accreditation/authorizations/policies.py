"""Who files authorizations, and who checks them."""

from typing import Any

from marketplace.accreditation.acting import (
    MANAGERS,
    WRITERS,
    acts_for_partner,
    may_judge,
    reviews,
)
from marketplace.accreditation.authorizations.models import Authorization
from marketplace.core.permissions import Actor, rule


@rule("authorizations.use")
def may_use(actor: Actor, _resource: object = None) -> bool:
    """Owners, admins, editors and developers of a partner."""
    return acts_for_partner(actor, WRITERS)


@rule("procurement_profile.edit")
def may_edit_profile(actor: Actor, _resource: object = None) -> bool:
    """Owners and admins of a partner."""
    return acts_for_partner(actor, MANAGERS)


@rule("authorization.manage")
def may_manage(actor: Actor, authorization: Any) -> bool:
    """Whoever gathers evidence, of the partner whose authorization it is."""
    return (
        acts_for_partner(actor, WRITERS)
        and isinstance(authorization, Authorization)
        and authorization.organization_id == actor.organization_id
    )


@rule("authorizations.review")
def may_review(actor: Actor, _resource: object = None) -> bool:
    """Reviewers and program managers."""
    return reviews(actor)


@rule("authorization.decide")
def may_decide(actor: Actor, authorization: Any) -> bool:
    """The same, but nobody about an organization of their own."""
    return isinstance(authorization, Authorization) and may_judge(
        actor, authorization.organization_id
    )
