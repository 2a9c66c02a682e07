"""From a proven profile to a person: creating, recognising, never merging, staff."""

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import select

from marketplace.core import clock
from marketplace.core.database import db
from marketplace.core.errors import ConflictError
from marketplace.core.facts import Fact
from marketplace.core.jobs import Job
from marketplace.core.permissions import Actor
from marketplace.identity import queries
from marketplace.identity.models import (
    Identity,
    Membership,
    Organization,
    OrganizationKind,
    Role,
    User,
    UserSession,
)
from marketplace.identity.profiles import Profile
from marketplace.identity.services.identities import (
    IdentityTakenError,
    LastIdentityError,
    accept_offer,
    offer_identity,
    offered_identity,
    unlink_identity,
)
from marketplace.identity.services.sessions import begin_session, forget_sessions
from marketplace.identity.services.sign_in import (
    AccountClosedError,
    AddressInUseError,
    SignedIn,
    sign_in,
)
from marketplace.identity.sessions import actor_of, find_session, revoke_sessions
from tests.factories.people import make_member, make_platform

pytestmark = pytest.mark.usefixtures("app")

ADA = Profile("acme", "https://acme.example", "ada-1", "Ada Okafor", "ada@quayside.example", True)


def enter(profile: Profile = ADA, staff: tuple[str, ...] = ()) -> SignedIn:
    done = sign_in(profile, staff_emails=staff, site_name="Harbor")
    db.session.commit()
    return done


def actor_in_new_session(done: SignedIn) -> Actor:
    token = begin_session(done.user, done.identity, user_agent="", ip_address="")
    db.session.commit()
    row = find_session(token)
    assert row is not None
    return actor_of(row)


def test_issuer_and_subject_name_a_person_whatever_else_changes() -> None:
    first = enter()
    again = enter(replace(ADA, name="Other Name", email="new@quayside.example"))
    assert (first.is_new, again.is_new) == (True, False)
    assert again.user.id == first.user.id
    assert again.user.name == "Ada Okafor"
    assert again.user.email == "new@quayside.example"


def test_the_same_subject_at_another_issuer_is_somebody_else() -> None:
    first = enter()
    second = enter(replace(ADA, issuer="https://other.example", email="else@quayside.example"))
    assert second.user.id != first.user.id


def test_a_proven_address_at_another_provider_is_never_merged() -> None:
    enter()
    with pytest.raises(AddressInUseError) as refused:
        enter(replace(ADA, provider="other", issuer="https://other.example"))
    assert refused.value.providers == ["acme"]
    db.session.rollback()
    assert len(db.session.scalars(select(User)).all()) == 1


def test_an_unproven_address_makes_a_new_person_and_opens_no_other_account() -> None:
    first = enter()
    other = replace(ADA, issuer="https://other.example", subject="x", email_verified=False)
    second = enter(other)
    assert second.is_new
    assert second.user.id != first.user.id
    assert second.user.email_verified is False


def test_a_chosen_contact_address_does_not_follow_the_provider() -> None:
    done = enter()
    done.user.email = "chosen@quayside.example"
    db.session.commit()
    again = enter(replace(ADA, email="new@quayside.example"))
    assert again.user.email == "chosen@quayside.example"
    assert again.identity.email == "new@quayside.example"


def test_the_contact_address_does_not_become_one_that_is_proven_to_be_anothers() -> None:
    enter(replace(ADA, subject="ben-2", email="ben@quayside.example"))
    enter()
    again = enter(replace(ADA, email="ben@quayside.example"))
    assert again.user.email == ADA.email


def test_a_first_sign_in_that_is_finished_twice_at_once_makes_one_person(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    enter()
    # As the other tab saw it: neither the identity nor the address was there yet.
    monkeypatch.setattr(queries, "find_identity", lambda *_name: None)
    monkeypatch.setattr(queries, "find_user_by_verified_email", lambda _email: None)
    with pytest.raises(ConflictError, match="another tab"):
        enter()
    db.session.rollback()
    assert len(db.session.scalars(select(User)).all()) == 1


def test_a_closed_account_stays_closed() -> None:
    enter().user.deactivated_at = clock.now()
    db.session.commit()
    with pytest.raises(AccountClosedError):
        enter()


def test_a_staff_address_becomes_an_admin_of_the_platform_with_a_fact() -> None:
    done = enter(staff=("ada@quayside.example",))
    membership = db.session.scalars(select(Membership)).one()
    organization = db.session.get_one(Organization, membership.organization_id)
    assert (organization.kind, organization.name) == (OrganizationKind.PLATFORM, "Harbor")
    assert membership.role is Role.ADMIN
    fact = db.session.scalars(select(Fact).where(Fact.kind == "staff.bootstrapped")).one()
    assert fact.subject_id == str(done.user.id)
    enter(staff=("ada@quayside.example",))
    assert len(db.session.scalars(select(Membership)).all()) == 1


def test_staff_join_the_platform_that_exists_and_a_lesser_role_is_raised() -> None:
    platform = make_platform()
    done = enter()
    make_member(platform, Role.REVIEWER, done.user)
    enter(staff=("ada@quayside.example",))
    membership = db.session.scalars(select(Membership)).one()
    assert (membership.organization_id, membership.role) == (platform.id, Role.ADMIN)


def test_an_unproven_staff_address_makes_nobody_staff() -> None:
    enter(replace(ADA, email_verified=False), staff=("ada@quayside.example",))
    assert db.session.scalars(select(Membership)).all() == []


def test_an_offered_identity_of_somebody_else_is_refused() -> None:
    enter(replace(ADA, subject="ben-2", email="ben@quayside.example"))
    actor = actor_in_new_session(enter())
    with pytest.raises(IdentityTakenError):
        offer_identity(actor, replace(ADA, subject="ben-2"))
    assert offer_identity(actor, ADA) is False


def test_an_offer_ends_after_ten_minutes() -> None:
    actor = actor_in_new_session(enter())
    assert offer_identity(actor, replace(ADA, subject="ada-2"))
    db.session.commit()
    assert offered_identity(actor) is not None
    with clock.frozen(clock.now() + timedelta(seconds=601)):
        assert offered_identity(actor) is None


def test_a_second_identity_opens_the_same_account_and_can_be_unlinked_but_not_the_last() -> None:
    done = enter()
    actor = actor_in_new_session(done)
    second = replace(ADA, issuer="https://other.example", subject="x")
    offer_identity(actor, second)
    linked = accept_offer(actor)
    db.session.commit()
    assert enter(second).user.id == done.user.id

    elsewhere = begin_session(done.user, linked, user_agent="", ip_address="")
    unlink_identity(actor, linked.id)
    db.session.commit()
    assert find_session(elsewhere) is None
    with pytest.raises(LastIdentityError):
        unlink_identity(actor, done.identity.id)
    db.session.rollback()
    kinds = set(db.session.scalars(select(Fact.kind)))
    assert {"identity.linked", "identity.unlinked"} <= kinds
    mails = db.session.scalars(select(Job.payload).where(Job.kind == "mail.send")).all()
    assert [mail["subject"] for mail in mails] == [
        "A sign-in was added to your account",
        "A sign-in was removed from your account",
    ]
    assert {mail["to"] for mail in mails} == {ADA.email}
    assert len(db.session.scalars(select(Identity)).all()) == 1


def test_sessions_that_ended_a_month_ago_are_forgotten() -> None:
    done = enter()
    actor = actor_in_new_session(done)
    kept = actor_in_new_session(done)
    revoke_sessions(done.user.id, only=actor.session_id)
    db.session.commit()
    forget_sessions({})
    db.session.commit()
    with clock.frozen(clock.now() + timedelta(days=31)):
        forget_sessions({})
    db.session.commit()
    assert db.session.scalars(select(UserSession.id)).all() == [kept.session_id]
