"""A course, a credential, a trainer and a passport of the partner, for tests of who may reach
them."""

from datetime import timedelta

from sqlalchemy import select

from marketplace.accreditation.courses.models import Attempt, Enrolment
from marketplace.accreditation.courses.services import attempting, learning, training
from marketplace.accreditation.passport.models import (
    PassportExport,
    PassportImport,
    Recognition,
    TrustedIssuer,
)
from marketplace.catalogue.models import Listing
from marketplace.core import clock
from marketplace.core.database import db
from marketplace.identity.models import Organization, User
from tests.factories.courses import LESSON, make_course, pass_course, question, version_of


def make_credentials_world(
    partner: Organization, owner: User, customer: User, listing: Listing
) -> dict[str, object]:
    """Rows of the partner and its owner; URL values by parameter name."""
    course = make_course(is_trainer=True)
    credential = pass_course(course, owner, partner)
    trainer = training.register_trainer(partner.id, owner.id, by_user_id=owner.id)
    session = training.log_session(
        partner.id,
        trainer,
        held_on=clock.now().date(),
        title="First steps",
        people=3,
        notes="",
        nonce="world",
        by_user_id=owner.id,
    )
    another = make_course(title="Another")
    enrolment = learning.enrol(another, user_id=owner.id, organization_id=partner.id)
    attempt = attempting.begin(enrolment, version_of(another))
    export = PassportExport(
        public_id="pas_world",
        organization_id=partner.id,
        audience="https://elsewhere.example/credentials/issuer",
        token="a.b.c",
        items=1,
        expires_at=clock.now() + timedelta(days=30),
    )
    issuer = TrustedIssuer(
        public_id="iss_world",
        issuer="https://elsewhere.example/credentials/issuer",
        name="Elsewhere",
        thumbprints=["x"],
    )
    db.session.add_all([export, issuer])
    db.session.flush()
    imported = PassportImport(
        issuer_id=issuer.id, passport_uri="urn:x", organization_id=partner.id, document={}
    )
    db.session.add(imported)
    db.session.flush()
    recognition = Recognition(
        public_id="rec_world",
        import_id=imported.id,
        organization_id=partner.id,
        kind="tier",
        title="Gold",
        expires_at=clock.now() + timedelta(days=30),
    )
    db.session.add(recognition)
    db.session.flush()
    assert db.session.scalar(select(Attempt.id).where(Attempt.id == attempt.id))
    return {
        "course_id": course.public_id,
        "lesson_key": LESSON["key"],
        "question_key": question(1)["key"],
        "part_key": question(2)["key"],
        "way": "up",
        "attempt_id": attempt.public_id,
        "enrolment_id": db.session.scalar(
            select(Enrolment.id).where(Enrolment.course_id == course.id)
        ),
        "trainer_id": trainer.public_id,
        "training_id": session.public_id,
        "credential_id": credential.public_id,
        "passport_id": export.public_id,
        "trusted_issuer_id": issuer.public_id,
        "recognition_id": recognition.public_id,
    }
