"""What ends, of the parts below: wiring.py connects these. One query each."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from flask import current_app, url_for
from sqlalchemy import func, select

from marketplace.accreditation.authorizations.models import Authorization, CheckState
from marketplace.accreditation.authorizations.schemes import LABELS
from marketplace.accreditation.certification.models import Certification
from marketplace.accreditation.credentials.models import Credential
from marketplace.accreditation.passport.models import Recognition
from marketplace.accreditation.verification.models import (
    HELD,
    DomainProof,
    ProofMethod,
    Verification,
)
from marketplace.accreditation.verification.services.proving import EMAIL_COUNTS_FOR
from marketplace.core import clock
from marketplace.core.database import db
from marketplace.identity.models import Organization
from marketplace.observability.governance.expiring import Expiring
from marketplace.pipeline.campaigns.models import Campaign, CampaignState
from marketplace.pipeline.deals.models import Deal, DealClaim
from marketplace.pipeline.franchises.models import TerritoryGrant
from marketplace.pipeline.ideas.models import ClaimState, Idea, IdeaClaim
from marketplace.program.applications.models import (
    BusinessPlan,
    Milestone,
    MilestoneState,
    PlaceState,
    PlanState,
    ProgramRound,
    RoundPlace,
    RoundState,
)
from marketplace.program.contacts.models import ProgramManager
from marketplace.program.measures import Measurement, stands
from marketplace.program.policy.document import How
from marketplace.program.policy.live import current_policy
from marketplace.program.standing.models import Standing, TierOverride
from marketplace.program.standing.reading import IN_FORCE
from marketplace.program.vouchers.models import Voucher

# What a kind is called.
KINDS = {
    "override": "Tier override",
    "grace": "End of grace",
    "provisional": "Provisional time",
    "manager": "Manager’s confirmation",
    "round": "Round closes",
    "verification": "Verification",
    "certification": "Certification",
    "credential": "Credential",
    "territory": "Territory",
    "deal": "Protected deal",
    "authorization": "Authorization",
    "evidence": "Evidence gets too old",
    "domain": "Domain proven by mail",
    "recognition": "Recognition of a passport",
    "gate": "Milestone or gate",
    "track": "Track of an accelerator",
    "plan": "Business plan",
    "claim": "Claim of an idea",
    "campaign": "Campaign",
    "voucher": "Voucher",
}
# The last moment of a day that counts whole.
END_OF_DAY = time(23, 59, 59)


def overrides(begin: datetime, end: datetime, most: int | None = None) -> Sequence[Expiring]:
    """Tiers that were given by a person."""
    rows = _with_organization(
        TierOverride.expires_at,
        TierOverride.tier,
        model=TierOverride,
        begin=begin,
        end=end,
        most=most,
        where=[TierOverride.ended_at.is_(None)],
    )
    return [
        Expiring("override", f"{name}: {tier} by override", at, each, _partner(slug))
        for at, tier, each, name, slug in rows
    ]


def graces(begin: datetime, end: datetime, most: int | None = None) -> Sequence[Expiring]:
    """Tiers that are kept for a while although they are not earned any more."""
    rows = _with_organization(
        Standing.grace_until,
        Standing.tier,
        model=Standing,
        begin=begin,
        end=end,
        most=most,
        where=[Standing.state.in_(IN_FORCE)],
    )
    return [
        Expiring("grace", f"{name} loses {tier}", at, each, _partner(slug))
        for at, tier, each, name, slug in rows
    ]


def provisional(begin: datetime, end: datetime, most: int | None = None) -> Sequence[Expiring]:
    """Partners that have something to pass."""
    rows = _with_organization(
        Standing.provisional_until,
        Standing.tier,
        model=Standing,
        begin=begin,
        end=end,
        most=most,
        where=[Standing.state.in_(IN_FORCE)],
    )
    return [
        Expiring("provisional", f"{name} must be certified", at, each, _partner(slug))
        for at, _tier, each, name, slug in rows
    ]


def managers(begin: datetime, end: datetime, most: int | None = None) -> Sequence[Expiring]:
    """Managers of partners who must confirm that they are."""
    rows = _with_organization(
        ProgramManager.confirm_by,
        ProgramManager.id,
        model=ProgramManager,
        begin=begin,
        end=end,
        most=most,
        where=[ProgramManager.departed_at.is_(None)],
    )
    return [
        Expiring("manager", f"{name}: its manager confirms", at, each, _partner(slug))
        for at, _id, each, name, slug in rows
    ]


def rounds(begin: datetime, end: datetime, most: int | None = None) -> Sequence[Expiring]:
    """Rounds that close."""
    rows = db.session.execute(
        select(ProgramRound.closes_at, ProgramRound.name)
        .where(
            ProgramRound.closes_at >= begin,
            ProgramRound.closes_at < end,
            ProgramRound.state != RoundState.DRAFT,
        )
        .order_by(ProgramRound.closes_at, ProgramRound.id)
        .limit(most)
    )
    href = _page("applications_staff.rounds")
    return [Expiring("round", name, at, None, href) for at, name in rows]


def verifications(begin: datetime, end: datetime, most: int | None = None) -> Sequence[Expiring]:
    """Verifications that have to be renewed."""
    rows = _with_organization(
        Verification.expires_at,
        Verification.id,
        model=Verification,
        begin=begin,
        end=end,
        most=most,
        where=[Verification.ended_at.is_(None), Verification.verified_at.is_not(None)],
    )
    href = _page("verification_staff.queue")
    return [
        Expiring("verification", f"{name} is verified until then", at, each, href)
        for at, _id, each, name, _slug in rows
    ]


def certifications(begin: datetime, end: datetime, most: int | None = None) -> Sequence[Expiring]:
    """Certifications of products and people."""
    rows = _with_organization(
        Certification.expires_at,
        Certification.subject,
        model=Certification,
        begin=begin,
        end=end,
        most=most,
        where=[Certification.ended_at.is_(None), Certification.certified_at.is_not(None)],
    )
    href = _page("certification_staff.queue")
    return [
        Expiring("certification", f"{name}: certified {subject.value}", at, each, href)
        for at, subject, each, name, _slug in rows
    ]


def credentials(begin: datetime, end: datetime, most: int | None = None) -> Sequence[Expiring]:
    """Credentials that were issued."""
    rows = _with_organization(
        Credential.expires_at,
        Credential.title,
        model=Credential,
        begin=begin,
        end=end,
        most=most,
        where=[Credential.revoked_at.is_(None)],
    )
    href = _page("credentials_staff.index")
    return [
        Expiring("credential", f"{name}: {title}", at, each, href)
        for at, title, each, name, _slug in rows
    ]


def territories(begin: datetime, end: datetime, most: int | None = None) -> Sequence[Expiring]:
    """Territories that were granted."""
    rows = _with_organization(
        TerritoryGrant.ends_at,
        TerritoryGrant.id,
        model=TerritoryGrant,
        begin=begin,
        end=end,
        most=most,
    )
    href = _page("franchises_staff.index")
    return [
        Expiring("territory", f"{name}: territory ends", at, each, href)
        for at, _id, each, name, _slug in rows
    ]


def deals(begin: datetime, end: datetime, most: int | None = None) -> Sequence[Expiring]:
    """Deals that are protected for their partner."""
    rows = db.session.execute(
        select(DealClaim.protected_until, Deal.title, Organization.id, Organization.name)
        .join(Deal, Deal.id == DealClaim.deal_id)
        .join(Organization, Organization.id == DealClaim.organization_id)
        .where(
            DealClaim.protected_until >= begin,
            DealClaim.protected_until < end,
            DealClaim.released_at.is_(None),
        )
        .order_by(DealClaim.protected_until, DealClaim.id)
        .limit(most)
    )
    href = _page("deals_staff.index")
    return [
        Expiring("deal", f"{name}: {title}", at, each, href)
        for at, title, each, name in rows
        if at is not None
    ]


def authorizations(begin: datetime, end: datetime, most: int | None = None) -> Sequence[Expiring]:
    """Authorizations of listings, on the last day on which they count."""
    rows = _with_organization(
        Authorization.expires_on,
        Authorization.level,
        model=Authorization,
        begin=begin.date(),
        end=end.date(),
        most=most,
        where=[Authorization.check == CheckState.ACCEPTED],
    )
    href = _page("authorizations_staff.queue", show=CheckState.ACCEPTED.value)
    return [
        Expiring("authorization", f"{name}: {LABELS.get(level, level)}", _end_of(day), each, href)
        for day, level, each, name, _slug in rows
    ]


def evidence(begin: datetime, end: datetime, most: int | None = None) -> Sequence[Expiring]:
    """Tiers that ask for evidence of a greatest age, on the day on which a partner's newest gets
    older. A query for each such requirement of the policy."""
    live = current_policy()
    if live is None:
        return []
    found: list[Expiring] = []
    for tier in live.policy.tiers:
        for asked in tier.requirements:
            metric = live.policy.metric(asked.metric)
            if metric is None or metric.how is not How.AGE:
                continue
            # On the last day the age is the threshold still.
            lasts = timedelta(days=asked.threshold + 1)
            newest = func.max(Measurement.counts_at)
            query = (
                select(newest, Organization.id, Organization.name, Organization.slug)
                .join(Organization, Organization.id == Measurement.organization_id)
                .join(Standing, Standing.organization_id == Organization.id)
                .where(
                    Measurement.measure == metric.measure,
                    stands(),
                    Measurement.counts_at <= clock.now(),
                    Standing.tier == tier.key,
                    Standing.state.in_(IN_FORCE),
                )
                .group_by(Organization.id, Organization.name, Organization.slug)
                .having(newest >= begin - lasts, newest < end - lasts)
                .order_by(newest, Organization.id)
                .limit(most)
            )
            if asked.types:
                query = query.where(Organization.partner_type.in_(asked.types))
            found += [
                Expiring(
                    "evidence",
                    f"{name}: {metric.name} gets too old for {tier.name}",
                    at + lasts,
                    each,
                    _partner(slug),
                )
                for at, each, name, slug in db.session.execute(query)
            ]
    return found


def domains(begin: datetime, end: datetime, most: int | None = None) -> Sequence[Expiring]:
    """Domains that were proven by a mail, which counts for a while."""
    rows = _with_organization(
        DomainProof.verified_at,
        DomainProof.domain,
        model=DomainProof,
        begin=begin - EMAIL_COUNTS_FOR,
        end=end - EMAIL_COUNTS_FOR,
        most=most,
        where=[DomainProof.method == ProofMethod.EMAIL, DomainProof.state.in_(HELD)],
    )
    href = _page("verification_staff.queue")
    return [
        Expiring("domain", f"{name}: {domain}", at + EMAIL_COUNTS_FOR, each, href)
        for at, domain, each, name, _slug in rows
    ]


def recognitions(begin: datetime, end: datetime, most: int | None = None) -> Sequence[Expiring]:
    """What was recognised from other installations."""
    rows = _with_organization(
        Recognition.expires_at,
        Recognition.title,
        model=Recognition,
        begin=begin,
        end=end,
        most=most,
        where=[Recognition.ended_at.is_(None)],
    )
    href = _page("passport_staff.index")
    return [
        Expiring("recognition", f"{name}: {title}", at, each, href)
        for at, title, each, name, _slug in rows
    ]


def gates(begin: datetime, end: datetime, most: int | None = None) -> Sequence[Expiring]:
    """Milestones, gates and criteria of rounds that nothing was handed in for."""
    rows = db.session.execute(
        select(
            Milestone.due_at,
            Milestone.title,
            Organization.id,
            Organization.name,
            RoundPlace.public_id,
        )
        .join(RoundPlace, RoundPlace.id == Milestone.place_id)
        .join(Organization, Organization.id == RoundPlace.organization_id)
        .where(
            Milestone.due_at >= begin,
            Milestone.due_at < end,
            Milestone.state.in_((MilestoneState.OPEN, MilestoneState.RETURNED)),
            RoundPlace.state == PlaceState.ACTIVE,
        )
        .order_by(Milestone.due_at, Milestone.id)
        .limit(most)
    )
    return [
        Expiring("gate", f"{name}: {title}", at, each, _place(place_id))
        for at, title, each, name, place_id in rows
        if at is not None
    ]


def tracks(begin: datetime, end: datetime, most: int | None = None) -> Sequence[Expiring]:
    """Tracks of accelerators."""
    rows = _with_organization(
        RoundPlace.ends_at,
        RoundPlace.public_id,
        model=RoundPlace,
        begin=begin,
        end=end,
        most=most,
        where=[RoundPlace.state == PlaceState.ACTIVE],
    )
    return [
        Expiring("track", f"{name}: its track ends", at, each, _place(place_id))
        for at, place_id, each, name, _slug in rows
    ]


def plans(begin: datetime, end: datetime, most: int | None = None) -> Sequence[Expiring]:
    """Business plans, which count to the end of their year."""
    years = [
        year
        for year in range(begin.year - 1, end.year + 1)
        if begin <= datetime(year, 12, 31, 23, 59, 59, tzinfo=UTC) < end
    ]
    if not years:
        return []
    rows = db.session.execute(
        select(BusinessPlan.year, BusinessPlan.public_id, Organization.id, Organization.name)
        .join(Organization, Organization.id == BusinessPlan.organization_id)
        .where(BusinessPlan.year.in_(years), BusinessPlan.state == PlanState.APPROVED)
        .order_by(BusinessPlan.year, BusinessPlan.id)
        .limit(most)
    )
    return [
        Expiring(
            "plan",
            f"{name}: plan for {year}",
            datetime(year, 12, 31, 23, 59, 59, tzinfo=UTC),
            each,
            _page("applications_staff.plan", business_plan_id=plan_id),
        )
        for year, plan_id, each, name in rows
    ]


def claims(begin: datetime, end: datetime, most: int | None = None) -> Sequence[Expiring]:
    """Claims of ideas, which lapse without a report."""
    rows = db.session.execute(
        select(
            IdeaClaim.protected_until,
            Idea.title,
            Idea.public_id,
            Organization.id,
            Organization.name,
        )
        .join(Idea, Idea.id == IdeaClaim.idea_id)
        .join(Organization, Organization.id == IdeaClaim.organization_id)
        .where(
            IdeaClaim.protected_until >= begin,
            IdeaClaim.protected_until < end,
            IdeaClaim.state == ClaimState.ACTIVE,
        )
        .order_by(IdeaClaim.protected_until, IdeaClaim.id)
        .limit(most)
    )
    return [
        Expiring("claim", f"{name}: {title}", at, each, _page("ideas_staff.idea", idea_id=idea_id))
        for at, title, idea_id, each, name in rows
    ]


def campaigns(begin: datetime, end: datetime, most: int | None = None) -> Sequence[Expiring]:
    """Campaigns, on their last day."""
    rows = _with_organization(
        Campaign.ends_on,
        Campaign.title,
        model=Campaign,
        begin=begin.date(),
        end=end.date(),
        most=most,
        where=[Campaign.state == CampaignState.APPROVED],
    )
    href = _page("campaigns_staff.index")
    return [
        Expiring("campaign", f"{name}: {title}", _end_of(day), each, href)
        for day, title, each, name, _slug in rows
    ]


def vouchers(begin: datetime, end: datetime, most: int | None = None) -> Sequence[Expiring]:
    """Vouchers that nobody has entered."""
    rows = db.session.execute(
        select(Voucher.expires_at, Voucher.ending, Voucher.note)
        .where(
            Voucher.expires_at >= begin,
            Voucher.expires_at < end,
            Voucher.redeemed_at.is_(None),
            Voucher.revoked_at.is_(None),
        )
        .order_by(Voucher.expires_at, Voucher.id)
        .limit(most)
    )
    href = _page("vouchers_staff.index")
    return [
        Expiring("voucher", f"Voucher …{ending}" + (f": {note}" if note else ""), at, None, href)
        for at, ending, note in rows
    ]


PROVIDERS = (
    overrides,
    graces,
    provisional,
    managers,
    rounds,
    verifications,
    certifications,
    credentials,
    territories,
    deals,
    authorizations,
    evidence,
    domains,
    recognitions,
    gates,
    tracks,
    plans,
    claims,
    campaigns,
    vouchers,
)


def _with_organization(
    moment: Any,
    what: Any,
    *,
    model: Any,
    begin: date,
    end: date,
    most: int | None,
    where: Sequence[Any] = (),
) -> Any:
    """Moment, what, and the organization's id, name and slug, of rows within a time: the soonest
    `most`."""
    return db.session.execute(
        select(moment, what, Organization.id, Organization.name, Organization.slug)
        .select_from(model)
        .join(Organization, Organization.id == model.organization_id)
        .where(moment >= begin, moment < end, *where)
        .order_by(moment, model.id)
        .limit(most)
    ).all()


def _end_of(day: date) -> datetime:
    return datetime.combine(day, END_OF_DAY, tzinfo=UTC)


def _place(place_id: str) -> str:
    return _page("applications_staff.place", place_id=place_id)


def _page(endpoint: str, **values: Any) -> str:
    return url_for(endpoint, **values) if endpoint in current_app.view_functions else ""


def _partner(slug: str) -> str:
    """The staff's page of a partner in the program, as far as there is one."""
    if "standings.partner" in current_app.view_functions:
        return url_for("standings.partner", standing_slug=slug)
    return _page("standings.partners")
