"""Checking records, ending what has run out, reminding, and deleting documents."""

from datetime import timedelta

from marketplace.accreditation.verification import queries
from marketplace.accreditation.verification.models import DomainProof, ProofMethod, ProofState
from marketplace.accreditation.verification.records import look_up
from marketplace.accreditation.verification.services.documents import delete_document
from marketplace.accreditation.verification.services.proving import (
    CHECK,
    age_of_mail,
    apply_answer,
)
from marketplace.accreditation.verification.services.verifying import (
    REMIND_DAYS,
    lapse,
    remind,
)
from marketplace.core import clock
from marketplace.core.database import db
from marketplace.core.jobs import Payload, enqueue, job_handler, periodic

BATCH = 200


@job_handler(CHECK)
def check_domain(payload: Payload) -> None:
    """Ask for one record. No transaction is open while the servers are asked."""
    proof = db.session.get(DomainProof, int(payload["proof_id"]))
    if proof is None or proof.state is ProofState.REMOVED:
        return
    proof_id, domain, challenge = proof.id, proof.domain, proof.challenge
    if proof.method is ProofMethod.EMAIL:
        age_of_mail(proof_id)
        return
    db.session.rollback()
    apply_answer(proof_id, look_up(domain, challenge))


@periodic("verification.check_domains", every=timedelta(minutes=15))
def check_domains(_payload: Payload) -> None:
    """A job for each domain whose check is due."""
    for proof_id in queries.due_proof_ids(clock.now(), BATCH):
        enqueue(CHECK, {"proof_id": proof_id}, dedupe_key=f"{CHECK}:{proof_id}")


@periodic("verification.daily", every=timedelta(hours=12))
def daily(_payload: Payload) -> None:
    """End what has run out, remind of what will, delete documents whose time has come."""
    now = clock.now()
    for verification in queries.due_verifications(now, BATCH):
        lapse(verification)
    for verification in queries.ending_verifications(now, now + timedelta(days=max(REMIND_DAYS))):
        if verification.expires_at is None:
            continue
        left = (verification.expires_at - now).days
        due = [days for days in REMIND_DAYS if left <= days]
        if due and (verification.reminded_days is None or min(due) < verification.reminded_days):
            remind(verification, min(due))
    for document in queries.due_documents(now, BATCH):
        delete_document(document, by_user_id=None)
