"""Contacts on both databases: routing, moving what is open, meetings, overdue contacts."""

from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import select

from marketplace.core import clock
from marketplace.core.database import db
from marketplace.core.errors import ConflictError, InvalidError
from marketplace.core.unit_of_work import unit_of_work
from marketplace.identity.models import Organization, Role, User
from marketplace.identity.queries import find_membership
from marketplace.program.contacts.models import (
    ContactAssignment,
    ContactMade,
    ContactRequest,
    ContactRole,
    RequestKind,
    RequestState,
)
from marketplace.program.contacts.reading import (
    contact_for,
    contacts_for,
    count_overdue_contacts,
    overdue_contacts,
    sponsor_contact_due,
)
from marketplace.program.contacts.services import assigning, conversations, meetings
from marketplace.program.contacts.services.assigning import Scope
from marketplace.program.contacts.services.conversations import Asker, Wish
from tests.factories.contacts_world import make_assignment, make_region, make_staff
from tests.factories.mails import mails
from tests.factories.people import make_customer, make_member, make_organization, make_platform
from tests.factories.queries import count_queries
from tests.factories.races import at_once


def begin(
    partner: Organization, owner: User, kind: RequestKind = RequestKind.MESSAGE
) -> ContactRequest:
    role = (
        ContactRole.EXECUTIVE_SPONSOR
        if kind is RequestKind.ESCALATION
        else ContactRole.PARTNER_MANAGER
    )
    at = clock.now() + timedelta(days=2)
    slots = [at] if kind is RequestKind.BOOKING else []
    wish = Wish(kind, role, "Hello", "A question.", slots, 30)
    return conversations.begin(wish, Asker(owner.name, owner.email or "", owner.id, partner))


def test_there_is_always_somebody_while_there_is_staff(app: Flask) -> None:
    name = contact_for("support", organization_id=None, country="DE").name
    assert name == app.config["SITE_NAME"]
    platform = make_platform()
    daniel = make_staff(platform, "Daniel Osei")
    for role in ContactRole:
        found = contact_for(role.value, organization_id=7, country="de")
        assert found.user_id == daniel.id
    region = make_region("North", "SE")
    ines = make_staff(platform, "Ines Moreau", Role.REVIEWER)
    make_assignment(ines, region=region)
    assert contact_for("partner_manager", organization_id=None, country="se").user_id == ines.id
    ines.deactivated_at = clock.now()
    db.session.flush()
    assert contact_for("partner_manager", organization_id=None, country="SE").user_id == daniel.id
    with pytest.raises(ValueError, match="nonsense"):
        contact_for("nonsense", organization_id=None, country=None)


def test_a_partners_contacts_cost_the_same_however_many_there_are(app: Flask) -> None:
    platform = make_platform()
    people = [make_staff(platform, f"Person {n}") for n in range(5)]
    for person in people:
        make_assignment(person, organization=make_organization("Other"))
    partner = make_organization("One", country="SE")
    db.session.commit()
    own_id = partner.id
    assert count_queries(lambda: contacts_for(own_id, "SE")) <= 4


def test_assigning_twice_at_once_leaves_one_assignment(app: Flask) -> None:
    platform = make_platform()
    one, two = make_staff(platform, "One"), make_staff(platform, "Two")
    db.session.commit()
    ids = (one.id, two.id)

    def assign(user_id: int) -> None:
        with unit_of_work():
            assigning.assign(ContactRole.SUPPORT, Scope(), user_id, by_user_id=None)

    at_once(app, [lambda: assign(ids[0]), lambda: assign(ids[1])])
    db.session.rollback()
    assert len(db.session.scalars(select(ContactAssignment)).all()) == 1


def test_only_the_staff_is_assigned(app: Flask) -> None:
    platform = make_platform()
    daniel = make_staff(platform, "Daniel Osei")
    customer = make_member(make_customer())
    for user_id, backup, field in (
        (customer.id, None, "user"),
        (daniel.id, customer.id, "backup"),
        (daniel.id, daniel.id, "backup"),
    ):
        with pytest.raises(InvalidError) as refused:
            assigning.assign(
                ContactRole.SUPPORT, Scope(), user_id, backup_user_id=backup, by_user_id=None
            )
        assert set(refused.value.fields) == {field}


def test_what_is_open_moves_with_its_assignment_and_what_was_handed_over_stays(
    app: Flask,
) -> None:
    platform = make_platform()
    daniel, ines = make_staff(platform, "Daniel Osei"), make_staff(platform, "Ines Moreau")
    mei = make_staff(platform, "Mei Tanaka", Role.SUPPORT)
    make_assignment(daniel)
    partner = make_organization("One")
    owner = make_member(partner)
    moving, staying, closed = (begin(partner, owner) for _ in range(3))
    assigning.hand_over(staying, mei.id, by_user_id=daniel.id)
    conversations.close(closed, user_id=owner.id, is_staff=False)
    assigning.assign(
        ContactRole.PARTNER_MANAGER, Scope(organization=partner), ines.id, by_user_id=daniel.id
    )
    db.session.flush()
    assert [row.user_id for row in (moving, staying, closed)] == [ines.id, mei.id, daniel.id]
    row = db.session.scalars(
        select(ContactAssignment).where(ContactAssignment.organization_id == partner.id)
    ).one()
    assigning.unassign(row, by_user_id=None)
    assert moving.user_id == daniel.id


def test_a_region_that_is_removed_leaves_its_countries_to_everybodys_person(app: Flask) -> None:
    platform = make_platform()
    daniel, ines = make_staff(platform, "Daniel Osei"), make_staff(platform, "Ines Moreau")
    region = assigning.save_region(None, "North", ["SE", "NO"], by_user_id=None)
    with pytest.raises(InvalidError, match="SE"):
        assigning.save_region(None, "Baltics", ["SE", "EE"], by_user_id=None)
    make_assignment(daniel)
    make_assignment(ines, region=region)
    assert contact_for("partner_manager", organization_id=None, country="NO").user_id == ines.id
    assigning.remove_region(region, by_user_id=None)
    assert contact_for("partner_manager", organization_id=None, country="NO").user_id == daniel.id


def test_a_meeting_is_agreed_once_moved_and_canceled_once(app: Flask) -> None:
    platform = make_platform()
    daniel = make_staff(platform, "Daniel Osei")
    partner = make_organization("One")
    owner = make_member(partner)
    booking = begin(partner, owner, RequestKind.BOOKING)
    at = meetings.slots_of(booking)[0]
    assert meetings.agree(booking, at, user_id=daniel.id) is True
    assert meetings.agree(booking, at, user_id=daniel.id) is False
    assert booking.sequence == 0
    assert meetings.agree(booking, at + timedelta(hours=1), user_id=daniel.id) is True
    assert booking.sequence == 1
    with pytest.raises(InvalidError):
        meetings.agree(booking, clock.now() - timedelta(hours=1), user_id=daniel.id)
    with pytest.raises(ConflictError):
        meetings.agree(begin(partner, owner), at, user_id=daniel.id)
    assert meetings.cancel(booking, user_id=owner.id, by=owner.name) is True
    assert meetings.cancel(booking, user_id=owner.id, by=owner.name) is False
    assert booking.sequence == 2


def test_overdue_contacts_are_told_as_they_stood_at_any_moment(app: Flask) -> None:
    platform = make_platform()
    olu = make_staff(platform, "Olu Bankole", Role.OWNER)
    partner = make_organization("One")
    owner = make_member(partner)
    make_assignment(olu, ContactRole.EXECUTIVE_SPONSOR, organization=partner)
    start = clock.now()
    request = begin(partner, owner, RequestKind.ESCALATION)
    with clock.frozen(start + timedelta(days=5)):
        conversations.reply(request, "I see to it.", user=olu, is_staff=True)
    assert overdue_contacts(start + timedelta(days=1)) == []
    assert [each.kind for each in overdue_contacts(start + timedelta(days=4))] == ["answer"]
    assert overdue_contacts(start + timedelta(days=6)) == []
    assert [each.kind for each in overdue_contacts(start + timedelta(days=98))] == ["quarterly"]
    # The partner writes again: the clock of the escalation begins anew.
    with clock.frozen(start + timedelta(days=6)):
        conversations.reply(request, "And now?", user=owner, is_staff=False)
    assert request.state is RequestState.WAITING
    assert [each.kind for each in overdue_contacts(start + timedelta(days=10))] == ["answer"]


def test_overdue_contacts_are_bounded_and_counted_by_the_database(app: Flask) -> None:
    olu = make_staff(make_platform(), "Olu Bankole", Role.OWNER)
    start = clock.now()
    for number in range(4):
        partner = make_organization(f"Partner {number}")
        assigned = make_assignment(olu, ContactRole.EXECUTIVE_SPONSOR, organization=partner)
        assigned.assigned_at = start - timedelta(days=93 + number)
        if number == 0:
            # A call since: nothing is owed.
            db.session.add(
                ContactMade(
                    organization_id=partner.id,
                    role=ContactRole.EXECUTIVE_SPONSOR,
                    user_id=olu.id,
                    at=start - timedelta(days=91),
                )
            )
            assert sponsor_contact_due(partner.id) == start + timedelta(days=1)
    begin(partner, make_member(partner), RequestKind.ESCALATION)
    db.session.flush()
    at = start + timedelta(hours=80)
    every = overdue_contacts(at)
    assert [each.kind for each in every] == ["quarterly"] * 4 + ["answer"]
    assert every[0].organization_name == "Partner 3"
    assert overdue_contacts(at, 2) == every[:2]
    assert count_overdue_contacts(at) == 5
    assert count_queries(lambda: overdue_contacts(at, 2)) == 2


def test_answers_go_to_the_partner_once_whoever_asked_has_left(app: Flask) -> None:
    platform = make_platform()
    daniel = make_staff(platform, "Daniel Osei")
    partner = make_organization("One")
    boss = make_member(partner)
    left = make_member(partner, Role.EDITOR)
    request = begin(partner, left)
    conversations.reply(request, "Like this.", user=daniel, is_staff=True)
    assert mails()[-1]["to"] == left.email
    gone = find_membership(partner.id, left.id)
    assert gone is not None
    db.session.delete(gone)
    db.session.flush()
    conversations.reply(request, "Or like that.", user=daniel, is_staff=True)
    assert mails()[-1]["to"] == boss.email
