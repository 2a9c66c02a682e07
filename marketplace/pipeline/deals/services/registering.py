"""Registering a deal, and the claim that keeps rivals out."""

from datetime import timedelta
from typing import Any

from sqlalchemy import or_, select

from billing.models import Order, OrderLine
from billing.public_ids import new_public_id
from marketplace.catalogue.content import clean_text
from marketplace.core import clock
from marketplace.core.database import db
from marketplace.core.errors import ConflictError, InvalidError
from marketplace.core.facts import record_fact
from marketplace.core.locks import lock_row
from marketplace.core.once import insert_if_new
from marketplace.identity.models import Organization
from marketplace.identity.own_partner import refuse_members
from marketplace.pipeline.deals import mails
from marketplace.pipeline.deals.claims import claim_key
from marketplace.pipeline.deals.models import Deal, DealClaim, DealStage, DealState
from marketplace.pipeline.deals.seen import check_seen
from marketplace.pipeline.deals.terms import DealTerms, check_terms
from marketplace.pipeline.leads.history import note_event
from marketplace.pipeline.leads.models import Lead
from marketplace.pipeline.leads.queries import find_named_listing
from marketplace.program.standing.reading import entitlement
from marketplace.program.standing.taking_part import refuse_outsiders

# Unless the policy entitles the partner's tier to something else (`deal_protection_days`).
PROTECTED_DAYS = 90
EXTENSION = timedelta(days=30)
PROTECTION = "deal_protection_days"
# Staff decide within so many days, unless the policy says otherwise (`deal_decision_days`).
DECISION_DAYS = 14
DECISION = "deal_decision_days"
REMIND_BEFORE = timedelta(days=3)
# What the same form sends again within this time is a second click.
SAME_CLICK = timedelta(minutes=1)
WAITING = (DealState.SUBMITTED, DealState.CONFLICT)
ENDED = (DealState.REFUSED, DealState.EXPIRED, DealState.WITHDRAWN)
LOSES_CUSTOMER = "Tick this: the partner that is protected now loses the customer, for good."
REGISTERED_ALREADY = "You have registered this customer for this product already."
NO_PROTECTION = "Your tier protects no deals, so there is nothing to register."


class RegisteredAlreadyError(ConflictError):
    """The partner has registered the customer for the product; `deal` is that registration."""

    def __init__(self, deal: Deal) -> None:
        super().__init__(REGISTERED_ALREADY)
        self.deal = deal


def register_deal(
    terms: DealTerms,
    *,
    organization: Organization,
    by_user_id: int | None,
    lead: Lead | None = None,
) -> Deal:
    """Register a deal. Whoever registers a customer for a product first has the claim at once; a
    later one is a conflict, which staff decide.

    Of two at the same moment one wins; what is sent twice within a minute is registered once.
    Raises InvalidError with messages by field; RegisteredAlreadyError when this partner has
    registered the same, ConflictError when its tier protects nothing, NotTakingPartError for who
    is not in the program or suspended.
    """
    refuse_outsiders(organization.id)
    values = check_terms(terms, organization)
    if values["product"]:
        # A listing that was typed as a product is that listing: it is protected once.
        listing = find_named_listing(values["product"])
        if listing is not None:
            values |= {"listing_id": listing.id, "product": ""}
    key = claim_key(values["customer_domain"], values["listing_id"], values["product"])
    _expire_overdue(key)
    # What was won goes on as what is there: once its protection is over, more can be sold.
    has_claim = (
        select(DealClaim.id)
        .where(DealClaim.deal_id == Deal.id, DealClaim.released_at.is_(None))
        .exists()
    )
    own = db.session.scalar(
        select(Deal).where(
            Deal.claim_key == key,
            Deal.organization_id == organization.id,
            Deal.state.not_in(ENDED),
            Deal.stage != DealStage.LOST,
            or_(Deal.stage != DealStage.WON, has_claim),
        )
    )
    if own is not None:
        return _again(own, values)
    if not protected_days(organization.id):
        raise ConflictError(NO_PROTECTION)
    now = clock.now()
    deal = Deal(
        public_id=new_public_id("deal"),
        organization_id=organization.id,
        state=DealState.SUBMITTED,
        claim_key=key,
        lead_id=lead.id if lead else None,
        submitted_at=now,
        submitted_by_id=by_user_id,
        decide_by=now + timedelta(days=decision_days(organization.id)),
        **values,
    )
    db.session.add(deal)
    db.session.flush()
    if not _claim(deal):
        claim = _live_claim(key)
        # A second click, or a colleague at the same moment.
        if claim is not None and claim.organization_id == organization.id:
            db.session.delete(deal)
            db.session.flush()
            return _again(db.session.get_one(Deal, claim.deal_id), values)
        deal.state = DealState.CONFLICT
    db.session.flush()
    record_deal_fact(
        deal, "conflicted" if deal.state is DealState.CONFLICT else "registered", by_user_id
    )
    if lead is not None:
        note_event(lead, "deal_registered", organization_id=organization.id, by_user_id=by_user_id)
    return deal


def approve(deal_id: int, *, by_user_id: int | None, seen: str | None = None) -> Deal:
    """Approve a registration: from now on the customer is protected.

    `seen` (seen_of): what the person saw. Raises ChangedMeanwhileError, ConflictError,
    ForbiddenError for a member of a partner that has registered the customer.
    """
    deal = _held_to_decide(deal_id, by_user_id)
    if deal.state is DealState.APPROVED:
        return deal
    check_seen(deal, seen, by_user_id=by_user_id)
    if deal.state not in (DealState.SUBMITTED, DealState.CONFLICT):
        raise ConflictError("This registration is closed.")
    if deal.stage is DealStage.LOST:
        raise ConflictError("The partner has lost it. It registers the customer anew.")
    claim = _live_claim(deal.claim_key)
    if claim is None and _claim(deal):
        claim = _live_claim(deal.claim_key)
    if claim is None or claim.deal_id != deal.id:
        raise ConflictError("Somebody else has this customer. Refuse one of the two first.")
    days = protected_days(deal.organization_id)
    if not days:
        raise ConflictError("The partner's tier protects no deals now. Refuse this one.")
    now = clock.now()
    claim.protected_until = now + timedelta(days=days)
    deal.state, deal.decided_at, deal.decided_by_id = DealState.APPROVED, now, by_user_id
    deal.decision_reason = ""
    record_deal_fact(deal, "approved", by_user_id)
    mails.tell_decided(deal)
    return deal


def refuse(
    deal_id: int,
    reason: str,
    *,
    by_user_id: int | None,
    seen: str | None = None,
    confirmed: bool = False,
) -> Deal:
    """Refuse a registration with a reason that its partner reads; a claim of it is released.

    One that is approved is refused only when that is `confirmed`. `seen` (seen_of): what the person
    saw. Raises InvalidError (at `reason` or `confirmed`), ChangedMeanwhileError, ConflictError,
    ForbiddenError for a member of a partner that has registered the customer.
    """
    words = one_line(reason, "Say why. The partner reads it.")
    deal = _held_to_decide(deal_id, by_user_id)
    check_seen(deal, seen, by_user_id=by_user_id)
    if deal.state in ENDED or deal.stage in (DealStage.WON, DealStage.LOST):
        raise ConflictError("This registration is closed.")
    if deal.state is DealState.APPROVED and not confirmed:
        raise InvalidError({"confirmed": LOSES_CUSTOMER})
    _close(deal, DealState.REFUSED)
    deal.decided_at, deal.decided_by_id, deal.decision_reason = clock.now(), by_user_id, words
    record_deal_fact(deal, "refused", by_user_id)
    mails.tell_decided(deal)
    return deal


def give_to(
    deal_id: int,
    reason: str,
    *,
    by_user_id: int | None,
    seen: str | None = None,
    confirmed: bool = False,
) -> Deal:
    """Decide a conflict for the later one: the former registration is refused with that reason,
    and this one gets the claim and is approved.

    `seen`, `confirmed`, and what is raised: as for refuse.
    """
    words = one_line(reason, "Say why. The other partner reads it.")
    deal = _held_to_decide(deal_id, by_user_id)
    check_seen(deal, seen, by_user_id=by_user_id)
    claim = _claim_of(deal.claim_key)
    former_id = claim.deal_id if claim is not None else None
    if deal.state is not DealState.CONFLICT or deal.stage is DealStage.LOST:
        raise ConflictError("This registration is in no conflict.")
    if former_id is not None:
        former = db.session.get_one(Deal, former_id)
        if former.stage is DealStage.WON:
            raise ConflictError("The other one is won already.")
        if former.state not in ENDED:
            refuse(former.id, words, by_user_id=by_user_id, confirmed=confirmed)
    return approve(deal_id, by_user_id=by_user_id)


def withdraw(deal_id: int, *, by_user_id: int | None) -> Deal:
    """Take a registration back. Raises ConflictError when it is closed or won."""
    deal = held_deal(deal_id)
    if deal.state is DealState.WITHDRAWN:
        return deal
    if deal.state in ENDED or deal.stage is DealStage.WON:
        raise ConflictError("This deal is closed.")
    _close(deal, DealState.WITHDRAWN)
    record_deal_fact(deal, "withdrawn", by_user_id)
    return deal


def extend(deal_id: int, reason: str, *, by_user_id: int | None) -> Deal:
    """Protect a deal for 30 more days, once. Raises InvalidError, ConflictError."""
    words = one_line(reason, "Say why it takes longer.")
    deal = held_deal(deal_id)
    claim = _protecting(deal)
    if deal.state is not DealState.APPROVED or claim is None or claim.protected_until is None:
        raise ConflictError("The protection has ended.")
    if claim.extended_at is not None:
        raise ConflictError("It was extended already. That is possible once.")
    claim.extended_at, claim.extension_reason = clock.now(), words
    claim.protected_until += EXTENSION
    record_deal_fact(deal, "extended", by_user_id)
    return deal


def expire_claims(limit: int = 200) -> int:
    """Release claims whose time has passed; how many. Deals that are not won are closed."""
    ids = db.session.scalars(
        select(DealClaim.deal_id)
        .where(DealClaim.released_at.is_(None), DealClaim.protected_until <= clock.now())
        .order_by(DealClaim.id)
        .limit(limit)
    ).all()
    return sum(_expire(deal_id) for deal_id in ids)


def end_undecided(limit: int = 200) -> int:
    """End registrations that nobody decided in time, and let go of their customers; how many."""
    ids = db.session.scalars(
        select(Deal.id)
        .where(Deal.state.in_(WAITING), Deal.stage != DealStage.LOST, Deal.decide_by <= clock.now())
        .order_by(Deal.decide_by, Deal.id)
        .limit(limit)
    ).all()
    return sum(_end_undecided(deal_id) for deal_id in ids)


def remind_staff(limit: int = 200) -> int:
    """Tell staff once of registrations that end soon unless somebody decides; how many."""
    now = clock.now()
    soon = db.session.scalars(
        select(Deal)
        .where(
            Deal.state.in_(WAITING),
            Deal.stage != DealStage.LOST,
            Deal.reminded_at.is_(None),
            Deal.decide_by > now,
            Deal.decide_by <= now + REMIND_BEFORE,
        )
        .order_by(Deal.decide_by, Deal.id)
        .limit(limit)
    ).all()
    for deal in soon:
        deal.reminded_at = now
    if soon:
        mails.remind_staff(soon)
    db.session.flush()
    return len(soon)


def decision_days(organization_id: int) -> int:
    """Within how many days staff decide about a partner's registrations; at least one."""
    return max(1, _days(organization_id, DECISION, DECISION_DAYS))


def protected_days(organization_id: int) -> int:
    """How long a partner's deals are protected, in days: what its tier is entitled to, which may be
    0, or 90 where the policy does not say."""
    return _days(organization_id, PROTECTION, PROTECTED_DAYS)


def _days(organization_id: int, key: str, otherwise: int) -> int:
    days = entitlement(organization_id, key)
    # False: the policy does not say; 0 is something that it can say.
    return otherwise if isinstance(days, bool | str) else int(days)


def own_order(deal: Deal, public_id: str) -> Order:
    """The order of that number, if the deal's partner sold, resold or brought it. Raises
    InvalidError."""
    order = db.session.scalar(select(Order).where(Order.public_id == public_id.strip()[:40]))
    if order is not None:
        own = deal.organization_id
        line = db.session.scalar(
            select(OrderLine.id).where(
                OrderLine.order_id == order.id,
                (OrderLine.publisher_id == own)
                | (OrderLine.reseller_id == own)
                | (OrderLine.affiliate_organization_id == own),
            )
        )
        if line is not None:
            return order
    raise InvalidError({"order": "There is no order of this number that is yours."})


def held_deal(deal_id: int) -> Deal:
    """The deal, locked. Raises ConflictError when it is gone."""
    deal = lock_row(Deal, Deal.id == deal_id)
    if deal is None:
        raise ConflictError("This deal is no longer there.")
    return deal


def _held_to_decide(deal_id: int, by_user_id: int | None) -> Deal:
    """The deal, locked with all that are open for the same customer and product: who decides about
    one decides about the others. Raises ConflictError, ForbiddenError for a member of a partner of
    one of them."""
    deal = db.session.get(Deal, deal_id)
    key = deal.claim_key if deal is not None else ""
    rivals = db.session.execute(
        select(Deal.id, Deal.organization_id).where(
            Deal.claim_key == key, Deal.state.not_in(ENDED), Deal.stage != DealStage.LOST
        )
    ).all()
    # Deals before claims, and in the order of their ids: as everybody else who holds them.
    for each in sorted({deal_id, *(rival_id for rival_id, _ in rivals)}):
        held_deal(each)
    held = db.session.get_one(Deal, deal_id)
    refuse_members(by_user_id, held.organization_id, *(owner_id for _, owner_id in rivals))
    return held


def record_deal_fact(deal: Deal, what: str, by_user_id: int | None) -> None:
    """Write down what happened to a deal. Flushes."""
    db.session.flush()
    record_fact(
        f"deal.{what}",
        subject=("deal", deal.id),
        actor_user_id=by_user_id,
        organization_id=deal.organization_id,
    )


def one_line(text: str, wanted: str, field: str = "reason") -> str:
    """A reason, clean. Raises InvalidError when there is none, or it is too long."""
    words = " ".join(clean_text(text).split())
    if not words:
        raise InvalidError({field: wanted})
    if len(words) > 300:
        raise InvalidError({field: "Use at most 300 characters."})
    return words


def is_protected(deal: Deal) -> bool:
    """Whether an approved deal still has its customer. Hold the deal; this holds its claim."""
    return _protecting(deal) is not None


def release(deal: Deal) -> None:
    """Let go of the deal's claim, if it has one."""
    claim = _live_claim(deal.claim_key)
    if claim is not None and claim.deal_id == deal.id:
        claim.released_at = clock.now()
        db.session.flush()


def _protecting(deal: Deal) -> DealClaim | None:
    """The deal's claim, held, while its protection runs."""
    claim = _live_claim(deal.claim_key)
    if claim is None or claim.deal_id != deal.id or claim.protected_until is None:
        return None
    return claim if claim.protected_until > clock.now() else None


def _close(deal: Deal, state: DealState) -> None:
    deal.state = state
    release(deal)


def _expire(deal_id: int) -> bool:
    deal = held_deal(deal_id)
    claim = _live_claim(deal.claim_key)
    if (
        claim is None
        or claim.deal_id != deal.id
        or claim.protected_until is None
        or claim.protected_until > clock.now()
    ):
        return False
    claim.released_at = clock.now()
    if deal.stage is not DealStage.WON:
        deal.state = DealState.EXPIRED
        record_deal_fact(deal, "expired", None)
        mails.tell_expired(deal)
    db.session.flush()
    return True


def _end_undecided(deal_id: int) -> bool:
    deal = held_deal(deal_id)
    if deal.state not in WAITING or deal.stage is DealStage.LOST:
        return False
    if deal.decide_by is None or deal.decide_by > clock.now():
        return False
    _close(deal, DealState.EXPIRED)
    record_deal_fact(deal, "undecided", None)
    mails.tell_undecided(deal)
    return True


def _expire_overdue(key: str) -> None:
    """Release the claim of a customer and product if its time has passed, before the job does."""
    held = _claim_of(key)
    if held is None:
        return
    if held.protected_until is None:
        _end_undecided(held.deal_id)
    elif held.protected_until <= clock.now():
        _expire(held.deal_id)


def _again(known: Deal, values: dict[str, Any]) -> Deal:
    """The registration that is there, for a second click. Raises RegisteredAlreadyError for
    anything else."""
    is_same = all(getattr(known, name) == value for name, value in values.items())
    if is_same and known.state in WAITING and known.submitted_at > clock.now() - SAME_CLICK:
        return known
    raise RegisteredAlreadyError(known)


def _claim(deal: Deal) -> bool:
    """Claim the deal's customer and product; False when somebody else has it."""
    _expire_overdue(deal.claim_key)
    return (
        insert_if_new(
            DealClaim,
            claim_key=deal.claim_key,
            deal_id=deal.id,
            organization_id=deal.organization_id,
            claimed_at=clock.now(),
            extension_reason="",
        )
        is not None
    )


def _claim_of(key: str) -> DealClaim | None:
    """The live claim, not held: its deal is held first."""
    return db.session.scalar(
        select(DealClaim).where(DealClaim.claim_key == key, DealClaim.released_at.is_(None))
    )


def _live_claim(key: str) -> DealClaim | None:
    return lock_row(DealClaim, DealClaim.claim_key == key, DealClaim.released_at.is_(None))
