"""What a card or a badge on another site may say: public things alone, as they are now."""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy import not_, select

from marketplace.accreditation.certification.reading import certified_listing_ids, certified_people
from marketplace.accreditation.credentials.addresses import base_url
from marketplace.accreditation.seats.reading import is_lab_of_seat
from marketplace.core.database import db
from marketplace.identity.models import Organization, OrganizationKind
from marketplace.program.policy.live import current_policy
from marketplace.program.standing.reading import place_of

# How long others may keep what they were given, in seconds: what is taken back shows within it.
KEEP_SECONDS = 300


@dataclass(frozen=True)
class PartnerCard:
    """A partner. `tier` is empty for who is not in the program; `has_left`: any more."""

    name: str
    slug: str
    tagline: str
    url: str
    partner_type: str
    tier: str
    has_left: bool
    is_verified: bool
    certified_people: int
    color: str | None = None
    logo_url: str | None = None


@dataclass(frozen=True)
class ListingCard:
    """A listing. `is_live`: it is published and not withdrawn."""

    name: str
    slug: str
    tagline: str
    url: str
    publisher: str
    is_certified: bool
    is_live: bool
    rating: str = ""
    rating_count: int = 0
    color: str | None = None
    logo_url: str | None = None


@dataclass(frozen=True)
class ListedRow:
    """What the catalogue, which stands above, says of a listing."""

    id: int
    slug: str
    name: str
    tagline: str
    publisher: str
    is_live: bool
    rating_hundredths: int
    rating_count: int
    color: str | None
    logo_key: str | None


@dataclass(frozen=True)
class ListingSource:
    """How listings are looked up: one by its address (None: never public), and those that an
    organization has published."""

    find: Callable[[str], ListedRow | None]
    published_by: Callable[[int], Sequence[ListedRow]]


_sources: list[ListingSource] = []


def show_listings_with(source: ListingSource) -> None:
    """Tell where listings are looked up (wiring.py does)."""
    _sources[:] = [source]


def listings_of(organization_id: int) -> Sequence[ListedRow]:
    """What an organization has published."""
    return _sources[0].published_by(organization_id) if _sources else ()


def listing_card(slug: str) -> ListingCard | None:
    """The card of a listing; None for one that the public has never seen."""
    row = _sources[0].find(slug) if _sources else None
    if row is None:
        return None
    return ListingCard(
        name=row.name,
        slug=row.slug,
        tagline=row.tagline,
        url=f"{base_url()}/listings/{row.slug}",
        publisher=row.publisher,
        is_certified=row.is_live and row.id in certified_listing_ids([row.id]),
        is_live=row.is_live,
        rating=f"{row.rating_hundredths / 100:.1f}" if row.rating_count else "",
        rating_count=row.rating_count,
        color=row.color,
        logo_url=_media(row.logo_key),
    )


def find_partner(slug: str) -> Organization | None:
    """The partner of an address, also a suspended one: its badge says so by being grey. A
    student's lab has no card."""
    return db.session.scalar(
        select(Organization).where(
            Organization.slug == slug[:80].replace("\x00", ""),
            Organization.kind == OrganizationKind.PARTNER,
            not_(is_lab_of_seat(Organization.id)),
        )
    )


def partner_card(organization: Organization) -> PartnerCard:
    """The card of a partner that is not suspended."""
    place = place_of(organization.id)
    live = current_policy()
    kind = live.policy.type(place.partner_type) if live else None
    tier = live.policy.tier(place.tier) if live else None
    is_live = organization.suspended_at is None
    people = certified_people([organization.id]).get(organization.id, 0) if is_live else 0
    return PartnerCard(
        name=organization.name,
        slug=organization.slug,
        tagline=organization.tagline,
        url=f"{base_url()}/partners/{organization.slug}",
        partner_type=kind.name if kind else "",
        tier=tier.name if tier and is_live else "",
        has_left=not is_live or (place.state is not None and not place.tier),
        is_verified=organization.verified_at is not None and is_live,
        certified_people=people,
        color=organization.brand_color,
        logo_url=_media(organization.logo_key),
    )


def as_data(card: PartnerCard | ListingCard) -> dict[str, Any]:
    """The card for scripts: what the widget shows."""
    return asdict(card)


def _media(key: str | None) -> str | None:
    return f"{base_url()}/media/{key}" if key else None
