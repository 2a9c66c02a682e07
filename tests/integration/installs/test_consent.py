"""Giving and declining consent, on both databases."""

from collections.abc import Callable
from dataclasses import dataclass

import pytest
from flask import Flask
from sqlalchemy import func, select

from marketplace.catalogue.models import Listing, ListingStatus, ListingUse, Revision, RevisionState
from marketplace.core import clock
from marketplace.core.database import db
from marketplace.core.errors import ConflictError, ForbiddenError
from marketplace.core.facts import Fact
from marketplace.core.permissions import Actor
from marketplace.core.unit_of_work import unit_of_work
from marketplace.identity.models import Organization, OrganizationKind, Role, User
from marketplace.installs.customer import entitlements
from marketplace.installs.customer.consent import (
    Consent,
    Verdict,
    organizations_to_install_for,
    prepare_consent,
)
from marketplace.installs.customer.entitlements import Entitlement
from marketplace.installs.customer.services.consent import decline_consent, give_consent
from marketplace.installs.models import (
    App,
    Environment,
    Installation,
    InstallationEvent,
    InstallationState,
    InstallPolicy,
    InstallRequest,
    InstallRequestState,
    InstallRule,
    MembersMay,
    OAuthClient,
    PauseCause,
    RuleVerdict,
    WebhookEvent,
)
from tests.factories.acting import actor_for
from tests.factories.apps import client_of, make_app, make_installation, make_sandbox
from tests.factories.listings import make_listing
from tests.factories.mails import mails
from tests.factories.people import make_customer, make_member, make_organization, make_platform
from tests.factories.races import at_once

SCOPES = [
    {"scope": "events.write", "reason": "To add the tides to your calendar"},
    {"scope": "events.read", "reason": "To see what is there already"},
]
NAMES = ["events.write", "events.read"]


@dataclass
class Scene:
    """A listing with an app, and a customer with an admin."""

    listing: Listing
    app: App
    client: OAuthClient
    customer: Organization
    admin: User

    def actor(self, user: User | None = None) -> Actor:
        return actor_for(user or self.admin, self.customer)

    def consent(self, user: User | None = None, scopes: list[str] | None = None) -> Consent:
        return prepare_consent(
            self.actor(user), self.client, self.customer, NAMES if scopes is None else scopes
        )


@pytest.fixture
def scene(app: Flask) -> Scene:
    listing = make_listing(scopes=SCOPES)
    registered = make_app(listing)
    customer = make_customer()
    admin = make_member(customer)
    db.session.commit()
    return Scene(listing, registered, client_of(registered), customer, admin)


def installed() -> list[Installation]:
    db.session.expire_all()
    return list(db.session.scalars(select(Installation).order_by(Installation.id)))


def events() -> list[str]:
    return list(db.session.scalars(select(WebhookEvent.type).order_by(WebhookEvent.id)))


def test_consent_installs_and_tells_the_partner(scene: Scene) -> None:
    consent = scene.consent()
    assert consent.verdict is Verdict.CONSENT
    assert [scope.text.name for scope in consent.writing] == ["events.write"]
    assert [scope.text.name for scope in consent.reading] == ["events.read"]
    assert consent.shown[0].reason == "To add the tides to your calendar"
    with unit_of_work():
        installation = give_consent(scene.actor(), consent)
    assert installation.state is InstallationState.ACTIVE
    assert installation.granted_scopes == NAMES
    assert installation.consented_by_id == scene.admin.id
    assert installation.consented_content["scopes"] == SCOPES
    event = db.session.scalars(select(WebhookEvent)).one()
    assert event.type == "installation.installed"
    assert event.organization_id == scene.app.publisher_id
    assert event.data["installation"]["scopes"] == NAMES
    assert event.data["installation"]["organization"]["slug"] == scene.customer.slug
    assert db.session.get(ListingUse, (scene.listing.id, scene.customer.id)) is not None


def test_a_second_click_finds_the_installation(scene: Scene) -> None:
    consent = scene.consent()
    with unit_of_work():
        first = give_consent(scene.actor(), consent)
    with unit_of_work():
        assert give_consent(scene.actor(), consent).id == first.id
    assert len(installed()) == 1
    assert events() == ["installation.installed"]
    assert scene.consent().verdict is Verdict.GRANTED


def test_two_clicks_at_once_install_once(app: Flask, scene: Scene) -> None:
    ids = (scene.client.id, scene.customer.id)
    actor = scene.actor()

    def click() -> None:
        with unit_of_work():
            client = db.session.get(OAuthClient, ids[0])
            customer = db.session.get(Organization, ids[1])
            assert client is not None
            assert customer is not None
            give_consent(actor, prepare_consent(actor, client, customer, NAMES))

    db.session.remove()
    assert at_once(app, [click, click, click]) == []
    assert len(installed()) == 1
    assert events() == ["installation.installed"]


def test_what_changed_since_the_page_was_shown_is_not_granted(scene: Scene) -> None:
    shown = scene.consent().fingerprint
    scene.listing.content = {
        **scene.listing.content,
        "scopes": [{"scope": "events.write", "reason": "To delete your calendar"}, SCOPES[1]],
    }
    db.session.commit()
    with pytest.raises(ConflictError) as refused:
        give_consent(scene.actor(), scene.consent(), shown=shown)
    assert refused.value.code == "consent_changed"
    db.session.rollback()
    assert installed() == []


def test_more_scopes_are_asked_for_and_the_old_ones_go_on(scene: Scene) -> None:
    with unit_of_work():
        give_consent(scene.actor(), scene.consent(scopes=["events.read"]))
    assert scene.consent(scopes=["events.read"]).verdict is Verdict.GRANTED
    update = scene.consent()
    assert update.verdict is Verdict.CONSENT
    assert update.is_update
    assert [scope.text.name for scope in update.shown if scope.is_new] == ["events.write"]
    with unit_of_work():
        decline_consent(scene.actor(), update)
    assert installed()[0].granted_scopes == ["events.read"]
    with unit_of_work():
        give_consent(scene.actor(), update)
    assert installed()[0].granted_scopes == NAMES
    kinds = list(db.session.scalars(select(InstallationEvent.kind).order_by(InstallationEvent.id)))
    assert kinds == ["installed", "update_declined", "upgraded"]
    assert events() == ["installation.installed", "installation.upgraded"]


def test_consent_drops_what_the_listing_asks_for_no_more(scene: Scene) -> None:
    make_installation(scene.app, scene.customer, scene.admin, scopes=("files.read", "events.read"))
    consent = scene.consent()
    assert [text.name for text in consent.gone] == ["files.read"]
    with unit_of_work():
        give_consent(scene.actor(), consent)
    assert installed()[0].granted_scopes == NAMES


def test_a_scope_that_the_listing_does_not_name_is_refused(scene: Scene) -> None:
    consent = scene.consent(scopes=["events.read", "members.read"])
    assert (consent.verdict, consent.code) == (Verdict.REFUSED, "scope")
    assert "members.read" in consent.reason
    with pytest.raises(ForbiddenError):
        give_consent(scene.actor(), consent)


def test_a_scope_of_a_draft_is_for_the_sandbox_alone(scene: Scene) -> None:
    publisher = scene.listing.publisher
    sandbox = make_sandbox(publisher)
    developer = make_member(publisher, Role.DEVELOPER)
    db.session.add(
        Revision(
            listing_id=scene.listing.id,
            number=2,
            state=RevisionState.DRAFT,
            content={"scopes": [{"scope": "files.read", "reason": "New"}]},
        )
    )
    db.session.commit()
    test_client = client_of(scene.app, Environment.TEST)
    actor = actor_for(developer, publisher)
    consent = prepare_consent(actor, test_client, sandbox, ["files.read", "members.read"])
    assert consent.verdict is Verdict.CONSENT
    assert scene.consent(scopes=["files.read"]).code == "scope"
    assert prepare_consent(actor, scene.client, sandbox, NAMES).code == "environment"
    assert prepare_consent(actor, test_client, scene.customer, NAMES).code == "environment"
    with unit_of_work():
        give_consent(actor, consent)
    assert installed()[0].environment is Environment.TEST
    # A try in the sandbox is no use of the listing.
    assert db.session.scalar(select(func.count()).select_from(ListingUse)) == 0


def test_whom_a_person_may_install_for(scene: Scene) -> None:
    publisher = scene.listing.publisher
    other = make_customer("Amber")
    make_member(other, Role.VIEWER, scene.admin)
    make_member(publisher, Role.DEVELOPER, scene.admin)
    make_member(make_platform(), Role.SUPPORT, scene.admin)
    closed = make_organization("Closed", OrganizationKind.CUSTOMER, suspended_at=clock.now())
    make_member(closed, Role.OWNER, scene.admin)
    sandbox = make_sandbox(publisher)
    found = organizations_to_install_for(scene.actor(), scene.client)
    assert [organization.name for organization in found] == ["Amber", "Blue Kite"]
    test_client = client_of(scene.app, Environment.TEST)
    assert organizations_to_install_for(scene.actor(), test_client) == [sandbox]
    stranger = make_member(make_customer())
    assert organizations_to_install_for(actor_for(stranger), test_client) == []
    viewer = make_member(publisher, Role.VIEWER)
    assert organizations_to_install_for(actor_for(viewer), test_client) == []


def test_a_member_asks_unless_the_policy_lets_them(scene: Scene) -> None:
    member = make_member(scene.customer, Role.EDITOR)
    db.session.commit()
    assert scene.consent(member).verdict is Verdict.REQUEST
    with pytest.raises(ForbiddenError):
        give_consent(scene.actor(member), scene.consent(member))
    db.session.rollback()
    policy = InstallPolicy(organization_id=scene.customer.id, members_may=MembersMay.NOTHING)
    db.session.add(policy)
    db.session.flush()
    assert scene.consent(member).verdict is Verdict.REFUSED
    policy.members_may = MembersMay.INSTALL
    db.session.commit()
    assert scene.consent(member).verdict is Verdict.CONSENT
    with unit_of_work():
        give_consent(scene.actor(member), scene.consent(member))
    sent = [mail for mail in mails() if mail["to"] == scene.admin.email]
    assert len(sent) == 1
    assert "installed Tide Tables" in sent[0]["subject"]


def test_a_member_cannot_connect_to_what_an_admin_installed(scene: Scene) -> None:
    member = make_member(scene.customer, Role.EDITOR)
    make_installation(scene.app, scene.customer, scene.admin, scopes=tuple(NAMES))
    consent = scene.consent(member)
    assert (consent.verdict, consent.code) == (Verdict.REFUSED, "role")
    assert scene.consent().verdict is Verdict.GRANTED


def test_a_block_refuses_everybody_with_the_note(scene: Scene) -> None:
    db.session.add(
        InstallRule(
            organization_id=scene.customer.id,
            publisher_id=scene.app.publisher_id,
            verdict=RuleVerdict.BLOCK,
            note="No contract yet",
        )
    )
    db.session.flush()
    consent = scene.consent()
    assert (consent.verdict, consent.code) == (Verdict.REFUSED, "blocked")
    assert "No contract yet" in consent.reason


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (lambda s: setattr(s.listing, "suspended_at", clock.now()), "unavailable"),
        (lambda s: setattr(s.listing.publisher, "suspended_at", clock.now()), "unavailable"),
        (lambda s: setattr(s.client, "disabled_at", clock.now()), "unavailable"),
        (lambda s: setattr(s.app, "archived_at", clock.now()), "unavailable"),
        (lambda s: setattr(s.listing, "published_at", None), "not_public"),
        (lambda s: setattr(s.listing, "status", ListingStatus.WITHDRAWN), "withdrawn"),
    ],
)
def test_what_is_not_in_order_is_not_installed(
    scene: Scene, change: Callable[[Scene], None], code: str
) -> None:
    change(scene)
    db.session.flush()
    consent = scene.consent()
    assert (consent.verdict, consent.code) == (Verdict.REFUSED, code)
    with pytest.raises(ForbiddenError):
        give_consent(scene.actor(), consent)


def test_a_publisher_does_not_install_its_own_listing(scene: Scene) -> None:
    publisher = scene.listing.publisher
    owner = make_member(publisher)
    consent = prepare_consent(actor_for(owner, publisher), scene.client, publisher, NAMES)
    assert (consent.verdict, consent.code) == (Verdict.REFUSED, "own")


def test_what_was_withdrawn_goes_on_where_it_is_installed(scene: Scene) -> None:
    make_installation(scene.app, scene.customer, scene.admin, scopes=tuple(NAMES))
    scene.listing.status = ListingStatus.WITHDRAWN
    db.session.flush()
    assert scene.consent().verdict is Verdict.GRANTED


@pytest.mark.parametrize("cause", list(PauseCause))
def test_what_is_paused_is_not_connected(scene: Scene, cause: PauseCause) -> None:
    make_installation(
        scene.app,
        scene.customer,
        scene.admin,
        scopes=tuple(NAMES),
        state=InstallationState.PAUSED,
        pause_cause=cause,
    )
    assert (scene.consent().verdict, scene.consent().code) == (Verdict.REFUSED, "paused")


def test_without_an_entitlement_nothing_is_installed(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    def nobody(_listing: Listing, _organization: Organization) -> Entitlement:
        return Entitlement(False, "Choose a plan first.")

    monkeypatch.setattr(entitlements, "_deciders", [nobody])
    consent = scene.consent()
    assert (consent.verdict, consent.reason) == (Verdict.REFUSED, "Choose a plan first.")
    with pytest.raises(ForbiddenError):
        give_consent(scene.actor(), consent)


def fill(scene: Scene, count: int) -> None:
    for number in range(count):
        make_installation(scene.app, make_customer(f"Customer {number}"))
    db.session.commit()


def test_the_cap_refuses_the_26th_and_tells_the_publisher_once(scene: Scene) -> None:
    maker = make_member(scene.listing.publisher, Role.DEVELOPER)
    fill(scene, 25)
    consent = scene.consent()
    assert (consent.verdict, consent.code) == (Verdict.REFUSED, "cap")
    for _click in range(2):
        with pytest.raises(ForbiddenError):
            give_consent(scene.actor(), consent)
        db.session.commit()
    assert [mail["to"] for mail in mails()] == [maker.email]
    scene.listing.certified_at = clock.now()
    db.session.commit()
    with unit_of_work():
        give_consent(scene.actor(), scene.consent())
    assert len(installed()) == 26


def test_the_publisher_is_told_when_the_last_place_is_taken(scene: Scene) -> None:
    maker = make_member(scene.listing.publisher, Role.ADMIN)
    fill(scene, 23)
    with unit_of_work():
        give_consent(scene.actor(), scene.consent())
    assert mails() == []
    second = make_customer("Second")
    chief = make_member(second)
    db.session.commit()
    actor = actor_for(chief, second)
    with unit_of_work():
        give_consent(actor, prepare_consent(actor, scene.client, second, NAMES))
    assert [mail["to"] for mail in mails()] == [maker.email]


def test_what_was_uninstalled_and_the_sandbox_do_not_count(scene: Scene) -> None:
    fill(scene, 24)
    make_installation(scene.app, make_customer(), state=InstallationState.UNINSTALLED)
    make_installation(scene.app, make_customer(), environment=Environment.TEST)
    assert scene.consent().verdict is Verdict.CONSENT


def test_two_installs_at_once_do_not_pass_the_cap(app: Flask, scene: Scene) -> None:
    fill(scene, 24)
    second = make_customer("Second")
    chief = make_member(second)
    db.session.commit()
    client_id = scene.client.id
    pairs = [
        (actor_for(scene.admin, scene.customer), scene.customer.id),
        (actor_for(chief, second), second.id),
    ]

    def click(actor: Actor, organization_id: int) -> Callable[[], None]:
        def act() -> None:
            with unit_of_work():
                client = db.session.get(OAuthClient, client_id)
                organization = db.session.get(Organization, organization_id)
                assert client is not None
                assert organization is not None
                consent = prepare_consent(actor, client, organization, NAMES)
                give_consent(actor, consent)

        return act

    db.session.remove()
    raised = at_once(app, [click(*pair) for pair in pairs])
    assert [type(error) for error in raised] == [ForbiddenError]
    assert len(installed()) == 25


def test_installing_closes_the_request_and_tells_its_author(scene: Scene) -> None:
    member = make_member(scene.customer, Role.VIEWER)
    db.session.add(
        InstallRequest(
            organization_id=scene.customer.id,
            listing_id=scene.listing.id,
            requested_by_id=member.id,
        )
    )
    db.session.commit()
    with unit_of_work():
        give_consent(scene.actor(), scene.consent())
    request = db.session.scalars(select(InstallRequest)).one()
    assert request.state is InstallRequestState.APPROVED
    assert request.decided_by_id == scene.admin.id
    assert [mail["to"] for mail in mails()] == [member.email]


def test_two_declines_at_once_are_noted_once(app: Flask, scene: Scene) -> None:
    make_installation(scene.app, scene.customer, scene.admin, scopes=("events.read",))
    db.session.commit()
    actor, ids = scene.actor(), (scene.client.id, scene.customer.id)

    def click() -> None:
        with unit_of_work():
            client = db.session.get_one(OAuthClient, ids[0])
            customer = db.session.get_one(Organization, ids[1])
            decline_consent(actor, prepare_consent(actor, client, customer, NAMES))

    db.session.remove()
    assert at_once(app, [click, click, click]) == []
    kinds = db.session.scalars(select(InstallationEvent.kind)).all()
    assert kinds == ["update_declined"]
    facts = db.session.scalars(
        select(func.count()).where(Fact.kind == "installation.update_declined")
    ).one()
    assert facts == 1


def test_an_app_that_connects_itself_is_not_held_up_by_more_data(scene: Scene) -> None:
    with unit_of_work():
        give_consent(scene.actor(), scene.consent())
    scene.listing.content = {
        **scene.listing.content,
        "data_shared": [{"object": "Invoices", "direction": "read", "purpose": "To match"}],
    }
    db.session.commit()
    assert scene.consent().verdict is Verdict.GRANTED
    asked = prepare_consent(scene.actor(), scene.client, scene.customer, NAMES, asks_data=True)
    assert asked.verdict is Verdict.CONSENT
    assert [part.name for part in asked.new_data] == ["Invoices"]


@pytest.mark.parametrize(
    ("role", "expected"), [(Role.ADMIN, Verdict.GRANTED), (Role.EDITOR, Verdict.REFUSED)]
)
def test_an_allow_list_does_not_break_what_is_installed(
    scene: Scene, role: Role, expected: Verdict
) -> None:
    make_installation(scene.app, scene.customer, scene.admin, scopes=tuple(NAMES))
    person = make_member(scene.customer, role)
    before = scene.consent(person).verdict
    db.session.add(InstallPolicy(organization_id=scene.customer.id, only_allowed=True))
    db.session.flush()
    assert before is expected
    assert scene.consent(person).verdict is expected
    # Whoever consented goes on, too.
    assert scene.consent().verdict is Verdict.GRANTED
    more = make_customer("Second")
    chief = make_member(more)
    db.session.add(InstallPolicy(organization_id=more.id, only_allowed=True))
    db.session.flush()
    anew = prepare_consent(actor_for(chief, more), scene.client, more, NAMES)
    assert (anew.verdict, anew.code) == (Verdict.REFUSED, "not_allowed")


def test_a_member_is_not_offered_to_ask_for_what_is_at_its_cap(scene: Scene) -> None:
    fill(scene, 25)
    member = make_member(scene.customer, Role.VIEWER)
    consent = scene.consent(member)
    assert (consent.verdict, consent.code) == (Verdict.REFUSED, "cap")
    assert "We have told its publisher" not in consent.reason
