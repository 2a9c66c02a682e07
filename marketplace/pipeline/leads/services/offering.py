"""Offering a lead to one partner after the other, until one accepts."""

from datetime import datetime, timedelta

from sqlalchemy import func, or_, select

from billing.public_ids import new_public_id
from marketplace.catalogue.content import clean_text
from marketplace.core import clock
from marketplace.core.database import db
from marketplace.core.errors import ConflictError, InvalidError
from marketplace.core.facts import record_fact
from marketplace.core.locks import lock_row
from marketplace.core.once import insert_if_new
from marketplace.identity.models import Organization, OrganizationKind
from marketplace.pipeline.franchises.reading import territory_holder
from marketplace.pipeline.leads import mails
from marketplace.pipeline.leads.history import note_event
from marketplace.pipeline.leads.models import (
    Lead,
    LeadOffer,
    LeadStage,
    LeadState,
    OfferState,
    RoutingRule,
)
from marketplace.pipeline.leads.services.choosing import (
    Ask,
    Candidate,
    Choice,
    Rule,
    Turns,
    choose,
)
from marketplace.program.measures import Measure, measure
from marketplace.program.policy.live import current_policy
from marketplace.program.standing.models import Standing
from marketplace.program.standing.reading import IN_FORCE, has_module, place_of

ANSWER_WITHIN = timedelta(hours=48)
# Stages in which a lead takes up a partner's capacity.
OPEN_STAGES = (LeadStage.NEW, LeadStage.CONTACTED, LeadStage.QUALIFIED, LeadStage.PROPOSAL)


def offer_next(lead: Lead) -> LeadOffer | None:
    """Offer the lead to the next partner that was not asked yet; None when there is nobody left.

    First the partner that the customer asked for, then the holder of the territory, then whoever
    the rules choose. The lead must have no open offer. Flushes.
    """
    asked = set(
        db.session.scalars(select(LeadOffer.organization_id).where(LeadOffer.lead_id == lead.id))
    )
    found = _wanted(lead, asked) or _holder(lead, asked) or _by_rules(lead, asked)
    if found is None:
        lead.state = LeadState.UNPLACED
        note_event(lead, "unplaced")
        return None
    rule = db.session.get(RoutingRule, found.rule_id) if found.rule_id else None
    within = timedelta(hours=rule.answer_hours) if rule else ANSWER_WITHIN
    return offer_to(lead, found, deadline=clock.now() + within)


def offer_to(
    lead: Lead, choice: Choice, *, deadline: datetime, by_user_id: int | None = None
) -> LeadOffer | None:
    """Offer the lead to that partner; None when somebody else was offered it at this moment."""
    key = insert_if_new(
        LeadOffer,
        public_id=new_public_id("lof"),
        lead_id=lead.id,
        organization_id=choice.organization_id,
        state=OfferState.OPEN,
        rule_id=choice.rule_id,
        reasons=list(choice.reasons),
        offered_at=clock.now(),
        deadline=deadline,
        decline_reason="",
    )
    if key is None:
        return None
    lead.state = LeadState.OFFERED
    note_event(
        lead,
        "offered",
        organization_id=choice.organization_id,
        by_user_id=by_user_id,
        detail="; ".join(choice.reasons),
    )
    offer = db.session.get_one(LeadOffer, key)
    mails.tell_offered(offer)
    return offer


def accept(offer_id: int, *, by_user_id: int | None) -> Lead:
    """Take the lead on: the contact is revealed to the partner, and both sides are written to.

    Accepting again what one has accepted changes nothing. Raises ConflictError when the offer is
    no longer open or its deadline has passed.
    """
    offer = _locked(offer_id)
    if offer.state is OfferState.ACCEPTED and offer.lead.owner_id == offer.organization_id:
        return offer.lead
    now = clock.now()
    if offer.state is not OfferState.OPEN or _is_over(offer):
        raise ConflictError("This lead is no longer offered to you.")
    lead = offer.lead
    offer.state, offer.answered_at, offer.answered_by_id = OfferState.ACCEPTED, now, by_user_id
    lead.state, lead.owner_id, lead.accepted_at = (
        LeadState.ACCEPTED, offer.organization_id, now,
    )  # fmt: skip
    note_event(lead, "accepted", organization_id=offer.organization_id, by_user_id=by_user_id)
    measure(
        offer.organization_id,
        Measure.LEADS_ACCEPTED,
        key=f"lead_offer:{offer.id}",
        source=("lead", lead.id),
    )
    mails.tell_accepted(lead)
    return lead


def decline(offer_id: int, reason: str, *, by_user_id: int | None) -> Lead:
    """Turn the lead down; it goes to the next partner. Raises InvalidError, ConflictError."""
    words = " ".join(clean_text(reason).split())
    if not words:
        raise InvalidError({"reason": "Say why, in a few words. Staff read it."})
    if len(words) > 300:
        raise InvalidError({"reason": "Use at most 300 characters."})
    offer = _locked(offer_id)
    if offer.state is not OfferState.OPEN or offer.deadline <= clock.now():
        raise ConflictError("This lead is no longer offered to you.")
    _close(offer, OfferState.DECLINED, by_user_id=by_user_id, reason=words)
    offer_next(offer.lead)
    return offer.lead


def expire(offer_id: int) -> bool:
    """Pass on a lead whose deadline has passed without an answer, or whose partner was suspended or
    left the program meanwhile; False when it was answered."""
    offer = _locked(offer_id)
    if offer.state is not OfferState.OPEN or not _is_over(offer):
        return False
    _close(offer, OfferState.EXPIRED, by_user_id=None)
    # Who may no longer have leads did not fail to answer.
    if offer.deadline <= clock.now():
        mails.tell_expired(offer)
    offer_next(offer.lead)
    return True


def withdraw_open(lead: Lead, *, by_user_id: int | None) -> None:
    """Take back the open offer, if there is one, without offering it to anybody else."""
    found = db.session.scalar(
        select(LeadOffer.id).where(LeadOffer.lead_id == lead.id, LeadOffer.state == OfferState.OPEN)
    )
    if found is not None:
        offer = _locked(found)
        if offer.state is OfferState.OPEN:
            _close(offer, OfferState.WITHDRAWN, by_user_id=by_user_id)


def overdue_ids(limit: int = 200) -> list[int]:
    """Open offers whose deadline has passed, or to partners that are suspended or no longer in the
    program; the oldest first."""
    is_over = [LeadOffer.deadline <= clock.now(), Organization.suspended_at.is_not(None)]
    if current_policy() is not None:
        is_over += [Standing.state.is_(None), Standing.state.not_in(IN_FORCE)]
    return list(
        db.session.scalars(
            select(LeadOffer.id)
            .join(Organization, Organization.id == LeadOffer.organization_id)
            .outerjoin(Standing, Standing.organization_id == Organization.id)
            .where(LeadOffer.state == OfferState.OPEN, or_(*is_over))
            .order_by(LeadOffer.deadline, LeadOffer.id)
            .limit(limit)
        )
    )


def may_take_leads(organization: Organization | None) -> bool:
    """Whether a partner can be offered leads at all: not suspended, in the program (when there is
    one), and of a type that has leads. One query with a policy in force."""
    if (
        organization is None
        or organization.kind is not OrganizationKind.PARTNER
        or organization.suspended_at is not None
        or organization.sandbox_of_id is not None
    ):
        return False
    live = current_policy()
    if not has_module(organization.partner_type, "leads", live):
        return False
    return live is None or place_of(organization.id).state in IN_FORCE


def _is_over(offer: LeadOffer) -> bool:
    """Whether an open offer can no longer be accepted."""
    return offer.deadline <= clock.now() or not may_take_leads(
        db.session.get(Organization, offer.organization_id)
    )


def _locked(offer_id: int) -> LeadOffer:
    """The offer with its lead, both held: the lead first, as everywhere."""
    lead_id = db.session.scalar(select(LeadOffer.lead_id).where(LeadOffer.id == offer_id))
    lead = lock_row(Lead, Lead.id == lead_id) if lead_id is not None else None
    offer = lock_row(LeadOffer, LeadOffer.id == offer_id)
    if lead is None or offer is None:
        raise ConflictError("This offer is no longer there.")
    return offer


def _close(
    offer: LeadOffer, state: OfferState, *, by_user_id: int | None, reason: str = ""
) -> None:
    offer.state, offer.answered_at = state, clock.now()
    offer.answered_by_id, offer.decline_reason = by_user_id, reason
    db.session.flush()
    note_event(
        offer.lead,
        state.value,
        organization_id=offer.organization_id,
        by_user_id=by_user_id,
    )


def _wanted(lead: Lead, asked: set[int]) -> Choice | None:
    if lead.wanted_id is None or lead.wanted_id in asked:
        return None
    organization = db.session.get(Organization, lead.wanted_id)
    if organization is None or not may_take_leads(organization):
        return None
    return Choice(organization.id, None, ("The customer asked for this partner",))


def _holder(lead: Lead, asked: set[int]) -> Choice | None:
    holder = territory_holder(lead.country, lead.postal_code, clock.now())
    if holder is None or holder.organization_id in asked:
        return None
    if not may_take_leads(db.session.get(Organization, holder.organization_id)):
        return None
    return Choice(holder.organization_id, None, (f"Its exclusive territory is {holder.words}",))


def _by_rules(lead: Lead, asked: set[int]) -> Choice | None:
    rules = rules_in_order()
    if not rules:
        return None
    # Held, so that two leads at once do not both go to whoever had the fewest.
    for rule_id in sorted(rule.id for rule in rules):
        lock_row(RoutingRule, RoutingRule.id == rule_id)
    return choose(
        rules,
        Ask(lead.country, lead.category),
        candidates(),
        _turns([rule.id for rule in rules]),
        but=asked,
    )


def rules_in_order() -> list[Rule]:
    """The active rules, the first one first."""
    live = current_policy()
    rows = db.session.scalars(
        select(RoutingRule)
        .where(RoutingRule.is_active.is_(True))
        .order_by(RoutingRule.position, RoutingRule.id)
    )
    return [
        Rule(
            id=row.id,
            name=row.name,
            countries=tuple(row.countries),
            categories=tuple(row.categories),
            partner_types=tuple(row.partner_types),
            same_country=row.same_country,
            least_tier=row.least_tier,
            least_rank=live.policy.rank(row.least_tier) if live and row.least_tier else -1,
            capacity=row.capacity,
            method=row.method,
            weights={str(key): int(value) for key, value in row.weights.items()},
        )
        for row in rows
    ]


def candidates() -> list[Candidate]:
    """All partners that may be offered leads, in two queries. With a policy in force, only who is
    in the program."""
    live = current_policy()
    query = (
        select(
            Organization.id,
            Organization.partner_type,
            Organization.country,
            Standing.tier,
            Standing.state,
        )
        .outerjoin(Standing, Standing.organization_id == Organization.id)
        .where(
            Organization.kind == OrganizationKind.PARTNER,
            Organization.suspended_at.is_(None),
            Organization.sandbox_of_id.is_(None),
        )
    )
    if live is not None:
        query = query.where(Standing.state.in_(IN_FORCE))
    held = _open_leads()
    return [
        Candidate(
            organization_id=each,
            partner_type=kind or "",
            country=country,
            tier=tier or "",
            rank=live.policy.rank(tier) if live else -1,
            open_leads=held.get(each, 0),
        )
        for each, kind, country, tier, _state in db.session.execute(query)
        if has_module(kind, "leads", live)
    ]


def _open_leads() -> dict[int, int]:
    """How many leads each partner holds or is offered."""
    held: dict[int, int] = {}
    for query in (
        select(Lead.owner_id, func.count())
        .where(Lead.state == LeadState.ACCEPTED, Lead.stage.in_(OPEN_STAGES))
        .group_by(Lead.owner_id),
        select(LeadOffer.organization_id, func.count())
        .where(LeadOffer.state == OfferState.OPEN)
        .group_by(LeadOffer.organization_id),
    ):
        for organization_id, count in db.session.execute(query):
            if organization_id is not None:
                held[organization_id] = held.get(organization_id, 0) + count
    return held


def _turns(rule_ids: list[int]) -> dict[tuple[int, int], Turns]:
    rows = db.session.execute(
        select(
            LeadOffer.rule_id,
            LeadOffer.organization_id,
            func.count(),
            func.max(LeadOffer.id),
        )
        .where(LeadOffer.rule_id.in_(rule_ids))
        .group_by(LeadOffer.rule_id, LeadOffer.organization_id)
    )
    return {
        (rule_id, each): Turns(count, newest)
        for rule_id, each, count, newest in rows
        if rule_id is not None
    }


def fact_of_routing(by_user_id: int | None, what: str, rule: RoutingRule) -> None:
    """Write down that staff changed the rules."""
    record_fact(
        f"lead_routing_rule.{what}",
        subject=("lead_routing_rule", rule.id),
        actor_user_id=by_user_id,
    )
