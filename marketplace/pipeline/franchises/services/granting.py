"""Granting territories, exclusively: no place belongs to two partners at one time."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select

from billing.formatting import format_bps
from billing.money import BPS, CURRENCIES, MAX_AMOUNT
from billing.public_ids import new_public_id
from marketplace.catalogue.content import clean_text
from marketplace.core import clock
from marketplace.core.database import db
from marketplace.core.errors import ConflictError, InvalidError
from marketplace.core.facts import record_fact
from marketplace.core.locks import lock_row
from marketplace.core.once import insert_if_new
from marketplace.identity.models import Organization, OrganizationKind
from marketplace.identity.own_partner import refuse_members
from marketplace.pipeline.franchises import mails
from marketplace.pipeline.franchises.models import (
    RoyaltyBase,
    TerritoryArea,
    TerritoryGrant,
    TerritoryLock,
)
from marketplace.pipeline.franchises.months import begins, ends, month_of, parse_month
from marketplace.pipeline.franchises.overlap import parse_areas, same_places, words_of


@dataclass(frozen=True)
class GrantTerms:
    """What is granted. Months as 2026-11, both included; `minimum` in minor units."""

    areas: str
    first_month: str
    last_month: str
    royalty_base: str
    royalty_bps: int | None
    minimum: int | None
    currency: str
    note: str = ""


def grant(
    organization: Organization | None, terms: GrantTerms, *, by_user_id: int | None
) -> TerritoryGrant:
    """Grant territories to a partner for whole months.

    A place that another grant (or the same partner's) holds at any moment of that time is refused,
    also when both are granted at once. A partner has one grant at a time, so that a month has one
    royalty. Raises ForbiddenError for a member of it, InvalidError with messages by field.
    """
    refuse_members(by_user_id, organization.id if organization else None)
    areas, starts_at, ends_at = _checked(organization, terms)
    if organization is None:
        raise InvalidError({"partner": "No partner has this address or name."})
    for country in sorted({country for country, _prefix in areas}):
        insert_if_new(TerritoryLock, country=country)
        lock_row(TerritoryLock, TerritoryLock.country == country)
    _refuse_taken(areas, starts_at, ends_at)
    lock_row(Organization, Organization.id == organization.id)
    _refuse_second(organization.id, starts_at, ends_at)
    row = TerritoryGrant(
        public_id=new_public_id("ter"),
        organization_id=organization.id,
        starts_at=starts_at,
        ends_at=ends_at,
        royalty_base=RoyaltyBase(terms.royalty_base),
        royalty_bps=terms.royalty_bps or 0,
        minimum_amount=terms.minimum or 0,
        currency=terms.currency,
        note=clean_text(terms.note),
        granted_by_id=by_user_id,
        created_at=clock.now(),
        areas=[TerritoryArea(country=country, prefix=prefix) for country, prefix in areas],
    )
    db.session.add(row)
    db.session.flush()
    record_fact(
        "territory.granted",
        subject=("territory_grant", row.id),
        actor_user_id=by_user_id,
        organization_id=organization.id,
        data={"areas": len(areas), "royalty": format_bps(row.royalty_bps)},
    )
    mails.tell_granted(row)
    return row


def end_grant(grant_id: int, reason: str, *, by_user_id: int | None) -> TerritoryGrant:
    """End a grant now: its places are free. The royalty of this month is still owed. Raises
    ForbiddenError for a member of the partner, InvalidError, ConflictError when it has ended
    already."""
    words = " ".join(clean_text(reason).split())
    if not words:
        raise InvalidError({"reason": "Say why. The partner reads it."})
    if len(words) > 300:
        raise InvalidError({"reason": "Use at most 300 characters."})
    row = lock_row(TerritoryGrant, TerritoryGrant.id == grant_id)
    now = clock.now()
    if row is None or row.ends_at <= now:
        raise ConflictError("This grant has ended already.")
    refuse_members(by_user_id, row.organization_id)
    # One that has not begun never was: it owes nothing.
    row.ends_at = max(now, row.starts_at) if row.starts_at <= now else row.starts_at
    row.end_reason, row.ended_by_id = words, by_user_id
    db.session.flush()
    record_fact(
        "territory.ended",
        subject=("territory_grant", row.id),
        actor_user_id=by_user_id,
        organization_id=row.organization_id,
    )
    mails.tell_ended(row)
    return row


def _refuse_taken(areas: list[tuple[str, str]], starts_at: datetime, ends_at: datetime) -> None:
    """Raises InvalidError when somebody holds one of the places at some moment of that time. Hold
    the countries."""
    rows = db.session.execute(
        select(
            TerritoryArea.country,
            TerritoryArea.prefix,
            Organization.name,
            TerritoryGrant.starts_at,
            TerritoryGrant.ends_at,
        )
        .join(TerritoryGrant, TerritoryGrant.id == TerritoryArea.grant_id)
        .join(Organization, Organization.id == TerritoryGrant.organization_id)
        .where(
            TerritoryArea.country.in_({country for country, _prefix in areas}),
            TerritoryGrant.starts_at < ends_at,
            TerritoryGrant.ends_at > starts_at,
            TerritoryGrant.ends_at > TerritoryGrant.starts_at,
        )
    ).all()
    for country, prefix in areas:
        for other_country, other_prefix, name, since, until in rows:
            if same_places(country, prefix, other_country, other_prefix):
                raise InvalidError(
                    {
                        "areas": f"{words_of(country, prefix)} overlaps with "
                        f"{words_of(other_country, other_prefix)}, which {name} holds from "
                        f"{since:%d %b %Y} to {until:%d %b %Y}."
                    }
                )


def _refuse_second(organization_id: int, starts_at: datetime, ends_at: datetime) -> None:
    """Raises InvalidError when the partner has a grant in one of these months. Hold the partner."""
    rows = db.session.execute(
        select(TerritoryGrant.starts_at, TerritoryGrant.ends_at).where(
            TerritoryGrant.organization_id == organization_id,
            TerritoryGrant.ends_at > TerritoryGrant.starts_at,
        )
    )
    for since, until in rows:
        # A grant that ends within a month has that whole month.
        last = until if until == begins(month_of(until)) else ends(month_of(until))
        if since < ends_at and starts_at < last:
            raise InvalidError(
                {"first_month": "The partner has a grant in these months already. End it first."}
            )


def _checked(
    organization: Organization | None, terms: GrantTerms
) -> tuple[list[tuple[str, str]], datetime, datetime]:
    errors: dict[str, str] = {}
    if (
        organization is None
        or organization.kind is not OrganizationKind.PARTNER
        or organization.suspended_at is not None
    ):
        errors["partner"] = "No partner has this address or name."
    areas, fault = parse_areas(terms.areas[:20_000])
    if fault:
        errors["areas"] = fault
    first, last = parse_month(terms.first_month), parse_month(terms.last_month)
    if first is None:
        errors["first_month"] = "Write a month like 2027-01."
    if last is None:
        errors["last_month"] = "Write a month like 2029-12."
    if first and last and last < first:
        errors["last_month"] = "It ends before it begins."
    if terms.royalty_base not in {each.value for each in RoyaltyBase}:
        errors["royalty_base"] = "Choose what the royalty is a share of."
    if terms.royalty_bps is None or not 0 <= terms.royalty_bps <= BPS:
        errors["royalty"] = "From 0% to 100%."
    if terms.currency not in CURRENCIES:
        errors["currency"] = "Choose a currency."
    if terms.minimum is not None and not 0 <= terms.minimum <= MAX_AMOUNT:
        errors["minimum"] = "Enter the least royalty of a month, or nothing."
    if len(terms.note) > 4_000:
        errors["note"] = "Use at most 4,000 characters."
    if errors or first is None or last is None:
        raise InvalidError(errors)
    return areas, begins(first), ends(last)
