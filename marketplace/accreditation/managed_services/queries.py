"""Managed services and evidence, as partners and reviewers see them."""

from collections.abc import Sequence
from datetime import date

from sqlalchemy import func, select
from sqlalchemy.orm import joinedload

from marketplace.accreditation.acting import signed_in
from marketplace.accreditation.managed_services.models import (
    ManagedService,
    ServiceEvidence,
    ServiceEvidenceState,
)
from marketplace.core.database import db
from marketplace.core.pagination import Page, paginate

PER_PAGE = 25


def find_service(managed_service_id: str) -> ManagedService | None:
    """The service of that public id. Raises SignInRequiredError first."""
    signed_in()
    return db.session.scalar(
        select(ManagedService)
        .where(ManagedService.public_id == managed_service_id)
        .options(joinedload(ManagedService.organization))
    )


def find_evidence(service_evidence_id: str) -> ServiceEvidence | None:
    """The evidence of that public id, with its service. Raises SignInRequiredError first."""
    signed_in()
    return db.session.scalar(
        select(ServiceEvidence)
        .where(ServiceEvidence.public_id == service_evidence_id)
        .options(joinedload(ServiceEvidence.service).joinedload(ManagedService.organization))
    )


def page_of_services(organization_id: int, page: int) -> Page[ManagedService]:
    """A partner's services, those that ended last. Two queries."""
    return paginate(
        select(ManagedService)
        .where(ManagedService.organization_id == organization_id)
        .order_by(ManagedService.ended_at.is_not(None), ManagedService.title),
        page=page,
        per_page=PER_PAGE,
    )


def newest_accepted(service_ids: Sequence[int]) -> dict[int, date]:
    """The day of the newest accepted evidence of each service that has any. One query."""
    rows = db.session.execute(
        select(ServiceEvidence.service_id, func.max(ServiceEvidence.dated_on))
        .where(
            ServiceEvidence.service_id.in_(list(service_ids)),
            ServiceEvidence.state == ServiceEvidenceState.ACCEPTED,
        )
        .group_by(ServiceEvidence.service_id)
    )
    return {service_id: day for service_id, day in rows if day is not None}


def evidence_of(service_id: int, page: int) -> Page[ServiceEvidence]:
    """A service's evidence, the newest day first. Two queries."""
    return paginate(
        select(ServiceEvidence)
        .where(ServiceEvidence.service_id == service_id)
        .order_by(ServiceEvidence.dated_on.desc(), ServiceEvidence.id.desc()),
        page=page,
        per_page=PER_PAGE,
    )


def page_of_queue(state: ServiceEvidenceState, page: int) -> Page[ServiceEvidence]:
    """Evidence in a state, what waits longest first. Two queries."""
    return paginate(
        select(ServiceEvidence)
        .where(ServiceEvidence.state == state)
        .options(joinedload(ServiceEvidence.service).joinedload(ManagedService.organization))
        .order_by(ServiceEvidence.submitted_at, ServiceEvidence.id),
        page=page,
        per_page=PER_PAGE,
    )
