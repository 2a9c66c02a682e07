"""Who proposes and votes, who claims and builds, and who looks after the ideas."""

from typing import Any

from marketplace.core.permissions import Actor, rule
from marketplace.pipeline.ideas.models import IdeaClaim

WORKERS = frozenset({"owner", "admin", "editor", "developer"})


@rule("idea.propose")
def may_propose(actor: Actor, _resource: object = None) -> bool:
    """Whoever is signed in."""
    return actor.is_authenticated


@rule("idea.vote")
def may_vote(actor: Actor, _resource: object = None) -> bool:
    """Whoever is signed in."""
    return actor.is_authenticated


@rule("ideas.build")
def may_build(actor: Actor, _resource: object = None) -> bool:
    """Owners, admins, editors and developers of a partner."""
    organization = actor.organization
    return (
        organization is not None
        and organization.organization_kind == "partner"
        and organization.role in WORKERS
    )


@rule("idea_claim.work")
def may_work_on_claim(actor: Actor, claim: Any) -> bool:
    """The same, on their own organization's claims."""
    return (
        may_build(actor, None)
        and isinstance(claim, IdeaClaim)
        and claim.organization_id == actor.organization_id
    )


@rule("ideas.manage")
def may_manage_ideas(actor: Actor, _resource: object = None) -> bool:
    """Program managers and reviewers."""
    return actor.is_staff_as("program_manager", "reviewer")
