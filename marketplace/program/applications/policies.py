"""Who applies, who reviews, who runs rounds, and who writes and approves plans."""

from typing import Any

from marketplace.core.permissions import Actor, rule
from marketplace.program.applications.models import Application, BusinessPlan, RoundPlace

WRITERS = frozenset({"owner", "admin", "editor"})
# Whose word binds the partner: terms, plans, taking an application back.
SIGNERS = frozenset({"owner", "admin"})


def _writes_for_partner(actor: Actor, roles: frozenset[str] = WRITERS) -> bool:
    organization = actor.organization
    return (
        organization is not None
        and organization.organization_kind == "partner"
        and organization.role in roles
    )


@rule("applications.use")
def may_use_applications(actor: Actor, _resource: object = None) -> bool:
    """Owners, admins and editors of a partner."""
    return _writes_for_partner(actor)


@rule("application.manage")
def may_manage_application(actor: Actor, application: Any) -> bool:
    """The same, of their own organization's applications."""
    return (
        _writes_for_partner(actor)
        and isinstance(application, Application)
        and application.organization_id is not None
        and application.organization_id == actor.organization_id
    )


@rule("applications.review")
def may_review_applications(actor: Actor, _resource: object = None) -> bool:
    """Reviewers and program managers; finance, who passes stages of its own."""
    return actor.is_staff_as("reviewer", "program_manager", "finance")


@rule("application.review")
def may_review_application(actor: Actor, application: Any) -> bool:
    """The same. Whoever has a conflict of interest sees it, and is refused when judging it."""
    return may_review_applications(actor, None) and isinstance(application, Application)


@rule("rounds.use")
def may_use_rounds(actor: Actor, _resource: object = None) -> bool:
    """Owners, admins and editors of a partner."""
    return _writes_for_partner(actor)


@rule("rounds.read")
def may_read_rounds(actor: Actor, _resource: object = None) -> bool:
    """Reviewers, program managers and finance."""
    return actor.is_staff_as("reviewer", "program_manager", "finance")


@rule("rounds.manage")
def may_manage_rounds(actor: Actor, _resource: object = None) -> bool:
    """Program managers and admins."""
    return actor.is_staff_as("program_manager")


@rule("milestone.decide")
def may_decide_milestone(actor: Actor, _resource: object = None) -> bool:
    """Reviewers and program managers."""
    return actor.is_staff_as("reviewer", "program_manager")


@rule("round_place.view")
def may_view_place(actor: Actor, place: Any) -> bool:
    """The partner's people who write for it, and its mentor."""
    return isinstance(place, RoundPlace) and (
        may_work_in_place(actor, place)
        or (actor.user_id is not None and place.mentor_user_id == actor.user_id)
    )


@rule("round_place.work")
def may_work_in_place(actor: Actor, place: Any) -> bool:
    """The partner's people who write for it."""
    return (
        _writes_for_partner(actor)
        and isinstance(place, RoundPlace)
        and place.organization_id == actor.organization_id
    )


@rule("round_place.sign")
def may_sign_in_place(actor: Actor, place: Any) -> bool:
    """Owners and admins of the partner: they accept its terms, and leave."""
    return may_work_in_place(actor, place) and _writes_for_partner(actor, SIGNERS)


@rule("plans.use")
def may_use_plans(actor: Actor, _resource: object = None) -> bool:
    """Owners, admins and editors of a partner."""
    return _writes_for_partner(actor)


@rule("business_plan.write")
def may_write_plan(actor: Actor, plan: Any) -> bool:
    """The same, of their own organization's plans."""
    return (
        _writes_for_partner(actor)
        and isinstance(plan, BusinessPlan)
        and plan.organization_id == actor.organization_id
    )


@rule("business_plans.read")
def may_read_plans(actor: Actor, _resource: object = None) -> bool:
    """Reviewers and program managers."""
    return actor.is_staff_as("reviewer", "program_manager")


@rule("business_plan.approve")
def may_approve_plan(actor: Actor, _resource: object = None) -> bool:
    """Program managers and admins."""
    return actor.is_staff_as("program_manager")
