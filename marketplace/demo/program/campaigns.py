"""The demo's co-marketing: a campaign that runs, and a request that waits."""

from collections.abc import Callable
from datetime import timedelta

from sqlalchemy import func, select

from marketplace.core import clock
from marketplace.core.database import db
from marketplace.core.unit_of_work import unit_of_work
from marketplace.demo.acting import actor
from marketplace.pipeline.campaigns.models import Campaign, Side
from marketplace.pipeline.campaigns.services import requesting
from marketplace.pipeline.campaigns.services.answering import answer, consent_text
from marketplace.pipeline.campaigns.services.spending import spend

# name, company, whether they agreed to be shared
PEOPLE = (
    ("Hanna Brandt", "Elbe Cold Storage", True),
    ("Jonas Feld", "Feld & Söhne", True),
    ("Mireille Aubert", "Atelier Aubert", False),
    ("Tomasz Wrona", "Wrona Logistyka", True),
    ("Ilse de Boer", "De Boer Bloemen", False),
    ("Rafael Couto", "Couto Vinhos", True),
    ("Petra Novak", "Novak Instruments", True),
)


def load(tell: Callable[[str], None]) -> None:
    """Ask for two campaigns and run one. Commits; does nothing when there are campaigns."""
    partner, manager = actor("partner-owner"), actor("program-manager")
    if partner is None or manager is None:
        return
    if db.session.scalar(select(func.count()).select_from(Campaign)):
        return
    today = clock.now().date()
    with unit_of_work():
        running = requesting.request_campaign(
            requesting.Terms(
                title="Clean data before the holidays",
                goal="Sixty operations people at wholesalers in northern Europe, by two webinars "
                "and a mailing to our joint customers.",
                headline="Start the year without duplicates",
                pitch="In two weeks we go through your customer list with you: what is there "
                "twice, what is missing, and what it costs you. You keep the report.\n\n"
                "- One hour with somebody who does this every day\n"
                "- A report that you can act on\n- Nothing to install",
                starts_on=today,
                ends_on=today + timedelta(days=45),
                currency="EUR",
                partner_share=400_000,
                asked_share=300_000,
            ),
            actor=partner,
        )
        requesting.approve(
            running, 180_000, "Good plan. We pay the second webinar and the mailing.",
            actor=manager,
            beyond_budget=True,  # its tier comes later in the demo
        )  # fmt: skip
        for side, amount, what, who in (
            (Side.PARTNER, 120_000, "First webinar: platform and speaker", partner),
            (Side.PARTNER, 45_000, "Design of the report", partner),
            (Side.PLATFORM, 98_000, "Mailing to joint customers", manager),
        ):
            spend(
                running, side, amount=amount, what=what, spent_on=today,
                form_id=f"demo-{what[:20]}", actor=who,
            )  # fmt: skip
        words = consent_text(running, "Harbor Marketplace")
        for number, (name, company, shares) in enumerate(PEOPLE, 1):
            answer(
                running,
                held_by=Side.PLATFORM,
                name=name,
                email=f"person{number}@campaign.example",
                company=company,
                message="Please call in the morning." if number % 3 == 0 else "",
                shares=shares,
                words=words,
            )
        requesting.request_campaign(
            requesting.Terms(
                title="A day for field teams",
                goal="Thirty owners of service companies at one place, for a day of practice.",
                headline="A day for field teams",
                pitch="Bring your routes, leave with a plan for spring.",
                starts_on=today + timedelta(days=60),
                ends_on=today + timedelta(days=75),
                currency="EUR",
                partner_share=600_000,
                asked_share=600_000,
            ),
            actor=partner,
        )
    tell("A campaign runs, and a request for one waits.")
