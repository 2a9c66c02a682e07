"""Who files managed services, and who accepts their evidence."""

from typing import Any

from marketplace.accreditation.acting import WRITERS, acts_for_partner, may_judge, reviews
from marketplace.accreditation.managed_services.models import ManagedService, ServiceEvidence
from marketplace.core.permissions import Actor, rule


@rule("managed_services.use")
def may_use(actor: Actor, _resource: object = None) -> bool:
    """Owners, admins, editors and developers of a partner."""
    return acts_for_partner(actor, WRITERS)


@rule("managed_service.manage")
def may_manage(actor: Actor, service: Any) -> bool:
    """The same, of the partner whose service it is."""
    return (
        acts_for_partner(actor, WRITERS)
        and isinstance(service, ManagedService)
        and service.organization_id == actor.organization_id
    )


@rule("service_evidence.read")
def may_read_evidence(actor: Actor, evidence: Any) -> bool:
    """The same, of its evidence."""
    return isinstance(evidence, ServiceEvidence) and may_manage(actor, evidence.service)


@rule("service_evidence.review")
def may_review(actor: Actor, _resource: object = None) -> bool:
    """Reviewers and program managers."""
    return reviews(actor)


@rule("service_evidence.decide")
def may_decide(actor: Actor, evidence: Any) -> bool:
    """The same, but nobody about an organization of their own."""
    return isinstance(evidence, ServiceEvidence) and may_judge(
        actor, evidence.service.organization_id
    )
