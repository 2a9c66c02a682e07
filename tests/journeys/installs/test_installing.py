"""Installing over HTTP: from the listing to the app, and everything that can stand in between."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import parse_qs, urlsplit

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from marketplace.catalogue.models import Listing, ListingVersion
from marketplace.core import clock
from marketplace.core.database import db
from marketplace.identity.models import Organization, Role, User
from marketplace.installs.models import (
    App,
    Installation,
    InstallationEvent,
    InstallationState,
    InstallPolicy,
    InstallRequest,
    InstallRequestState,
    InstallRule,
    MembersMay,
    RuleVerdict,
    Scope,
    ScopeDirection,
)
from tests.factories.apps import client_of, make_app, make_installation
from tests.factories.listings import make_listing
from tests.factories.mails import mails
from tests.factories.people import make_customer, make_member, make_organization
from tests.factories.queries import count_queries

SignIn = Callable[..., FlaskClient]
SCOPES = [
    {"scope": "events.write", "reason": "To add the tides to your calendar"},
    {"scope": "events.read", "reason": "To see what is there already"},
]


@dataclass
class Scene:
    """A listing with an app, a customer with an admin, and a browser of the admin."""

    listing: Listing
    app: App
    customer: Organization
    admin: User
    browser: FlaskClient

    @property
    def path(self) -> str:
        return f"/listings/{self.listing.slug}/install"

    def fingerprint(self, browser: FlaskClient | None = None) -> str:
        page = (browser or self.browser).get(f"{self.path}?organization={self.customer.slug}").text
        found = re.search(r'name="fingerprint" value="([0-9a-f]{64})"', page)
        assert found, page
        return found.group(1)

    def agree(self, browser: FlaskClient | None = None, **fields: str):  # type: ignore[no-untyped-def]  # werkzeug's test response
        values = {"organization": self.customer.slug, **fields}
        if "fingerprint" not in values:
            values["fingerprint"] = self.fingerprint(browser)
        return (browser or self.browser).post(self.path, data=values)


@pytest.fixture
def scene(app: Flask, sign_in: SignIn) -> Scene:
    publisher = make_organization("Quayside")
    listing = make_listing(publisher, scopes=SCOPES, setup_guide="Press **Connect**.")
    registered = make_app(listing)
    db.session.add(
        Scope(
            name="events.read",
            title="See your calendar",
            description="Names and times of all events.",
            direction=ScopeDirection.READ,
            is_sensitive=True,
        )
    )
    customer = make_customer()
    admin = make_member(customer)
    db.session.commit()
    return Scene(listing, registered, customer, admin, sign_in(admin, customer))


def installations() -> list[Installation]:
    db.session.rollback()
    db.session.expire_all()
    return list(db.session.scalars(select(Installation).order_by(Installation.id)))


def add(*rows: object) -> None:
    db.session.add_all(rows)
    db.session.commit()


def test_from_the_listing_to_the_app(scene: Scene) -> None:
    listing_page = scene.browser.get(f"/listings/{scene.listing.slug}").text
    assert f'href="{scene.path}"' in listing_page
    assert "<code>events.read</code><span><strong>See your calendar</strong>" in listing_page
    page = scene.browser.get(scene.path)
    assert page.status_code == 200
    text = page.text
    assert "Install Tide Tables for Blue Kite" in text
    assert "See your calendar" in text
    assert "Names and times of all events." in text
    assert "Sensitive" in text
    assert "To add the tides to your calendar" in text
    assert "Not certified" in text
    assert "https://tides.example/privacy" in text
    # The form's answer leads to the app; the policy of the page must let it.
    assert "form-action 'self' https://app.tides.example" in page.headers["Content-Security-Policy"]
    assert "frame-ancestors 'none'" in page.headers["Content-Security-Policy"]
    done = scene.agree()
    assert done.status_code == 303
    found = installations()[0]
    target = urlsplit(done.location)
    assert (target.netloc, target.path) == ("app.tides.example", "/install")
    assert parse_qs(target.query) == {
        "iss": ["http://localhost"],
        "installation": [found.public_id],
        "client_id": [client_of(scene.app).client_id],
    }
    assert found.granted_scopes == ["events.write", "events.read"]
    listing_page = scene.browser.get(f"/listings/{scene.listing.slug}").text
    assert f"/organizations/{scene.customer.slug}/apps/{found.public_id}" in listing_page


def test_without_an_address_of_the_app_the_setup_guide_is_next(scene: Scene) -> None:
    client_of(scene.app).install_url = ""
    db.session.commit()
    done = scene.agree()
    assert done.location.endswith(f"/apps/{installations()[0].public_id}")
    page = scene.browser.get(done.location).text
    assert "Finish setting up" in page
    assert "Press <strong>Connect</strong>" in page


@pytest.mark.parametrize(
    "address",
    ["http://app.tides.example/install", "javascript:alert(1)", "https://me@evil.example/", "//x"],
)
def test_nobody_is_sent_to_an_unsafe_address(scene: Scene, address: str) -> None:
    client_of(scene.app).install_url = address
    db.session.commit()
    assert scene.agree().location.startswith("/organizations/")


def test_a_visitor_signs_in_first_and_comes_back(app: Flask, scene: Scene) -> None:
    visitor = app.test_client()
    assert f'href="{scene.path}"' in visitor.get(f"/listings/{scene.listing.slug}").text
    answer = visitor.get(scene.path)
    assert answer.status_code == 302
    assert parse_qs(urlsplit(answer.location).query)["next"] == [scene.path]
    assert visitor.post(scene.path).status_code == 401


def test_declining_installs_nothing(scene: Scene) -> None:
    answer = scene.browser.post(f"{scene.path}/decline", data={"organization": scene.customer.slug})
    assert answer.status_code == 303
    assert answer.location == f"/listings/{scene.listing.slug}"
    assert "was not installed" in scene.browser.get(answer.location).text
    assert installations() == []


def test_a_double_click_installs_once_and_leads_to_the_app_twice(scene: Scene) -> None:
    fingerprint = scene.fingerprint()
    answers = [scene.agree(fingerprint=fingerprint) for _click in range(2)]
    assert [answer.status_code for answer in answers] == [303, 303]
    assert answers[0].location == answers[1].location
    assert len(installations()) == 1


@pytest.mark.parametrize("fingerprint", ["", "0" * 64, "é\x00"])
def test_what_was_not_shown_is_not_granted(scene: Scene, fingerprint: str) -> None:
    answer = scene.agree(fingerprint=fingerprint)
    assert answer.status_code == 409
    assert "This page has changed" in answer.text
    assert installations() == []


def test_scopes_that_changed_while_reading_are_shown_again(scene: Scene) -> None:
    fingerprint = scene.fingerprint()
    scene.listing.content = {
        **scene.listing.content,
        "scopes": [*SCOPES, {"scope": "files.read", "reason": "To look around"}],
    }
    db.session.commit()
    answer = scene.agree(fingerprint=fingerprint)
    assert answer.status_code == 409
    assert "To look around" in answer.text
    assert installations() == []
    assert scene.agree().status_code == 303


def test_an_update_is_shown_with_what_changed_and_can_be_declined(scene: Scene) -> None:
    installation = make_installation(
        scene.app, scene.customer, scene.admin, scopes=("events.read", "files.read")
    )
    db.session.commit()
    listing_page = scene.browser.get(f"/listings/{scene.listing.slug}").text
    assert "Update available" in listing_page
    own = f"/organizations/{scene.customer.slug}/apps/{installation.public_id}"
    assert "It asks for more access" in scene.browser.get(own).text
    page = scene.browser.get(f"{scene.path}?organization={scene.customer.slug}").text
    assert "asks for more access" in page
    assert "No longer asked for, and given back" in page
    answer = scene.browser.post(f"{scene.path}/decline", data={"organization": scene.customer.slug})
    assert answer.location == own
    assert installations()[0].granted_scopes == ["events.read", "files.read"]
    assert "More access declined" in scene.browser.get(own).text
    assert scene.agree().status_code == 303
    assert installations()[0].granted_scopes == ["events.write", "events.read"]
    assert "Access changed" in scene.browser.get(own).text


def test_what_is_granted_leads_to_its_page(scene: Scene) -> None:
    scene.agree()
    answer = scene.browser.get(scene.path)
    assert answer.status_code == 303
    assert installations()[0].public_id in answer.location


def test_with_several_organizations_one_is_chosen(scene: Scene, sign_in: SignIn) -> None:
    for number in range(9):
        make_member(make_customer(f"Fleet {number}"), Role.OWNER, scene.admin)
    db.session.commit()
    page = scene.browser.get(scene.path).text
    assert "For which organization?" in page
    assert "Fleet 8" in page
    found = scene.browser.get(f"{scene.path}?q=fleet+3").text
    chosen = re.findall(r'class="choice-name">([^<]+)<', found)
    assert chosen == ["Fleet 3"]
    assert "No organization of that name" in scene.browser.get(f"{scene.path}?q=zzz").text
    # Without a choice nothing can be installed by accident.
    assert scene.browser.post(scene.path, data={"fingerprint": "x"}).status_code == 404


def test_somebody_elses_organization_is_not_found(scene: Scene) -> None:
    other = make_customer("Other")
    db.session.commit()
    fingerprint = scene.fingerprint()
    for path in (scene.path, f"{scene.path}/decline", f"{scene.path}/request"):
        data = {"organization": other.slug, "fingerprint": fingerprint}
        assert scene.browser.post(path, data=data).status_code == 404
    page = scene.browser.get(f"{scene.path}?organization={other.slug}")
    assert "Other" not in page.text
    assert installations() == []


def test_without_an_organization_the_way_to_one_is_shown(scene: Scene, sign_in: SignIn) -> None:
    owner = make_member(scene.listing.publisher)
    db.session.commit()
    browser = sign_in(owner, scene.listing.publisher)
    assert "No organization to install for" in browser.get(scene.path).text
    assert f'href="{scene.path}"' not in browser.get(f"/listings/{scene.listing.slug}").text


def test_a_listing_without_an_app_has_no_install(scene: Scene) -> None:
    other = make_listing(name="Fog Alerts")
    db.session.commit()
    assert "/install" not in scene.browser.get(f"/listings/{other.slug}").text
    assert scene.browser.get(f"/listings/{other.slug}/install").status_code == 404
    assert scene.browser.get("/listings/nothing/install").status_code == 404


def test_a_suspended_listing_is_gone(app: Flask, scene: Scene) -> None:
    fingerprint = scene.fingerprint()
    scene.listing.suspended_at = clock.now()
    db.session.commit()
    assert scene.browser.get(scene.path).status_code == 404
    assert app.test_client().get(scene.path).status_code == 404
    # Whoever had the page open is told why it does not work.
    late = scene.agree(fingerprint=fingerprint)
    assert late.status_code == 403
    assert "cannot be installed at the moment" in late.text
    assert f'href="/listings/{scene.listing.slug}"' not in late.text
    assert installations() == []


def test_what_is_installed_and_suspended_leads_to_its_page(scene: Scene) -> None:
    scene.agree()
    scene.listing.suspended_at = clock.now()
    db.session.commit()
    answer = scene.browser.get(scene.path, follow_redirects=True)
    assert "Suspended by Portico: its access is refused" in answer.text


def member_of(scene: Scene, sign_in: SignIn, role: Role = Role.EDITOR) -> tuple[User, FlaskClient]:
    member = make_member(scene.customer, role)
    db.session.commit()
    return member, sign_in(member, scene.customer)


def test_a_member_asks_and_an_admin_installs(scene: Scene, sign_in: SignIn) -> None:
    member, browser = member_of(scene, sign_in)
    assert "Ask your admin" in browser.get(f"/listings/{scene.listing.slug}").text
    assert "Ask your admins for Tide Tables" in browser.get(scene.path).text
    data = {"organization": scene.customer.slug, "message": "For <b>planning</b>"}
    too_long = browser.post(f"{scene.path}/request", data={**data, "message": "x" * 501})
    assert too_long.status_code == 422
    assert "x" * 501 in too_long.text
    asked = [browser.post(f"{scene.path}/request", data=data) for _click in range(2)]
    assert [answer.status_code for answer in asked] == [303, 303]
    assert "Requested" in browser.get(f"/listings/{scene.listing.slug}").text
    assert browser.post(scene.path, data=data).status_code == 403
    assert [mail["to"] for mail in mails()] == [scene.admin.email]
    requests = f"/organizations/{scene.customer.slug}/apps/requests"
    page = scene.browser.get(requests).text
    assert "For &lt;b&gt;planning&lt;/b&gt;" in page
    assert f"{scene.path}?organization={scene.customer.slug}" in page
    scene.agree()
    assert mails()[1]["to"] == member.email
    assert "Installed" in browser.get(f"{requests}?show=closed").text
    db.session.rollback()
    assert db.session.scalars(select(InstallRequest.state)).all() == [InstallRequestState.APPROVED]


def test_an_admin_declines_with_a_note(scene: Scene, sign_in: SignIn) -> None:
    member, browser = member_of(scene, sign_in)
    browser.post(f"{scene.path}/request", data={"organization": scene.customer.slug})
    request_id = db.session.scalars(select(InstallRequest.id)).one()
    decline = f"/organizations/{scene.customer.slug}/apps/requests/{request_id}/decline"
    assert browser.get(decline).status_code == 404
    assert browser.post(decline).status_code == 404
    assert member.name in scene.browser.get(decline).text
    assert scene.browser.post(decline, data={"note": "x" * 501}).status_code == 422
    assert scene.browser.post(decline, data={"note": "We have one"}).status_code == 303
    for late in (scene.browser.post(decline, data={"note": "Again"}), scene.browser.get(decline)):
        assert late.status_code == 303
    assert "closed already" in scene.browser.get(late.location).text
    assert mails()[-1]["to"] == member.email
    closed = browser.get(f"/organizations/{scene.customer.slug}/apps/requests?show=closed").text
    assert "We have one" in closed


def test_a_member_withdraws_the_own_request_alone(scene: Scene, sign_in: SignIn) -> None:
    _member, browser = member_of(scene, sign_in)
    browser.post(f"{scene.path}/request", data={"organization": scene.customer.slug})
    request_id = db.session.scalars(select(InstallRequest.id)).one()
    withdraw = f"/organizations/{scene.customer.slug}/apps/requests/{request_id}/withdraw"
    assert scene.browser.post(withdraw).status_code == 404
    for _click in range(2):
        assert browser.post(withdraw).status_code == 303
    assert "closed already" in browser.get(f"{scene.path}").text
    assert "Ask your admin" in browser.get(f"/listings/{scene.listing.slug}").text


def test_members_install_where_the_policy_lets_them(scene: Scene, sign_in: SignIn) -> None:
    member, browser = member_of(scene, sign_in, Role.VIEWER)
    add(InstallPolicy(organization_id=scene.customer.id, members_may=MembersMay.INSTALL))
    assert scene.agree(browser).status_code == 303
    assert installations()[0].consented_by_id == member.id
    assert [mail["to"] for mail in mails()] == [scene.admin.email]


def test_where_members_may_nothing_they_are_told_so(scene: Scene, sign_in: SignIn) -> None:
    _member, browser = member_of(scene, sign_in)
    add(InstallPolicy(organization_id=scene.customer.id, members_may=MembersMay.NOTHING))
    assert (
        "only owners and admins install apps" in browser.get(f"/listings/{scene.listing.slug}").text
    )
    assert "only owners and admins install apps" in browser.get(scene.path).text
    data = {"organization": scene.customer.slug}
    assert browser.post(f"{scene.path}/request", data=data).status_code == 403
    assert browser.post(scene.path, data=data).status_code == 403


def test_a_blocked_listing_says_why(scene: Scene) -> None:
    add(
        InstallRule(
            organization_id=scene.customer.id,
            listing_id=scene.listing.id,
            verdict=RuleVerdict.BLOCK,
            note="No contract yet",
        )
    )
    assert "No contract yet" in scene.browser.get(f"/listings/{scene.listing.slug}").text
    page = scene.browser.get(scene.path)
    assert page.status_code == 200
    assert "No contract yet" in page.text
    assert scene.agree(fingerprint="x").status_code == 403
    assert installations() == []


def test_the_cap_is_told_to_customer_and_publisher(scene: Scene) -> None:
    maker = make_member(scene.listing.publisher, Role.DEVELOPER)
    for number in range(25):
        make_installation(scene.app, make_customer(f"Customer {number}"))
    db.session.commit()
    assert "until it is certified" in scene.browser.get(f"/listings/{scene.listing.slug}").text
    assert "not certified yet" in scene.browser.get(scene.path).text
    for _click in range(2):
        assert scene.agree(fingerprint="x").status_code == 403
    assert [mail["to"] for mail in mails()] == [maker.email]
    scene.listing.certified_at = clock.now()
    db.session.commit()
    assert scene.agree().status_code == 303


def test_what_is_paused_says_so(scene: Scene) -> None:
    make_installation(scene.app, scene.customer, scene.admin, state=InstallationState.PAUSED)
    db.session.commit()
    assert "Paused" in scene.browser.get(f"/listings/{scene.listing.slug}").text
    answer = scene.browser.get(scene.path, follow_redirects=True)
    assert "It is paused. Resume it first" in answer.text
    assert "What it may do" in answer.text
    assert scene.agree(fingerprint="x").status_code == 403


def test_the_pages_cost_the_same_however_much_there_is(scene: Scene) -> None:
    def cost(path: str) -> int:
        scene.browser.get(path)
        return count_queries(lambda: scene.browser.get(path))

    before = [cost(scene.path), cost(f"/listings/{scene.listing.slug}")]
    scene.listing.content = {
        **scene.listing.content,
        "scopes": [
            *SCOPES,
            *({"scope": f"things{n}.read", "reason": "To see them"} for n in range(30)),
        ],
    }
    for _number in range(5):
        make_installation(scene.app, make_customer())
        add(
            InstallRule(
                organization_id=scene.customer.id, listing_id=make_listing().id, verdict="allow"
            )
        )
    assert [cost(scene.path), cost(f"/listings/{scene.listing.slug}")] == before


def test_the_listing_costs_a_visitor_one_query_for_installing(app: Flask, scene: Scene) -> None:
    visitor = app.test_client()
    path = f"/listings/{scene.listing.slug}"
    visitor.get(path)
    with_app = count_queries(lambda: visitor.get(path))
    scene.app.archived_at = clock.now()
    db.session.commit()
    assert count_queries(lambda: visitor.get(path)) == with_app


def test_who_declined_is_in_the_history(scene: Scene) -> None:
    make_installation(scene.app, scene.customer, scene.admin, scopes=("events.read",))
    db.session.commit()
    scene.browser.post(f"{scene.path}/decline", data={"organization": scene.customer.slug})
    event = db.session.scalars(select(InstallationEvent)).one()
    assert (event.kind, event.user_id) == ("update_declined", scene.admin.id)


def put_data(scene: Scene, *parts: tuple[str, str]) -> None:
    scene.listing.content = {
        **scene.listing.content,
        "data_shared": [
            {"object": name, "direction": direction, "purpose": "To match them"}
            for name, direction in parts
        ],
    }
    db.session.commit()


def _describe(scene: Scene, **fields: object) -> None:
    scope = db.session.get_one(Scope, "events.read")
    for name, value in fields.items():
        setattr(scope, name, value)


def _say(scene: Scene, **values: object) -> None:
    scene.listing.content = {**scene.listing.content, **values}


def _release(scene: Scene) -> None:
    db.session.add(
        ListingVersion(listing_id=scene.listing.id, version="9.9.9", released_on=clock.now().date())
    )


CHANGES: dict[str, Callable[[Scene], object]] = {
    "direction": lambda s: _describe(s, direction=ScopeDirection.WRITE),
    "words": lambda s: _describe(s, title="See everything"),
    "verification": lambda s: setattr(s.listing.publisher, "verified_at", None),
    "publisher": lambda s: setattr(s.listing.publisher, "name", "Somebody else"),
    "certification": lambda s: setattr(s.listing, "certified_at", clock.now()),
    "name": lambda s: setattr(s.listing, "name", "Another name"),
    "version": _release,
    "privacy": lambda s: _say(s, privacy_url="https://elsewhere.example/privacy"),
    "terms": lambda s: _say(s, terms_url="https://elsewhere.example/terms"),
    "support": lambda s: _say(s, support_url="https://elsewhere.example/support"),
}


@pytest.mark.parametrize("what", list(CHANGES))
def test_whatever_the_page_says_must_still_hold_when_it_is_agreed_to(
    scene: Scene, what: str
) -> None:
    fingerprint = scene.fingerprint()
    CHANGES[what](scene)
    db.session.commit()
    answer = scene.agree(fingerprint=fingerprint)
    assert answer.status_code == 409
    assert "This page has changed" in answer.text
    assert installations() == []
    assert scene.agree().status_code == 303


def only_allowed(scene: Scene) -> None:
    add(InstallPolicy(organization_id=scene.customer.id, only_allowed=True))


def test_an_allow_list_leaves_what_is_installed_alone(scene: Scene) -> None:
    scene.agree()
    page = f"/organizations/{scene.customer.slug}/apps/{installations()[0].public_id}"
    only_allowed(scene)
    assert scene.browser.get(scene.path).location == page
    assert scene.agree(fingerprint="x").status_code == 303
    assert "Installed" in scene.browser.get(f"/listings/{scene.listing.slug}").text
    policy = scene.browser.get(f"/organizations/{scene.customer.slug}/apps/policy").text
    assert "Owners and admins always may" not in policy


def test_an_update_that_the_allow_list_forbids_is_not_offered(scene: Scene) -> None:
    installation = make_installation(
        scene.app, scene.customer, scene.admin, scopes=("events.read",)
    )
    only_allowed(scene)
    apps = f"/organizations/{scene.customer.slug}/apps"
    own = f"{apps}/{installation.public_id}"
    page = scene.browser.get(own).text
    assert "no rule allows this app" in page
    assert "Read and decide" not in page
    assert "Update not allowed" in scene.browser.get(apps).text
    listing = scene.browser.get(f"/listings/{scene.listing.slug}").text
    assert "Update available" not in listing
    assert "Its update is not among what Blue Kite allows" in listing
    answer = scene.browser.get(scene.path, follow_redirects=True)
    assert "installs only what its admins have allowed" in answer.text
    assert "What it may do" in answer.text
    assert scene.agree(fingerprint="x").status_code == 403
    add(
        InstallRule(organization_id=scene.customer.id, listing_id=scene.listing.id, verdict="allow")
    )
    assert "Read and decide" in scene.browser.get(own).text
    assert scene.agree().status_code == 303


def test_a_declined_update_does_not_nag(scene: Scene, sign_in: SignIn) -> None:
    installation = make_installation(
        scene.app, scene.customer, scene.admin, scopes=("events.read",)
    )
    member, browser = member_of(scene, sign_in)
    browser.post(f"{scene.path}/request", data={"organization": scene.customer.slug})
    apps = f"/organizations/{scene.customer.slug}/apps"
    own = f"{apps}/{installation.public_id}"
    data = {"organization": scene.customer.slug}
    for _click in range(2):
        assert scene.browser.post(f"{scene.path}/decline", data=data).location == own
    page = scene.browser.get(own).text
    assert "You declined more access on" in page
    assert "Read it again" in page
    assert "It asks for more access" not in page
    assert "Update declined" in scene.browser.get(apps).text
    assert "Update available" not in scene.browser.get(apps).text
    assert "Update available" not in scene.browser.get(f"/listings/{scene.listing.slug}").text
    db.session.rollback()
    kinds = db.session.scalars(select(InstallationEvent.kind)).all()
    assert kinds == ["update_declined"]
    assert db.session.scalars(select(InstallRequest.state)).all() == [InstallRequestState.DECLINED]
    assert mails()[-1]["to"] == member.email
    # What nobody has declined yet is asked about.
    _say(scene, scopes=[*SCOPES, {"scope": "files.read", "reason": "To look around"}])
    db.session.commit()
    assert "It asks for more access" in scene.browser.get(own).text
    # And what was declined can be agreed to after all.
    assert scene.agree().status_code == 303
    assert "You declined" not in scene.browser.get(own).text


def test_more_data_that_moves_is_told_and_agreed_to(scene: Scene) -> None:
    put_data(scene, ("Contacts", "read"))
    scene.agree()
    installation = installations()[0]
    own = f"/organizations/{scene.customer.slug}/apps/{installation.public_id}"
    assert "Data that moves" in scene.browser.get(own).text
    assert "It moves more data" not in scene.browser.get(own).text
    put_data(scene, ("Contacts", "two_way"), ("Invoices", "read"))
    page = scene.browser.get(own).text
    assert "It moves more data than you agreed to" in page
    assert "Update available" in scene.browser.get(f"/listings/{scene.listing.slug}").text
    read = scene.browser.get(f"{scene.path}?organization={scene.customer.slug}").text
    assert "moves more data" in read
    assert "New data: <strong>Invoices</strong>" in read
    fingerprint = scene.fingerprint()
    put_data(scene, ("Contacts", "two_way"), ("Invoices", "read"), ("Salaries", "read"))
    assert scene.agree(fingerprint=fingerprint).status_code == 409
    assert scene.agree().status_code == 303
    page = scene.browser.get(own).text
    assert "It moves more data" not in page
    assert "Data that moves: Contacts, Invoices, Salaries." in page
    assert installations()[0].granted_scopes == ["events.write", "events.read"]


def test_more_data_can_be_declined(scene: Scene) -> None:
    put_data(scene, ("Contacts", "read"))
    scene.agree()
    put_data(scene, ("Contacts", "read"), ("Invoices", "read"))
    data = {"organization": scene.customer.slug}
    own = scene.browser.post(f"{scene.path}/decline", data=data).location
    page = scene.browser.get(own).text
    assert "You declined more data that moves on" in page
    assert "It moves more data" not in page


def test_a_member_asks_for_an_update_as_such(scene: Scene, sign_in: SignIn) -> None:
    make_installation(scene.app, scene.customer, scene.admin, scopes=("events.read",))
    _member, browser = member_of(scene, sign_in)
    page = browser.get(scene.path).text
    assert "Ask your admins for the update of Tide Tables" in page
    assert "<strong>Change events</strong>" in page
    data = {"organization": scene.customer.slug}
    requests = browser.post(f"{scene.path}/request", data=data).location
    assert mails()[0]["subject"] == "Ada Okafor asks for the update of Tide Tables"
    assert "- Change events" in mails()[0]["body"]
    for reader in (browser, scene.browser):
        text = reader.get(requests).text
        assert "asks for the update of" in text
        assert "new: Change events" in text
    assert "Read and decide" in scene.browser.get(requests).text
    colleague = make_member(scene.customer, Role.VIEWER)
    colleague.name = "Mira Lund"
    db.session.commit()
    second = sign_in(colleague, scene.customer)
    again = second.post(f"{scene.path}/request", data=data, follow_redirects=True).text
    assert "Ada Okafor has asked for it already" in again
    scene.agree()
    assert mails()[-1]["subject"] == "Tide Tables is updated"


def test_a_request_for_what_is_suspended_says_why_it_cannot_be_approved(
    scene: Scene, sign_in: SignIn
) -> None:
    _member, browser = member_of(scene, sign_in)
    asked = browser.post(f"{scene.path}/request", data={"organization": scene.customer.slug})
    assert "Review and install" in scene.browser.get(asked.location).text
    scene.listing.suspended_at = clock.now()
    db.session.commit()
    page = scene.browser.get(asked.location).text
    assert "Review and install" not in page
    assert "It is suspended by Portico and cannot be installed at the moment" in page


def test_nobody_asks_for_what_has_reached_its_cap(scene: Scene, sign_in: SignIn) -> None:
    for number in range(25):
        make_installation(scene.app, make_customer(f"Customer {number}"))
    _member, browser = member_of(scene, sign_in)
    page = browser.get(scene.path).text
    assert "25 organizations have installed it" in page
    assert "Ask your admins" not in page
    data = {"organization": scene.customer.slug}
    assert browser.post(f"{scene.path}/request", data=data).status_code == 403
    # Its publisher has nobody who could be told.
    assert "We have told its publisher" not in scene.agree(fingerprint="x").text
    make_member(scene.listing.publisher, Role.DEVELOPER)
    db.session.commit()
    assert "We have told its publisher" not in scene.browser.get(scene.path).text
    assert "We have told its publisher" in scene.agree(fingerprint="x").text
    assert "We have told its publisher" in scene.browser.get(scene.path).text
