"""Who gets started, does tasks, invites partners, and answers who asks to be let in."""

from typing import Any

from marketplace.core.permissions import Actor, rule
from marketplace.program.onboarding.models import JoinAsk, PartnerTask, TaskSide

MANAGERS = frozenset({"owner", "admin"})
WORKERS = frozenset({"owner", "admin", "editor", "developer", "finance"})
STAFF = ("program_manager", "reviewer", "support")


def _role_in_partner(actor: Actor) -> str | None:
    organization = actor.organization
    is_partner = organization is not None and organization.organization_kind == "partner"
    return organization.role if organization is not None and is_partner else None


@rule("onboarding.use")
def may_use(actor: Actor, _resource: object = None) -> bool:
    """Everybody who works for a partner."""
    return _role_in_partner(actor) is not None


@rule("partner_task.do")
def may_do_task(actor: Actor, task: Any) -> bool:
    """Members other than viewers, of the tasks on their side."""
    return (
        isinstance(task, PartnerTask)
        and task.side is TaskSide.PARTNER
        and task.organization_id == actor.organization_id
        and _role_in_partner(actor) in WORKERS
    )


@rule("start.dismiss")
def may_dismiss(actor: Actor, _resource: object = None) -> bool:
    """Owners and admins of a partner."""
    return _role_in_partner(actor) in MANAGERS


@rule("partner_invites.send")
def may_invite(actor: Actor, _resource: object = None) -> bool:
    """Owners and admins of a partner."""
    return _role_in_partner(actor) in MANAGERS


@rule("partner_tasks.work")
def may_work_on_tasks(actor: Actor, _resource: object = None) -> bool:
    """Those of the staff who look after partners."""
    return actor.is_staff_as(*STAFF)


@rule("join_ask.answer")
def may_answer_ask(actor: Actor, ask: Any) -> bool:
    """Owners and admins of the organization that was asked."""
    return isinstance(ask, JoinAsk) and actor.role_in(ask.organization_id) in MANAGERS
