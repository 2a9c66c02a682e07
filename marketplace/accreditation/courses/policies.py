"""Who may take, write and oversee courses, and who deals with trainers."""

from typing import Any

from marketplace.accreditation.acting import MANAGERS, acts_for_partner
from marketplace.accreditation.courses.models import Attempt, Trainer, TrainingSession
from marketplace.core.permissions import Actor, rule


@rule("courses.use")
def may_learn(actor: Actor, _resource: object = None) -> bool:
    """Any member of the partner that they act for."""
    active = actor.organization
    return active is not None and active.organization_kind == "partner"


@rule("attempt.take")
def may_take(actor: Actor, attempt: Any) -> bool:
    """The person whose attempt it is, acting for the organization that it is for."""
    return (
        isinstance(attempt, Attempt)
        and attempt.enrolment.user_id == actor.user_id
        and attempt.enrolment.organization_id == actor.organization_id
    )


@rule("trainers.use")
def may_use_trainers(actor: Actor, _resource: object = None) -> bool:
    """Owners and admins of a partner."""
    return acts_for_partner(actor, MANAGERS)


@rule("trainer.manage")
def may_manage_trainer(actor: Actor, trainer: Any) -> bool:
    """The same, of the trainer's organization."""
    return (
        acts_for_partner(actor, MANAGERS)
        and isinstance(trainer, Trainer)
        and trainer.organization_id == actor.organization_id
    )


@rule("training.manage")
def may_manage_session(actor: Actor, session: Any) -> bool:
    """The same, of the organization that held the session."""
    return (
        acts_for_partner(actor, MANAGERS)
        and isinstance(session, TrainingSession)
        and session.organization_id == actor.organization_id
    )


@rule("courses.manage")
def may_manage_courses(actor: Actor, _resource: object = None) -> bool:
    """The program's staff."""
    return actor.is_staff_as("program_manager")
