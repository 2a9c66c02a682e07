"""What is on offer at the demo: taxes, fees, plans, discounts, programs and agreements."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from sqlalchemy import select

from billing.affiliates.joining import join
from billing.affiliates.links import give_code, make_link
from billing.affiliates.programs import ProgramTerms, RuleTerms, create_program
from billing.fee_schedules import RuleValue, publish_draft, put_rule, start_draft
from billing.models import Discount, FeeKind, Plan, Price
from billing.profiles import ProfileValues, checked, save_profile
from billing.resale.agreements import AgreementTerms, accept_agreement, offer_agreement
from marketplace.catalogue.models import Listing
from marketplace.core import clock
from marketplace.core.database import db
from marketplace.core.permissions import Actor
from marketplace.identity.countries import COUNTRIES
from marketplace.identity.models import Membership, Organization, Role, User
from marketplace.sales.plans.services.discounts import DiscountValues, create_discount
from marketplace.sales.plans.services.plans import PlanValues, activate, create_plan, set_price
from marketplace.sales.plans.services.taxes import add_rate

Row = Mapping[str, Any]


class Market:
    """Everything that the demo's trade is about, by its name in trading.json."""

    def __init__(self, trading: Row) -> None:
        self.trading = trading
        self.plans: dict[str, Plan] = {}
        self.discounts: dict[str, Discount] = {}

    def organization(self, slug: str) -> Organization:
        """An organization of the demo. Raises ValueError for one that is not there."""
        found = db.session.scalar(select(Organization).where(Organization.slug == slug))
        if found is None:
            raise ValueError(f"trading.json: there is no organization {slug}")
        return found

    def actor_of(self, organization: Organization) -> Actor:
        """Somebody who acts for an organization: its owner or admin, where the demo has one."""
        user_id = db.session.scalar(
            select(Membership.user_id)
            .where(
                Membership.organization_id == organization.id,
                Membership.role.in_((Role.OWNER, Role.ADMIN)),
            )
            .order_by(Membership.id)
            .limit(1)
        )
        return Actor(user_id=user_id)

    def person(self, email: str) -> Actor:
        """One of the demo's people. Raises ValueError for nobody."""
        user = db.session.scalar(select(User).where(User.email == email))
        if user is None:
            raise ValueError(f"trading.json: nobody has the address {email}")
        return Actor(user_id=user.id, name=user.name, email=email)

    def plan(self, name: str) -> Plan:
        """A plan, named like `field-steward/Account`, as it is in the database now."""
        return db.session.get_one(Plan, self.plans[name].id)

    def listing(self, slug: str) -> Listing:
        """A listing of the demo. Raises ValueError for one that is not there."""
        found = db.session.scalar(select(Listing).where(Listing.slug == slug))
        if found is None:
            raise ValueError(f"trading.json: there is no listing {slug}")
        return found


def set_up(trading: Row, finance: str) -> Market:
    """Put everything on offer, as of now; `finance` is the address of who sets fees and taxes."""
    market = Market(trading)
    staff = market.person(finance)
    for row in trading["taxes"]:
        add_rate(
            staff,
            country=row["country"],
            name="VAT",
            bps=row["bps"],
            has_reverse_charge=True,
            effective_from=None,
        )
    _fees(trading["fees"], staff)
    for row in trading["plans"]:
        _plan(market, row)
    for row in trading["discounts"]:
        _discount(market, row, staff)
    for row in trading["programs"]:
        _program(market, row)
    for row in trading["agreements"]:
        _agreement(market, row)
    for row in trading["buyers"]:
        _buyer(market, row)
    return market


def _fees(rows: list[Row], staff: Actor) -> None:
    draft = start_draft("Opening fees", copy_of=None, by_user_id=staff.user_id)
    for row in rows:
        values = {**row, "kind": FeeKind(row["kind"])}
        put_rule(draft, RuleValue(**values))
    publish_draft(
        draft, effective_from=clock.now() + timedelta(seconds=1), by_user_id=staff.user_id
    )


def _plan(market: Market, row: Row) -> None:
    listing = market.listing(row["listing"])
    actor = market.actor_of(listing.publisher)
    currencies = list(row.get("prices", {}))
    plan = create_plan(
        actor,
        listing,
        PlanValues(
            name=row["name"],
            description=row["description"],
            billing=row["billing"],
            is_per_seat=row.get("per_seat", False),
            trial_days=row.get("trial_days"),
            currency=currencies[0] if currencies else "EUR",
            price=row["prices"][currencies[0]] if currencies else None,
        ),
    )
    db.session.flush()
    for currency in currencies[1:]:
        set_price(actor, plan, currency, row["prices"][currency], None)
    activate(actor, plan)
    # What is sold an instant later must find the price in force.
    for price in db.session.scalars(select(Price).where(Price.plan_id == plan.id)):
        db.session.refresh(price)
    market.plans[f"{row['listing']}/{row['name']}"] = plan


def _discount(market: Market, row: Row, staff: Actor) -> None:
    owner = market.organization(row["publisher"]) if row.get("publisher") else None
    market.discounts[row["name"]] = create_discount(
        market.actor_of(owner) if owner else staff,
        owner.id if owner else None,
        DiscountValues(
            name=row["name"],
            kind="percent" if "bps" in row else "fixed",
            bps=row.get("bps"),
            amount=row.get("amount"),
            currency=row.get("currency", "EUR"),
            lasts={1: "once", None: "always"}.get(row.get("months"), "some"),
            months=row.get("months"),
            is_automatic=False,
            is_stackable=False,
            code=row["code"],
        ),
        allowed_plans={plan.id for plan in market.plans.values()},
        allowed_tiers=set(),
    )


def _program(market: Market, row: Row) -> None:
    owner = market.organization(row["publisher"]) if row.get("publisher") else None
    by_user_id = market.actor_of(owner).user_id if owner else None
    program = create_program(
        owner.id if owner else None,
        ProgramTerms(
            name=row["name"],
            description=row["description"],
            listing_id=market.listing(row["listing"]).id if row.get("listing") else None,
        ),
        RuleTerms(
            bps=row["bps"], payments=row.get("payments", 1), hold_days=row.get("hold_days", 30)
        ),
        by_user_id=by_user_id,
    )
    for member in row["members"]:
        organization = market.organization(member["organization"])
        actor = market.actor_of(organization)
        affiliate = join(program, organization.id, by_user_id=actor.user_id)
        for link in member.get("links", []):
            make_link(
                affiliate,
                link["target"],
                name=link["name"],
                code=link["code"],
                by_user_id=actor.user_id,
            )
        for code in member.get("codes", []):
            discount = market.discounts[code["discount"]]
            give_code(affiliate, discount, code["code"], by_user_id=by_user_id)


def _agreement(market: Market, row: Row) -> None:
    plan = market.plans[row["plan"]]
    publisher = db.session.get_one(Organization, plan.publisher_id)
    reseller = market.organization(row["reseller"])
    agreement = offer_agreement(
        plan,
        reseller.id,
        AgreementTerms(
            currency=row["currency"],
            floor_amount=row["floor"],
            maximum_markup_bps=row.get("maximum_markup_bps"),
            note=row.get("note", ""),
        ),
        by_user_id=market.actor_of(publisher).user_id,
    )
    accept_agreement(agreement, by_user_id=market.actor_of(reseller).user_id)


def _buyer(market: Market, row: Row) -> None:
    organization = market.organization(row["organization"])
    values = ProfileValues(
        legal_name=row.get("legal_name", organization.name),
        email=f"accounts@{organization.slug}.example",
        address_line=row["address"],
        city=row["city"],
        postal_code=row["postal_code"],
        country=organization.country,
        tax_id=row.get("tax_id", ""),
    )
    save_profile(
        organization.id,
        checked(values, frozenset(COUNTRIES)),
        by_user_id=market.actor_of(organization).user_id,
    )
