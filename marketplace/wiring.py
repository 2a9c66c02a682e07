"""Who is part of the application, and who reacts to which event: one readable list."""

from flask import Flask
from flask_wtf.csrf import CSRFProtect

from billing import checkout_events as _checkout_events  # noqa: F401 - its jobs and events
from billing import models as _billing_models  # noqa: F401 - its tables
from billing.affiliates.card_check import check_card_later
from billing.affiliates.relations import look_up_relations_with
from billing.checkout_events import dispute_ends_entitlement, refund_ends_entitlement
from billing.entitlements import on_entitlement_changed
from billing.objections import on_objection_decided
from billing.orders.listeners import on_order_paid
from billing.partner_facts import look_up_partners_with
from billing.payouts import computing as _payout_computing  # noqa: F401 - its job
from billing.payouts import stripe_events as _payout_events  # noqa: F401 - its jobs and events
from billing.payouts.listeners import on_payout_moved
from billing.settlement import jobs as _settlement_jobs  # noqa: F401 - its jobs and events
from billing.settlement.listeners import on_dispute_changed, on_refund_changed
from billing.subscriptions.listeners import on_payment_failed, on_subscription_ended
from marketplace.accreditation.authorizations.panel import authorization_panel
from marketplace.accreditation.blueprints import BLUEPRINTS as ACCREDITATION
from marketplace.accreditation.certification.checks import count_installs_with
from marketplace.accreditation.certification.events import on_listing_rules_changed
from marketplace.accreditation.certification.listings import look_up_listings_with
from marketplace.accreditation.certification.services.deciding import credential_was_revoked
from marketplace.accreditation.courses.counting import recount_credential, recount_gone
from marketplace.accreditation.credentials.events import on_credential_revoked
from marketplace.accreditation.embeds.cards import show_listings_with
from marketplace.accreditation.events import on_accreditation_changed
from marketplace.accreditation.host_records import look_up_host_record
from marketplace.accreditation.obligations import renewals
from marketplace.accreditation.passport.views import passport_receipts
from marketplace.accreditation.seats.reading import is_lab
from marketplace.accreditation.seats.services import verification_moved
from marketplace.accreditation.verification.queries import holders_of
from marketplace.api.v1.setup import setup_api
from marketplace.catalogue.accreditations import (
    accreditation_moved,
    facts_by_id,
    facts_by_slug,
    facts_of_publisher,
    rules_moved,
)
from marketplace.catalogue.changes import (
    on_listings_changed,
    on_publisher_changed,
    publisher_changed,
)
from marketplace.catalogue.curation.views import curation
from marketplace.catalogue.discovery import views as discovery
from marketplace.catalogue.engagement.views import engagement, requests
from marketplace.catalogue.events import on_listing_decided, on_review_posted
from marketplace.catalogue.exposure import on_listing_opened, on_listings_shown
from marketplace.catalogue.indexing.jobs import setup_indexing
from marketplace.catalogue.measures import measure_listings, measure_listings_of
from marketplace.catalogue.pages.contributions import (
    contribute_to_listing_pages,
    contribute_to_partner_pages,
)
from marketplace.catalogue.pages.embedding import LISTINGS
from marketplace.catalogue.pages.views import blueprint as catalogue
from marketplace.catalogue.publishing.graduates import draft_for_graduate
from marketplace.catalogue.publishing.home_parts import contribute_to_portal_home
from marketplace.catalogue.publishing.views import blueprint as portal
from marketplace.catalogue.reviewing.views import blueprint as reviewing
from marketplace.core.branding import find_brand_of_reader_with
from marketplace.core.worker import run_beside_worker
from marketplace.identity.events import (
    on_member_gone,
    on_organization_changed,
    on_partner_created,
    on_person_active,
)
from marketplace.identity.menu import count_beside_apps
from marketplace.identity.one_person import keep_for_one_person_with
from marketplace.identity.partner_types import look_up_partner_types_with
from marketplace.identity.type_lock import lock_partner_types_with
from marketplace.identity.views import blueprint as identity
from marketplace.installs import models as _installs_models  # noqa: F401 - its tables
from marketplace.installs.customer.entitlements import decide_entitlements_with
from marketplace.installs.customer.listing_panel import install_panel, scope_words
from marketplace.installs.customer.live_elsewhere import count_live_elsewhere
from marketplace.installs.customer.paid_plans import decide_by_plan, entitlement_moved
from marketplace.installs.customer.queries.requests import waiting as waiting_requests
from marketplace.installs.customer.services.offering import offer_updates_later
from marketplace.installs.customer.services.requests import withdraw_requests_of
from marketplace.installs.customer.views import installs, installs_staff
from marketplace.installs.developer.views import blueprint as developer
from marketplace.installs.developer.welcome import sandbox_gifts
from marketplace.installs.health import jobs as _health_jobs  # noqa: F401 - its jobs
from marketplace.installs.health.panel import health_panel
from marketplace.installs.health.views import blueprint as app_health
from marketplace.installs.oauth import jobs as _oauth_jobs  # noqa: F401 - its daily job
from marketplace.installs.oauth.views import endpoints as oauth_endpoints
from marketplace.installs.oauth.views import oauth
from marketplace.installs.webhooks import jobs as _webhooks_jobs  # noqa: F401 - its jobs
from marketplace.installs.webhooks.catalogue_events import (
    tell_listing_decided,
    tell_review_posted,
)
from marketplace.installs.webhooks.dispatcher import run_until_stopped as deliver_webhooks
from marketplace.installs.webhooks.views import blueprint as webhooks
from marketplace.observability.analytics import jobs as _exposure_jobs  # noqa: F401 - its job
from marketplace.observability.analytics.noticing import notice_opened, notice_shown
from marketplace.observability.analytics.recorder import setup_exposure
from marketplace.observability.blueprints import BLUEPRINTS as OBSERVABILITY
from marketplace.observability.dashboard.portal_home import program_part
from marketplace.observability.governance.expiring import expiring_from
from marketplace.observability.governance.providers import PROVIDERS as EXPIRING
from marketplace.observability.policy_mentions import mentions
from marketplace.pipeline.blueprints import BLUEPRINTS as PIPELINE
from marketplace.pipeline.franchises.services.paying import royalty_paid, royalty_refunded
from marketplace.pipeline.ideas.services.fulfilling import (
    listing_decided as listing_of_idea_decided,
)
from marketplace.pipeline.leads.panels import brief_panel, partner_brief_panel
from marketplace.program.applications.obligations import round_and_plan_obligations
from marketplace.program.applications.services.paying import application_fee_paid
from marketplace.program.benefits.obligations import claim_obligations
from marketplace.program.blueprints import BLUEPRINTS as PROGRAM
from marketplace.program.contacts.obligations import contact_obligations, manager_obligations
from marketplace.program.contacts.services.managers import manager_departed
from marketplace.program.events import on_application_decided, on_graduated, on_partner_joined
from marketplace.program.hosts.guard import answer_white_label_with
from marketplace.program.hosts.live import brand_of_reader
from marketplace.program.hosts.proving import look_up_txt_with
from marketplace.program.module_gate import setup_module_gate
from marketplace.program.onboarding.gifts import give_on_joining
from marketplace.program.onboarding.holders import look_up_proven_domains_with
from marketplace.program.onboarding.obligations import task_obligations
from marketplace.program.onboarding.services.admitting import (
    admission_decided,
    is_in_program,
    partner_was_created,
)
from marketplace.program.onboarding.services.tasks import partner_has_joined
from marketplace.program.policy.references import mentions_from
from marketplace.program.policy.types import offered_types, open_types
from marketplace.program.scorecards.obligations import obligations_from, warnings_from
from marketplace.program.standing import admitting as _admitting  # noqa: F401 - its job
from marketplace.program.standing.activity import measure_activity
from marketplace.sales.affiliates.relations import relation_of_people
from marketplace.sales.affiliates.views import affiliates, affiliates_api, affiliates_staff
from marketplace.sales.earnings.mails import tell_objection_answered, tell_payout_moved
from marketplace.sales.earnings.views import blueprint as earnings
from marketplace.sales.fees.views import program_fees
from marketplace.sales.finance.desk.views import finance
from marketplace.sales.finance.payouts import jobs as _finance_payout_jobs  # noqa: F401 - its job
from marketplace.sales.finance.payouts.views import blueprint as finance_payouts
from marketplace.sales.finance.reconciliation.views import reconciliation
from marketplace.sales.measures import measure_dispute, measure_order, measure_refund
from marketplace.sales.partners import facts_of_partners
from marketplace.sales.plans.views import selling, selling_staff
from marketplace.sales.resale.jobs import quote_paid
from marketplace.sales.resale.views import resale
from marketplace.sales.shop.listing_panel import shop_panel
from marketplace.sales.shop.mails import (
    tell_order_paid,
    tell_payment_failed,
    tell_subscription_ended,
)
from marketplace.sales.shop.views import purchases, shop
from marketplace.sales.stripe.views import stripe_staff
from marketplace.sales.stripe.views import webhooks as stripe_webhooks
from marketplace.sales.white_label.pages import answer_as as white_label_answer
from marketplace.site.health import blueprint as health
from marketplace.site.media import blueprint as media
from marketplace.site.staff import blueprint as staff
from marketplace.site.views import blueprint as site


def register_blueprints(app: Flask, csrf: CSRFProtect) -> None:
    """Mount every blueprint. The API authenticates by itself and needs no CSRF token."""
    for blueprint in (
        health,
        identity,
        media,
        engagement,
        requests,
        curation,
        staff,
        site,
        catalogue,
        portal,
        reviewing,
        developer,
        discovery.blueprint,
        installs,
        installs_staff,
        webhooks,
        app_health,
        oauth,
        oauth_endpoints,
        selling,
        selling_staff,
        shop,
        purchases,
        stripe_webhooks,
        stripe_staff,
        affiliates,
        affiliates_staff,
        affiliates_api,
        resale,
        earnings,
        finance_payouts,
        finance,
        program_fees,
        reconciliation,
        *PROGRAM,
        *ACCREDITATION,
        *PIPELINE,
        *OBSERVABILITY,
    ):
        app.register_blueprint(blueprint)
    discovery.exempt_from_csrf(csrf)
    csrf.exempt(oauth_endpoints)
    csrf.exempt(stripe_webhooks)
    csrf.exempt(affiliates_api)
    csrf.exempt(passport_receipts)
    setup_api(app, csrf)


def connect(app: Flask) -> None:
    """Connect what must know of each other across domains."""
    look_up_partner_types_with(offered_types, open_types)
    find_brand_of_reader_with(brand_of_reader)
    answer_white_label_with(white_label_answer)
    look_up_txt_with(look_up_host_record)
    setup_indexing(app)
    setup_module_gate(app)
    setup_exposure(app, runs=app.extensions["portico_settings"].portico_env != "test")
    on_listings_shown(notice_shown)
    on_listing_opened(notice_opened)
    contribute_to_portal_home(program_part)
    expiring_from(*EXPIRING)
    mentions_from(mentions)
    on_organization_changed(publisher_changed)
    look_up_listings_with(facts_by_id, facts_of_publisher, facts_by_slug)
    count_installs_with(count_live_elsewhere)
    on_accreditation_changed(accreditation_moved, verification_moved)
    on_listing_rules_changed(rules_moved)
    on_member_gone(withdraw_requests_of, recount_gone, manager_departed)
    on_partner_created(partner_was_created)
    lock_partner_types_with(is_in_program)
    keep_for_one_person_with(is_lab)
    on_partner_joined(partner_has_joined)
    on_application_decided(admission_decided)
    give_on_joining(sandbox_gifts)
    obligations_from(
        task_obligations,
        renewals,
        round_and_plan_obligations,
        contact_obligations,
        claim_obligations,
    )
    warnings_from(manager_obligations)
    look_up_proven_domains_with(
        lambda domains: [proof.organization_id for proof in holders_of(domains).values()]
    )
    count_beside_apps(waiting_requests)
    show_listings_with(LISTINGS)
    on_credential_revoked(recount_credential, credential_was_revoked)
    on_review_posted(tell_review_posted)
    contribute_to_listing_pages(
        install_panel, scope_words, health_panel, shop_panel, brief_panel, authorization_panel
    )
    contribute_to_partner_pages(partner_brief_panel)
    on_listing_decided(tell_listing_decided, offer_updates_later, listing_of_idea_decided)
    run_beside_worker(deliver_webhooks)
    look_up_partners_with(facts_of_partners)
    on_payout_moved(tell_payout_moved)
    on_objection_decided(tell_objection_answered)
    look_up_relations_with(relation_of_people)
    on_listings_changed(measure_listings)
    on_publisher_changed(measure_listings_of)
    on_person_active(measure_activity)
    on_order_paid(
        check_card_later,
        quote_paid,
        tell_order_paid,
        measure_order,
        application_fee_paid,
        royalty_paid,
    )
    on_graduated(draft_for_graduate)
    on_refund_changed(refund_ends_entitlement, measure_refund, royalty_refunded)
    on_dispute_changed(dispute_ends_entitlement, measure_dispute)
    decide_entitlements_with(decide_by_plan)
    on_entitlement_changed(entitlement_moved)
    on_payment_failed(tell_payment_failed)
    on_subscription_ended(tell_subscription_ended)
