"""Who gathers evidence, who decides, who writes checklists."""

from typing import Any

from marketplace.accreditation.acting import WRITERS, acts_for_partner, may_judge, reviews
from marketplace.accreditation.certification.models import (
    Certification,
    CertificationProgram,
    Checklist,
)
from marketplace.accreditation.certification.queries import ItemOf
from marketplace.core.permissions import Actor, rule


@rule("certifications.use")
def may_use(actor: Actor, _resource: object = None) -> bool:
    """Owners, admins, editors and developers of a partner."""
    return acts_for_partner(actor, WRITERS)


@rule("certification_program.start")
def may_start(actor: Actor, program: Any) -> bool:
    """The same, of a program that is open."""
    return (
        acts_for_partner(actor, WRITERS)
        and isinstance(program, CertificationProgram)
        and program.is_open
    )


@rule("certification.manage")
def may_manage(actor: Actor, resource: Any) -> bool:
    """The same, of the organization whose certification it is and for which they act."""
    found = resource.certification if isinstance(resource, ItemOf) else resource
    return (
        acts_for_partner(actor, WRITERS)
        and isinstance(found, Certification)
        and found.organization_id == actor.organization_id
    )


@rule("certifications.review")
def may_review(actor: Actor, _resource: object = None) -> bool:
    """Reviewers and program managers."""
    return reviews(actor)


@rule("certification.decide")
def may_decide(actor: Actor, resource: Any) -> bool:
    """The same, but nobody about an organization of their own."""
    found = resource.certification if isinstance(resource, ItemOf) else resource
    return isinstance(found, Certification) and may_judge(actor, found.organization_id)


@rule("certifications.manage")
def may_write_checklists(actor: Actor, _resource: object = None) -> bool:
    """Program managers write what is asked."""
    return actor.is_staff_as("program_manager")


@rule("certification_program.manage")
def may_manage_program(actor: Actor, program: Any) -> bool:
    """The same."""
    return may_write_checklists(actor, None) and isinstance(program, CertificationProgram)


@rule("certification_checklist.manage")
def may_manage_checklist(actor: Actor, checklist: Any) -> bool:
    """The same."""
    return may_write_checklists(actor, None) and isinstance(checklist, Checklist)
