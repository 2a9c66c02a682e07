"""Leads, deals, account checks and territories of a partner, for tests of who may reach them."""

from datetime import timedelta

from billing.public_ids import new_public_id
from marketplace.catalogue.models import Listing
from marketplace.core import clock
from marketplace.core.database import db
from marketplace.identity.models import Organization, User
from marketplace.pipeline.account_checks.services import agreeing, comparing
from marketplace.pipeline.deals.services import files as deal_files
from marketplace.pipeline.deals.services.registering import register_deal
from marketplace.pipeline.deals.terms import DealTerms
from marketplace.pipeline.franchises.models import (
    RoyaltyBase,
    RoyaltyInvoice,
    RoyaltyKind,
    TerritoryArea,
    TerritoryGrant,
)
from marketplace.pipeline.leads.models import LeadOffer, Method, RoutingRule
from marketplace.pipeline.leads.services import files, working
from marketplace.pipeline.leads.services.capturing import capture, register
from marketplace.program.scorecards.queries import standing_of
from tests.factories.people import make_organization
from tests.factories.program import make_standing

CUSTOMERS = "\n".join(f"customer{number}.example" for number in range(12))


def make_pipeline_world(
    partner: Organization, owner: User, _customer: User, listing: Listing
) -> dict[str, object]:
    """One of each thing, all of the partner's, which is in the program."""
    if standing_of(partner.id) is None:
        make_standing(partner)
    lead = register(
        {
            "name": "Ada Okafor",
            "email": "ada@bluekite.example",
            "company": "Blue Kite",
            "need": "Tide tables for twelve ships.",
        },
        organization=partner,
        by_user_id=owner.id,
    )
    task = working.add_task(lead, "Call her", None, open_tasks=0)
    asked = capture(
        source="partner_page",
        name="Bo Lind",
        email="bo@birch.example",
        need="A calendar.",
        consent=True,
        partner_id=partner.id,
    )
    offer = db.session.query(LeadOffer).filter_by(lead_id=asked.id).one()
    rule = RoutingRule(
        public_id=new_public_id("lrr"),
        name="All",
        position=1,
        countries=[],
        categories=[],
        partner_types=[],
        method=Method.ROUND_ROBIN,
        weights={},
    )
    found = files.keep([], file_name="x.csv", organization_id=partner.id, by_user_id=owner.id)
    deal = register_deal(
        DealTerms(
            title="Harbor office",
            customer_name="Blue Kite",
            customer="bluekite.example",
            amount=100_000,
            currency="EUR",
            listing_id=listing.id,
        ),
        organization=partner,
        by_user_id=owner.id,
    )
    check = agreeing.invite(
        make_organization("Kitewell"), partner, "names", "", by_user_id=owner.id
    )
    agreeing.accept(check.id, by_user_id=owner.id)
    receipt = comparing.hand_in(check.id, partner.id, CUSTOMERS, by_user_id=owner.id)
    grant = TerritoryGrant(
        public_id=new_public_id("ter"),
        organization_id=partner.id,
        starts_at=clock.now() - timedelta(days=60),
        ends_at=clock.now() + timedelta(days=600),
        royalty_base=RoyaltyBase.REPORTED,
        royalty_bps=500,
        currency="EUR",
        areas=[TerritoryArea(country="DK", prefix="")],
    )
    db.session.add_all([rule, grant])
    db.session.flush()
    invoice = RoyaltyInvoice(
        public_id=new_public_id("roy"),
        number="ROY-2026-00001",
        kind=RoyaltyKind.INVOICE,
        grant_id=grant.id,
        organization_id=partner.id,
        month="2026-10",
        currency="EUR",
        base=RoyaltyBase.REPORTED,
        base_amount=100_000,
        royalty_bps=500,
        minimum_amount=0,
        amount=5_000,
        parties={},
    )
    db.session.add(invoice)
    db.session.flush()
    return {
        "lead_id": lead.public_id,
        "lead_task_id": task.public_id,
        "lead_offer_id": offer.public_id,
        "lead_import_id": found.public_id,
        "routing_rule_id": rule.public_id,
        "deal_id": deal.public_id,
        "deal_import_id": deal_files.keep(
            [], file_name="x.csv", organization_id=partner.id, by_user_id=owner.id
        ).public_id,
        "account_check_id": check.public_id,
        "account_receipt_id": receipt.public_id,
        "territory_id": grant.public_id,
        "royalty_id": invoice.public_id,
    }
