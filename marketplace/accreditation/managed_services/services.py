"""Filing services and their evidence; accepting it."""

from datetime import UTC, date, datetime, time
from typing import Any

from sqlalchemy import func, select

from billing.public_ids import new_public_id
from marketplace.accreditation.acting import tell_managers
from marketplace.accreditation.managed_services.models import (
    EvidenceKind,
    ManagedService,
    ServiceEvidence,
    ServiceEvidenceState,
)
from marketplace.accreditation.uploads import FileRefusedError, clean_file, keep
from marketplace.core import clock
from marketplace.core.database import db
from marketplace.core.errors import ConflictError, InvalidError
from marketplace.core.facts import record_fact
from marketplace.core.locks import lock_row
from marketplace.core.once import id_of_form
from marketplace.identity.models import Organization
from marketplace.identity.sent_forms import sent_before
from marketplace.program.measures import Measure, measure

MOST_SERVICES, MOST_EVIDENCE = 30, 200
MOST_MINUTES = 14 * 24 * 60
MOST_WORDS = 4_000
# Older evidence says nothing about a service of today.
OLDEST = 3 * 366
PAGE = "/partner/managed-services"


def save_service(
    organization: Organization,
    service: ManagedService | None,
    *,
    title: str,
    description: str,
    hours: str,
    response_minutes: int,
    availability_bps: int,
    by_user_id: int | None,
    form_key: str = "",
) -> ManagedService:
    """File a service (of a form, one), or change what it promises. Raises InvalidError,
    ConflictError."""
    errors = {}
    values: dict[str, Any] = {
        "title": " ".join(title.split()),
        "description": description.replace("\r\n", "\n").strip(),
        "hours": " ".join(hours.split()),
        "response_minutes": response_minutes,
        "availability_bps": availability_bps,
    }
    if not 2 <= len(values["title"]) <= 80:
        errors["title"] = "Use 2 to 80 characters."
    if not 1 <= len(values["description"]) <= MOST_WORDS:
        errors["description"] = f"Use 1 to {MOST_WORDS:,} characters."
    if not 2 <= len(values["hours"]) <= 200:
        errors["hours"] = "Say when somebody is there, in 2 to 200 characters."
    if not 1 <= response_minutes <= MOST_MINUTES:
        errors["response_minutes"] = f"Use 1 to {MOST_MINUTES:,} minutes."
    if not 0 <= availability_bps <= 10_000:
        errors["availability"] = "Use 0 to 100 percent."
    errors |= {
        name: "Remove the characters that cannot be shown."
        for name in ("title", "description", "hours")
        if "\x00" in values[name]
    }
    if errors:
        raise InvalidError(errors)
    lock_row(Organization, Organization.id == organization.id)
    if service is None:
        public_id = id_of_form("msv", form_key, by_user_id, organization.id, *values.values())
        if known := sent_before(ManagedService, public_id, by_user_id=by_user_id):
            return known
        count = db.session.scalar(
            select(func.count()).where(
                ManagedService.organization_id == organization.id,
                ManagedService.ended_at.is_(None),
            )
        )
        if (count or 0) >= MOST_SERVICES:
            raise ConflictError(f"{MOST_SERVICES} services are the most.")
        service = ManagedService(
            public_id=public_id,
            organization_id=organization.id,
            created_by_id=by_user_id,
            **values,
        )
        db.session.add(service)
        kind = "managed_service.filed"
    else:
        for name, value in values.items():
            setattr(service, name, value)
        kind = "managed_service.changed"
    db.session.flush()
    _fact(service, kind, by_user_id)
    return service


def end_service(service: ManagedService, *, by_user_id: int | None) -> None:
    """It is not offered any more; twice is as good as once. Its evidence stays."""
    locked = lock_row(ManagedService, ManagedService.id == service.id)
    if locked is None or locked.ended_at is not None:
        return
    locked.ended_at = clock.now()
    db.session.flush()
    _fact(locked, "managed_service.ended", by_user_id)


def add_evidence(
    service: ManagedService,
    *,
    kind: str,
    dated_on: date | None,
    response_minutes: int | None,
    availability_bps: int | None,
    note: str,
    file: tuple[str, bytes],
    by_user_id: int | None,
    timezone: str = "UTC",
) -> ServiceEvidence:
    """Hand evidence to our reviewers. `timezone`: of the person, whose today is the last day that
    it can be of. Raises InvalidError, ConflictError."""
    errors = {}
    if kind not in set(EvidenceKind):
        errors["kind"] = "Choose what it shows."
    today = clock.today_in(timezone)
    if dated_on is None or dated_on > today:
        errors["dated_on"] = "Choose the day that it is of, not one that lies ahead."
    elif (today - dated_on).days > OLDEST:
        errors["dated_on"] = "This is older than three years."
    if response_minutes is not None and not 0 <= response_minutes <= MOST_MINUTES:
        errors["response_minutes"] = f"Use 0 to {MOST_MINUTES:,} minutes."
    if availability_bps is not None and not 0 <= availability_bps <= 10_000:
        errors["availability"] = "Use 0 to 100 percent."
    words = note.replace("\x00", "").strip()
    if len(words) > MOST_WORDS:
        errors["note"] = f"Use at most {MOST_WORDS:,} characters."
    try:
        clean = clean_file(*file)
    except FileRefusedError as error:
        errors["file"] = str(error)
    if errors or dated_on is None:
        raise InvalidError(errors)
    locked = lock_row(ManagedService, ManagedService.id == service.id)
    if locked is None or locked.ended_at is not None:
        raise ConflictError("This service has ended.")
    count = db.session.scalar(select(func.count()).where(ServiceEvidence.service_id == service.id))
    if (count or 0) >= MOST_EVIDENCE:
        raise ConflictError(f"{MOST_EVIDENCE} pieces of evidence are the most.")
    evidence = ServiceEvidence(
        public_id=new_public_id("evd"),
        service_id=service.id,
        kind=EvidenceKind(kind),
        dated_on=dated_on,
        response_minutes=response_minutes,
        availability_bps=availability_bps,
        note=words,
        file_name=clean.name,
        content_type=clean.content_type,
        storage_key=keep(clean, "evidence"),
        submitted_by_id=by_user_id,
    )
    db.session.add(evidence)
    db.session.flush()
    _fact(service, "service_evidence.submitted", by_user_id)
    return evidence


def accept(evidence: ServiceEvidence, *, by_user_id: int | None) -> None:
    """It counts, from the day that it is of. Raises ConflictError when it was decided."""
    locked = _submitted(evidence)
    locked.state = ServiceEvidenceState.ACCEPTED
    locked.decided_at, locked.decided_by_id = clock.now(), by_user_id
    db.session.flush()
    _measure(locked, 1, "")
    _fact(locked.service, "service_evidence.accepted", by_user_id)


def send_back(evidence: ServiceEvidence, *, remark: str, by_user_id: int | None) -> None:
    """It is not enough. Raises InvalidError, ConflictError."""
    words = _remark(remark)
    locked = _submitted(evidence)
    _return(locked, words, by_user_id)
    _fact(locked.service, "service_evidence.returned", by_user_id)
    tell_managers(
        locked.service.organization_id,
        f"Evidence for {locked.service.title} needs something",
        f"Our reviewer writes:\n\n{words}",
        f"{PAGE}/{locked.service.public_id}",
    )


def revoke(evidence: ServiceEvidence, *, remark: str, by_user_id: int | None) -> None:
    """What was accepted does not hold: it counts no more, as if it never had. Raises
    InvalidError, ConflictError when it is not accepted."""
    words = _remark(remark)
    locked = lock_row(ServiceEvidence, ServiceEvidence.id == evidence.id)
    if locked is None or locked.state is not ServiceEvidenceState.ACCEPTED:
        raise ConflictError("This evidence does not count any more.")
    _return(locked, words, by_user_id)
    _measure(locked, -1, "revoked")
    _fact(locked.service, "service_evidence.revoked", by_user_id)
    tell_managers(
        locked.service.organization_id,
        f"Evidence for {locked.service.title} was taken back",
        f"It does not count any more. Our reviewer writes:\n\n{words}",
        f"{PAGE}/{locked.service.public_id}",
    )


def _remark(text: str) -> str:
    words = text.replace("\x00", "").strip()
    if not 1 <= len(words) <= MOST_WORDS:
        raise InvalidError({"remark": f"Say what is missing, in 1 to {MOST_WORDS:,} characters."})
    return words


def _return(locked: ServiceEvidence, words: str, by_user_id: int | None) -> None:
    locked.state, locked.remark = ServiceEvidenceState.RETURNED, words
    locked.decided_at, locked.decided_by_id = clock.now(), by_user_id
    db.session.flush()


def _measure(evidence: ServiceEvidence, amount: int, what: str) -> None:
    """Count it, or take it back, on the day that it is of; where that day began earlier than here,
    since it was handed in."""
    measure(
        evidence.service.organization_id,
        Measure.EVIDENCE,
        amount,
        key=f"evidence:{evidence.id}" + (f":{what}" if what else ""),
        source=("service_evidence", evidence.public_id),
        at=min(datetime.combine(evidence.dated_on, time(0), tzinfo=UTC), evidence.submitted_at),
    )


def _submitted(evidence: ServiceEvidence) -> ServiceEvidence:
    locked = lock_row(ServiceEvidence, ServiceEvidence.id == evidence.id)
    if locked is None or locked.state is not ServiceEvidenceState.SUBMITTED:
        raise ConflictError("This was decided already.")
    return locked


def _fact(service: ManagedService, kind: str, by_user_id: int | None) -> None:
    record_fact(
        kind,
        subject=("managed_service", service.id),
        actor_user_id=by_user_id,
        organization_id=service.organization_id,
    )
