"""The demo's deals: protected, in conflict, won and split; an account check; a territory."""

from collections.abc import Callable
from datetime import timedelta

from sqlalchemy import func, select

from marketplace.core import clock
from marketplace.core.database import db
from marketplace.core.permissions import Actor
from marketplace.core.unit_of_work import unit_of_work
from marketplace.demo.acting import actor, organization
from marketplace.identity.models import Organization
from marketplace.pipeline.account_checks.services import agreeing, comparing, sharing
from marketplace.pipeline.deals.claims import Share
from marketplace.pipeline.deals.models import CreditKind, Deal
from marketplace.pipeline.deals.services import registering, splitting, working
from marketplace.pipeline.deals.services.registering import register_deal
from marketplace.pipeline.deals.terms import DealTerms
from marketplace.pipeline.franchises.months import ends, following, month_of
from marketplace.pipeline.franchises.services import granting, royalties
from marketplace.pipeline.franchises.services.granting import GrantTerms

# days ago, partner, customer, domain, product, amount in euro cents, how far it came
DEALS = (
    (70, "tidewater-labs", "Alpenlicht", "alpenlicht.example", "Address Proof", 1_480_000, "won"),
    (61, "meridian-quay", "Marsh Supply", "marsh-supply.example", "Help desk setup", 3_900_000,
     "won"),
    (28, "tidewater-labs", "Delorme Frères", "delorme-freres.example", "Contact cleaning",
     320_000, "lost"),
    (25, "tidewater-labs", "Brennan Mills", "brennan-mills.example", "Address Proof", 900_000,
     "negotiation"),
    (24, "kitewell", "Spice Wharf", "spicewharf.example", "Warehouse link", 5_200_000, "proposal"),
    (23, "tidewater-labs", "Fjordline", "fjordline.example", "Address Proof", 2_650_000,
     "proposal"),
    (20, "meridian-quay", "Aas Marine", "aas-marine.example", "CRM move", 11_800_000,
     "discovery"),
    (9, "kitewell", "Fjordline AS", "www.fjordline.example", "address proof", 2_100_000, ""),
    (4, "tidewater-labs", "Kaczmarek Tech", "kaczmarek-tech.example", "Address Proof", 760_000,
     ""),
    (2, "quillbright", "Roux Vins", "roux-vins.example", "Newsletter link", 410_000, ""),
    (150, "tidewater-labs", "Harrow & Finch", "harrowfinch.example", "Contact cleaning",
     540_000, "discovery"),
)  # fmt: skip
SHARED = (
    "alpenlicht.example", "fjordline.example", "brennan-mills.example", "marsh-supply.example",
)  # fmt: skip
TIDEWATER = (*SHARED, *(f"shop{number}.example" for number in range(1, 31)))
KITEWELL = (*SHARED, *(f"works{number}.example" for number in range(1, 23)))


def load(tell: Callable[[str], None]) -> None:
    """Make deals, an account check and a territory, unless there are deals. Commits."""
    if db.session.scalar(select(func.count()).select_from(Deal)):
        return
    manager = actor("program-manager")
    partners = {
        slug: found
        for slug in {row[1] for row in DEALS}
        if (found := organization(slug)) is not None
    }
    if manager is None or "tidewater-labs" not in partners or "kitewell" not in partners:
        return
    owner = actor("partner-owner", "tidewater-labs")
    with unit_of_work():
        for row in DEALS:
            if row[1] in partners:
                _deal(row, partners, manager)
        registering.expire_claims()
        _check(partners["tidewater-labs"], partners["kitewell"], owner)
        franchise = organization("frontdesk-franchise")
        if franchise is not None:
            _territory(franchise, manager.user_id)
    tell(f"{len(DEALS)} deals, an account check and a territory.")


def _deal(
    row: tuple[int, str, str, str, str, int, str],
    partners: dict[str, Organization],
    manager: Actor,
) -> None:
    """Register a deal on its day, and let it go as far as it came."""
    days, slug, customer, domain, product, amount, stage = row
    began = clock.now() - timedelta(days=days)
    with clock.frozen(began):
        deal = register_deal(
            DealTerms(
                title=f"{customer}: {product}",
                customer_name=customer,
                customer=domain,
                amount=amount,
                currency="EUR",
                product=product,
                close_on=(began + timedelta(days=60)).date(),
            ),
            organization=partners[slug],
            by_user_id=None,
        )
    if not stage:
        return
    with clock.frozen(began + timedelta(days=1)):
        registering.approve(deal.id, by_user_id=manager.user_id)
    if stage == "discovery":
        return
    with clock.frozen(began + timedelta(days=min(12, days - 1))):
        reason = "They took an intern instead" if stage == "lost" else ""
        working.move(deal.id, working.Move(stage, reason=reason), by_user_id=None)
    if slug == "meridian-quay" and stage == "won":
        with clock.frozen(began + timedelta(days=16)):
            splitting.split_credit(
                deal.id,
                [
                    Share(partners["meridian-quay"].id, CreditKind.SOURCED, 7_000),
                    Share(partners["tidewater-labs"].id, CreditKind.ASSISTED, 3_000),
                ],
                "",
                seen_version=0,
                by_user_id=manager.user_id,
            )


def _check(one: Organization, two: Organization, owner: Actor | None) -> None:
    """Two partners compare customers, and write to each other."""
    began = clock.now() - timedelta(days=16)
    by_user_id = owner.user_id if owner else None
    with clock.frozen(began):
        check = agreeing.invite(
            one, two, "names",
            "We keep meeting at the same customers. Shall we see which?", by_user_id=by_user_id,
        )  # fmt: skip
    with clock.frozen(began + timedelta(days=1)):
        agreeing.accept(check.id, by_user_id=None)
        comparing.hand_in(check.id, one.id, "\n".join(TIDEWATER), by_user_id=by_user_id)
    with clock.frozen(began + timedelta(days=3)):
        comparing.hand_in(check.id, two.id, "\n".join(KITEWELL), by_user_id=None)
        comparing.entry_receipt(check.id, one.id, "fjordline.example", by_user_id=by_user_id)
        sharing.write(
            check.id, one.id,
            "Four in common. You know their warehouse people, we know their shop. Call on Monday?",
            by_user_id=by_user_id,
        )  # fmt: skip


def _territory(franchise: Organization, by_user_id: int | None) -> None:
    """A franchise holds a territory since two months, and reported the last one."""
    now = clock.now()
    last = following(month_of(now), -1)
    first = following(last, -1)
    with clock.frozen(now - timedelta(days=70)):
        grant = granting.grant(
            franchise,
            GrantTerms(
                areas="CL\nUS 970 971 972",
                first_month=first,
                last_month=following(first, 35),
                royalty_base="reported",
                royalty_bps=650,
                minimum=25_000,
                currency="USD",
                note="Reviewed every January.",
            ),
            by_user_id=by_user_id,
        )
    for month, amount in ((first, 1_284_350), (last, 961_900)):
        with clock.frozen(min(now, ends(month) + timedelta(hours=9))):
            royalties.report_sales(grant.id, month, amount, by_user_id=None)
            royalties.issue(grant.id, month)
