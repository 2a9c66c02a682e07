"""Seats of students, authorizations of listings and evidence of services, on both databases."""

from datetime import timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select

from marketplace.accreditation.authorizations import jobs as authorization_jobs
from marketplace.accreditation.authorizations import services as authorizations
from marketplace.accreditation.authorizations.models import CheckState
from marketplace.accreditation.authorizations.reading import levels_of
from marketplace.accreditation.embeds.cards import find_partner
from marketplace.accreditation.managed_services import services as managed_services
from marketplace.accreditation.seats import services as seats
from marketplace.accreditation.seats.models import Seat, SeatState
from marketplace.accreditation.seats.queries import schools_for
from marketplace.accreditation.seats.reading import has_seat
from marketplace.catalogue.discovery.queries import publishers_like
from marketplace.catalogue.indexing.queries import all_publishers
from marketplace.catalogue.indexing.services import load_listings
from marketplace.core import clock
from marketplace.core.database import db
from marketplace.core.errors import ConflictError, InvalidError
from marketplace.identity.models import Membership, Organization, User
from marketplace.identity.services import invitations
from marketplace.program.measures import Measure, Measurement
from marketplace.program.policy.document import Policy
from marketplace.program.scorecards.days import Grid, reach_of, values_by_day
from marketplace.program.scorecards.evaluating import values_of
from marketplace.program.scorecards.loading import series_of
from tests.conftest import SignIn
from tests.factories.acting import actor_for
from tests.factories.evidence_world import make_authorization, make_evidence, make_service
from tests.factories.listings import make_listing
from tests.factories.mails import mails
from tests.factories.people import make_member, make_organization, make_user
from tests.factories.program import make_policy, make_standing, policy_document
from tests.factories.races import at_once
from tests.factories.verification_world import make_verified


def school_with(seats_given: int) -> Organization:
    document = policy_document()
    document["entitlements"].append(
        {"key": "student_seats", "name": "Student seats", "kind": "limit"}
    )
    document["types"].append(
        {"key": "academic", "name": "School", "entitlements": {"student_seats": seats_given}}
    )
    make_policy(document)
    school = make_organization("Harbor University", partner_type="academic", verified_at=None)
    make_verified(school, "harbor-university.example")
    make_standing(school)
    return school


def student(name: str) -> User:
    return make_user(name, f"{name.split()[0].lower()}@cs.harbor-university.example")


def members_of(lab_id: int | None) -> int:
    return db.session.scalar(select(func.count()).where(Membership.organization_id == lab_id)) or 0


def test_a_seat_opens_a_lab_that_closes_with_it(app: Flask) -> None:
    school, ada = school_with(2), student("Ada Berg")
    assert [each.organization.id for each in schools_for(ada)] == [school.id]
    seat = seats.take_seat(school, ada)
    assert seats.take_seat(school, ada).id == seat.id
    assert has_seat(ada.id)
    assert members_of(seat.lab_id) == 1
    seats.end_seat(seat, by_user_id=ada.id)
    assert not has_seat(ada.id)
    assert members_of(seat.lab_id) == 0
    again = seats.take_seat(school, ada)
    assert again.lab_id == seat.lab_id


def test_nobody_else_joins_a_lab(app: Flask) -> None:
    school, ada = school_with(2), student("Ada Berg")
    seat = seats.take_seat(school, ada)
    lab = db.session.get_one(Organization, seat.lab_id)
    with pytest.raises(InvalidError) as caught:
        invitations.invite(
            actor_for(ada),
            lab,
            email="ben@elsewhere.example",
            role="owner",
            public_url="http://localhost",
        )
    assert "for one person" in caught.value.fields["email"]


def test_a_lab_has_what_one_learns_and_builds_with(app: Flask, sign_in: SignIn) -> None:
    ada = student("Ada Berg")
    seat = seats.take_seat(school_with(2), ada)
    lab = db.session.get_one(Organization, seat.lab_id)
    db.session.commit()
    browser = sign_in(ada, lab)
    for path, status in (
        ("/partner/courses", 200), ("/partner/sandbox", 200), ("/partner/listings", 200),
        ("/partner/deals", 403), ("/partner/clients", 403), ("/partner/plans", 403),
    ):  # fmt: skip
        assert browser.get(path).status_code == status, path
    assert "/partner/deals" not in browser.get("/partner").text


def test_a_closed_lab_is_closed_for_everybody_and_opens_again(app: Flask) -> None:
    school, ada = school_with(2), student("Ada Berg")
    seat = seats.take_seat(school, ada)
    lab = db.session.get_one(Organization, seat.lab_id)
    make_member(lab)
    seats.end_seat(seat, by_user_id=None)
    assert members_of(lab.id) == 0
    assert lab.suspended_at is not None
    seats.take_seat(school, ada)
    assert members_of(lab.id) == 1
    assert lab.suspended_at is None
    # What others have suspended is not opened by a seat.
    lab.suspended_at, lab.suspended_reason = clock.now(), "Spam."
    again = db.session.scalars(select(Seat).where(Seat.state == SeatState.ACTIVE)).one()
    seats.end_seat(again, by_user_id=None)
    seats.take_seat(school, ada)
    assert lab.suspended_reason == "Spam."


def test_a_lab_names_nobody_and_is_shown_to_nobody(app: Flask, client: FlaskClient) -> None:
    school, ada = school_with(2), student("Ada Berg")
    seat = seats.take_seat(school, ada)
    lab = db.session.get_one(Organization, seat.lab_id)
    for words in (lab.name, lab.slug, lab.tagline):
        assert "ada" not in words.lower()
        assert "harbor" not in words.lower()
    db.session.commit()
    assert lab.id not in {row.id for row in all_publishers()}
    assert list(db.session.scalars(publishers_like("Student lab", 10))) == []
    assert find_partner(lab.slug) is None
    assert client.get(f"/partners/{lab.slug}").status_code == 404
    assert client.get(f"/api/v1/publishers/{lab.slug}").status_code == 404
    # Who publishes is seen.
    make_listing(lab)
    db.session.commit()
    assert client.get(f"/partners/{lab.slug}").status_code == 200


def test_an_address_that_is_not_confirmed_is_of_no_school(app: Flask) -> None:
    school_with(2)
    ada = student("Ada Berg")
    ada.email_verified = False
    assert schools_for(ada) == []


def test_the_last_seat_is_taken_once(app: Flask) -> None:
    school = school_with(1)
    people = [student("Ada Berg").id, student("Ben Ruiz").id]
    school_id = school.id
    db.session.commit()

    def take(user_id: int) -> None:
        seats.take_seat(
            db.session.get_one(Organization, school_id), db.session.get_one(User, user_id)
        )
        db.session.commit()

    raised = at_once(app, [lambda: take(people[0]), lambda: take(people[1])])
    assert len(raised) == 1
    assert db.session.scalar(select(func.count()).select_from(Seat)) == 1


def test_seats_freeze_and_thaw_with_the_schools_verification(app: Flask) -> None:
    school, ada = school_with(3), student("Ada Berg")
    seat = seats.take_seat(school, ada)
    verified_at, school.verified_at = school.verified_at, None
    seats.keep({"organization_id": school.id})
    assert seat.state is SeatState.FROZEN
    assert members_of(seat.lab_id) == 0
    with pytest.raises(ConflictError):
        seats.take_seat(school, student("Ben Ruiz"))
    school.verified_at = verified_at
    seats.keep({"organization_id": school.id})
    assert seat.state is SeatState.ACTIVE
    assert members_of(seat.lab_id) == 1


def test_only_what_was_accepted_and_counts_is_found_by(app: Flask) -> None:
    listing = make_listing()
    make_authorization(listing, "fedramp-high", check=CheckState.SUBMITTED)
    counts = make_authorization(listing, "bsi-c5-type2")
    make_authorization(listing, "dod-il4", expires_on=clock.now().date() - timedelta(days=1))
    assert levels_of([listing.id]) == {listing.id: ["bsi-c5-type2"]}
    assert load_listings([str(listing.id)])[0]["authorization"] == ["bsi-c5-type2"]
    with clock.frozen(clock.now() + timedelta(days=400)):
        assert levels_of([listing.id]) == {}
        authorization_jobs.expire_due({})
    assert counts.check is CheckState.EXPIRED


def test_what_changes_is_checked_again(app: Flask) -> None:
    listing = make_listing()
    row = make_authorization(listing)
    authorizations.save(
        listing.publisher,
        row,
        authorizations.Claim(
            listing.id,
            "fedramp-high",
            "authorized",
            "",
            "https://authority.example/x",
            clock.now().date(),
            None,
        ),
        by_user_id=None,
    )
    assert row.check is CheckState.SUBMITTED
    assert levels_of([listing.id]) == {}


def test_accepted_evidence_counts_from_its_own_day(app: Flask) -> None:
    evidence = make_evidence(make_service(make_organization("Quayside")), days_ago=100)
    managed_services.accept(evidence, by_user_id=None)
    with pytest.raises(ConflictError):
        managed_services.accept(evidence, by_user_id=None)
    row = db.session.scalars(
        select(Measurement).where(Measurement.measure == Measure.EVIDENCE.value)
    ).one()
    assert row.counts_at.date() == evidence.dated_on


def age_of_evidence(organization_id: int) -> list[int | None]:
    """The days since the newest evidence at the next midnight, as evaluated and as replayed."""
    document = policy_document()
    document["metrics"] = [
        {"key": "age", "name": "Age", "measure": "evidence", "how": "age", "unit": "days",
         "window_days": None, "higher_is_better": False},
    ]  # fmt: skip
    document["tiers"] = [{"key": "registered", "name": "Registered"}]
    policy = Policy.model_validate(document)
    today = clock.now().replace(hour=0, minute=0, second=0, microsecond=0)
    grid = Grid(today, 1, reach_of([policy]))
    series = series_of([organization_id], ["evidence"], grid).get(organization_id, {})
    live = values_of([organization_id], policy, today)[organization_id]
    return [live["age"], values_by_day(policy, policy.metrics[0], series, grid)[0]]


def test_evidence_that_was_taken_back_counts_as_if_it_never_had(app: Flask) -> None:
    evidence = make_evidence(make_service(make_organization("Quayside")), days_ago=100)
    with pytest.raises(ConflictError):
        managed_services.revoke(evidence, remark="Not accepted yet.", by_user_id=None)
    managed_services.accept(evidence, by_user_id=None)
    assert age_of_evidence(evidence.service.organization_id) == [100, 100]
    managed_services.revoke(evidence, remark="The report was made up.", by_user_id=None)
    assert age_of_evidence(evidence.service.organization_id) == [None, None]
    rows = db.session.scalars(
        select(Measurement).where(Measurement.measure == Measure.EVIDENCE.value)
    ).all()
    assert sum(row.amount for row in rows) == 0
    assert {row.counts_at.date() for row in rows} == {evidence.dated_on}
    assert evidence.remark == "The report was made up."


def test_an_accepted_authorization_can_be_taken_back(app: Flask) -> None:
    listing = make_listing()
    make_member(listing.publisher)
    row = make_authorization(listing, expires_on=None)
    with pytest.raises(InvalidError):
        authorizations.revoke(row, remark=" ", by_user_id=None)
    authorizations.revoke(row, remark="The authority has revoked it.", by_user_id=None)
    assert row.check is CheckState.RETURNED
    assert levels_of([listing.id]) == {}
    assert any("taken back" in mail["subject"] for mail in mails())
    with pytest.raises(ConflictError):
        authorizations.revoke(row, remark="Again.", by_user_id=None)
