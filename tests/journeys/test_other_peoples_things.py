"""Every route of the application, tried by people whom it is none of their business.

The URL map is walked: a new route must have a permission that is classified here, and its
parameters must be known, or this test fails.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select
from werkzeug.routing import Rule

from marketplace.catalogue.models import (
    AbuseCase,
    Appeal,
    Collection,
    FlagState,
    IntegrationRequest,
    Listing,
    ListingReview,
    ListingUse,
    ListingVersion,
    ReviewFlag,
    Revision,
    RevisionState,
    SynonymGroup,
)
from marketplace.core import clock
from marketplace.core.database import db
from marketplace.core.facts import Fact
from marketplace.core.jobs import Job, JobState
from marketplace.identity.models import Identity, Invitation, Organization, Role, User
from marketplace.identity.sessions import start_session
from marketplace.installs.models import (
    AccessKey,
    Environment,
    ErasureRequest,
    InstallRequest,
    InstallRule,
    RuleVerdict,
    Scope,
    ScopeDirection,
    WebhookDelivery,
    WebhookEndpoint,
    WebhookEvent,
)
from tests.factories.apps import (
    client_of,
    make_app,
    make_client_secret,
    make_installation,
    make_key,
)
from tests.factories.listings import listing_content, make_category, make_listing
from tests.factories.money_world import make_money_world
from tests.factories.people import (
    make_customer,
    make_member,
    make_organization,
    make_platform,
)
from tests.factories.program_worlds import make_program_world

# Each test walks every route, of which there are more than a thousand.
pytestmark = pytest.mark.timeout(600)

# Whoever is signed in may do these, to things of their own or to public things.
SIGNED_IN = {
    "account.use",
    "credentials.own",
    "follow.toggle",
    "follows.read",
    "idea.propose",
    "idea.vote",
    "listing.buy",
    "listing.install",
    "request.create",
    "request.vote",
    "review.flag",
    "seats.see_own",
    "uses.read",
}
# Only for members (of some role) of the organization, or the person, that the thing belongs to.
OWNERS = {
    "account_check.answer",
    "account_check.use",
    "account_receipt.view",
    "affiliate.decide",
    "affiliate.manage",
    "affiliate_link.manage",
    "affiliate_program.manage",
    "app.manage",
    "app.read",
    "app_health.read",
    "application.manage",
    "attempt.take",
    "authorization.manage",
    "benefit_claim.withdraw",
    "business_plan.write",
    "campaign.manage",
    "case.appeal",
    "case.read",
    "certification.manage",
    "client_workspace.manage",
    "contact_request.take_part",
    "credential.hold",
    "credential.publish",
    "deal.work",
    "deal_import.confirm",
    "discount.manage",
    "domain_proof.manage",
    "earning.read",
    "erasure.complete",
    "idea_claim.work",
    "identity.unlink",
    "invitation.answer",
    "invitation.manage",
    "join_ask.answer",
    "key.revoke",
    "lead.work",
    "lead_import.confirm",
    "lead_offer.answer",
    "lead_task.tick",
    "listing.add_version",
    "listing.change_status",
    "listing.edit",
    "listing.sell",
    "listing.submit",
    "listing.view_draft",
    "managed_service.manage",
    "objection.withdraw",
    "organization.change_member",
    "organization.edit",
    "organization.leave",
    "organization.manage_members",
    "organization.see_members",
    "partner_host.manage",
    "partner_task.do",
    "passport.own",
    "payout.read",
    "plan.manage",
    "promotion_code.manage",
    "report.read",
    "resale_quote.manage",
    "reseller_agreement.answer",
    "reseller_agreement.offer",
    "reseller_agreement.view",
    "review.answer",
    "round_place.sign",
    "round_place.view",
    "round_place.work",
    "royalty.view",
    "seat.give_back",
    "seat.remove",
    "seat.take",
    "service_evidence.read",
    "session.end",
    "territory.report",
    "trainer.manage",
    "training.manage",
    "verification_document.manage",
    "webhook.manage",
    "webhook.read",
    "webhook_delivery.read",
    "webhook_delivery.send_again",
}
# Pages about one's own organization, which need a role there but name no resource.
OWN_ORGANIZATION = {
    "account_checks.use",
    "affiliate.join",
    "affiliate_programs.use",
    "analytics.read",
    "app.create",
    "applications.use",
    "authorizations.use",
    "benefits.claim",
    "benefits.read",
    "campaigns.use",
    "cases.received",
    "certification_program.start",
    "certifications.use",
    "clients.use",
    "contacts.use",
    "courses.use",
    "credentials.see",
    "dashboard.read",
    "deals.use",
    "developer.use",
    "discounts.use",
    "earnings.read",
    "embeds.use",
    "erasures.received",
    "hosts.read",
    "hosts.request",
    "ideas.build",
    "key.create",
    "leads.use",
    "listing.create",
    "managed_services.use",
    "onboarding.use",
    "partner_invites.send",
    "passport.use",
    "payout_account.manage",
    "plans.read",
    "plans.use",
    "portal.use",
    "procurement_profile.edit",
    "program_fees.pay",
    "program_manager.name",
    "ranking.read",
    "reciprocity.read",
    "reports.read",
    "resale.use",
    "reviews.received",
    "rounds.use",
    "sandbox.manage",
    "scorecard.evaluate",
    "scorecard.read",
    "seats.use",
    "start.dismiss",
    "territories.use",
    "trainers.use",
    "verification.use",
    "vouchers.redeem",
    "webhook.create",
    "webhooks.read",
}
# For an organization other than the listing's publisher.
OTHER_ORGANIZATIONS = {"listing.declare_use", "listing.withdraw_use", "review.write"}
# Only for members of the customer whose installation (or rule, or request) it is.
CUSTOMERS = {
    "apps.manage",
    "apps.view",
    "install_request.decide",
    "install_request.withdraw",
    "install_rule.remove",
    "installation.manage",
    "installation.view",
    "order.view",
    "purchases.use",
    "refund_request.withdraw",
    "resale_quote.answer",
    "resale_quotes.view",
    "subscription.manage",
}
# Everything else is for staff.
STAFF = {
    "analytics.read_all",
    "appeal.decide",
    "application.review",
    "applications.review",
    "authorization.decide",
    "authorizations.review",
    "bank_file.import",
    "bank_file.view",
    "bank_line.handle",
    "bank_rule.remove",
    "benefits.fulfil",
    "break.handle",
    "business_plan.approve",
    "business_plans.read",
    "campaigns.approve",
    "case.decide",
    "cases.handle",
    "categories.manage",
    "certification.decide",
    "certification_checklist.manage",
    "certification_program.manage",
    "certifications.manage",
    "certifications.review",
    "collections.manage",
    "contact_request.answer",
    "contact_requests.answer",
    "contacts.manage",
    "conversion.decide",
    "conversions.handle",
    "courses.manage",
    "credentials.manage",
    "credits.split",
    "deals.manage",
    "dispute.answer",
    "disputes.handle",
    "domain_dispute.decide",
    "erasure.remind",
    "erasures.watch",
    "fees.manage",
    "fees.read",
    "finance.read",
    "flag.decide",
    "flags.handle",
    "governance.read",
    "holds.handle",
    "hosts.manage",
    "ideas.manage",
    "leads.manage",
    "ledger.read",
    "listing.certify",
    "listing.suspend",
    "milestone.decide",
    "objection.decide",
    "objections.handle",
    "order.refund",
    "partner.write_to",
    "partner_tasks.work",
    "passports.import",
    "payout.handle",
    "payout_limits.manage",
    "payouts.read",
    "payouts.run",
    "period.close",
    "period.view",
    "periods.read",
    "platform_code.manage",
    "platform_discount.manage",
    "platform_discounts.manage",
    "platform_programs.manage",
    "policy.edit",
    "policy.publish",
    "policy.read",
    "program.read",
    "publisher.suspend",
    "publisher.verify",
    "reciprocity.read_all",
    "reconciliation.use",
    "refund_request.decide",
    "refunds.handle",
    "replays.use",
    "reports.manage",
    "request.manage",
    "reviews.decide",
    "reviews.open",
    "reviews.queue",
    "rounds.manage",
    "rounds.read",
    "scopes.manage",
    "search_log.read",
    "service_evidence.decide",
    "service_evidence.review",
    "site.style_guide",
    "staff.home",
    "staff.jobs",
    "standing.read",
    "standings.evaluate",
    "standings.override",
    "standings.read",
    "stripe.watch",
    "stripe_event.retry",
    "stripe_event.set_aside",
    "stripe_operation.settle",
    "synonyms.manage",
    "taxes.manage",
    "territories.manage",
    "verification.decide",
    "verification_document.review",
    "verifications.review",
    "version.decide",
    "vouchers.issue",
    "write_off.decide",
    "write_offs.handle",
}


@dataclass(frozen=True)
class World:
    """One of each thing, all of the partner Quayside, and people who are not its members."""

    partner: Organization
    listing: Listing
    values: dict[str, object]
    owner: User
    stranger: User
    stranger_organization: Organization
    customer: User
    finance: User


@pytest.fixture
def world(app: Flask) -> World:
    partner = make_organization("Quayside")
    owner = make_member(partner)
    colleague = make_member(partner, Role.EDITOR)
    stranger_organization = make_organization("Rivals")
    stranger = make_member(stranger_organization)
    customer_organization = make_customer()
    customer = make_member(customer_organization)
    platform = make_platform()
    finance = make_member(platform, Role.FINANCE)
    category = make_category()
    listing = make_listing(partner, category=category)
    revision = Revision(
        listing_id=listing.id,
        number=2,
        state=RevisionState.SUBMITTED,
        content=listing_content(name="Tide Tables Pro", categories=[category.slug]),
        base_content=listing.content,
        submitted_at=clock.now(),
        submitted_by_id=owner.id,
        changed_fields=["name"],
        review_reasons=["sensitive"],
    )
    review = ListingReview(
        listing_id=listing.id,
        organization_id=customer_organization.id,
        author_id=customer.id,
        author_name=customer.name,
        rating=4,
        title="Good",
        body="Does what it says.",
    )
    case = AbuseCase(
        number="AB-2026-00001", listing_id=listing.id, reason="broken", details="It fails."
    )
    job = Job(kind="mail.send", state=JobState.DEAD, run_at=clock.now(), created_at=clock.now())
    wish = IntegrationRequest(name="Fax", name_key="fax")
    collection = Collection(slug="for-sailors", title="For sailors")
    synonyms = SynonymGroup(terms=["crm", "customer relationship management"])
    invitation = Invitation(
        organization_id=partner.id,
        email="new@people.example",
        role=Role.EDITOR,
        token_hash="0" * 64,
        invited_by_id=owner.id,
        expires_at=clock.now() + timedelta(days=7),
    )
    identities = [
        Identity(user_id=owner.id, provider="acme", issuer="https://acme.example", subject=name)
        for name in ("one", "two")
    ]
    use = ListingUse(listing_id=listing.id, organization_id=customer_organization.id)
    version = ListingVersion(
        listing_id=listing.id, version="1.0", released_on=clock.now().date(), changelog="First."
    )
    rows = [
        version,
        revision,
        review,
        case,
        job,
        wish,
        collection,
        synonyms,
        invitation,
        use,
        *identities,
    ]
    db.session.add_all(rows)
    db.session.flush()
    app_row = make_app(listing)
    client_row = client_of(app_row)
    make_client_secret(client_row)
    installation = make_installation(app_row, customer_organization, customer)
    rule = InstallRule(
        organization_id=customer_organization.id, listing_id=listing.id, verdict=RuleVerdict.ALLOW
    )
    asked = InstallRequest(
        organization_id=customer_organization.id,
        listing_id=listing.id,
        requested_by_id=customer.id,
    )
    erasure = ErasureRequest(
        public_id="er_1",
        installation_id=installation.id,
        app_id=app_row.id,
        environment=Environment.LIVE,
        due_at=clock.now() + timedelta(days=30),
    )
    endpoint = WebhookEndpoint(
        public_id="we_1",
        organization_id=partner.id,
        environment=Environment.LIVE,
        url="https://hooks.tides.example/",
    )
    event = WebhookEvent(
        public_id="evt_1",
        type="installation.installed",
        organization_id=partner.id,
        environment=Environment.LIVE,
        ordering_key="x",
    )
    make_key(partner, "partner.listings.read", user=owner)
    db.session.add_all(
        [
            rule,
            asked,
            erasure,
            endpoint,
            event,
            Scope(name="tides.read", title="See tides", direction=ScopeDirection.READ),
        ]
    )
    db.session.flush()
    delivery = WebhookDelivery(
        event_id=event.id,
        endpoint_id=endpoint.id,
        ordering_key="x",
        next_attempt_at=clock.now() + timedelta(days=1),
    )
    db.session.add(delivery)
    appeal = Appeal(case_id=case.id, author_id=owner.id, body="It works now.")
    flag = ReviewFlag(review_id=review.id, user_id=stranger.id, reason="spam", state=FlagState.OPEN)
    money = make_money_world(
        publisher_id=partner.id,
        customer_id=customer_organization.id,
        listing_id=listing.id,
        customer_user_id=customer.id,
        user_id=owner.id,
    )
    session, _token = start_session(owner)
    db.session.add_all([appeal, flag])
    db.session.flush()
    program = make_program_world(partner=partner, owner=owner, customer=customer, listing=listing)
    values = {
        "listing_slug": listing.slug,
        "organization_slug": partner.slug,
        "collection_slug": collection.slug,
        "category_slug": category.slug,
        "slug": listing.slug,
        "section": "basics",
        "invitation_id": invitation.id,
        "identity_id": identities[0].id,
        "session_id": session.id,
        "user_id": colleague.id,
        "review_id": review.id,
        "revision_id": revision.id,
        "version_id": version.id,
        "request_id": wish.id,
        "appeal_id": appeal.id,
        "flag_id": flag.id,
        "job_id": job.id,
        "group_id": synonyms.id,
        "listing_id": listing.id,
        "category_id": category.id,
        "collection_id": collection.id,
        "organization_id": partner.id,
        "number": case.number,
        "app_id": app_row.public_id,
        "environment": "live",
        "secret_id": client_row.secrets[0].id,
        "installation_id": installation.public_id,
        "rule_id": rule.id,
        "install_request_id": asked.id,
        "erasure_id": erasure.public_id,
        "endpoint_id": endpoint.public_id,
        "event_id": event.public_id,
        "delivery_id": delivery.id,
        "key_id": db.session.scalar(select(AccessKey.id)),
        "scope_name": "tides.read",
        "customer_slug": customer_organization.slug,
        "partner_id": partner.id,
        **money,
        **program,
    }
    db.session.commit()
    return World(
        partner, listing, values, owner, stranger, stranger_organization, customer, finance
    )


def permission_of(app: Flask, rule: Rule) -> str:
    return str(getattr(app.view_functions[rule.endpoint], "portico_permission", ""))


def rules_of(app: Flask, actions: set[str]) -> list[Rule]:
    return [rule for rule in app.url_map.iter_rules() if permission_of(app, rule) in actions]


CUSTOMER_PAGES = tuple(
    f"/organizations/<slug>/{part}"
    for part in ("apps", "orders", "billing", "subscriptions", "quotes")
)


def url_of(app: Flask, rule: Rule, world: World) -> str:
    values = dict(world.values)
    path = rule.rule
    if path.startswith(CUSTOMER_PAGES):
        values["slug"] = values["customer_slug"]
    elif path.startswith(
        ("/organizations/", "/partners/", "/staff/partners/", "/staff/organizations/")
    ):
        values["slug"] = values["organization_slug"]
    elif path.startswith("/staff/collections/"):
        values["slug"] = values["collection_slug"]
    elif path.startswith("/staff/categories/"):
        values["slug"] = values["category_slug"]
    missing = rule.arguments - set(values)
    assert not missing, f"{path}: tell this test a value for {missing}"
    with app.test_request_context():
        return str(
            app.url_map.bind("localhost").build(
                rule.endpoint, {n: values[n] for n in rule.arguments}
            )
        )


def attempts(
    app: Flask, actions: set[str], world: World, browser: FlaskClient
) -> list[tuple[str, str, int]]:
    """Every route of these actions, tried by GET and POST as it takes them."""
    found = []
    for rule in rules_of(app, actions):
        url = url_of(app, rule, world)
        for method in sorted((rule.methods or set()) & {"GET", "POST", "PUT", "PATCH", "DELETE"}):
            response = browser.open(url, method=method)
            found.append((method, url, response.status_code))
    assert found
    return found


def facts() -> int:
    db.session.rollback()
    return db.session.scalar(select(func.count()).select_from(Fact)) or 0


SignIn = Callable[..., FlaskClient]


def test_every_permission_is_classified_here(app: Flask) -> None:
    named = {permission_of(app, rule) for rule in app.url_map.iter_rules()}
    actions = {name for name in named if name and not name.startswith(("public: ", "token: "))}
    known = SIGNED_IN | OWNERS | OWN_ORGANIZATION | OTHER_ORGANIZATIONS | CUSTOMERS | STAFF
    assert actions - known == set()
    assert known - actions == set()


@pytest.mark.parametrize("who", ["stranger", "customer"])
def test_people_of_other_organizations_cannot_reach_a_partners_things(
    app: Flask, world: World, sign_in: SignIn, who: str
) -> None:
    before = facts()
    browser = sign_in(getattr(world, who))
    tried = attempts(app, OWNERS, world, browser)
    assert [attempt for attempt in tried if attempt[2] not in {403, 404}] == []
    assert facts() == before


@pytest.mark.parametrize("who", ["stranger", "owner", "finance"])
def test_people_of_other_organizations_cannot_reach_a_customers_things(
    app: Flask, world: World, sign_in: SignIn, who: str
) -> None:
    before = facts()
    tried = attempts(app, CUSTOMERS, world, sign_in(getattr(world, who)))
    assert [attempt for attempt in tried if attempt[2] not in {403, 404}] == []
    assert facts() == before


@pytest.mark.parametrize("who", ["stranger", "customer", "owner"])
def test_nobody_but_staff_reaches_what_is_for_staff(
    app: Flask, world: World, sign_in: SignIn, who: str
) -> None:
    before = facts()
    browser = sign_in(getattr(world, who))
    tried = attempts(app, STAFF, world, browser)
    assert [attempt for attempt in tried if attempt[2] not in {403, 404}] == []
    assert facts() == before


def test_staff_of_finance_decide_no_reviews_and_no_cases(
    app: Flask, world: World, sign_in: SignIn
) -> None:
    tried = attempts(
        app,
        {
            "reviews.decide",
            "version.decide",
            "case.decide",
            "appeal.decide",
            "flag.decide",
            "listings.manage",
        },
        world,
        sign_in(world.finance),
    )
    assert [attempt for attempt in tried if attempt[2] not in {403, 404}] == []


def test_staff_are_not_members_of_a_partner(app: Flask, world: World, sign_in: SignIn) -> None:
    tried = attempts(app, {"listing.edit", "listing.submit"}, world, sign_in(world.finance))
    assert [attempt for attempt in tried if attempt[2] not in {403, 404}] == []


def test_whoever_is_not_signed_in_is_asked_to(app: Flask, world: World) -> None:
    before = facts()
    everything = SIGNED_IN | OWNERS | OWN_ORGANIZATION | OTHER_ORGANIZATIONS | CUSTOMERS | STAFF
    tried = attempts(app, everything, world, app.test_client())
    assert [a for a in tried if a[0] == "GET" and a[2] not in {302, 404}] == []
    # An app's request that cannot be read is refused before anybody is asked to sign in for it.
    refused = {401, 404, 400}
    unread = [a for a in tried if a[1].startswith("/oauth/authorize")]
    assert [a for a in unread if a[0] != "GET" and a[2] not in refused] == []
    others = [a for a in tried if a not in unread]
    assert [a for a in others if a[0] != "GET" and a[2] not in {401, 404}] == []
    assert facts() == before


def test_a_publisher_neither_reviews_nor_uses_its_own_listing(
    app: Flask, world: World, sign_in: SignIn
) -> None:
    tried = attempts(app, OTHER_ORGANIZATIONS, world, sign_in(world.owner, world.partner))
    assert [attempt for attempt in tried if attempt[2] not in {403, 404, 302, 303}] == []
    db.session.rollback()
    uses = db.session.scalars(select(ListingUse.organization_id)).all()
    assert world.partner.id not in uses


def test_a_form_without_its_token_is_refused(app: Flask, world: World, sign_in: SignIn) -> None:
    before = facts()
    app.config["WTF_CSRF_ENABLED"] = True
    try:
        browser = sign_in(world.owner, world.partner)
        signed_in = SIGNED_IN | OWNERS | OWN_ORGANIZATION | OTHER_ORGANIZATIONS | CUSTOMERS
        tried = attempts(app, signed_in, world, browser)
    finally:
        app.config["WTF_CSRF_ENABLED"] = False
    assert [a for a in tried if a[0] != "GET" and a[2] not in {400, 404}] == []
    assert facts() == before
