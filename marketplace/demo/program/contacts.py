"""Who of the demo's staff is there for whom, and what partners wrote to them."""

from collections.abc import Callable
from datetime import datetime, timedelta

from sqlalchemy import func, select

from marketplace.core import clock
from marketplace.core.database import db
from marketplace.core.unit_of_work import unit_of_work
from marketplace.identity.countries import COUNTRIES
from marketplace.identity.models import Membership, Organization, OrganizationKind, User
from marketplace.program.contacts.models import (
    ContactAssignment,
    ContactRole,
    RequestKind,
)
from marketplace.program.contacts.services import assigning, conversations, managers, meetings
from marketplace.program.contacts.services.assigning import Scope
from marketplace.program.contacts.services.conversations import Asker, Wish

REGIONS = {
    "Northern Europe": "DK EE FI GB IE IS LT LV NO SE",
    "Central Europe": "AT BE CH CZ DE HU LI LU NL PL SI SK",
    "Southern Europe": "ES FR GR HR IT MT PT",
    "Americas": "AR BR CA CL CO CR MX PE US UY",
    "Asia and Pacific": "AU HK ID IN JP KR MY NZ PH SG TH TW VN",
    "Africa and Middle East": "AE BW EG GH IL KE MA NG QA RW SA TN ZA",
}
# Role, region (empty: everybody else), person, who stands in.
ASSIGNMENTS = (
    (ContactRole.PARTNER_MANAGER, "", "Daniel Osei", "Alex Rivera"),
    (ContactRole.PARTNER_MANAGER, "Southern Europe", "Ines Moreau", "Daniel Osei"),
    (ContactRole.PARTNER_MANAGER, "Africa and Middle East", "Samuel Adeyemi", "Daniel Osei"),
    (ContactRole.MARKETING, "", "Samuel Adeyemi", "Ines Moreau"),
    (ContactRole.SUPPORT, "", "Mei Tanaka", "Daniel Osei"),
    (ContactRole.EXECUTIVE_SPONSOR, "", "Alex Rivera", "Daniel Osei"),
)
SPONSORED = ("tidewater-labs", "meridian-quay", "studio-okavango")


def load(tell: Callable[[str], None]) -> None:
    """Assign people and let some conversations happen, unless that was done. Commits."""
    if db.session.scalar(select(func.count()).select_from(ContactAssignment)):
        return
    staff = _staff()
    if "Daniel Osei" not in staff:
        return
    now = clock.now()
    with unit_of_work(), clock.frozen(now - timedelta(days=120)):
        regions = {
            name: assigning.save_region(
                None, name, [code for code in codes.split() if code in COUNTRIES], by_user_id=None
            )
            for name, codes in REGIONS.items()
        }
        for role, region, person, backup in ASSIGNMENTS:
            assigning.assign(
                role,
                Scope(region=regions.get(region)),
                staff[person],
                backup_user_id=staff[backup],
                by_user_id=staff["Daniel Osei"],
            )
        for slug in SPONSORED:
            partner = _partner(slug)
            if partner is not None:
                assigning.assign(
                    ContactRole.EXECUTIVE_SPONSOR,
                    Scope(organization=partner),
                    staff["Alex Rivera"],
                    backup_user_id=staff["Daniel Osei"],
                    by_user_id=staff["Daniel Osei"],
                )
    partner = _partner("tidewater-labs")
    if partner is not None:
        _talk(partner, staff, now)
    tell("The program's contacts are assigned.")


def _talk(partner: Organization, staff: dict[str, int], now: datetime) -> None:
    maya = _member(partner, "owner")
    if maya is None:
        return
    asker = Asker(maya.name, maya.email or "", maya.id, partner)
    with unit_of_work():
        with clock.frozen(now - timedelta(days=12)):
            managers.name_manager(partner, maya.id, by_user_id=maya.id)
            managers.confirm(partner, maya.id)
        with clock.frozen(now - timedelta(days=6, hours=3)):
            question = conversations.begin(
                Wish(
                    RequestKind.MESSAGE,
                    ContactRole.SUPPORT,
                    "Webhook signatures after a rotation",
                    "We rotated the secret of our endpoint. For how long are deliveries signed "
                    "with both secrets?",
                ),
                asker,
            )
        with clock.frozen(now - timedelta(days=6)):
            mei = db.session.get_one(User, staff["Mei Tanaka"])
            conversations.reply(
                question,
                "For 24 hours, unless you end the old one before. Both signatures stand in the "
                "header, so check each of them.",
                user=mei,
                is_staff=True,
            )
        with clock.frozen(now - timedelta(days=2)):
            first = (now + timedelta(days=5)).replace(hour=9, minute=0, second=0, microsecond=0)
            booking = conversations.begin(
                Wish(
                    RequestKind.BOOKING,
                    ContactRole.MARKETING,
                    "Launch of our new connector",
                    "We would like to plan the announcement and a webinar with you.",
                    [first, first + timedelta(days=1, hours=4)],
                    45,
                ),
                asker,
            )
            meetings.agree(booking, first, user_id=staff["Samuel Adeyemi"])
        with clock.frozen(now - timedelta(days=1)):
            conversations.begin(
                Wish(
                    RequestKind.ESCALATION,
                    ContactRole.EXECUTIVE_SPONSOR,
                    "Certification waits for an answer",
                    "Our certification has waited for an answer of ours and yours in turn for a "
                    "month, and a customer's rollout hangs on it. Who decides?",
                ),
                asker,
            )


def _staff() -> dict[str, int]:
    rows = db.session.execute(
        select(User.name, User.id)
        .join(Membership, Membership.user_id == User.id)
        .join(Organization, Organization.id == Membership.organization_id)
        .where(Organization.kind == OrganizationKind.PLATFORM)
    )
    return dict(iter(rows))


def _partner(slug: str) -> Organization | None:
    return db.session.scalar(
        select(Organization).where(
            Organization.slug == slug, Organization.kind == OrganizationKind.PARTNER
        )
    )


def _member(partner: Organization, role: str) -> User | None:
    return db.session.scalar(
        select(User)
        .join(Membership, Membership.user_id == User.id)
        .where(Membership.organization_id == partner.id, Membership.role == role)
        .order_by(User.id)
        .limit(1)
    )
