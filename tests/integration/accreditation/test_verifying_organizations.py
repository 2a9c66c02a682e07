"""Proving domains and verifying organizations, on both databases."""

import re
from collections.abc import Callable
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import func, select

from marketplace.accreditation.uploads import storage
from marketplace.accreditation.verification import jobs as verification_jobs
from marketplace.accreditation.verification.models import (
    DomainProof,
    ProofMethod,
    ProofState,
    Verification,
    VerificationDocument,
    VerificationState,
)
from marketplace.accreditation.verification.reading import is_verified, verified_domains
from marketplace.accreditation.verification.records import Answer, record_text
from marketplace.accreditation.verification.services import documents, proving, verifying
from marketplace.core import clock
from marketplace.core.database import db
from marketplace.core.errors import ConflictError, InvalidError
from marketplace.identity.models import Organization, Role
from marketplace.program.measures import Measure, Measurement
from tests.factories.acting import actor_for
from tests.factories.mails import mails
from tests.factories.name_server import name_server
from tests.factories.people import make_member, make_organization, make_platform, make_user
from tests.factories.races import at_once
from tests.factories.verification_world import (
    PDF,
    make_document,
    make_proof,
    make_submitted,
    make_verified,
)

FOUND = Answer(matches=True, found=("portico-verification=x",))
LOST = Answer(matches=False, found=())


def partner(name: str = "Quayside", **fields: object) -> Organization:
    return make_organization(name, verified_at=None, **fields)


def level(organization_id: int) -> int:
    return (
        db.session.scalar(
            select(func.sum(Measurement.amount)).where(
                Measurement.organization_id == organization_id,
                Measurement.measure == Measure.VERIFIED.value,
                Measurement.counts_at <= clock.now(),
            )
        )
        or 0
    )


def claim(organization: Organization, domain: str = "quayside.example") -> DomainProof:
    return proving.claim_domain(organization, domain=domain, method="dns", by_user_id=None)


def test_claiming_twice_is_claiming_once(app: Flask) -> None:
    organization = partner()
    assert claim(organization).id == claim(organization, "https://www.quayside.example/").id


def test_one_organization_at_a_time_holds_a_domain(app: Flask) -> None:
    first, second = partner(), partner("Rivals")
    make_member(second)
    one, two = claim(first), claim(second)
    proving.apply_answer(one.id, FOUND)
    proving.apply_answer(two.id, FOUND)
    assert (one.state, two.state) == (ProofState.VERIFIED, ProofState.DISPUTED)
    assert verified_domains(second.id) == []
    assert any("held by another organization" in mail["subject"] for mail in mails())


def test_two_who_prove_a_domain_at_once_do_not_both_hold_it(app: Flask) -> None:
    ids = []
    for name in ("Quayside", "Rivals"):
        ids.append(claim(partner(name)).id)
    db.session.commit()

    def prove(proof_id: int) -> Callable[[], None]:
        def act() -> None:
            proving.apply_answer(proof_id, FOUND)
            db.session.commit()

        return act

    at_once(app, [prove(each) for each in ids])
    db.session.expire_all()
    held = db.session.scalars(
        select(DomainProof).where(DomainProof.held_domain == "quayside.example")
    ).all()
    assert len(held) == 1


def test_staff_give_a_disputed_domain_to_who_it_belongs_to(app: Flask) -> None:
    holder, owner = partner("Squatters"), partner()
    held = make_proof(holder)
    wanted = make_proof(owner, state=ProofState.DISPUTED)
    with pytest.raises(InvalidError):
        proving.decide_dispute(wanted, to_claimant=True, reason=" ", by_user_id=None)
    proving.decide_dispute(wanted, to_claimant=True, reason="It is theirs.", by_user_id=None)
    assert (held.state, wanted.state) == (ProofState.REOPENED, ProofState.VERIFIED)
    with pytest.raises(ConflictError):
        proving.decide_dispute(wanted, to_claimant=False, reason="No.", by_user_id=None)


def test_a_domain_is_not_given_to_who_does_not_prove_it_any_more(app: Flask) -> None:
    holder, owner = partner("Squatters"), partner()
    held = make_proof(holder)
    wanted = make_proof(owner, state=ProofState.DISPUTED)
    proving.apply_answer(wanted.id, LOST)
    assert wanted.state is ProofState.DISPUTED
    with pytest.raises(ConflictError, match="no TXT record"):
        proving.decide_dispute(wanted, to_claimant=True, reason="Theirs.", by_user_id=None)
    assert held.state is ProofState.VERIFIED
    proving.apply_answer(wanted.id, LOST)
    proving.apply_answer(wanted.id, LOST)
    assert wanted.state is ProofState.PENDING


def test_a_domain_that_was_granted_ages_as_any_other(app: Flask) -> None:
    make_proof(partner("Squatters"))
    wanted = make_proof(partner(), state=ProofState.DISPUTED)
    wanted.method, wanted.email = ProofMethod.EMAIL, "info@quayside.example"
    proving.age_of_mail(wanted.id)
    assert wanted.next_check_at is None
    proving.decide_dispute(wanted, to_claimant=True, reason="Theirs.", by_user_id=None)
    assert wanted.next_check_at is not None
    with clock.frozen(clock.now() + timedelta(days=359)):
        proving.age_of_mail(wanted.id)
        assert wanted.state is ProofState.FAILING


def test_nobody_decides_a_dispute_of_their_own_organization(app: Flask) -> None:
    holder, owner = partner("Squatters"), partner()
    make_proof(holder)
    wanted = make_proof(owner, state=ProofState.DISPUTED)
    platform = make_platform()
    for organization, may in ((None, True), (holder, False), (owner, False)):
        reviewer = make_member(platform, Role.REVIEWER)
        if organization is not None:
            make_member(organization, Role.EDITOR, user=reviewer)
        assert actor_for(reviewer, platform).can("domain_dispute.decide", wanted) is may


def token_of(email: str) -> str:
    """The token of the newest link that was sent to an address."""
    mail = next(each for each in reversed(mails()) if each["to"] == email)
    found = re.search(r"/verification/([\w-]+)", mail["body"])
    assert found is not None
    return found[1]


def by_mail(organization: Organization, email: str) -> DomainProof:
    return proving.claim_domain(
        organization, domain="quayside.example", method="email", email=email, by_user_id=None
    )


def test_a_domain_that_is_proven_another_way_is_no_dispute_with_oneself(app: Flask) -> None:
    organization = partner()
    found = make_verified(organization)
    old = db.session.scalars(select(DomainProof)).one()
    old.method, old.email = ProofMethod.EMAIL, "ada@quayside.example"
    old.state = ProofState.FAILING
    proving.apply_answer(claim(organization).id, FOUND)
    new = db.session.scalars(select(DomainProof).where(DomainProof.id != old.id)).one()
    assert (old.state, new.state) == (ProofState.REMOVED, ProofState.VERIFIED)
    assert verified_domains(organization.id) == ["quayside.example"]
    assert found.state is VerificationState.APPROVED
    # What the DNS record proves needs no mail.
    with pytest.raises(InvalidError):
        by_mail(organization, "info@quayside.example")


def test_the_address_of_a_proven_domain_can_be_changed(app: Flask) -> None:
    organization = partner()
    proof = by_mail(organization, "info@quayside.example")
    first = token_of("info@quayside.example")
    assert by_mail(organization, "security@quayside.example").id == proof.id
    with pytest.raises(ConflictError):
        proving.confirm_by_mail(first)
    proving.confirm_by_mail(token_of("security@quayside.example"))
    with clock.frozen(clock.now() + timedelta(days=359)):
        proving.age_of_mail(proof.id)
        assert proof.state is ProofState.FAILING
        by_mail(organization, "postmaster@quayside.example")
        assert verified_domains(organization.id) == ["quayside.example"]
        proving.confirm_by_mail(token_of("postmaster@quayside.example"))
        assert proof.state is ProofState.VERIFIED


def test_a_link_by_mail_confirms_once(app: Flask) -> None:
    organization = partner()
    with pytest.raises(InvalidError) as caught:
        proving.claim_domain(
            organization,
            domain="quayside.example",
            method="email",
            email="ceo@quayside.example",
            by_user_id=None,
        )
    assert "postmaster@quayside.example" in caught.value.fields["email"]
    proof = proving.claim_domain(
        organization,
        domain="quayside.example",
        method="email",
        email="Postmaster@quayside.example",
        by_user_id=None,
    )
    token = re.search(r"/verification/([\w-]+)", mails()[-1]["body"])
    assert token is not None
    assert token[1] not in (proof.token_hash or "")
    with pytest.raises(ConflictError):
        proving.send_link(proof)
    proving.confirm_by_mail(token[1])
    assert proof.state is ProofState.VERIFIED
    with pytest.raises(ConflictError):
        proving.confirm_by_mail(token[1])


def test_a_members_confirmed_address_will_do_where_the_website_is(app: Flask) -> None:
    organization = partner(website="https://elsewhere.example")
    make_member(organization, user=make_user("Ada Berg", "ada@quayside.example"))
    with pytest.raises(InvalidError):
        by_mail(organization, "ada@quayside.example")
    organization.website = "https://www.quayside.example/about"
    proof = by_mail(organization, "ada@quayside.example")
    assert proof.email == "ada@quayside.example"


def test_an_address_is_kept_as_machines_write_it(app: Flask) -> None:
    organization = partner()
    proof = by_mail(organization, "Info@quayside.example\u3002")
    assert proof.email == "info@quayside.example"
    assert claim(partner("Rivals"), "quayside.example\u3002").domain == "quayside.example"


def test_an_old_link_does_not_work(app: Flask) -> None:
    proving.claim_domain(
        partner(),
        domain="quayside.example",
        method="email",
        email="info@quayside.example",
        by_user_id=None,
    )
    token = re.search(r"/verification/([\w-]+)", mails()[-1]["body"])
    assert token is not None
    with (
        clock.frozen(clock.now() + timedelta(days=3, minutes=1)),
        pytest.raises(ConflictError),
    ):
        proving.confirm_by_mail(token[1])


def test_what_was_proven_by_mail_is_proven_again_after_a_year(app: Flask) -> None:
    organization = partner()
    proof = make_proof(organization)
    proof.method, proof.email = ProofMethod.EMAIL, "info@quayside.example"
    for days, state in (
        (200, ProofState.VERIFIED),
        (359, ProofState.FAILING),
        (360, ProofState.FAILING),
        (367, ProofState.REOPENED),
    ):
        with clock.frozen(clock.now() + timedelta(days=days)):
            proving.age_of_mail(proof.id)
            assert proof.state is state, days


def test_servers_that_do_not_answer_lose_nobody_a_domain(
    app: Flask, run_jobs: Callable[[], int]
) -> None:
    organization = partner()
    with name_server() as server:
        proof = claim(organization)
        server.records["_portico.quayside.example"] = [record_text(proof.challenge)]
        proof.next_check_at = clock.now()
        db.session.commit()
        verification_jobs.check_domains({})
        db.session.commit()
        run_jobs()
        db.session.refresh(proof)
        assert proof.state is ProofState.VERIFIED
        server.fails = True
        proof.next_check_at = clock.now()
        db.session.commit()
        verification_jobs.check_domains({})
        db.session.commit()
        run_jobs()
        db.session.refresh(proof)
        assert proof.state is ProofState.VERIFIED
        assert "did not answer" in proof.found


def test_verifying_needs_a_domain_and_a_document(app: Flask) -> None:
    organization = partner()
    with pytest.raises(InvalidError) as caught:
        verifying.submit(organization, note="", by_user_id=None)
    assert set(caught.value.fields) == {"domains", "documents"}
    make_proof(organization)
    found = make_submitted(organization)
    assert verifying.submit(organization, note="again", by_user_id=None).id == found.id
    verifying.approve(found, by_user_id=None)
    assert is_verified(organization.id)
    assert level(organization.id) == 1
    with pytest.raises(ConflictError):
        verifying.approve(found, by_user_id=None)


def test_a_verification_ends_with_its_last_domain(app: Flask) -> None:
    organization = partner()
    found = make_verified(organization)
    second = make_proof(organization, "harbor.example")
    first = db.session.scalars(
        select(DomainProof).where(DomainProof.domain == "quayside.example")
    ).one()
    proving.remove_proof(first, by_user_id=None)
    assert is_verified(organization.id)
    proving.remove_proof(second, by_user_id=None)
    assert not is_verified(organization.id)
    assert found.state is VerificationState.LAPSED
    assert level(organization.id) == 0


def test_what_staff_verified_by_hand_needs_no_domain(app: Flask) -> None:
    organization = partner()
    assert verifying.verify_by_hand(organization, by_user_id=1)
    assert not verifying.verify_by_hand(organization, by_user_id=1)
    proof = make_proof(organization)
    proving.remove_proof(proof, by_user_id=None)
    assert is_verified(organization.id)
    assert verifying.take_back(organization, by_user_id=1)
    assert not is_verified(organization.id)
    assert level(organization.id) == 0


def test_a_school_is_verified_for_a_year_reminded_and_renewed(app: Flask) -> None:
    school = partner("Harbor University", partner_type="academic")
    make_member(school)
    found = make_verified(school)
    assert found.expires_at is not None
    first_end = found.expires_at
    reminders = []
    for days in (300, 306, 310, 336, 337, 359, 360):
        with clock.frozen(clock.now() + timedelta(days=days)):
            verification_jobs.daily({})
            db.session.flush()
            reminders.append(found.reminded_days)
    assert reminders == [None, 60, 60, 30, 30, 7, 7]
    with clock.frozen(clock.now() + timedelta(days=330)):
        make_document(school)
        verifying.submit(school, note="", by_user_id=None)
        assert is_verified(school.id)
        verifying.approve(found, by_user_id=None)
    assert found.expires_at == first_end + timedelta(days=365)
    for days, wanted in ((364, 1), (366, 1), (729, 1), (731, 0)):
        with clock.frozen(clock.now() + timedelta(days=days)):
            assert level(school.id) == wanted, days


def test_a_year_without_renewal_lapses(app: Flask) -> None:
    school = partner("Harbor University", partner_type="academic")
    found = make_verified(school)
    with clock.frozen(clock.now() + timedelta(days=366)):
        verification_jobs.daily({})
        assert not is_verified(school.id)
        assert found.state is VerificationState.LAPSED
        assert level(school.id) == 0
        verification_jobs.daily({})
        # The document of a year ago is deleted; another one is needed.
        with pytest.raises(InvalidError):
            verifying.submit(school, note="", by_user_id=None)
        make_document(school)
        verifying.submit(school, note="", by_user_id=None)
        verifying.approve(found, by_user_id=None)
        assert is_verified(school.id)
        assert level(school.id) == 1


@pytest.mark.parametrize("refused", [False, True])
def test_documents_are_deleted_half_a_year_after_the_decision(
    app: Flask, run_jobs: Callable[[], int], refused: bool
) -> None:
    organization = partner()
    if refused:
        make_proof(organization)
        verifying.refuse(make_submitted(organization), reason="It is not them.", by_user_id=None)
    else:
        make_verified(organization)
    row = db.session.scalars(select(VerificationDocument)).one()
    key = row.storage_key or ""
    assert storage().get(key) is not None
    with clock.frozen(clock.now() + timedelta(days=184)):
        verification_jobs.daily({})
        # The file goes once it is certain that the row says so.
        assert storage().get(key) is not None
        db.session.commit()
        run_jobs()
    assert storage().get(key) is None
    assert row.storage_key is None
    assert row.deleted_at is not None


def test_the_same_document_is_kept_once(app: Flask) -> None:
    organization = partner()
    for _ in range(2):
        documents.add_document(
            organization, kind="tax", name="tax.pdf", upload=PDF, by_user_id=None
        )
    assert db.session.scalar(select(func.count()).select_from(VerificationDocument)) == 1


def test_two_reviewers_at_once_decide_once(app: Flask) -> None:
    organization = partner()
    make_proof(organization)
    found_id = make_submitted(organization).id
    db.session.commit()

    def approve() -> None:
        verifying.approve(db.session.get_one(Verification, found_id), by_user_id=None)
        db.session.commit()

    def refuse() -> None:
        verifying.refuse(db.session.get_one(Verification, found_id), reason="No.", by_user_id=None)
        db.session.commit()

    raised = at_once(app, [approve, refuse])
    assert len(raised) == 1
    db.session.expire_all()
    found = db.session.get_one(Verification, found_id)
    assert is_verified(organization.id) is (found.state is VerificationState.APPROVED)
