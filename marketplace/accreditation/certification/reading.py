"""What other domains ask about certifications."""

from collections.abc import Iterable, Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, and_, distinct, func, or_, select
from sqlalchemy.orm import joinedload

from marketplace.accreditation.certification.listing_rules import Rule, why_hidden
from marketplace.accreditation.certification.listings import ListingFacts
from marketplace.accreditation.certification.models import (
    Certification,
    CertificationEvidence,
    CertificationProgram,
    CertificationState,
    ListingRule,
    Subject,
)
from marketplace.accreditation.courses.counting import CERTIFIES
from marketplace.accreditation.credentials.models import Credential
from marketplace.core import clock
from marketplace.core.database import db
from marketplace.identity.models import Membership, Organization


def in_force(at: datetime) -> ColumnElement[bool]:
    """Whether a certification counts at a moment: given, not run out, not ended."""
    return and_(
        Certification.certified_at.is_not(None),
        Certification.certified_at <= at,
        or_(Certification.expires_at.is_(None), Certification.expires_at > at),
        or_(Certification.ended_at.is_(None), Certification.ended_at > at),
    )


def ended_before(at: datetime) -> ColumnElement[bool]:
    """Whether a certification ended, was refused or was given up before a moment. Of one that was
    given up, what counts is when its evidence was given (joined)."""
    closed = {
        CertificationState.EXPIRED: Certification.expires_at,
        CertificationState.RENEWED: Certification.expires_at,
        CertificationState.REVOKED: Certification.ended_at,
        CertificationState.REFUSED: Certification.decided_at,
        CertificationState.WITHDRAWN: CertificationEvidence.given_at,
    }
    return or_(*(and_(Certification.state == state, end < at) for state, end in closed.items()))


def certified_listing_ids(ids: Iterable[int], at: datetime | None = None) -> set[int]:
    """Those of these listings that are certified at a moment (now). One query."""
    rows = db.session.scalars(
        select(Certification.listing_id).where(
            Certification.subject == Subject.LISTING,
            Certification.listing_id.in_(list(ids)),
            in_force(at or clock.now()),
        )
    )
    return {each for each in rows if each is not None}


def ever_certified_listing_ids(ids: Iterable[int]) -> set[int]:
    """Those of these listings whose certification is kept here, in force or not. One query."""
    rows = db.session.scalars(
        select(Certification.listing_id).where(
            Certification.subject == Subject.LISTING,
            Certification.listing_id.in_(list(ids)),
            Certification.certified_at.is_not(None),
        )
    )
    return {each for each in rows if each is not None}


def certifications_of(organization_id: int, at: datetime | None = None) -> Sequence[Certification]:
    """An organization's certifications in force at a moment (now), with their programs, the
    newest first. One query. While a renewal and what it renews both run, the renewal is meant."""
    rows = db.session.scalars(
        select(Certification)
        .where(Certification.organization_id == organization_id, in_force(at or clock.now()))
        .options(joinedload(Certification.program))
        .order_by(Certification.certified_at.desc(), Certification.id.desc())
    )
    found: dict[tuple[object, ...], Certification] = {}
    for row in rows:
        found.setdefault((row.program_id, row.subject, row.listing_id, row.user_id), row)
    return list(found.values())


def certified_people(organization_ids: Iterable[int], at: datetime | None = None) -> dict[int, int]:
    """How many members of each organization hold a valid credential that certifies them; a person
    counts once. One query."""
    now = at or clock.now()
    rows = db.session.execute(
        select(Credential.organization_id, func.count(distinct(Credential.user_id)))
        .join(
            Membership,
            and_(
                Membership.user_id == Credential.user_id,
                Membership.organization_id == Credential.organization_id,
            ),
        )
        .where(
            Credential.organization_id.in_(list(organization_ids)),
            or_(*(Credential.achievement.startswith(kind) for kind in CERTIFIES)),
            or_(Credential.expires_at.is_(None), Credential.expires_at > now),
            or_(Credential.revoked_at.is_(None), Credential.revoked_at > now),
        )
        .group_by(Credential.organization_id)
    )
    return {each: count for each, count in rows if count}


def listing_rules() -> list[Rule]:
    """The rules of all open programs that keep listings from the public. One query."""
    programs = db.session.scalars(
        select(CertificationProgram)
        .where(
            CertificationProgram.subject == Subject.LISTING,
            CertificationProgram.is_open.is_(True),
            or_(
                CertificationProgram.listing_rule != ListingRule.BADGE,
                CertificationProgram.people_minimum > 0,
            ),
        )
        .order_by(CertificationProgram.id)
    )
    return [
        Rule(
            program.id,
            program.title,
            program.listing_rule,
            program.people_minimum,
            tuple(program.partner_types),
            tuple(program.listing_kinds),
        )
        for program in programs
    ]


def hidden_listings(listings: Sequence[ListingFacts], at: datetime | None = None) -> dict[int, str]:
    """Which of these listings certification keeps from the public, and why. Four queries."""
    rules = listing_rules() if listings else []
    if not rules:
        return {}
    now = at or clock.now()
    ids = [each.id for each in listings]
    publishers = {each.organization_id for each in listings}
    types = {
        row[0]: row[1]
        for row in db.session.execute(
            select(Organization.id, Organization.partner_type).where(
                Organization.id.in_(publishers)
            )
        )
    }
    ever: dict[int, set[int]] = {}
    current: dict[int, set[int]] = {}
    rows = db.session.execute(
        select(Certification.listing_id, Certification.program_id, in_force(now)).where(
            Certification.subject == Subject.LISTING,
            Certification.listing_id.in_(ids),
            Certification.certified_at.is_not(None),
        )
    )
    for listing_id, program_id, counts in rows:
        if listing_id is None or program_id is None:  # what staff gave at once has no program
            continue
        ever.setdefault(listing_id, set()).add(program_id)
        if counts:
            current.setdefault(listing_id, set()).add(program_id)
    people = certified_people(publishers, now) if any(r.people_minimum for r in rules) else {}
    found = {
        each.id: why_hidden(
            rules,
            partner_type=types.get(each.organization_id) or "",
            kind=each.kind,
            in_force=current.get(each.id, set()),
            ever=ever.get(each.id, set()),
            certified_people=people.get(each.organization_id, 0),
        )
        for each in listings
    }
    return {listing_id: reason for listing_id, reason in found.items() if reason}
