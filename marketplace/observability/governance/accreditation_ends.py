"""What ends of accreditations that others give, or that have an age. One query each."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import func, select

from marketplace.accreditation.authorizations.models import Authorization, CheckState
from marketplace.accreditation.authorizations.schemes import LABELS
from marketplace.accreditation.passport.models import Recognition
from marketplace.accreditation.verification.models import HELD, DomainProof, ProofMethod
from marketplace.accreditation.verification.services.proving import EMAIL_COUNTS_FOR
from marketplace.core import clock
from marketplace.core.database import db
from marketplace.identity.models import Organization
from marketplace.observability.governance.expiring import Expiring
from marketplace.observability.governance.rows import (
    end_of,
    page_of,
    partner_page,
    with_organization,
)
from marketplace.program.measures import Measurement, stands
from marketplace.program.policy.document import How
from marketplace.program.policy.live import current_policy
from marketplace.program.standing.models import Standing
from marketplace.program.standing.reading import IN_FORCE


def authorizations(begin: datetime, end: datetime, most: int | None = None) -> Sequence[Expiring]:
    """Authorizations of listings, on the last day on which they count."""
    rows = with_organization(
        Authorization.expires_on,
        Authorization.level,
        model=Authorization,
        begin=begin.date(),
        end=end.date(),
        most=most,
        where=[Authorization.check == CheckState.ACCEPTED],
    )
    href = page_of("authorizations_staff.queue", show=CheckState.ACCEPTED.value)
    return [
        Expiring("authorization", f"{name}: {LABELS.get(level, level)}", end_of(day), each, href)
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
                    partner_page(slug),
                )
                for at, each, name, slug in db.session.execute(query)
            ]
    return found


def domains(begin: datetime, end: datetime, most: int | None = None) -> Sequence[Expiring]:
    """Domains that were proven by a mail, which counts for a while."""
    rows = with_organization(
        DomainProof.verified_at,
        DomainProof.domain,
        model=DomainProof,
        begin=begin - EMAIL_COUNTS_FOR,
        end=end - EMAIL_COUNTS_FOR,
        most=most,
        where=[DomainProof.method == ProofMethod.EMAIL, DomainProof.state.in_(HELD)],
    )
    href = page_of("verification_staff.queue")
    return [
        Expiring("domain", f"{name}: {domain}", at + EMAIL_COUNTS_FOR, each, href)
        for at, domain, each, name, _slug in rows
    ]


def recognitions(begin: datetime, end: datetime, most: int | None = None) -> Sequence[Expiring]:
    """What was recognised from other installations."""
    rows = with_organization(
        Recognition.expires_at,
        Recognition.title,
        model=Recognition,
        begin=begin,
        end=end,
        most=most,
        where=[Recognition.ended_at.is_(None)],
    )
    href = page_of("passport_staff.index")
    return [
        Expiring("recognition", f"{name}: {title}", at, each, href)
        for at, title, each, name, _slug in rows
    ]
