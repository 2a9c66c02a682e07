"""The demo's leads: routing rules, briefs at every stage, and leads that a partner registered."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import func, select

from marketplace.catalogue.models import Listing
from marketplace.core import clock
from marketplace.core.database import db
from marketplace.core.unit_of_work import unit_of_work
from marketplace.demo.acting import actor, organization
from marketplace.identity.models import Organization
from marketplace.pipeline.leads.models import Lead, LeadOffer, OfferState, Review
from marketplace.pipeline.leads.services import offering, reviewing, routing, working
from marketplace.pipeline.leads.services.capturing import capture, register
from marketplace.pipeline.leads.services.routing import RuleTerms

PARTNER = "tidewater-labs"
ADVISERS = ("consulting", "agency", "integration", "reseller")


@dataclass(frozen=True)
class Brief:
    """A customer's brief: how many days ago, from whom, what, and how far it came."""

    days: int
    name: str
    email: str
    company: str
    country: str
    need: str
    budget: str
    # To the partner of the demo; otherwise to whoever the rules choose.
    direct: bool = False
    # offered, accepted, declined, or a stage of whoever accepted it.
    then: str = "offered"
    note: str = ""


BRIEFS = (
    Brief(63, "Lena Hoffmann", "l.hoffmann@alpenlicht.example", "Alpenlicht", "DE",
          "We move four hundred product sheets a week between the shop and the warehouse by hand. "
          "It should run by itself and tell us what it could not match.", "5k_25k", True, "won"),
    Brief(58, "Marc Delorme", "marc@delorme-freres.example", "Delorme Frères", "FR",
          "Contacts from two trade fairs a year, about three thousand each, cleaned and without "
          "those we have already.", "under_5k", True, "lost", "They took an intern instead"),
    Brief(44, "Aoife Brennan", "aoife@brennan-mills.example", "Brennan Mills", "IE",
          "Our support desk and our billing know different addresses for the same customer.",
          "5k_25k", True, "proposal", "Offer sent; she shows it to their board on Thursday."),
    Brief(39, "Piotr Kaczmarek", "piotr@kaczmarek-tech.example", "Kaczmarek Tech", "PL",
          "Address checks at the checkout for Poland and Czechia, with a reason for each refusal.",
          "5k_25k", True, "qualified", "Twelve thousand orders a month. Wants a trial first."),
    Brief(33, "Ingrid Solberg", "ingrid@fjordline.example", "Fjordline", "NO",
          "Booking system into the calendar of six ships.", "25k_100k", True, "contacted"),
    Brief(21, "Rui Tavares", "rui@tavares-conservas.example", "Tavares Conservas", "PT",
          "Postal addresses of four hundred restaurants, checked twice a year.", "under_5k",
          True, "contacted"),
    Brief(12, "Eszter Varga", "eszter@varga-textil.example", "Varga Textil", "HU",
          "Can you read addresses from scanned delivery notes?", "", True, "accepted"),
    Brief(1, "Noor Haddad", "noor@cedarport.example", "Cedarport Trading", "AE",
          "We ship to eleven countries and pay for every parcel that comes back. We want to check "
          "addresses before we print a label. Call Noor at +971 4 555 0134.", "25k_100k", True),
    Brief(1, "Tom Fairweather", "tom@fairweather-bikes.example", "Fairweather Bikes", "GB",
          "Small shop, two thousand customers, many of them twice. Where do we begin?",
          "under_5k", True),
    Brief(52, "Olivia Marsh", "olivia@marsh-supply.example", "Marsh Supply", "GB",
          "Somebody who sets up our help desk with us and trains nine people.", "25k_100k",
          False, "won"),
    Brief(41, "Henrik Aas", "henrik@aas-marine.example", "Aas Marine", "NO",
          "We change our CRM in spring and look for who has done that with fleets.", "over_100k",
          False, "proposal"),
    Brief(28, "Thandi Dube", "thandi@duberoad.example", "Dube Road Freight", "ZA",
          "Invoices from three branches into one accounting.", "5k_25k", False, "qualified"),
    Brief(19, "Kenji Mori", "kenji@moriworks.example", "Mori Works", "JP",
          "A customer portal in Japanese on top of our ticket system.", "25k_100k", False,
          "contacted"),
    Brief(14, "Camille Roux", "camille@roux-vins.example", "Roux Vins", "FR",
          "Newsletter and shop should know the same customers.", "5k_25k", False, "declined",
          "We are booked until March"),
    Brief(9, "Isabela Prado", "isabela@pradofilmes.example", "Prado Filmes", "BR",
          "Contracts signed online, filed where finance finds them.", "5k_25k", False, "accepted"),
    Brief(6, "Grace Whitlock", "grace@whitlock-dental.example", "Whitlock Dental", "US",
          "Appointment reminders for seven practices, with what the law wants of us.", "5k_25k",
          False, "accepted"),
    Brief(1, "Arjun Nair", "arjun@spicewharf.example", "Spice Wharf", "IN",
          "Our warehouse app is ten years old. Who can connect it to what we use now?",
          "25k_100k"),
    Brief(0, "Sofie Mertens", "sofie@mertensbouw.example", "Mertens Bouw", "BE",
          "Time sheets from the building site into payroll, in two languages.", "5k_25k"),
    Brief(0, "Daniela Costa", "daniela@costalimpia.example", "Costa Limpia", "CL",
          "Routes for forty vans; today it is a spreadsheet.", "under_5k"),
)  # fmt: skip
# What the partner of the demo registered itself; the last is known already.
REGISTERED = (
    ("Björn Ek", "bjorn@ekdahl-snickeri.example", "Ekdahl Snickeri", "SE", "Met at a fair."),
    ("Marta Kos", "marta@kos-papir.example", "Kos Papir", "SI", "Asked after our talk."),
    ("Liam Doyle", "liam@doylecoaches.example", "Doyle Coaches", "IE", "A customer sent him."),
    ("Yuki Arai", "yuki@arai-optics.example", "Arai Optics", "JP", "Wrote to our support."),
    ("Jana Fischer", "jana.fischer@alpenlicht.example", "Alpenlicht GmbH", "DE",
     "Second shop of the same house."),
)  # fmt: skip


def load(tell: Callable[[str], None]) -> None:
    """Make rules and leads, unless there are leads. Commits."""
    if db.session.scalar(select(func.count()).select_from(Lead)):
        return
    partner, owner, manager = (
        organization(PARTNER),
        actor("partner-owner"),
        actor("program-manager"),
    )
    if partner is None or owner is None or manager is None:
        return
    listing_id = db.session.scalar(
        select(Listing.id)
        .where(Listing.publisher_id == partner.id, Listing.published_at.is_not(None))
        .order_by(Listing.id)
        .limit(1)
    )
    now = clock.now()
    with unit_of_work():
        _rules(manager.user_id)
        for brief in sorted(BRIEFS, key=lambda each: -each.days):
            _send(brief, partner, listing_id, owner.user_id, manager.user_id)
        with clock.frozen(now - timedelta(days=25)):
            for name, email, company, country, need in REGISTERED:
                lead = register(
                    {"name": name, "email": email, "company": company, "country": country,
                     "need": need, "listing_id": listing_id},
                    organization=partner,
                    by_user_id=owner.user_id,
                )  # fmt: skip
                if lead.duplicate_of_id is None:
                    reviewing.review(lead.id, Review.QUALIFIED, by_user_id=manager.user_id)
    tell(f"{len(BRIEFS)} briefs and {len(REGISTERED)} leads that a partner registered.")


def _rules(by_user_id: int | None) -> None:
    known = {"types": set(ADVISERS), "tiers": set(), "categories": set()}
    for terms in (
        RuleTerms(
            name="Advisers in the customer's country",
            partner_types=ADVISERS,
            same_country=True,
            capacity=6,
            answer_hours=24,
        ),
        RuleTerms(name="Any adviser, in turn", partner_types=ADVISERS, capacity=10),
    ):
        routing.save_rule(terms, known=known, by_user_id=by_user_id)


def _send(
    brief: Brief,
    partner: Organization,
    listing_id: int | None,
    owner_id: int | None,
    manager_id: int | None,
) -> None:
    """Let a brief arrive on its day, and go on as it says."""
    began = clock.now() - timedelta(days=brief.days, hours=3)
    with clock.frozen(began):
        lead = capture(
            source="listing" if brief.direct and listing_id else "directory",
            name=brief.name,
            email=brief.email,
            company=brief.company,
            country=brief.country,
            need=brief.need,
            budget=brief.budget,
            time_frame="quarter" if brief.budget else "",
            consent=True,
            partner_id=partner.id if brief.direct else None,
            listing_id=listing_id if brief.direct else None,
        )
    if brief.then == "offered":
        return
    by_user_id = owner_id if brief.direct else None
    with clock.frozen(began + timedelta(hours=5)):
        offer = _open_offer(lead)
        if offer is None:
            return
        if brief.then == "declined":
            offering.decline(offer.id, brief.note, by_user_id=by_user_id)
            offer = _open_offer(lead)
            if offer is None:
                return
        offering.accept(offer.id, by_user_id=by_user_id)
    if brief.then in ("accepted", "declined"):
        return
    with clock.frozen(began + timedelta(days=min(2, brief.days))):
        if brief.direct and brief.note and brief.then != "lost":
            working.add_note(lead, brief.note, organization_id=partner.id, by_user_id=by_user_id)
            working.add_task(lead, "Call again", (clock.now() + timedelta(days=30)).date(),
                             open_tasks=0)  # fmt: skip
        working.move(lead, brief.then, brief.note, by_user_id=by_user_id)
        if brief.then in ("qualified", "proposal", "won"):
            reviewing.review(lead.id, Review.QUALIFIED, by_user_id=manager_id)


def _open_offer(lead: Lead) -> LeadOffer | None:
    return db.session.scalar(
        select(LeadOffer).where(LeadOffer.lead_id == lead.id, LeadOffer.state == OfferState.OPEN)
    )
