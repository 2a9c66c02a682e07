"""Certifying listings, people and organizations, on both databases."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import func, select

from billing.models import FeeKind, FeeRule, OrderState
from billing.partner_facts import partner_facts
from billing.program_fees import place_program_fee
from marketplace.accreditation.certification import jobs as certification_jobs
from marketplace.accreditation.certification.models import Certification, CertificationState
from marketplace.accreditation.certification.reading import (
    certifications_of,
    certified_listing_ids,
    certified_people,
)
from marketplace.accreditation.certification.services import deciding, gathering, programs
from marketplace.accreditation.credentials.models import Credential, CredentialState
from marketplace.accreditation.credentials.services.issuing import revoke as revoke_credential
from marketplace.accreditation.uploads import storage
from marketplace.catalogue.accreditations import accreditation_moved
from marketplace.catalogue.curation.services import standing
from marketplace.catalogue.models import Listing
from marketplace.core import clock
from marketplace.core.database import db
from marketplace.core.errors import ConflictError, InvalidError
from marketplace.core.permissions import Actor
from marketplace.identity.models import Organization, Role
from marketplace.program.measures import Measure, Measurement
from tests.factories.certification_world import ITEMS, later, make_certified, make_program
from tests.factories.listings import make_listing
from tests.factories.mails import mails
from tests.factories.people import make_member, make_organization
from tests.factories.races import at_once
from tests.factories.selling import make_sale_fee
from tests.factories.verification_world import PDF


def level(organization_id: int, what: Measure = Measure.CERTIFIED_LISTINGS) -> int:
    return (
        db.session.scalar(
            select(func.sum(Measurement.amount)).where(
                Measurement.organization_id == organization_id,
                Measurement.measure == what.value,
                Measurement.counts_at <= clock.now(),
            )
        )
        or 0
    )


@pytest.fixture
def listing(app: Flask) -> Listing:
    return make_listing(make_organization("Quayside"))


def test_starting_twice_is_starting_once(listing: Listing) -> None:
    program = make_program()
    ids = {
        gathering.start(program, listing.publisher, listing_id=listing.id, by_user_id=None).id
        for _ in range(2)
    }
    assert len(ids) == 1


def test_only_an_own_listing_of_the_right_kind_is_certified(listing: Listing) -> None:
    program = make_program(listing_kinds=("service",))
    with pytest.raises(InvalidError):
        gathering.start(program, listing.publisher, listing_id=listing.id, by_user_id=None)
    other = make_listing(make_organization("Rivals"), kind="service")
    with pytest.raises(InvalidError):
        gathering.start(program, listing.publisher, listing_id=other.id, by_user_id=None)
    with pytest.raises(InvalidError):
        gathering.start(program, listing.publisher, listing_id=2**40, by_user_id=None)


def test_a_new_version_counts_for_new_ones_and_for_renewals(listing: Listing) -> None:
    program = make_program()
    running = gathering.start(program, listing.publisher, listing_id=listing.id, by_user_id=None)
    certified = make_certified(program, listing.publisher, listing=make_listing(listing.publisher))
    draft = programs.draft_of(program)
    programs.save_draft(
        draft,
        [*draft.items, {"key": "audit", "title": "Show an audit", "evidence": "file"}],
        pass_percent=100,
        note="An audit",
        edition=draft.edition,
        by_user_id=None,
    )
    programs.publish(draft, by_user_id=None)
    with pytest.raises(ConflictError):
        programs.save_draft(
            draft, ITEMS, pass_percent=1, note="", edition=draft.edition, by_user_id=None
        )
    assert [item.key for item in gathering.items_of(running)] == ["security", "docs"]
    renewal = gathering.start(
        program,
        listing.publisher,
        listing_id=certified.listing_id,
        renews=certified,
        by_user_id=None,
    )
    assert [item.key for item in gathering.items_of(renewal)] == ["security", "docs", "audit"]
    assert set(gathering.evidence_of(renewal)) == {"security", "docs"}


def test_two_editors_notice_each_other(app: Flask) -> None:
    draft = programs.draft_of(make_program())
    edition = draft.edition
    programs.save_draft(draft, ITEMS, pass_percent=100, note="", edition=edition, by_user_id=1)
    with pytest.raises(ConflictError):
        programs.save_draft(draft, ITEMS, pass_percent=50, note="", edition=edition, by_user_id=2)


def test_the_end_is_written_ahead_and_a_renewal_goes_on_without_a_gap(listing: Listing) -> None:
    program = make_program(validity_months=12)
    first = make_certified(program, listing.publisher, listing=listing)
    assert first.expires_at is not None
    with later(days=330):
        renewal = gathering.start(
            program,
            listing.publisher,
            listing_id=listing.id,
            renews=first,
            by_user_id=None,
        )
        gathering.submit(renewal, by_user_id=None)
        for item in gathering.items_of(renewal):
            deciding.judge(renewal, item.key, accepts=True, remark="", by_user_id=None)
        deciding.certify(renewal, by_user_id=None)
    assert first.state is CertificationState.RENEWED
    assert renewal.expires_at is not None
    assert renewal.expires_at - first.expires_at > timedelta(days=360)
    for days, wanted in ((0, 1), (329, 1), (370, 1), (725, 1), (735, 0)):
        with later(days=days):
            assert level(listing.publisher_id) == wanted, days


def test_revoking_ends_level_badge_and_credential(listing: Listing) -> None:
    found = make_certified(make_program(), listing.publisher, listing=listing)
    credential = db.session.get_one(Credential, found.credential_id)
    assert credential.state is CredentialState.VALID
    assert certified_listing_ids([listing.id]) == {listing.id}
    db.session.refresh(listing)
    assert listing.certified_at is not None
    deciding.revoke(found, reason="It leaks.", by_user_id=None)
    db.session.flush()
    assert db.session.get_one(Credential, found.credential_id).state is CredentialState.REVOKED
    assert certified_listing_ids([listing.id]) == set()
    assert listing.certified_at is None
    assert level(listing.publisher_id) == 0
    with later(days=400):
        assert level(listing.publisher_id) == 0
    with pytest.raises(ConflictError):
        deciding.revoke(found, reason="Again.", by_user_id=None)


def renewed(first: Certification) -> Certification:
    """The certification, renewed now."""
    assert first.program is not None
    found = gathering.start(
        first.program,
        first.organization,
        listing_id=first.listing_id,
        user_id=first.user_id,
        renews=first,
        by_user_id=None,
    )
    gathering.submit(found, by_user_id=None)
    for item in gathering.items_of(found):
        deciding.judge(found, item.key, accepts=True, remark="", by_user_id=None)
    deciding.certify(found, by_user_id=None)
    return found


def test_beginning_again_what_is_certified_is_its_renewal(listing: Listing) -> None:
    first = make_certified(make_program(), listing.publisher, listing=listing)
    assert first.program is not None
    with later(days=310):
        begun = gathering.start(
            first.program, listing.publisher, listing_id=listing.id, by_user_id=None
        )
        assert begun.renews_id == first.id
        # One that was open before it said so.
        begun.renews_id = None
        assert renewed(first).id == begun.id
        assert first.state is CertificationState.RENEWED
        assert first.expires_at is not None
        assert begun.expires_at is not None
        assert begun.expires_at - first.expires_at > timedelta(days=360)


@pytest.mark.parametrize("which", ["renewal", "what it renews"])
def test_revoking_what_was_renewed_early_leaves_nothing_in_force(
    listing: Listing, which: str
) -> None:
    first = make_certified(make_program(), listing.publisher, listing=listing)
    with later(days=310):
        renewal = renewed(first)
        assert certifications_of(listing.publisher_id) == [renewal]
        deciding.revoke(
            renewal if which == "renewal" else first, reason="It leaks.", by_user_id=None
        )
        assert first.state is renewal.state is CertificationState.REVOKED
        assert certified_listing_ids([listing.id]) == set()
        assert listing.certified_at is None
        assert level(listing.publisher_id) == 0
        for row in (first, renewal):
            credential = db.session.get_one(Credential, row.credential_id)
            assert credential.state is CredentialState.REVOKED
    with later(days=400):
        assert level(listing.publisher_id) == 0


def test_a_certification_ends_with_the_credential_that_staff_revoke(listing: Listing) -> None:
    found = make_certified(make_program(), listing.publisher, listing=listing)
    credential = db.session.get_one(Credential, found.credential_id)
    assert revoke_credential(credential, reason="Given by mistake.", by_user_id=None)
    assert found.state is CertificationState.REVOKED
    assert found.decision == "Given by mistake."
    assert certified_listing_ids([listing.id]) == set()
    assert level(listing.publisher_id) == 0


def test_certifying_by_hand_is_a_certification_too(listing: Listing) -> None:
    staff = Actor(user_id=1)
    assert standing.certify_listing(staff, listing)
    assert not standing.certify_listing(staff, listing)
    assert certified_listing_ids([listing.id]) == {listing.id}
    assert level(listing.publisher_id) == 1
    assert standing.uncertify_listing(staff, listing)
    assert certified_listing_ids([listing.id]) == set()
    assert level(listing.publisher_id) == 0


def test_what_an_import_certified_stays_certified(listing: Listing) -> None:
    listing.certified_at = clock.now()
    make_certified(make_program(), listing.publisher, listing=make_listing(listing.publisher))
    accreditation_moved(listing.publisher_id, "certification")
    assert listing.certified_at is not None


def test_people_count_once_and_while_they_are_members(app: Flask) -> None:
    organization = make_organization("Quayside")
    ada = make_member(organization, Role.EDITOR)
    ben = make_member(organization, Role.EDITOR)
    for title in ("Consultant", "Architect"):
        make_certified(make_program(title=title, subject="person"), organization, person=ada)
    make_certified(make_program(title="Third", subject="person"), organization, person=ben)
    assert certified_people([organization.id]) == {organization.id: 2}
    assert level(organization.id, Measure.CERTIFIED_PEOPLE) == 2
    for membership in list(ben.memberships):
        db.session.delete(membership)
    db.session.flush()
    assert certified_people([organization.id]) == {organization.id: 1}


def test_partners_are_reminded_before_it_ends_and_told_when_it_has(listing: Listing) -> None:
    make_member(listing.publisher)
    found = make_certified(make_program(), listing.publisher, listing=listing)
    seen = []
    for days in (300, 306, 307, 336, 359, 360):
        with later(days=days):
            certification_jobs.remind({})
            db.session.flush()
            seen.append(found.reminded_days)
    assert seen == [None, 60, 60, 30, 7, 7]
    with later(days=366):
        certification_jobs.expire({})
    assert found.state is CertificationState.EXPIRED
    assert any("Certification ended" in mail["subject"] for mail in mails())


def test_a_payment_of_the_fee_is_used_once(listing: Listing) -> None:
    rule = make_sale_fee(2_000)
    rule.schedule.rules.append(FeeRule(kind=FeeKind.CERTIFICATION, fixed=50_000, currency="EUR"))
    db.session.flush()
    program = make_program(takes_fee=True)
    organization = listing.publisher

    def gathered(title: str) -> Certification:
        found = gathering.start(
            program if title == "first" else make_program(title=title, takes_fee=True),
            organization,
            listing_id=listing.id,
            by_user_id=None,
        )
        for item in gathering.items_of(found):
            gathering.give(found, item.key, value="https://evidence.example/x", by_user_id=None)
        return found

    found = gathered("first")
    with pytest.raises(gathering.FeeDueError):
        gathering.submit(found, by_user_id=None)
    order = place_program_fee(
        FeeKind.CERTIFICATION,
        organization_id=organization.id,
        facts=partner_facts([organization.id])[organization.id],
        currency="EUR",
        listing=(listing.id, listing.name),
        shown=50_000,
        user_id=None,
    )
    with pytest.raises(gathering.FeeDueError):
        gathering.submit(found, by_user_id=None)
    order.state = OrderState.PAID
    gathering.submit(found, by_user_id=None)
    assert found.fee_order_id == order.id
    with pytest.raises(gathering.FeeDueError):
        gathering.submit(gathered("second"), by_user_id=None)


def test_two_reviewers_at_once_certify_once(app: Flask, listing: Listing) -> None:
    found = gathering.start(
        make_program(), listing.publisher, listing_id=listing.id, by_user_id=None
    )
    for item in gathering.items_of(found):
        gathering.give(found, item.key, value="https://evidence.example/x", by_user_id=None)
    gathering.submit(found, by_user_id=None)
    for item in gathering.items_of(found):
        deciding.judge(found, item.key, accepts=True, remark="", by_user_id=None)
    found_id, publisher_id = found.id, listing.publisher_id
    db.session.commit()

    def certify() -> None:
        deciding.certify(db.session.get_one(Certification, found_id), by_user_id=None)
        db.session.commit()

    raised = at_once(app, [certify, certify])
    assert len(raised) == 1
    db.session.expire_all()
    assert level(publisher_id) == 1
    assert db.session.scalar(select(func.count()).select_from(Credential)) == 1


def test_a_closed_program_keeps_no_listing_from_the_public(
    listing: Listing, run_jobs: Callable[[], int]
) -> None:
    program = make_program(listing_rule="required")
    db.session.commit()
    run_jobs()
    db.session.refresh(listing)
    assert listing.unlisted_at is not None
    assert not listing.is_public
    programs.set_open(program, is_open=False, by_user_id=None)
    db.session.commit()
    run_jobs()
    db.session.refresh(listing)
    assert listing.is_public


def test_files_that_were_replaced_taken_back_or_long_ended_are_deleted(
    listing: Listing, run_jobs: Callable[[], int]
) -> None:
    program = make_program(items=[{"key": "report", "title": "A report", "evidence": "file"}])
    found = gathering.start(program, listing.publisher, listing_id=listing.id, by_user_id=None)

    def given(mark: bytes) -> str:
        file = ("report.pdf", PDF + mark + b"\n%%EOF")
        gathering.give(found, "report", file=file, by_user_id=None)
        return gathering.evidence_of(found)["report"].storage_key or ""

    def kept(key: str) -> bool:
        db.session.commit()
        run_jobs()
        return storage().get(key) is not None

    first, second = given(b"1"), given(b"2")
    assert not kept(first)
    assert kept(second)
    assert gathering.take_file_back(found, "report", by_user_id=None)
    assert not gathering.take_file_back(found, "report", by_user_id=None)
    assert not kept(second)
    third = given(b"3")
    gathering.submit(found, by_user_id=None)
    with pytest.raises(ConflictError):
        gathering.take_file_back(found, "report", by_user_id=None)
    deciding.refuse(found, reason="It is not one.", by_user_id=None)
    with later(days=180):
        certification_jobs.forget_files({})
        assert kept(third)
    with later(days=184):
        certification_jobs.forget_files({})
        assert not kept(third)


def test_a_partner_of_another_type_cannot_start(listing: Listing) -> None:
    program = make_program(partner_types=("reseller",))
    assert isinstance(listing.publisher, Organization)
    with pytest.raises(ConflictError):
        gathering.start(program, listing.publisher, listing_id=listing.id, by_user_id=None)
