"""What staff do with leads: qualify, merge, reassign, close, erase."""

from datetime import timedelta

from sqlalchemy import delete, func, or_, select, update

from marketplace.catalogue.content import clean_text
from marketplace.core import clock
from marketplace.core.database import db
from marketplace.core.errors import ConflictError, InvalidError
from marketplace.core.locks import lock_row
from marketplace.identity.models import Organization
from marketplace.identity.own_partner import refuse_members
from marketplace.pipeline.deals.forgetting import forget_lead
from marketplace.pipeline.leads import mails
from marketplace.pipeline.leads.history import note_event
from marketplace.pipeline.leads.models import (
    Lead,
    LeadEvent,
    LeadImport,
    LeadNote,
    LeadSource,
    LeadStage,
    LeadState,
    LeadTask,
    Review,
)
from marketplace.pipeline.leads.services.choosing import Choice
from marketplace.pipeline.leads.services.offering import (
    ANSWER_WITHIN,
    may_take_leads,
    offer_next,
    offer_to,
    withdraw_open,
)
from marketplace.program.measures import Measure, Measurement, measure

# Data of people is removed this long after anything last happened to a lead.
KEEP_FOR = timedelta(days=730)
KEEP_IMPORTS_FOR = timedelta(days=1)
ERASED = "Removed"


def review(lead_id: int, verdict: Review, reason: str = "", *, by_user_id: int | None) -> Lead:
    """Say whether a lead is qualified: what counts for the partner that has it.

    A duplicate is never qualified; clear it first. Rejecting needs a reason, which the partner
    reads. Changing one's mind takes the count back. Raises ForbiddenError for a member of that
    partner, InvalidError, ConflictError.
    """
    words = _words(reason)
    if verdict is Review.REJECTED and not words:
        raise InvalidError({"reason": "Say why. The partner reads it."})
    lead = _held(lead_id)
    refuse_members(by_user_id, lead.owner_id)
    if verdict is Review.QUALIFIED and lead.duplicate_of_id is not None:
        raise ConflictError("It is a duplicate. Clear that first if it is none.")
    if verdict is Review.QUALIFIED and lead.owner_id is None:
        raise ConflictError("No partner has it yet.")
    if lead.review is verdict and lead.review_reason == words:
        _count(lead)
        return lead
    lead.review, lead.review_reason, lead.reviewed_by_id = verdict, words, by_user_id
    note_event(
        lead,
        "reviewed",
        organization_id=lead.owner_id,
        by_user_id=by_user_id,
        detail=verdict.value,
    )
    _count(lead)
    return lead


def _count(lead: Lead) -> None:
    """Make what is measured agree with the lead: one for its owner while it is qualified and no
    duplicate, nothing for anybody else. Hold the lead."""
    counts = lead.review is Review.QUALIFIED and lead.duplicate_of_id is None
    rows = db.session.execute(
        select(Measurement.organization_id, func.sum(Measurement.amount), func.count())
        .where(
            Measurement.measure == Measure.LEADS_QUALIFIED.value,
            Measurement.source_type == "lead",
            Measurement.source_id == str(lead.id),
        )
        .group_by(Measurement.organization_id)
    )
    stands = {each: (int(total), int(times)) for each, total, times in rows}
    owners = {*stands, *([lead.owner_id] if lead.owner_id is not None else [])}
    for owner in sorted(owners):
        total, times = stands.get(owner, (0, 0))
        wanted = int(counts and owner == lead.owner_id)
        if wanted != total:
            measure(
                owner,
                Measure.LEADS_QUALIFIED,
                wanted - total,
                key=f"lead:{lead.id}:{owner}:{times + 1}",
                source=("lead", lead.id),
            )


def merge(lead_id: int, into_id: int, *, by_user_id: int | None) -> Lead:
    """Say that a lead is a duplicate of another one; it no longer counts.

    Raises ForbiddenError for a member of a partner that has one of them, ConflictError when the
    other one is the same, or a duplicate itself.
    """
    if lead_id == into_id:
        raise ConflictError("A lead is not a duplicate of itself.")
    held = {each: _held(each) for each in sorted((lead_id, into_id))}
    lead, into = held[lead_id], held[into_id]
    refuse_members(by_user_id, lead.owner_id, into.owner_id)
    if into.duplicate_of_id is not None:
        raise ConflictError("That one is a duplicate itself. Name the first of them.")
    db.session.execute(
        update(Lead).where(Lead.duplicate_of_id == lead.id).values(duplicate_of_id=into.id)
    )
    lead.duplicate_of_id = into.id
    if lead.review is Review.QUALIFIED:
        lead.review = Review.PENDING
    withdraw_open(lead, by_user_id=by_user_id)
    if lead.state in (LeadState.OFFERED, LeadState.UNPLACED):
        lead.state = LeadState.CLOSED
    note_event(lead, "merged", organization_id=lead.owner_id, by_user_id=by_user_id)
    note_event(into, "merged", organization_id=into.owner_id, by_user_id=by_user_id)
    _count(lead)
    return lead


def clear_duplicate(lead_id: int, *, by_user_id: int | None) -> Lead:
    """Say that a lead is no duplicate after all. What was closed for it is offered again.
    Raises ForbiddenError for a member of the partner that has it."""
    lead = _held(lead_id)
    refuse_members(by_user_id, lead.owner_id)
    if lead.duplicate_of_id is not None:
        lead.duplicate_of_id = None
        note_event(lead, "cleared", organization_id=lead.owner_id, by_user_id=by_user_id)
        if _is_closed(lead) and lead.review is not Review.REJECTED:
            offer_next(lead)
        _count(lead)
    return lead


def reopen(lead_id: int, *, by_user_id: int | None) -> Lead:
    """Undo that a lead was closed: whoever had it has it again; else it is offered anew. What was
    said of it is undecided again. Raises ForbiddenError for a member of that partner,
    ConflictError."""
    lead = _held(lead_id)
    if lead.state is not LeadState.CLOSED:
        return lead
    if not _is_closed(lead):
        raise ConflictError("The person's data is removed. It stays closed.")
    if lead.duplicate_of_id is not None:
        raise ConflictError("It is a duplicate. Clear that first if it is none.")
    former_id = db.session.scalar(
        select(LeadEvent.organization_id)
        .where(LeadEvent.lead_id == lead.id, LeadEvent.kind == "closed")
        .order_by(LeadEvent.id.desc())
        .limit(1)
    )
    refuse_members(by_user_id, former_id)
    lead.review, lead.review_reason, lead.reviewed_by_id = Review.PENDING, "", None
    note_event(lead, "reopened", organization_id=former_id, by_user_id=by_user_id)
    if former_id is not None:
        lead.owner_id, lead.accepted_at = former_id, clock.now()
        lead.state = LeadState.ACCEPTED
    else:
        offer_next(lead)
    return lead


def _is_closed(lead: Lead) -> bool:
    """Whether a lead is closed and can be opened again."""
    return lead.state is LeadState.CLOSED and lead.erased_at is None and lead.owner_id is None


def reassign(
    lead_id: int,
    organization: Organization | None,
    *,
    by_user_id: int | None,
    directly: bool = False,
) -> Lead:
    """Take a lead from whoever has it, and offer it to that partner (None: as the rules say).

    `directly`: the partner has it at once, without being asked. The former one no longer sees the
    contact. What was said of the lead is said of whoever had it: whoever accepts it is looked at
    anew. Raises ForbiddenError for a member of one of the two, ConflictError, also for a lead whose
    person never agreed that another partner gets the contact: one that a partner registered itself.
    """
    lead = _held(lead_id)
    refuse_members(by_user_id, lead.owner_id, organization.id if organization else None)
    if lead.state is LeadState.CLOSED or lead.erased_at is not None:
        raise ConflictError("This lead is closed.")
    if lead.consent_at is None:
        raise ConflictError("The person agreed to the partner that registered it, to nobody else.")
    if organization is not None and not may_take_leads(organization):
        raise ConflictError("This organization is no partner that takes leads.")
    if organization is not None and lead.owner_id == organization.id:
        raise ConflictError("This partner has it already.")
    withdraw_open(lead, by_user_id=by_user_id)
    former = lead.owner_id
    lead.owner_id, lead.accepted_at = None, None
    lead.stage, lead.lost_reason = LeadStage.NEW, ""
    lead.state = LeadState.UNPLACED
    if not directly or lead.review is Review.REJECTED:
        lead.review, lead.review_reason, lead.reviewed_by_id = Review.PENDING, "", None
    if former is not None:
        note_event(lead, "reassigned", organization_id=former, by_user_id=by_user_id)
    if organization is None:
        offer_next(lead)
    elif directly:
        lead.owner_id, lead.accepted_at = organization.id, clock.now()
        lead.state = LeadState.ACCEPTED
        note_event(
            lead, "accepted", organization_id=organization.id, by_user_id=by_user_id,
            detail="Given by staff",
        )  # fmt: skip
        mails.tell_given(lead)
    else:
        offer_to(
            lead,
            Choice(organization.id, None, ("The program's team chose this partner",)),
            deadline=clock.now() + ANSWER_WITHIN,
            by_user_id=by_user_id,
        )
    _count(lead)
    return lead


def close(lead_id: int, reason: str, *, by_user_id: int | None) -> Lead:
    """Close a lead that is none, such as spam. Raises ForbiddenError for a member of the partner
    that has it, InvalidError."""
    words = _words(reason)
    if not words:
        raise InvalidError({"reason": "Say why it is closed."})
    lead = _held(lead_id)
    refuse_members(by_user_id, lead.owner_id)
    withdraw_open(lead, by_user_id=by_user_id)
    former = lead.owner_id
    lead.state, lead.owner_id = LeadState.CLOSED, None
    lead.review, lead.review_reason = Review.REJECTED, words
    # What is typed stands beside the lead alone: the history is never erased.
    note_event(lead, "closed", organization_id=former, by_user_id=by_user_id)
    _count(lead)
    return lead


def take_back(lead_id: int, *, organization_id: int, by_user_id: int | None) -> None:
    """A partner takes back a lead that it registered itself, while nobody has looked at it: the
    person's data goes, and it is counted nowhere. Raises ConflictError."""
    lead = _held(lead_id)
    if lead.owner_id != organization_id or lead.source is not LeadSource.PARTNER:
        raise ConflictError("You did not register this lead.")
    if lead.review is not Review.PENDING or lead.state is not LeadState.ACCEPTED:
        raise ConflictError("Staff have looked at it already. Ask them to close it.")
    later = db.session.scalars(
        select(Lead).where(Lead.duplicate_of_id == lead.id).order_by(Lead.id)
    ).all()
    # Whoever came second is first now.
    for each in later:
        each.duplicate_of_id = later[0].id if each is not later[0] else lead.duplicate_of_id
    lead.state, lead.owner_id = LeadState.CLOSED, None
    note_event(lead, "taken_back", organization_id=organization_id, by_user_id=by_user_id)
    erase(lead.id, by_user_id=by_user_id)


def erase(lead_id: int, *, by_user_id: int | None) -> Lead:
    """Remove everything that tells who the person is; what is left is a number in statistics.

    A lead that waits for a partner is closed. Doing it again changes nothing.
    """
    lead = _held(lead_id)
    if lead.erased_at is not None:
        return lead
    withdraw_open(lead, by_user_id=by_user_id)
    if lead.state in (LeadState.OFFERED, LeadState.UNPLACED):
        lead.state = LeadState.CLOSED
    forget_lead(lead.id, lead.name, lead.company)
    lead.name = lead.need = ERASED
    lead.email = lead.phone = lead.company = lead.website = lead.email_key = lead.domain_key = ""
    lead.postal_code = lead.lost_reason = lead.review_reason = ""
    lead.by_user_id = lead.customer_organization_id = None
    lead.erased_at = clock.now()
    db.session.execute(delete(LeadNote).where(LeadNote.lead_id == lead.id))
    db.session.execute(delete(LeadTask).where(LeadTask.lead_id == lead.id))
    for offer in lead.offers:
        offer.decline_reason = ""
    note_event(lead, "erased", organization_id=lead.owner_id, by_user_id=by_user_id)
    return lead


def erase_old(limit: int = 200) -> int:
    """Erase leads with which nothing happened for `KEEP_FOR`, and files that nobody confirmed."""
    now = clock.now()
    db.session.execute(delete(LeadImport).where(LeadImport.created_at < now - KEEP_IMPORTS_FOR))
    ids = db.session.scalars(
        select(Lead.id)
        .where(Lead.erased_at.is_(None), Lead.touched_at < now - KEEP_FOR)
        .order_by(Lead.id)
        .limit(limit)
    ).all()
    for each in ids:
        erase(each, by_user_id=None)
    return len(ids)


def others_like(lead: Lead) -> list[Lead]:
    """Other leads of the same address or company, the newest first; at most ten."""
    same = []
    if lead.email_key:
        same.append(Lead.email_key == lead.email_key)
    if lead.domain_key:
        same.append(Lead.domain_key == lead.domain_key)
    if not same:
        return []
    return list(
        db.session.scalars(
            select(Lead).where(or_(*same), Lead.id != lead.id).order_by(Lead.id.desc()).limit(10)
        )
    )


def _held(lead_id: int) -> Lead:
    lead = lock_row(Lead, Lead.id == lead_id)
    if lead is None:
        raise ConflictError("This lead is no longer there.")
    return lead


def _words(reason: str) -> str:
    words = " ".join(clean_text(reason).split())
    if len(words) > 300:
        raise InvalidError({"reason": "Use at most 300 characters."})
    return words
