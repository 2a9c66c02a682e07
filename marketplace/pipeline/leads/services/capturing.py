"""How a lead arrives: from a customer's brief, a campaign, or a partner that registers its own."""

from dataclasses import asdict
from datetime import timedelta
from typing import Any

from sqlalchemy import or_, select

from billing.public_ids import new_public_id
from marketplace.core import clock
from marketplace.core.database import db
from marketplace.core.errors import InvalidError
from marketplace.identity.models import Organization
from marketplace.pipeline.leads import mails
from marketplace.pipeline.leads.fields import LeadFields, read_fields
from marketplace.pipeline.leads.history import note_event
from marketplace.pipeline.leads.models import Lead, LeadSource, LeadState, Review
from marketplace.pipeline.leads.normalizing import company_domain, normal_email
from marketplace.pipeline.leads.services.offering import offer_next
from marketplace.pipeline.leads.services.taking_turns import hold
from marketplace.pipeline.leads.texts import CONSENT

# The same person with the same words within this time has clicked twice.
TWICE_WITHIN = timedelta(hours=24)
# A lead of the same person or company is a duplicate of one that is not older than this.
KNOWN_FOR = timedelta(days=365)


def capture(
    *,
    source: LeadSource | str,
    name: str,
    email: str,
    need: str,
    consent: bool,
    company: str = "",
    phone: str = "",
    website: str = "",
    country: str | None = None,
    postal_code: str = "",
    budget: str = "",
    time_frame: str = "",
    category: str = "",
    listing_id: int | None = None,
    partner_id: int | None = None,
    source_id: str = "",
    customer_organization_id: int | None = None,
    by_user_id: int | None = None,
) -> Lead:
    """Take in what a customer asks for, and offer it to the first partner, masked.

    `partner_id` is the partner that the customer asked for: it is offered the lead first; then the
    holder of the territory, then the routing rules decide. The customer is written a confirmation.
    The same brief again within a day is the lead that is there. Raises InvalidError with messages
    by field, also (at `consent`) when the person does not agree to be passed on. Flushes.
    """
    fields, errors = read_fields(
        {
            "name": name, "email": email, "need": need, "company": company, "phone": phone,
            "website": website, "country": country, "postal_code": postal_code,
            "budget": budget, "time_frame": time_frame,
        }
    )  # fmt: skip
    if not consent:
        errors["consent"] = "Without this no partner can answer you."
    if errors:
        raise InvalidError(errors)
    hold(_keys(fields))
    before = _same_brief(fields, listing_id, partner_id)
    if before is not None:
        return before
    lead = _add(
        fields,
        source=LeadSource(source),
        source_id=source_id[:64],
        state=LeadState.UNPLACED,
        category=category[:60],
        listing_id=listing_id,
        wanted_id=partner_id,
        customer_organization_id=customer_organization_id,
        by_user_id=by_user_id,
        consent_at=clock.now(),
        consent_text=CONSENT,
    )
    mails.tell_received(lead)
    offer_next(lead)
    return lead


def register(values: dict[str, Any], *, organization: Organization, by_user_id: int | None) -> Lead:
    """A lead that a partner found itself: at once its own, and not counted before staff qualify
    it. One that is known already is marked as a duplicate; the same once more within a day is the
    lead that is there. Raises InvalidError. Flushes.

    `values` are those of `read_fields`, and `category`, `listing_id`.
    """
    fields, errors = read_fields(values, needs_company=True)
    if errors:
        raise InvalidError(errors)
    hold(_keys(fields))
    before = _same_registered(fields, organization.id)
    if before is not None:
        return before
    now = clock.now()
    return _add(
        fields,
        source=LeadSource.PARTNER,
        state=LeadState.ACCEPTED,
        owner_id=organization.id,
        accepted_at=now,
        category=str(values.get("category") or "")[:60],
        listing_id=values.get("listing_id"),
        by_user_id=by_user_id,
    )


def known_as(email: str, website: str, *, but: int | None = None) -> Lead | None:
    """The first lead of the same address or company in the last year, unless it was rejected."""
    domain = company_domain(email, website)
    same = [Lead.email_key == normal_email(email)]
    if domain:
        same.append(Lead.domain_key == domain)
    query = select(Lead).where(
        or_(*same),
        Lead.created_at >= clock.now() - KNOWN_FOR,
        Lead.erased_at.is_(None),
        Lead.review != Review.REJECTED,
        Lead.duplicate_of_id.is_(None),
    )
    if but is not None:
        query = query.where(Lead.id != but)
    return db.session.scalar(query.order_by(Lead.id).limit(1))


def _add(fields: LeadFields, **values: Any) -> Lead:
    """A lead with its keys, its mark as a duplicate, and its history."""
    known = known_as(fields.email, fields.website)
    lead = Lead(
        public_id=new_public_id("lead"),
        email_key=normal_email(fields.email),
        domain_key=company_domain(fields.email, fields.website),
        duplicate_of_id=known.id if known else None,
        created_at=clock.now(),
        **asdict(fields),
        **values,
    )
    db.session.add(lead)
    db.session.flush()
    note_event(
        lead, "captured", organization_id=lead.owner_id, by_user_id=lead.by_user_id,
    )  # fmt: skip
    if known is not None:
        note_event(lead, "duplicated", detail="The same address or company is known already.")
    return lead


def keys_of(email: str, website: str) -> tuple[str, str]:
    """By what a person and a company are compared."""
    return normal_email(email), company_domain(email, website)


def _keys(fields: LeadFields) -> tuple[str, str]:
    return keys_of(fields.email, fields.website)


def _same_registered(fields: LeadFields, organization_id: int) -> Lead | None:
    return db.session.scalar(
        select(Lead)
        .where(
            Lead.email_key == normal_email(fields.email),
            Lead.need == fields.need,
            Lead.source == LeadSource.PARTNER,
            Lead.owner_id == organization_id,
            Lead.created_at >= clock.now() - TWICE_WITHIN,
        )
        .order_by(Lead.id)
        .limit(1)
    )


def _same_brief(fields: LeadFields, listing_id: int | None, partner_id: int | None) -> Lead | None:
    return db.session.scalar(
        select(Lead)
        .where(
            Lead.email_key == normal_email(fields.email),
            Lead.need == fields.need,
            Lead.source != LeadSource.PARTNER,
            Lead.listing_id == listing_id,
            Lead.wanted_id == partner_id,
            Lead.created_at >= clock.now() - TWICE_WITHIN,
            Lead.state != LeadState.CLOSED,
        )
        .order_by(Lead.id)
        .limit(1)
    )
