"""Pausing, removing, erasing, policies, requests and updates, on both databases."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import select

from marketplace.catalogue.models import Listing, ListingUse
from marketplace.core import clock
from marketplace.core.database import db
from marketplace.core.errors import ConflictError, InvalidError
from marketplace.core.facts import Fact
from marketplace.core.permissions import Actor
from marketplace.core.unit_of_work import unit_of_work
from marketplace.identity.models import Organization, Role, User
from marketplace.installs.customer import entitlements
from marketplace.installs.customer.consent import prepare_consent
from marketplace.installs.customer.entitlements import Entitlement
from marketplace.installs.customer.policies import may_manage_installation
from marketplace.installs.customer.queries.scopes import who_asks
from marketplace.installs.customer.services import (
    erasures,
    offering,
    pausing,
    reducing,
    requests,
    scopes,
    uninstalling,
)
from marketplace.installs.customer.services import policies as policy_services
from marketplace.installs.customer.services.connecting import mark_connected
from marketplace.installs.customer.services.consent import give_consent
from marketplace.installs.customer.services.entitlement import entitlement_changed
from marketplace.installs.customer.services.scopes import ScopeWords
from marketplace.installs.models import (
    App,
    ErasureRequest,
    Installation,
    InstallationEvent,
    InstallationState,
    InstallPolicy,
    InstallRequest,
    InstallRequestState,
    InstallRule,
    MembersMay,
    OAuthGrant,
    PauseCause,
    Scope,
    WebhookEvent,
)
from tests.factories.acting import actor_for
from tests.factories.apps import client_of, make_app
from tests.factories.listings import make_listing
from tests.factories.mails import mails
from tests.factories.people import make_customer, make_member, make_platform
from tests.factories.races import at_once

ACTIVE, PAUSED = InstallationState.ACTIVE, InstallationState.PAUSED


@dataclass
class Scene:
    """An installed listing."""

    listing: Listing
    app: App
    customer: Organization
    admin: User
    maker: User
    installation: Installation

    @property
    def actor(self) -> Actor:
        return actor_for(self.admin, self.customer)

    def state(self) -> tuple[InstallationState, PauseCause | None]:
        db.session.refresh(self.installation)
        return self.installation.state, self.installation.pause_cause


@pytest.fixture
def scene(app: Flask) -> Scene:
    listing = make_listing()
    registered = make_app(listing)
    customer = make_customer()
    admin = make_member(customer)
    maker = make_member(listing.publisher, Role.DEVELOPER)
    db.session.commit()
    actor = actor_for(admin, customer)
    consent = prepare_consent(actor, client_of(registered), customer, ["events.write"])
    with unit_of_work():
        installation = give_consent(actor, consent)
    return Scene(listing, registered, customer, admin, maker, installation)


def events() -> list[str]:
    """The events since the installation."""
    kinds = db.session.scalars(select(WebhookEvent.type).order_by(WebhookEvent.id)).all()
    assert kinds[0] == "installation.installed"
    return list(kinds[1:])


def test_pausing_and_resuming_tell_the_partner_once(scene: Scene) -> None:
    for _click in range(2):
        with unit_of_work():
            pausing.pause(scene.actor, scene.installation)
    assert scene.state() == (PAUSED, PauseCause.CUSTOMER)
    for _click in range(2):
        with unit_of_work():
            pausing.resume(scene.actor, scene.installation)
    assert scene.state() == (ACTIVE, None)
    assert events() == ["installation.paused", "installation.resumed"]


def test_uninstalling_ends_everything_in_order(scene: Scene) -> None:
    grant = OAuthGrant(client_id=client_of(scene.app).id, installation_id=scene.installation.id)
    db.session.add(grant)
    db.session.commit()
    with unit_of_work():
        done = uninstalling.uninstall(
            scene.actor, scene.installation, reason="privacy", note="Too curious"
        )
    assert done
    assert scene.state() == (InstallationState.UNINSTALLED, None)
    db.session.refresh(grant)
    assert (grant.revoked_at is not None, grant.revoked_reason) == (True, "uninstalled")
    rows = db.session.scalars(select(WebhookEvent).order_by(WebhookEvent.id)).all()[1:]
    assert [row.type for row in rows] == ["installation.uninstalled", "data.erasure_requested"]
    assert {row.ordering_key for row in rows} == {scene.installation.public_id}
    assert rows[0].data["reason"] == "privacy"
    erasure = db.session.scalars(select(ErasureRequest)).one()
    assert erasure.due_at - erasure.requested_at == timedelta(days=30)
    assert rows[1].data["erasure"]["id"] == erasure.public_id
    assert db.session.get(ListingUse, (scene.listing.id, scene.customer.id)) is None
    with unit_of_work():
        assert not uninstalling.uninstall(scene.actor, scene.installation, reason="other")
    assert len(db.session.scalars(select(ErasureRequest)).all()) == 1


def test_two_clicks_at_once_uninstall_once(app: Flask, scene: Scene) -> None:
    actor, installation_id = scene.actor, scene.installation.id

    def click() -> None:
        with unit_of_work():
            found = db.session.get_one(Installation, installation_id)
            uninstalling.uninstall(actor, found, reason="testing")

    db.session.remove()
    assert at_once(app, [click, click, click]) == []
    assert events() == ["installation.uninstalled", "data.erasure_requested"]


def test_what_is_uninstalled_is_neither_paused_nor_resumed(scene: Scene) -> None:
    with unit_of_work():
        uninstalling.uninstall(scene.actor, scene.installation, reason="testing")
    for act in (pausing.pause, pausing.resume):
        with pytest.raises(ConflictError):
            act(scene.actor, scene.installation)


@pytest.mark.parametrize(
    ("reason", "note", "field"),
    [("", "", "reason"), ("boredom", "", "reason"), ("other", "x" * 1001, "note")],
)
def test_an_uninstall_needs_a_known_reason(
    scene: Scene, reason: str, note: str, field: str
) -> None:
    with pytest.raises(InvalidError) as refused:
        uninstalling.uninstall(scene.actor, scene.installation, reason=reason, note=note)
    assert list(refused.value.fields) == [field]


def test_after_an_uninstall_it_can_be_installed_anew(scene: Scene) -> None:
    with unit_of_work():
        uninstalling.uninstall(scene.actor, scene.installation, reason="testing")
    client = client_of(scene.app)
    consent = prepare_consent(scene.actor, client, scene.customer, ["events.write"])
    with unit_of_work():
        again = give_consent(scene.actor, consent)
    assert again.id != scene.installation.id


def block(scene: Scene, subject: Listing | Organization, verdict: str = "block") -> InstallRule:
    with unit_of_work():
        return policy_services.add_rule(
            scene.actor, scene.customer, subject=subject, verdict=verdict, note="Unsure"
        )


def unblock(scene: Scene, rule: InstallRule) -> None:
    with unit_of_work():
        policy_services.remove_rule(scene.actor, scene.customer, rule)


@pytest.mark.parametrize("about", ["listing", "publisher"])
def test_a_block_pauses_and_its_removal_resumes(scene: Scene, about: str) -> None:
    subject = scene.listing if about == "listing" else scene.listing.publisher
    rule = block(scene, subject)
    assert scene.state() == (PAUSED, PauseCause.POLICY)
    with pytest.raises(ConflictError):
        pausing.resume(scene.actor, scene.installation)
    db.session.rollback()
    unblock(scene, rule)
    assert scene.state() == (ACTIVE, None)
    assert events() == ["installation.paused", "installation.resumed"]


def test_an_allowed_listing_works_though_its_publisher_is_blocked(scene: Scene) -> None:
    block(scene, scene.listing.publisher)
    allow = block(scene, scene.listing, "allow")
    assert scene.state() == (ACTIVE, None)
    unblock(scene, allow)
    assert scene.state() == (PAUSED, PauseCause.POLICY)


def test_what_the_customer_paused_stays_paused_after_a_block(scene: Scene) -> None:
    with unit_of_work():
        pausing.pause(scene.actor, scene.installation)
    unblock(scene, block(scene, scene.listing))
    assert scene.state() == (PAUSED, PauseCause.CUSTOMER)


def test_a_rule_is_replaced_not_doubled(scene: Scene) -> None:
    block(scene, scene.listing)
    block(scene, scene.listing)
    block(scene, scene.listing, "allow")
    assert len(db.session.scalars(select(InstallRule)).all()) == 1
    assert scene.state() == (ACTIVE, None)


def test_blocking_and_installing_at_once_leaves_nothing_running(app: Flask, scene: Scene) -> None:
    with unit_of_work():
        uninstalling.uninstall(scene.actor, scene.installation, reason="testing")
    actor, ids = scene.actor, (scene.listing.id, scene.app.id, scene.customer.id)

    def forbid() -> None:
        with unit_of_work():
            listing = db.session.get_one(Listing, ids[0])
            customer = db.session.get_one(Organization, ids[2])
            policy_services.add_rule(actor, customer, subject=listing, verdict="block")

    def install() -> None:
        with unit_of_work():
            client = client_of(db.session.get_one(App, ids[1]))
            customer = db.session.get_one(Organization, ids[2])
            give_consent(actor, prepare_consent(actor, client, customer, ["events.write"]))

    db.session.remove()
    at_once(app, [forbid, install])
    running = db.session.scalars(select(Installation).where(Installation.state == ACTIVE)).all()
    assert running == []


def test_only_allowed_does_not_touch_what_is_installed(scene: Scene) -> None:
    with unit_of_work():
        policy_services.change_policy(
            scene.actor, scene.customer, members_may="nothing", only_allowed=True
        )
    assert scene.state() == (ACTIVE, None)
    policy = db.session.get_one(InstallPolicy, scene.customer.id)
    assert (policy.members_may, policy.only_allowed) == (MembersMay.NOTHING, True)
    kinds = set(db.session.scalars(select(Fact.kind)))
    assert "install_policy.changed" in kinds


@pytest.fixture
def paid(monkeypatch: pytest.MonkeyPatch) -> dict[str, bool]:
    """A plan that a test can end."""
    plan = {"paid": True}

    def decide(_listing: Listing, _organization: Organization) -> Entitlement:
        return Entitlement(plan["paid"], "" if plan["paid"] else "The plan has ended.")

    monkeypatch.setattr(entitlements, "_deciders", [decide])
    return plan


def test_a_plan_that_ends_pauses_and_one_that_begins_resumes(
    scene: Scene, paid: dict[str, bool]
) -> None:
    paid["paid"] = False
    with unit_of_work():
        entitlement_changed(scene.listing, scene.customer)
    assert scene.state() == (PAUSED, PauseCause.ENTITLEMENT)
    with pytest.raises(ConflictError):
        pausing.resume(scene.actor, scene.installation)
    db.session.rollback()
    paid["paid"] = True
    with unit_of_work():
        entitlement_changed(scene.listing, scene.customer)
    assert scene.state() == (ACTIVE, None)
    assert events() == [
        "installation.entitlement_changed",
        "installation.paused",
        "installation.entitlement_changed",
        "installation.resumed",
    ]


def test_unblocking_what_the_plan_lacks_leaves_it_paused(
    scene: Scene, paid: dict[str, bool]
) -> None:
    rule = block(scene, scene.listing)
    paid["paid"] = False
    unblock(scene, rule)
    assert scene.state() == (PAUSED, PauseCause.ENTITLEMENT)
    # For the partner it was paused all the time.
    assert events() == ["installation.paused"]


def ask_for(scene: Scene, *names: str) -> None:
    scene.listing.content = {
        **scene.listing.content,
        "scopes": [{"scope": name, "reason": "We need it"} for name in names],
    }
    db.session.commit()


def test_admins_are_told_once_of_what_a_listing_asks_for_more(
    scene: Scene, run_jobs: Callable[[], int]
) -> None:
    make_member(scene.customer, Role.VIEWER)
    ask_for(scene, "events.write", "events.read")
    for _publication in range(2):
        with unit_of_work():
            offering.offer_updates_later(scene.listing, True)
        run_jobs()
    assert [mail["to"] for mail in mails()] == [scene.admin.email]
    assert "See events" in mails()[0]["body"]
    ask_for(scene, "events.write", "events.read", "files.read")
    with unit_of_work():
        offering.offer_updates_later(scene.listing, False)
    run_jobs()
    assert len(mails()) == 1
    with unit_of_work():
        offering.offer_updates_later(scene.listing, True)
    run_jobs()
    assert len(mails()) == 2
    assert scene.installation.granted_scopes == ["events.write"]


def test_what_is_asked_for_no_longer_can_be_taken_back(scene: Scene) -> None:
    assert reducing.reduce_scopes(scene.actor, scene.installation) == []
    ask_for(scene, "events.read")
    for expected in (["events.write"], []):
        with unit_of_work():
            assert reducing.reduce_scopes(scene.actor, scene.installation) == expected
    db.session.refresh(scene.installation)
    assert scene.installation.granted_scopes == []
    assert events() == ["installation.upgraded"]


def test_the_first_token_connects_once(scene: Scene) -> None:
    with unit_of_work():
        assert mark_connected(scene.installation)
    with unit_of_work():
        assert not mark_connected(scene.installation)
    kinds = db.session.scalars(select(InstallationEvent.kind)).all()
    assert sorted(kinds) == ["connected", "installed"]


def test_a_request_is_asked_once_and_declined_with_a_note(scene: Scene) -> None:
    other = make_listing(name="Fog Alerts")
    member = make_member(scene.customer, Role.EDITOR)
    db.session.commit()
    actor = actor_for(member, scene.customer)
    with unit_of_work():
        asked, is_new = requests.request_install(actor, scene.customer, other, "For the harbour")
        assert is_new
    with unit_of_work():
        again, is_new = requests.request_install(actor, scene.customer, other)
        assert (again.id, is_new) == (asked.id, False)
    assert [mail["to"] for mail in mails()] == [scene.admin.email]
    assert "For the harbour" in mails()[0]["body"]
    with unit_of_work():
        requests.decline_request(scene.actor, scene.customer, asked, "We have one")
    assert mails()[1]["to"] == member.email
    assert "We have one" in mails()[1]["body"]
    with pytest.raises(ConflictError):
        requests.withdraw_request(actor, asked)
    db.session.rollback()
    with unit_of_work():
        _second, is_new = requests.request_install(actor, scene.customer, other)
    assert is_new


def test_two_members_asking_at_once_are_one_request(app: Flask, scene: Scene) -> None:
    other = make_listing(name="Fog Alerts")
    members = [make_member(scene.customer, Role.VIEWER) for _number in range(2)]
    db.session.commit()
    actors = [actor_for(member, scene.customer) for member in members]
    ids = (scene.customer.id, other.id)

    def ask(actor: Actor) -> Callable[[], None]:
        def act() -> None:
            with unit_of_work():
                requests.request_install(
                    actor,
                    db.session.get_one(Organization, ids[0]),
                    db.session.get_one(Listing, ids[1]),
                )

        return act

    db.session.remove()
    assert at_once(app, [ask(actor) for actor in actors]) == []
    found = db.session.scalars(select(InstallRequest)).all()
    assert [row.state for row in found] == [InstallRequestState.OPEN]
    assert len(mails()) == 1


def remove(scene: Scene) -> ErasureRequest:
    with unit_of_work():
        uninstalling.uninstall(scene.actor, scene.installation, reason="testing")
    return db.session.scalars(select(ErasureRequest)).one()


def test_an_erasure_is_reminded_then_escalated_each_once(scene: Scene) -> None:
    support = make_member(make_platform(), Role.SUPPORT)
    erasure = remove(scene)
    begun = clock.now()

    def after(days: int) -> tuple[int, int]:
        with clock.frozen(begun + timedelta(days=days)), unit_of_work():
            return erasures.remind_and_escalate()

    assert [after(20), after(24), after(25), after(31), after(32)] == [
        (0, 0),
        (1, 0),
        (0, 0),
        (0, 1),
        (0, 0),
    ]
    assert [mail["to"] for mail in mails()] == [scene.maker.email, scene.maker.email, support.email]
    with unit_of_work():
        erasures.complete_erasure(erasure, "All rows were deleted on Monday.")
    assert after(60) == (0, 0)


def test_a_receipt_counts_once_and_the_customer_is_told(scene: Scene) -> None:
    erasure = remove(scene)
    with pytest.raises(InvalidError):
        erasures.complete_erasure(erasure, "Done")
    with unit_of_work():
        assert erasures.complete_erasure(erasure, "All rows were deleted on Monday.")
    with unit_of_work():
        assert not erasures.complete_erasure(erasure, "Another text that comes too late.")
    assert erasure.receipt == "All rows were deleted on Monday."
    assert [mail["to"] for mail in mails()] == [scene.admin.email]
    assert erasure.receipt in mails()[0]["body"]


def test_a_customer_asks_again_only_when_it_is_overdue(scene: Scene) -> None:
    erasure = remove(scene)
    with pytest.raises(ConflictError):
        erasures.ask_again(scene.actor, erasure)
    db.session.rollback()
    with clock.frozen(clock.now() + timedelta(days=31)):
        with unit_of_work():
            erasures.ask_again(scene.actor, erasure)
        with pytest.raises(ConflictError):
            erasures.ask_again(scene.actor, erasure)
        db.session.rollback()
    assert events()[-2:] == ["data.erasure_requested", "data.erasure_requested"]
    assert [mail["to"] for mail in mails()] == [scene.maker.email]


def test_whoever_installed_manages_it_while_members_may_install(scene: Scene) -> None:
    member = make_member(scene.customer, Role.EDITOR)
    scene.installation.consented_by_id = member.id
    db.session.flush()
    actor = actor_for(member, scene.customer)
    assert not may_manage_installation(actor, scene.installation)
    db.session.add(InstallPolicy(organization_id=scene.customer.id, members_may=MembersMay.INSTALL))
    db.session.flush()
    assert may_manage_installation(actor, scene.installation)
    other = actor_for(make_member(scene.customer, Role.EDITOR), scene.customer)
    assert not may_manage_installation(other, scene.installation)


def test_staff_describe_scopes_and_delete_only_what_nobody_uses(scene: Scene) -> None:
    staff = actor_for(make_member(make_platform(), Role.PROGRAM_MANAGER))
    db.session.commit()
    words = ScopeWords("Change events", "Adds and removes events.", "write")
    with unit_of_work():
        used = scopes.add_scope(staff, "events.write", words)
        unused = scopes.add_scope(staff, "fog.read", ScopeWords("See fog"))
    with pytest.raises(ConflictError):
        scopes.delete_scope(staff, used)
    db.session.rollback()
    with unit_of_work():
        scopes.change_scope(staff, used, ScopeWords("Write events", "", "write", True))
        scopes.delete_scope(staff, unused)
    found = db.session.scalars(select(Scope)).all()
    assert [(row.name, row.title, row.is_sensitive) for row in found] == [
        ("events.write", "Write events", True)
    ]
    ask_for(scene)
    # The listing asks no more, but what is installed holds it still.
    with pytest.raises(ConflictError):
        scopes.delete_scope(staff, found[0])


@pytest.mark.parametrize(
    ("name", "words", "field"),
    [
        ("", ScopeWords("See"), "name"),
        ("two words", ScopeWords("See"), "name"),
        ("a/b", ScopeWords("See"), "name"),
        ("members.read", ScopeWords("See"), "name"),
        ("DEALS.WRITE", ScopeWords("See"), "name"),
        ("new", ScopeWords("See"), "name"),
        ("tides.", ScopeWords("See"), "name"),
        ("x.read", ScopeWords("\u200b\u2060\u3164"), "title"),
        ("x.read", ScopeWords("  "), "title"),
        ("x.read", ScopeWords("x" * 81), "title"),
        ("x.read", ScopeWords("See", "x" * 301), "description"),
        ("x.read", ScopeWords("See", "", "sideways"), "direction"),
    ],
)
def test_a_scope_needs_a_name_and_words(
    scene: Scene, name: str, words: ScopeWords, field: str
) -> None:
    with pytest.raises(InvalidError) as refused:
        scopes.add_scope(scene.actor, name, words)
    assert list(refused.value.fields) == [field]


def test_admins_are_told_once_of_more_data_that_moves(
    scene: Scene, run_jobs: Callable[[], int]
) -> None:
    parts = list(scene.listing.content["data_shared"])
    more = {"object": "Invoices", "direction": "read", "purpose": "To match them"}
    scene.listing.content = {**scene.listing.content, "data_shared": [*parts, more]}
    db.session.commit()
    for _publication in range(2):
        with unit_of_work():
            offering.offer_updates_later(scene.listing, True)
        run_jobs()
    assert [mail["subject"] for mail in mails()] == ["Tide Tables moves more data"]
    assert "Data that moves: Invoices" in mails()[0]["body"]


@pytest.mark.parametrize("has_rule", [True, False])
def test_nobody_is_mailed_an_update_that_the_allow_list_forbids(
    scene: Scene, has_rule: bool, run_jobs: Callable[[], int]
) -> None:
    db.session.add(InstallPolicy(organization_id=scene.customer.id, only_allowed=True))
    if has_rule:
        block(scene, scene.listing.publisher, "allow")
    ask_for(scene, "events.write", "events.read")
    with unit_of_work():
        offering.offer_updates_later(scene.listing, True)
    run_jobs()
    assert len(mails()) == int(has_rule)


def test_scopes_are_told_apart_letter_by_letter(scene: Scene) -> None:
    with unit_of_work():
        scene.installation.granted_scopes = ["deals.write", 'odd"%_name']
    for name, held in (
        ("deals.write", 1),
        ("DEALS.WRITE", 0),
        ("deals_write", 0),
        ("deals", 0),
        ('odd"%_name', 1),
        ("%", 0),
    ):
        assert who_asks(name).installations == held


def test_a_reminder_by_hand_does_not_replace_the_one_that_is_due(scene: Scene) -> None:
    staff = actor_for(make_member(make_platform(), Role.SUPPORT))
    erasure = remove(scene)
    begun = clock.now()
    with unit_of_work():
        erasures.remind_now(staff, erasure)
    with pytest.raises(ConflictError):
        erasures.remind_now(staff, erasure)
    db.session.rollback()
    with clock.frozen(begun + timedelta(days=2)), unit_of_work():
        erasures.remind_now(staff, erasure)
    with clock.frozen(begun + timedelta(days=24)), unit_of_work():
        assert erasures.remind_and_escalate() == (1, 0)
    assert [mail["to"] for mail in mails()] == [scene.maker.email] * 3
    with unit_of_work():
        erasures.complete_erasure(erasure, "All rows were deleted on Monday.")
    with clock.frozen(begun + timedelta(days=26)), pytest.raises(ConflictError):
        erasures.remind_now(staff, erasure)
