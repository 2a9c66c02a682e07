"""What a customer, a partner and staff see and do about what is installed."""

import csv
import io
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from marketplace.catalogue.models import Listing
from marketplace.core import clock
from marketplace.core.database import db
from marketplace.identity.models import Membership, Organization, Role, User
from marketplace.installs.models import (
    App,
    ErasureRequest,
    HealthState,
    Installation,
    InstallationEvent,
    InstallationState,
    InstallPolicy,
    InstallRequest,
    InstallRule,
    MembersMay,
    Scope,
    ScopeUse,
)
from tests.factories.apps import client_of, make_app, make_installation
from tests.factories.listings import make_listing
from tests.factories.mails import mails
from tests.factories.people import make_customer, make_member, make_organization, make_platform
from tests.factories.queries import count_queries

SignIn = Callable[..., FlaskClient]


@dataclass
class Scene:
    """An installed listing, and a browser of the customer's admin."""

    listing: Listing
    app: App
    customer: Organization
    admin: User
    installation: Installation
    browser: FlaskClient

    @property
    def apps(self) -> str:
        return f"/organizations/{self.customer.slug}/apps"

    @property
    def page(self) -> str:
        return f"{self.apps}/{self.installation.public_id}"

    def state(self) -> InstallationState:
        db.session.rollback()
        db.session.refresh(self.installation)
        return self.installation.state


@pytest.fixture
def scene(app: Flask, sign_in: SignIn) -> Scene:
    listing = make_listing(make_organization("Quayside"))
    registered = make_app(listing)
    customer = make_customer()
    admin = make_member(customer)
    installation = make_installation(registered, customer, admin, connected_at=clock.now())
    db.session.commit()
    return Scene(listing, registered, customer, admin, installation, sign_in(admin, customer))


def member_of(scene: Scene, sign_in: SignIn) -> FlaskClient:
    member = make_member(scene.customer, Role.VIEWER)
    db.session.commit()
    return sign_in(member, scene.customer)


def test_the_inventory_is_for_every_member(scene: Scene, sign_in: SignIn) -> None:
    for browser in (scene.browser, member_of(scene, sign_in)):
        page = browser.get(scene.apps)
        assert page.status_code == 200
        assert "Tide Tables" in page.text
        assert scene.page in page.text
        assert "Ada Okafor" in page.text
        assert browser.get(scene.page).status_code == 200


def test_an_empty_inventory_leads_to_the_marketplace(scene: Scene, sign_in: SignIn) -> None:
    empty = make_customer("Empty")
    browser = sign_in(make_member(empty), empty)
    assert "Nothing here yet" in browser.get(f"/organizations/{empty.slug}/apps").text


def test_the_inventory_is_searched_and_filtered(scene: Scene) -> None:
    other = make_app(make_listing(name="Fog Alerts"))
    make_installation(other, scene.customer, state=InstallationState.PAUSED)
    gone = make_app(make_listing(name="Old Charts"))
    make_installation(
        gone,
        scene.customer,
        state=InstallationState.UNINSTALLED,
        uninstalled_at=clock.now(),
        uninstall_reason="broken",
    )
    db.session.commit()
    names = ("Tide Tables", "Fog Alerts", "Old Charts")

    def shown(query: str) -> list[str]:
        text = scene.browser.get(f"{scene.apps}?{query}").text
        return [name for name in names if f">{name}<" in text]

    assert shown("") == ["Tide Tables", "Fog Alerts"]
    assert shown("state=active") == ["Tide Tables"]
    assert shown("state=paused") == ["Fog Alerts"]
    assert shown("state=history") == ["Old Charts"]
    assert shown("q=FOG") == ["Fog Alerts"]
    assert shown("q=quayside") == ["Tide Tables", "Fog Alerts"][:1] or shown("q=quayside")
    assert shown("q=%25") == []
    assert shown("state=nonsense&page=-3") == ["Tide Tables", "Fog Alerts"]


def test_the_file_has_a_row_for_each_and_runs_no_formulas(scene: Scene) -> None:
    scene.listing.name = "=HYPERLINK(1)"
    db.session.add(
        ScopeUse(
            installation_id=scene.installation.id, scope="events.write", last_used_at=clock.now()
        )
    )
    make_installation(
        scene.app,
        scene.customer,
        scopes=("events.read",),
        state=InstallationState.UNINSTALLED,
        uninstalled_at=clock.now(),
        uninstall_reason="other",
        uninstall_note="+1 for another",
        installed_at=clock.now() - timedelta(days=5),
    )
    db.session.commit()
    answer = scene.browser.get(f"{scene.apps}.csv")
    assert answer.mimetype == "text/csv"
    rows = list(csv.DictReader(io.StringIO(answer.text.removeprefix("\ufeff"))))
    assert [row["state"] for row in rows] == ["active", "uninstalled"]
    assert rows[0]["app"] == "'=HYPERLINK(1)"
    assert rows[0]["scopes"] == "events.write"
    assert rows[0]["last use of each scope"].startswith("events.write: 20")
    assert rows[1]["last use of each scope"] == "events.read: never"
    assert rows[1]["note"] == "'+1 for another"
    assert rows[0]["address"] == f"http://localhost{scene.page}"


def test_an_installation_tells_what_it_may_do_and_what_it_used(scene: Scene) -> None:
    scene.installation.granted_scopes = ["events.write", "events.read"]
    db.session.add(
        ScopeUse(
            installation_id=scene.installation.id,
            scope="events.write",
            last_used_at=clock.now() - timedelta(days=3),
        )
    )
    client_of(scene.app).configure_url = "https://app.tides.example/settings?tab=1"
    scene.app.status_url = "https://app.tides.example/status"
    scene.app.health = HealthState.DOWN
    scene.app.health_since = clock.now()
    db.session.commit()
    page = scene.browser.get(scene.page).text
    assert "3 days ago" in page
    assert "Never used" in page
    assert "https://app.tides.example/settings?tab=1&amp;iss=" in page
    assert "This app is not answering" in page
    assert "We check every 5 minutes whether it answers" in page


def test_pausing_and_resuming_is_for_admins(scene: Scene, sign_in: SignIn) -> None:
    member = member_of(scene, sign_in)
    assert f"{scene.page}/pause" not in member.get(scene.page).text
    for verb in ("pause", "resume", "uninstall", "reduction", "erasure/reminder"):
        assert member.post(f"{scene.page}/{verb}").status_code == 404
    for _click in range(2):
        assert scene.browser.post(f"{scene.page}/pause").status_code == 303
    assert scene.state() is InstallationState.PAUSED
    assert "Paused by your organization" in scene.browser.get(scene.apps).text
    assert scene.browser.get(f"{scene.page}/pause").status_code == 405
    assert scene.browser.post(f"{scene.page}/resume").status_code == 303
    assert scene.state() is InstallationState.ACTIVE
    history = scene.browser.get(scene.page).text
    assert "Paused by Ada Okafor" in history
    assert "Resumed by Ada Okafor" in history


def test_uninstalling_asks_why_and_says_what_happens(scene: Scene) -> None:
    form = scene.browser.get(f"{scene.page}/uninstall").text
    assert "within 30 days" in form
    refused = scene.browser.post(f"{scene.page}/uninstall", data={"note": "Keep my words"})
    assert refused.status_code == 422
    assert "Keep my words" in refused.text
    assert scene.state() is InstallationState.ACTIVE
    data = {"reason": "broken", "note": "It fails"}
    for _click in range(2):
        assert scene.browser.post(f"{scene.page}/uninstall", data=data).status_code == 303
    page = scene.browser.get(scene.page).text
    assert "Uninstalled" in page
    assert "It does not work" in page
    assert "must erase your data by" in page
    assert "Install again" in page
    assert scene.browser.get(f"{scene.page}/uninstall").status_code == 303
    late = scene.browser.post(f"{scene.page}/pause", follow_redirects=True)
    assert late.status_code == 200
    assert "It was uninstalled. Install it again" in late.text
    assert len(db.session.scalars(select(ErasureRequest)).all()) == 1


def test_what_is_no_longer_asked_for_is_taken_back(scene: Scene) -> None:
    scene.installation.granted_scopes = ["events.write", "files.read"]
    db.session.commit()
    assert "No longer asked for" in scene.browser.get(scene.page).text
    assert scene.browser.post(f"{scene.page}/reduction").status_code == 303
    db.session.refresh(scene.installation)
    assert scene.installation.granted_scopes == ["events.write"]
    assert "No longer asked for" not in scene.browser.get(scene.page).text


def test_other_organizations_things_are_not_found(scene: Scene, sign_in: SignIn) -> None:
    other = make_customer("Other")
    stranger = sign_in(make_member(other), other)
    for path in (scene.apps, f"{scene.apps}.csv", scene.page, f"{scene.apps}/policy"):
        assert stranger.get(path).status_code == 404
    for verb in ("pause", "resume", "uninstall", "reduction"):
        assert stranger.post(f"{scene.page}/{verb}").status_code == 404
        # Nor by way of one's own organization.
        own = f"/organizations/{other.slug}/apps/{scene.installation.public_id}/{verb}"
        assert stranger.post(own).status_code == 404
    assert scene.state() is InstallationState.ACTIVE


def test_whoever_left_stays_named_and_sees_nothing_more(scene: Scene, sign_in: SignIn) -> None:
    colleague = make_member(scene.customer, Role.ADMIN)
    colleague.name = "Mira Lund"
    db.session.commit()
    browser = sign_in(colleague, scene.customer)
    browser.post(f"{scene.page}/pause")
    db.session.rollback()
    membership = db.session.scalars(
        select(Membership).where(Membership.user_id == colleague.id)
    ).one()
    db.session.delete(membership)
    db.session.commit()
    assert browser.get(scene.page).status_code == 404
    assert "Paused by Mira Lund" in scene.browser.get(scene.page).text


def test_the_policy_is_read_by_members_and_changed_by_admins(scene: Scene, sign_in: SignIn) -> None:
    member = member_of(scene, sign_in)
    path = f"{scene.apps}/policy"
    assert "Members ask, and owners and admins decide" in member.get(path).text
    assert member.post(path, data={"members_may": "install"}).status_code == 404
    assert scene.browser.post(path, data={"members_may": "everything"}).status_code == 422
    data = {"members_may": "nothing", "only_allowed": "y"}
    assert scene.browser.post(path, data=data).status_code == 303
    db.session.rollback()
    policy = db.session.get_one(InstallPolicy, scene.customer.id)
    assert (policy.members_may, policy.only_allowed) == (MembersMay.NOTHING, True)
    assert "Only what a rule below allows" in member.get(path).text


def test_a_rule_blocks_pauses_and_goes_again(scene: Scene) -> None:
    new = f"{scene.apps}/policy/rules/new"
    found = scene.browser.get(f"{new}?q=tide").text
    target = f"listing:{scene.listing.slug}"
    assert f"target=listing:{scene.listing.slug}" in found
    assert "target=publisher:quayside" in scene.browser.get(f"{new}?q=quay").text
    assert "Nothing found" in scene.browser.get(f"{new}?q=zzz").text
    assert target in scene.browser.get(f"{new}?target={target}").text
    rules = f"{scene.apps}/policy/rules"
    data = {"target": target, "verdict": "block", "note": "No contract yet"}
    for wrong in ({"target": "zzz"}, {"verdict": "maybe"}, {"note": "x" * 201}, {"target": ""}):
        refused = scene.browser.post(rules, data={**data, **wrong})
        assert refused.status_code == 422
    for _click in range(2):
        assert scene.browser.post(rules, data=data).status_code == 303
    assert scene.state() is InstallationState.PAUSED
    assert "Blocked by a rule" in scene.browser.get(scene.page).text
    refused = scene.browser.post(f"{scene.page}/resume", follow_redirects=True)
    assert "Remove the rule first" in refused.text
    assert scene.state() is InstallationState.PAUSED
    rule_id = db.session.scalars(select(InstallRule.id)).one()
    removal = f"{rules}/{rule_id}/removal"
    assert "works again at once" in scene.browser.get(removal).text
    assert scene.browser.post(removal).status_code == 303
    for again in (scene.browser.post(removal), scene.browser.get(removal)):
        assert again.location == f"{scene.apps}/policy"
    assert "gone already" in scene.browser.get(f"{scene.apps}/policy").text
    assert scene.browser.post(f"{rules}/{rule_id}9/removal").status_code == 303
    assert scene.state() is InstallationState.ACTIVE


@pytest.mark.parametrize("typed", ["slug", "address", "publisher", "name", "no scheme", "path"])
def test_a_rule_takes_an_address_as_well(scene: Scene, typed: str) -> None:
    publisher = scene.listing.publisher
    target = {
        "slug": scene.listing.slug,
        "address": f"http://localhost/listings/{scene.listing.slug}?x=1#reviews",
        "publisher": f"http://localhost/partners/{publisher.slug}/",
        "name": " tide  TABLES ",
        "no scheme": f"localhost/listings/{scene.listing.slug}",
        "path": f"/listings/{scene.listing.slug}",
    }[typed]
    data = {"target": target, "verdict": "allow"}
    assert scene.browser.post(f"{scene.apps}/policy/rules", data=data).status_code == 303
    rule = db.session.scalars(select(InstallRule)).one()
    expected = (None, publisher.id) if typed == "publisher" else (scene.listing.id, None)
    assert (rule.listing_id, rule.publisher_id) == expected


def test_an_erasure_goes_from_the_partner_to_the_customer(scene: Scene, sign_in: SignIn) -> None:
    partner = scene.listing.publisher
    developer = make_member(partner, Role.DEVELOPER)
    finance = make_member(partner, Role.FINANCE)
    support = make_member(make_platform(), Role.SUPPORT)
    db.session.commit()
    scene.browser.post(f"{scene.page}/uninstall", data={"reason": "testing"})
    erasure = db.session.scalars(select(ErasureRequest)).one()
    maker = sign_in(developer, partner)
    assert "Blue Kite" in maker.get("/partner/erasures").text
    page = f"/partner/erasures/{erasure.public_id}"
    assert "Erase the data of Blue Kite" in maker.get(page).text
    assert sign_in(finance, partner).get(page).status_code == 404
    assert maker.post(f"{page}/receipt", data={"receipt": "Done"}).status_code == 422
    for text in ("All rows were deleted on Monday.", "Something else entirely."):
        assert maker.post(f"{page}/receipt", data={"receipt": text}).status_code == 303
    assert "All rows were deleted on Monday." in scene.browser.get(scene.page).text
    assert "Blue Kite" in maker.get("/partner/erasures?show=done").text
    staff = sign_in(support)
    assert "All rows were deleted" in staff.get("/staff/erasures?show=done").text
    assert "Nothing is overdue" in staff.get("/staff/erasures").text


def test_an_overdue_erasure_is_asked_for_again(scene: Scene, sign_in: SignIn) -> None:
    maker = make_member(scene.listing.publisher)
    scene.browser.post(f"{scene.page}/uninstall", data={"reason": "testing"})
    reminder = f"{scene.page}/erasure/reminder"
    early = scene.browser.post(reminder, follow_redirects=True)
    assert "once it is overdue" in early.text
    assert mails() == []
    erasure = db.session.scalars(select(ErasureRequest)).one()
    erasure.due_at = clock.now() - timedelta(days=1)
    support = make_member(make_platform(), Role.SUPPORT)
    db.session.commit()
    assert "has not confirmed it" in scene.browser.get(scene.page).text
    for _click in range(2):
        assert scene.browser.post(reminder).status_code == 303
    assert [mail["to"] for mail in mails()] == [maker.email]
    assert "Overdue" in sign_in(support).get("/staff/erasures").text


def test_there_is_no_erasure_of_what_is_installed(scene: Scene) -> None:
    assert scene.browser.post(f"{scene.page}/erasure/reminder").status_code == 404


def test_staff_put_scopes_into_words(scene: Scene, sign_in: SignIn) -> None:
    platform = make_platform()
    manager = sign_in(make_member(platform, Role.PROGRAM_MANAGER))
    support = sign_in(make_member(platform, Role.SUPPORT))
    assert support.get("/staff/scopes").status_code in {403, 404}
    page = manager.get("/staff/scopes").text
    assert "/staff/scopes/new?name=events.write" in page
    words = {"title": "Change your calendar", "direction": "write", "is_sensitive": "y"}
    refused = manager.post("/staff/scopes", data={"name": "a b", "title": "Keep this"})
    assert refused.status_code == 422
    assert "Keep this" in refused.text
    for expected in (303, 422):
        data = {"name": "events.write", **words}
        assert manager.post("/staff/scopes", data=data).status_code == expected
    assert "Change your calendar" in scene.browser.get(scene.page).text
    edit = "/staff/scopes/events.write"
    assert "Change your calendar" in manager.get(edit).text
    assert manager.post(edit, data={**words, "title": ""}).status_code == 422
    assert manager.post(edit, data={**words, "title": "Write"}).status_code == 303
    assert "It is in use" in manager.get(f"{edit}/deletion").text
    refused = manager.post(f"{edit}/deletion", follow_redirects=True)
    assert "so it keeps its words" in refused.text
    manager.post(
        "/staff/scopes", data={"name": "fog.read", "title": "See fog", "direction": "read"}
    )
    assert manager.get("/staff/scopes/fog.read/deletion").status_code == 200
    assert manager.post("/staff/scopes/fog.read/deletion").status_code == 303
    assert manager.get("/staff/scopes/fog.read").status_code == 404
    db.session.rollback()
    assert db.session.scalars(select(Scope.name)).all() == ["events.write"]


def test_the_pages_cost_the_same_however_much_is_installed(scene: Scene) -> None:
    paths = (scene.apps, scene.page, f"{scene.apps}.csv", f"{scene.apps}/policy")

    def costs() -> list[int]:
        for path in paths:
            scene.browser.get(path)
        return [count_queries(lambda path=path: scene.browser.get(path)) for path in paths]  # type: ignore[misc]  # bound at once

    before = costs()
    for number in range(12):
        listing = make_listing(make_organization(f"Maker {number}"), name=f"App {number}")
        extra = make_app(listing)
        make_installation(extra, scene.customer, make_member(scene.customer, Role.VIEWER))
        db.session.add(
            InstallRule(organization_id=scene.customer.id, listing_id=listing.id, verdict="allow")
        )
    scene.installation.granted_scopes = [f"things{n}.read" for n in range(20)]
    db.session.commit()
    assert costs() == before


def block(scene: Scene) -> None:
    data = {"target": f"listing:{scene.listing.slug}", "verdict": "block"}
    assert scene.browser.post(f"{scene.apps}/policy/rules", data=data).status_code == 303


def csv_rows(scene: Scene) -> list[dict[str, str]]:
    text = scene.browser.get(f"{scene.apps}.csv").text.removeprefix("\ufeff")
    return list(csv.DictReader(io.StringIO(text)))


def test_what_is_paused_by_hand_and_then_blocked_shows_the_block(scene: Scene) -> None:
    scene.browser.post(f"{scene.page}/pause")
    assert f"{scene.page}/resume" in scene.browser.get(scene.page).text
    block(scene)
    page = scene.browser.get(scene.page).text
    assert "Blocked by a rule" in page
    assert "paused by hand as well" in page
    assert f"{scene.page}/resume" not in page
    assert "Blocked by a rule" in scene.browser.get(scene.apps).text
    assert csv_rows(scene)[0]["paused because"] == "Blocked by a rule"
    refused = scene.browser.post(f"{scene.page}/resume", follow_redirects=True)
    assert (refused.status_code, "Remove the rule first" in refused.text) == (200, True)


@pytest.mark.parametrize("who", ["listing", "publisher"])
def test_what_the_operator_suspended_says_so(scene: Scene, who: str) -> None:
    client_of(scene.app).configure_url = "https://app.tides.example/settings"
    db.session.commit()
    assert "https://app.tides.example/settings" in scene.browser.get(scene.page).text
    assert "state=suspended" not in scene.browser.get(scene.apps).text
    thing = scene.listing if who == "listing" else scene.listing.publisher
    thing.suspended_at, thing.suspended_reason = clock.now(), "It sold the data"
    db.session.commit()
    page = scene.browser.get(scene.page).text
    assert "Suspended by Portico: its access is refused" in page
    # The reason of a publisher's suspension is for its own people.
    assert ("It sold the data" in page) is (who == "listing")
    assert "https://app.tides.example/settings" not in page
    inventory = scene.browser.get(scene.apps).text
    assert "Suspended by Portico" in inventory
    assert "Suspended 1" in inventory
    assert scene.page in scene.browser.get(f"{scene.apps}?state=suspended").text
    assert scene.page not in scene.browser.get(f"{scene.apps}?state=active").text
    assert csv_rows(scene)[0]["suspended"] == "yes"


def test_the_filters_count_what_the_search_finds(scene: Scene) -> None:
    make_installation(make_app(make_listing(name="Fog Alerts")), scene.customer)
    db.session.commit()
    assert "All 2" in scene.browser.get(scene.apps).text
    assert "All 1" in scene.browser.get(f"{scene.apps}?q=fog").text


def test_names_are_found_whatever_the_case_of_their_letters(scene: Scene) -> None:
    make_installation(make_app(make_listing(name="Élan Ébène")), scene.customer)
    db.session.commit()
    for q in ("élan", "ÉLAN", "Élan ébène"):
        assert "Élan Ébène" in scene.browser.get(f"{scene.apps}?q={q}").text
        found = scene.browser.get(f"{scene.apps}/policy/rules/new?q={q}").text
        assert "Élan Ébène" in found


def test_an_overdue_erasure_says_that_our_team_was_told_once_it_was(scene: Scene) -> None:
    scene.browser.post(f"{scene.page}/uninstall", data={"reason": "testing"})
    erasure = db.session.scalars(select(ErasureRequest)).one()
    erasure.due_at = clock.now() - timedelta(minutes=1)
    db.session.commit()
    page = scene.browser.get(scene.page).text
    assert "We will remind it and tell our team" in page
    assert "Our team was told" not in page
    erasure.escalated_at = clock.now()
    db.session.commit()
    assert "Our team was told" in scene.browser.get(scene.page).text


def test_a_rule_takes_no_address_of_another_site(scene: Scene) -> None:
    for target in (
        f"https://evil.example/listings/{scene.listing.slug}",
        f"evil.example/listings/{scene.listing.slug}",
        f"//evil.example/listings/{scene.listing.slug}",
        "http://[/listings/x",
    ):
        refused = scene.browser.post(
            f"{scene.apps}/policy/rules", data={"target": target, "verdict": "block"}
        )
        assert refused.status_code == 422
        assert "Nothing here has this name or address" in refused.text
    make_listing(name="Tide Tables")
    db.session.commit()
    # Two have this name: nobody knows which is meant.
    data = {"target": "Tide Tables", "verdict": "block"}
    assert scene.browser.post(f"{scene.apps}/policy/rules", data=data).status_code == 422


def test_a_page_beyond_the_last_is_the_last(scene: Scene) -> None:
    assert scene.page in scene.browser.get(f"{scene.apps}?page=99").text


def test_a_long_history_has_older_pages(scene: Scene) -> None:
    for number in range(101):
        db.session.add(
            InstallationEvent(
                installation_id=scene.installation.id,
                app_id=scene.app.id,
                kind=f"note_{number:03}",
            )
        )
    db.session.commit()
    page = scene.browser.get(scene.page).text
    assert "Note 100" in page
    assert "Note 000" not in page
    older = re.search(r'href="([^"]*history=2[^"]*)"', page)
    assert older
    page = scene.browser.get(older.group(1)).text
    assert "Note 000" in page
    assert "Note 100" not in page


def test_what_turns_the_direction_of_a_text_is_dropped(scene: Scene) -> None:
    data = {"reason": "other", "note": "Bad\u202etxt.exe"}
    scene.browser.post(f"{scene.page}/uninstall", data=data)
    db.session.rollback()
    db.session.refresh(scene.installation)
    assert scene.installation.uninstall_note == "Badtxt.exe"


def test_the_history_tells_who_removed_it_and_of_the_erasure(scene: Scene) -> None:
    scene.browser.post(f"{scene.page}/uninstall", data={"reason": "testing"})
    page = scene.browser.get(f"{scene.apps}?state=history").text
    assert "by Ada Okafor" in page
    assert "To do" in page
    row = csv_rows(scene)[0]
    assert (row["uninstalled by"], row["erasure confirmed"]) == ("Ada Okafor", "")
    assert row["erasure due"].startswith("20")


def test_staff_remind_a_publisher_once_a_day(scene: Scene, sign_in: SignIn) -> None:
    maker = make_member(scene.listing.publisher, Role.DEVELOPER)
    support = make_member(make_platform(), Role.SUPPORT)
    db.session.commit()
    scene.browser.post(f"{scene.page}/uninstall", data={"reason": "testing"})
    erasure = db.session.scalars(select(ErasureRequest)).one()
    staff = sign_in(support)
    remind = f"/staff/erasures/{erasure.public_id}/reminder"
    page = staff.get("/staff/erasures?show=open").text
    assert remind in page
    assert f'href="/partners/{scene.listing.publisher.slug}"' in page
    assert scene.browser.post(remind).status_code in {403, 404}
    for _click in range(2):
        assert staff.post(remind).location.endswith("show=open")
    assert "was reminded just now" in staff.get("/staff/erasures").text
    assert [mail["to"] for mail in mails()] == [maker.email]


def test_the_menu_counts_what_waits_for_admins(scene: Scene, sign_in: SignIn) -> None:
    member = make_member(scene.customer, Role.VIEWER)
    listing = make_listing(name="Fog Alerts")
    db.session.add(
        InstallRequest(
            organization_id=scene.customer.id, listing_id=listing.id, requested_by_id=member.id
        )
    )
    db.session.commit()
    menu = re.compile(r"<span>Apps</span><span class=\"count-badge[^>]*>1</span>")
    assert menu.search(scene.browser.get("/account").text)
    assert not menu.search(sign_in(member, scene.customer).get("/account").text)


def test_the_requests_cost_the_same_however_many_there_are(scene: Scene) -> None:
    def ask(listing: Listing) -> None:
        db.session.add(
            InstallRequest(
                organization_id=scene.customer.id,
                listing_id=listing.id,
                requested_by_id=make_member(scene.customer, Role.VIEWER).id,
            )
        )
        db.session.commit()

    def cost() -> int:
        scene.browser.get(f"{scene.apps}/requests")
        return count_queries(lambda: scene.browser.get(f"{scene.apps}/requests"))

    scene.installation.granted_scopes = []
    ask(scene.listing)
    before = cost()
    for number in range(8):
        listing = make_listing(make_organization(f"Maker {number}"), name=f"App {number}")
        if number % 2:
            make_installation(make_app(listing), scene.customer, scopes=())
        ask(listing)
    assert cost() == before
