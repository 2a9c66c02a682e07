"""Claiming a domain, checking its record or its mail address, losing it, and disputing it."""

import secrets
from datetime import timedelta

from flask import current_app
from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError

from billing.public_ids import new_public_id
from marketplace.accreditation.acting import tell_managers
from marketplace.accreditation.events import accreditation_changed
from marketplace.accreditation.verification import queries
from marketplace.accreditation.verification.domains import (
    DomainRefusedError,
    domain_of_address,
    is_role_address,
    registrable,
    shown,
    tidy_domain,
)
from marketplace.accreditation.verification.models import (
    HELD,
    DomainProof,
    ProofMethod,
    ProofState,
)
from marketplace.accreditation.verification.rechecking import WEEKLY, Outcome, next_step
from marketplace.accreditation.verification.records import Answer, record_name
from marketplace.accreditation.verification.services.verifying import rest_again
from marketplace.core import clock
from marketplace.core.database import db
from marketplace.core.errors import ConflictError, InvalidError
from marketplace.core.facts import record_fact
from marketplace.core.jobs import enqueue
from marketplace.core.locks import lock_row
from marketplace.core.mail import send_mail
from marketplace.identity.models import Membership, Organization, User
from marketplace.identity.sessions import hash_token
from marketplace.program.onboarding.domains import domain_of_website

CHECK = "verification.check_domain"
MOST_PROOFS = 10
TOKEN_LIFETIME = timedelta(days=3)
RESEND_AFTER = timedelta(minutes=2)
CHECK_AGAIN_AFTER = timedelta(seconds=20)
# A mailbox proves a domain for a year.
EMAIL_COUNTS_FOR = timedelta(days=358)
MOST_WORDS = 2_000
PAGE = "/partner/verification"


def claim_domain(
    organization: Organization,
    *,
    domain: str,
    method: str,
    email: str = "",
    by_user_id: int | None,
) -> DomainProof:
    """Begin to prove a domain; the open proof when the same was begun before. Another address for
    a proof by mail takes the place of the one before; what is proven counts on meanwhile.

    Raises InvalidError (fields domain, method, email), ConflictError for too many.
    """
    if method not in set(ProofMethod):
        raise InvalidError({"method": "Choose how you prove it."})
    how = ProofMethod(method)
    try:
        tidy = tidy_domain(domain)
    except DomainRefusedError as error:
        raise InvalidError({"domain": str(error)}) from error
    address = _address(email, tidy, organization) if how is ProofMethod.EMAIL else None
    lock_row(Organization, Organization.id == organization.id)
    for proof in queries.proofs_of(organization.id):
        if proof.domain != tidy:
            continue
        if proof.method is how:
            if address is not None and proof.email != address:
                _send_elsewhere(proof, address)
            return proof
        if proof.state is ProofState.VERIFIED and proof.method is ProofMethod.DNS:
            raise InvalidError({"domain": "Its DNS record proves it already."})
    count = db.session.scalar(
        select(func.count()).where(
            DomainProof.organization_id == organization.id,
            DomainProof.state != ProofState.REMOVED,
        )
    )
    if (count or 0) >= MOST_PROOFS:
        raise ConflictError(f"{MOST_PROOFS} domains are the most. Remove one first.")
    proof = DomainProof(
        public_id=new_public_id("dom"),
        organization_id=organization.id,
        domain=tidy,
        method=how,
        state=ProofState.PENDING,
        challenge=secrets.token_urlsafe(24),
        email=address,
        created_by_id=by_user_id,
    )
    db.session.add(proof)
    db.session.flush()
    _fact(proof, "domain.claimed", by_user_id)
    if how is ProofMethod.DNS:
        proof.next_check_at = clock.now() + timedelta(minutes=15)
    else:
        send_link(proof)
    return proof


def send_link(proof: DomainProof) -> None:
    """Mail a link to the proof's address; links that were sent before stop working.

    Raises ConflictError for a proof by DNS, or when one was sent a moment ago.
    """
    if proof.method is not ProofMethod.EMAIL or proof.email is None:
        raise ConflictError("This domain is proven by its DNS record.")
    now = clock.now()
    sent_at = proof.token_expires_at - TOKEN_LIFETIME if proof.token_expires_at else None
    if sent_at is not None and now - sent_at < RESEND_AFTER:
        raise ConflictError("A link was sent a moment ago. Wait two minutes.")
    token = secrets.token_urlsafe(32)
    proof.token_hash, proof.token_expires_at = hash_token(token), now + TOKEN_LIFETIME
    proof.found = f"A link was sent to {proof.email}."
    proof.checked_at = now
    site = str(current_app.config["SITE_NAME"])
    organization = db.session.get_one(Organization, proof.organization_id)
    send_mail(
        proof.email,
        f"Does {shown(proof.domain)} belong to {organization.name}?",
        f"Hello,\n\n{organization.name} says on {site} that {proof.domain} is its domain. If that "
        "is so, confirm it here within three days:\n\n"
        f"{current_app.config['PUBLIC_URL']}/verification/{token}\n\n"
        f"If you do not know {organization.name}, do nothing.\n\n{site}",
    )


def _send_elsewhere(proof: DomainProof, address: str) -> None:
    """Another address for a proof by mail: what was sent to the one before proves nothing."""
    locked = lock_row(DomainProof, DomainProof.id == proof.id)
    if locked is None or locked.state is ProofState.REMOVED:
        raise ConflictError("This domain was removed.")
    locked.email, locked.token_hash, locked.token_expires_at = address, None, None
    send_link(locked)
    db.session.flush()
    _fact(locked, "domain.address_changed", None)


def find_by_token(token: str) -> DomainProof | None:
    """The proof that a link is of, while the link is good."""
    proof = queries.proof_by_token(hash_token(token))
    if proof is None or proof.token_expires_at is None or proof.token_expires_at <= clock.now():
        return None
    return None if proof.state is ProofState.REMOVED else proof


def confirm_by_mail(token: str) -> DomainProof:
    """Whoever reads mail at the domain says that it is the organization's. Once for each link.

    Raises ConflictError when the link is used up or too old.
    """
    found = find_by_token(token)
    proof = None if found is None else lock_row(DomainProof, DomainProof.id == found.id)
    if proof is None or proof.token_hash != hash_token(token):
        raise ConflictError("This link was used before, or is too old.")
    proof.token_hash, proof.token_expires_at = None, None
    _apply(proof, matches=True, answered=True, words=f"Confirmed from {proof.email}.")
    return proof


def check_soon(proof: DomainProof) -> None:
    """Ask for the record now, in a job. Raises ConflictError when it was just asked for."""
    if proof.method is not ProofMethod.DNS:
        raise ConflictError("This domain is proven by mail.")
    if proof.checked_at is not None and clock.now() - proof.checked_at < CHECK_AGAIN_AFTER:
        raise ConflictError("It was checked a moment ago. Wait half a minute.")
    enqueue(CHECK, {"proof_id": proof.id}, dedupe_key=f"{CHECK}:{proof.id}")


def apply_answer(proof_id: int, answer: Answer) -> None:
    """Write down what a lookup found; what follows from it."""
    proof = lock_row(DomainProof, DomainProof.id == proof_id)
    if proof is None or proof.state is ProofState.REMOVED:
        return
    _apply(
        proof,
        matches=answer.matches,
        answered=answer.found is not None,
        words=answer.in_words(record_name(proof.domain)),
    )


def age_of_mail(proof_id: int) -> None:
    """A domain that was proven by mail is proven again once a year."""
    proof = lock_row(DomainProof, DomainProof.id == proof_id)
    if proof is None or proof.state not in HELD:
        if proof is not None:
            proof.next_check_at = None
        return
    counts = proof.verified_at is not None and proof.verified_at + EMAIL_COUNTS_FOR > clock.now()
    words = proof.found if counts else "It was proven a year ago. Confirm it again by mail."
    _apply(proof, matches=counts, answered=True, words=words, renews=False)


def remove_proof(proof: DomainProof, *, by_user_id: int | None) -> None:
    """Give a domain up; twice is as good as once."""
    locked = lock_row(DomainProof, DomainProof.id == proof.id)
    if locked is None or locked.state is ProofState.REMOVED:
        return
    was_held = locked.is_held
    locked.state, locked.held_domain, locked.removed_at = ProofState.REMOVED, None, clock.now()
    locked.token_hash, locked.next_check_at = None, None
    db.session.flush()
    _fact(locked, "domain.removed", by_user_id)
    if was_held:
        _moved(locked)


def write_dispute(proof: DomainProof, words: str) -> None:
    """What the organization tells staff about a disputed domain. Raises InvalidError."""
    text = words.replace("\x00", "").strip()
    if not text or len(text) > MOST_WORDS:
        raise InvalidError({"dispute": f"Write 1 to {MOST_WORDS:,} characters."})
    if proof.state is not ProofState.DISPUTED:
        raise ConflictError("Nobody else holds this domain any more.")
    proof.dispute = text
    _fact(proof, "domain.dispute_explained", None)


def decide_dispute(
    proof: DomainProof, *, to_claimant: bool, reason: str, by_user_id: int | None
) -> None:
    """Staff say whose a domain is.

    Raises InvalidError, ConflictError when it was decided, or when what should prove that it is
    the claimant's was not there at the last check.
    """
    text = reason.replace("\x00", "").strip()
    if not text or len(text) > MOST_WORDS:
        raise InvalidError({"reason": f"Say why, in 1 to {MOST_WORDS:,} characters."})
    locked = lock_row(DomainProof, DomainProof.id == proof.id)
    if locked is None or locked.state is not ProofState.DISPUTED:
        raise ConflictError("This was decided already.")
    locked.decision, locked.decided_by_id = text, by_user_id
    if not to_claimant:
        locked.state, locked.removed_at = ProofState.REMOVED, clock.now()
        locked.next_check_at = None
        _fact(locked, "domain.dispute_refused", by_user_id)
        _tell(locked, "stays with who held it", f"Our team decided: {text}")
        return
    if locked.failed_checks:
        raise ConflictError(f"The claim is not proven now. {locked.found}")
    holder = queries.holder_of(locked.domain, but=locked.organization_id)
    held = lock_row(DomainProof, DomainProof.id == holder.id) if holder is not None else None
    # All of it, or nothing: a domain that a third one proves at this moment stays in dispute.
    with db.session.begin_nested():
        if held is not None:
            held.state, held.held_domain = ProofState.REOPENED, None
            held.failed_checks, held.grace_until = 0, None
            held.found = "Our team decided that the domain belongs to another organization."
            held.next_check_at = None
            db.session.flush()
        if not _hold(locked):
            raise ConflictError("Another organization has proven it meanwhile. Look again.")
    if held is not None:
        _fact(held, "domain.reopened", by_user_id)
        _tell(held, "belongs to another organization", f"Our team decided: {text}")
        _moved(held)
    _fact(locked, "domain.dispute_granted", by_user_id)
    _tell(locked, "is yours", f"Our team decided: {text}")
    _moved(locked)


def _apply(
    proof: DomainProof, *, matches: bool, answered: bool, words: str, renews: bool = True
) -> None:
    now = clock.now()
    step = next_step(
        proof.state,
        proof.failed_checks,
        proof.grace_until,
        matches=matches,
        answered=answered,
        at=now,
    )
    proof.found, proof.checked_at = words, now
    proof.failed_checks, proof.grace_until = step.failed_checks, step.grace_until
    proof.next_check_at = step.next_check_at
    if matches and (renews or proof.verified_at is None):
        proof.verified_at = now
    if step.outcome is Outcome.VERIFIED:
        if not _hold(proof):
            return
        _fact(proof, "domain.verified", None)
        _tell(proof, "is verified", "We found what proves that the domain is yours.")
        _moved(proof)
        return
    proof.state = step.state
    if step.outcome is Outcome.FAILING:
        _fact(proof, "domain.check_failed", None)
        _tell(
            proof,
            "could not be verified again",
            f"{words} Until {step.grace_until:%d %b %Y} the domain still counts. Put it right "
            "until then, or it has to be proven again.",
        )
    elif step.outcome is Outcome.UNDISPUTED:
        _fact(proof, "domain.dispute_dropped", None)
        _tell(
            proof,
            "is not proven any more",
            f"{words} So there is nothing to decide: prove it again, then our team decides.",
        )
    elif step.outcome is Outcome.RECOVERED:
        _fact(proof, "domain.recovered", None)
    elif step.outcome is Outcome.REOPENED:
        proof.held_domain = None
        db.session.flush()
        _fact(proof, "domain.reopened", None)
        _tell(proof, "has to be proven again", f"{words} The domain does not count any more.")
        _moved(proof)


def _hold(proof: DomainProof) -> bool:
    """Let the organization hold the domain; False, and a dispute, where another one does. A proof
    by which it held the domain itself is replaced."""
    own = queries.own_hold(proof)
    before = lock_row(DomainProof, DomainProof.id == own.id) if own is not None else None
    try:
        with db.session.begin_nested():
            if before is not None:
                before.state, before.held_domain = ProofState.REMOVED, None
                before.removed_at, before.next_check_at = clock.now(), None
                before.token_hash = None
                db.session.flush()
            proof.held_domain, proof.state = proof.domain, ProofState.VERIFIED
            proof.verified_at = clock.now()
            # One that was in dispute is looked at again from now on, as any other.
            proof.failed_checks, proof.grace_until = 0, None
            proof.next_check_at = clock.now() + WEEKLY
            db.session.flush()
    except IntegrityError:
        db.session.refresh(proof)
        if proof.state is not ProofState.DISPUTED:
            _fact(proof, "domain.disputed", None)
            _tell(
                proof,
                "is held by another organization",
                "What proves the domain is there, but another organization has proven the same "
                "domain. Tell our team whose it is; they decide.",
            )
        proof.state, proof.held_domain = ProofState.DISPUTED, None
        proof.found = "Found, but another organization holds this domain. Our team decides."
        proof.checked_at, proof.next_check_at = clock.now(), clock.now() + timedelta(days=1)
        db.session.flush()
        return False
    if before is not None:
        _fact(before, "domain.replaced", None)
    return True


def _moved(proof: DomainProof) -> None:
    """What rests on the domain may not hold any more."""
    db.session.flush()
    rest_again(proof.organization_id)
    accreditation_changed(proof.organization_id, "verification")


def _address(email: str, domain: str, organization: Organization) -> str:
    typed = email.strip().lower()
    wanted = f"{typed.rpartition('@')[0]}@{domain}"
    if domain_of_address(typed) != domain or len(wanted) > 254 or "\x00" in wanted:
        raise InvalidError({"email": f"Enter an address at {domain}."})
    if is_role_address(wanted, domain):
        return wanted
    member = db.session.scalar(
        select(User.id)
        .join(Membership, Membership.user_id == User.id)
        .where(
            Membership.organization_id == organization.id,
            func.lower(User.email).in_((typed, wanted)),
            User.email_verified.is_(True),
        )
        .limit(1)
    )
    # Where many have an address, one of theirs says nothing: the website must be there, too.
    if member is None or domain_of_website(organization.website) != registrable(domain):
        raise InvalidError(
            {
                "email": f"Use an address such as postmaster@{domain} or info@{domain}. That of "
                "one of your members will do where your profile says that your website is there."
            }
        )
    return wanted


def _fact(proof: DomainProof, kind: str, by_user_id: int | None) -> None:
    record_fact(
        kind,
        subject=("domain_proof", proof.id),
        actor_user_id=by_user_id,
        organization_id=proof.organization_id,
        data={"domain": proof.domain, "method": proof.method.value},
    )


def _tell(proof: DomainProof, what: str, text: str) -> None:
    tell_managers(
        proof.organization_id,
        f"{shown(proof.domain)} {what}",
        text,
        f"{PAGE}/domains/{proof.public_id}" if proof.state is not ProofState.REMOVED else PAGE,
    )
