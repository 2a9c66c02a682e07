"""Programs, affiliates, resellers and what they sold, for tests. All of it is flushed."""

import itertools
from datetime import timedelta
from typing import Any

from billing.affiliates.clicks import record_click
from billing.affiliates.joining import join
from billing.affiliates.links import make_link
from billing.affiliates.programs import ProgramTerms, RuleTerms, create_program
from billing.models import (
    Affiliate,
    AffiliateLink,
    AffiliateProgram,
    Click,
    Order,
    OrderKind,
    OrderLine,
    OrderState,
    Plan,
    PlanBilling,
    PlanState,
    Price,
    ResellerAgreement,
)
from billing.public_ids import new_public_id
from billing.resale.agreements import AgreementTerms, accept_agreement, offer_agreement
from marketplace.catalogue.models import Listing
from marketplace.core import clock
from marketplace.core.database import db
from marketplace.identity.models import Organization

_numbers = itertools.count(1)


def make_plan(
    listing: Listing,
    amount: int = 4_900,
    currency: str = "EUR",
    billing: PlanBilling = PlanBilling.ONE_TIME,
    **fields: Any,
) -> Plan:
    """An active plan of the listing with a price."""
    plan = Plan(
        public_id=new_public_id("plan"),
        listing_id=listing.id,
        publisher_id=listing.publisher_id,
        code=f"plan-{next(_numbers)}",
        name=fields.pop("name", "Pro"),
        billing=billing,
        state=PlanState.ACTIVE,
        **fields,
    )
    db.session.add(plan)
    db.session.flush()
    db.session.add(
        Price(
            plan_id=plan.id,
            version=1,
            currency=currency,
            amount=amount,
            effective_from=clock.now() - timedelta(days=1),
        )
    )
    db.session.flush()
    return plan


def make_program(
    publisher: Organization | None, rule: RuleTerms | None = None, **terms: Any
) -> AffiliateProgram:
    """A program that pays 20% of the first payment unless told otherwise."""
    return create_program(
        publisher.id if publisher else None,
        ProgramTerms(**{"name": "Friends", **terms}),
        rule or RuleTerms(bps=2_000),
        by_user_id=None,
    )


def make_affiliate(program: AffiliateProgram, organization: Organization) -> Affiliate:
    """An active affiliate."""
    return join(program, organization.id, "We write about it.", by_user_id=None)


def make_affiliate_link(affiliate: Affiliate, target: str = "/", **fields: Any) -> AffiliateLink:
    """A link of the affiliate."""
    return make_link(affiliate, target, by_user_id=None, **fields)


def make_click(link: AffiliateLink, *, days_ago: float = 0, **fields: Any) -> Click:
    """A click of a person, `visitor` by default."""
    values = {
        "visitor_hash": "visitor",
        "address_hash": "",
        "sub_id": "",
        "referrer_host": "",
        "bot": False,
        **fields,
    }
    click = record_click(link, **values)
    click.clicked_at = clock.now() - timedelta(days=days_ago)
    db.session.flush()
    return click


def make_paid_order(
    customer: Organization,
    listing: Listing,
    *,
    net: int = 4_900,
    currency: str = "EUR",
    affiliate: Affiliate | None = None,
    kind: OrderKind = OrderKind.PURCHASE,
    **line_fields: Any,
) -> Order:
    """A paid order of one line, without its postings."""
    at = clock.now()
    order = Order(
        public_id=new_public_id("ord"),
        kind=kind,
        state=OrderState.PAID,
        organization_id=customer.id,
        currency=currency,
        subtotal=net,
        total=net,
        paid_at=at,
    )
    db.session.add(order)
    db.session.flush()
    values: dict[str, Any] = {
        "description": listing.name,
        "listing_id": listing.id,
        "publisher_id": listing.publisher_id,
        "unit_amount": net,
        "list_amount": net,
        "net_amount": net,
        "total_amount": net,
        "publisher_amount": net,
    }
    if affiliate is not None:
        values |= {
            "affiliate_id": affiliate.id,
            "affiliate_organization_id": affiliate.organization_id,
        }
    db.session.add(OrderLine(order_id=order.id, **{**values, **line_fields}))
    db.session.flush()
    return order


def make_agreement(
    plan: Plan,
    reseller: Organization,
    floor: int = 4_000,
    maximum_markup_bps: int | None = 5_000,
    currency: str = "EUR",
) -> ResellerAgreement:
    """An agreement that the reseller has accepted."""
    agreement = offer_agreement(
        plan, reseller.id, AgreementTerms(currency, floor, maximum_markup_bps), by_user_id=None
    )
    accept_agreement(agreement, by_user_id=None)
    return agreement
