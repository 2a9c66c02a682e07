"""Who proves, and who decides."""

from typing import Any

from marketplace.accreditation.acting import MANAGERS, acts_for_partner, may_judge, reviews
from marketplace.accreditation.verification.models import (
    DomainProof,
    ProofState,
    Verification,
    VerificationDocument,
)
from marketplace.accreditation.verification.queries import holder_of
from marketplace.core.permissions import Actor, rule


@rule("verification.use")
def may_use(actor: Actor, _resource: object = None) -> bool:
    """Owners and admins of a partner."""
    return acts_for_partner(actor, MANAGERS)


@rule("domain_proof.manage")
def may_manage_proof(actor: Actor, proof: Any) -> bool:
    """The same, of the organization whose proof it is and for which they act."""
    return (
        acts_for_partner(actor, MANAGERS)
        and isinstance(proof, DomainProof)
        and proof.organization_id == actor.organization_id
    )


@rule("verification_document.manage")
def may_manage_document(actor: Actor, document: Any) -> bool:
    """The same, of its documents."""
    return (
        acts_for_partner(actor, MANAGERS)
        and isinstance(document, VerificationDocument)
        and document.organization_id == actor.organization_id
    )


@rule("verifications.review")
def may_review(actor: Actor, _resource: object = None) -> bool:
    """Reviewers and program managers."""
    return reviews(actor)


@rule("verification.decide")
def may_decide(actor: Actor, verification: Any) -> bool:
    """The same, but nobody about an organization of their own."""
    return isinstance(verification, Verification) and may_judge(actor, verification.organization_id)


@rule("verification_document.review")
def may_see_document(actor: Actor, document: Any) -> bool:
    """The same."""
    return isinstance(document, VerificationDocument) and may_judge(actor, document.organization_id)


@rule("domain_dispute.decide")
def may_decide_dispute(actor: Actor, proof: Any) -> bool:
    """The same, of a domain that two claim: nobody who has a part in either of them."""
    if not isinstance(proof, DomainProof) or proof.state is not ProofState.DISPUTED:
        return False
    holder = holder_of(proof.domain, but=proof.organization_id)
    return may_judge(actor, proof.organization_id) and (
        holder is None or may_judge(actor, holder.organization_id)
    )
