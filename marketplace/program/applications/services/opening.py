"""Opening an application: its form and stages are frozen in it, the applicant gets a link."""

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import func, select

from billing.public_ids import new_public_id
from marketplace.core import clock
from marketplace.core.database import db
from marketplace.core.errors import ConflictError
from marketplace.core.facts import record_fact
from marketplace.core.once import insert_if_new
from marketplace.core.sealing import seal
from marketplace.program.applications.models import (
    Application,
    ApplicationEntry,
    ApplicationState,
    EntryKind,
)
from marketplace.program.applications.services.fees import fee_due, unused_payment
from marketplace.program.policy.document import FormField, Stage
from marketplace.program.policy.live import current_policy

ADMISSION = "admission:"
# A fee that was paid this long before applying counts.
PAID_AHEAD = timedelta(days=90)
# Whoever was declined may apply for the same again after this.
REAPPLY_AFTER = timedelta(days=30)


@dataclass(frozen=True)
class Opened:
    """A new application, and the secret of its status link."""

    application: Application
    status_token: str

    @property
    def token(self) -> str:
        """The same, by its short name."""
        return self.status_token


def hash_of(token: str) -> str:
    """What a status token is found by."""
    return hashlib.sha256(token.encode("utf-8", "replace")).hexdigest()


def open_application(
    kind: str,
    *,
    answers: dict[str, Any],
    organization_id: int | None,
    applicant_user_id: int | None,
    email: str,
    name: str,
    form: tuple[FormField, ...],
    stages: tuple[Stage, ...],
    title: str,
    round_id: int | None = None,
    review_days: int | None = None,
) -> Opened:
    """Take an application in. Flushes.

    `answers` are those of `answers.read_answers` without errors. `review_days`: within how many
    days a decision is promised; for admissions the policy's type says it. It waits for its fee
    first when one is due. The status page is `applications.status` with `status_token`.

    Raises ConflictError when the same applicant's last one is open still, or was declined lately.
    """
    again = may_apply_from(kind, organization_id=organization_id, email=email)
    if again is not None and again > clock.now():
        raise ConflictError(f"You can apply for this again from {again:%d %b %Y} on.")
    now, token = clock.now(), secrets.token_urlsafe(24)
    partner_type = kind.removeprefix(ADMISSION) if kind.startswith(ADMISSION) else ""
    made = insert_if_new(
        Application,
        public_id=new_public_id("app"),
        kind=kind,
        title=title[:160],
        organization_id=organization_id,
        applicant_user_id=applicant_user_id,
        email=email,
        name=name[:120],
        answers=answers,
        form=[each.model_dump(mode="json") for each in form],
        stages=[each.model_dump(mode="json") for each in stages],
        stage=stages[0].key if stages else "",
        state=ApplicationState.IN_REVIEW,
        status_token_hash=hash_of(token),
        status_token_sealed=seal(token),
        open_key=_open_key(kind, organization_id, email),
        round_id=round_id,
        submitted_at=now,
        review_days=_promise_of(partner_type) if review_days is None else review_days,
    )
    if made is None:
        raise ConflictError("You have applied for this already. It is being looked at.")
    application = db.session.get_one(Application, made)
    write_entry(application, EntryKind.SUBMITTED, by_user_id=applicant_user_id)
    record_fact(
        "application.submitted",
        subject=("application", application.id),
        actor_user_id=applicant_user_id,
        organization_id=organization_id,
        data={"kind": kind},
    )
    if partner_type:
        ask_for_fee(application)
    else:
        enter_queue(application)
    db.session.flush()
    return Opened(application, token)


def may_apply_from(kind: str, *, organization_id: int | None, email: str) -> datetime | None:
    """From when somebody can apply for the same again, after it was declined; None: at any time."""
    who = (
        Application.organization_id == organization_id
        if organization_id is not None
        else func.lower(Application.email) == email.lower()
    )
    decided = db.session.scalar(
        select(Application.decided_at)
        .where(Application.kind == kind, Application.state == ApplicationState.DECLINED, who)
        .order_by(Application.decided_at.desc())
        .limit(1)
    )
    return decided + REAPPLY_AFTER if decided else None


def write_entry(
    application: Application, kind: EntryKind, *, text: str = "", by_user_id: int | None = None
) -> None:
    """Add a line to the history of an application."""
    db.session.add(
        ApplicationEntry(
            application_id=application.id,
            kind=kind,
            stage=application.stage,
            text=text,
            by_user_id=by_user_id,
            at=clock.now(),
        )
    )


def enter_queue(application: Application) -> None:
    """Let reviewers see it; the review clock begins."""
    now = clock.now()
    application.state = ApplicationState.IN_REVIEW
    application.queued_at = now
    if application.review_days is not None:
        application.promised_until = now + timedelta(days=application.review_days)


def ask_for_fee(application: Application) -> None:
    """Let an admission wait for its fee, when one is due and was not paid lately already."""
    organization_id = application.organization_id
    fee = fee_due(organization_id)
    if fee is None or organization_id is None:
        enter_queue(application)
        return
    application.fee_amount, application.fee_currency = fee
    paid = unused_payment(organization_id, clock.now() - PAID_AHEAD)
    if paid is None:
        application.state = ApplicationState.FEE_DUE
        application.queued_at = application.promised_until = None
        return
    application.fee_order_id = paid.id
    write_entry(application, EntryKind.FEE_PAID)
    enter_queue(application)


def attach_organization(application: Application, organization_id: int) -> None:
    """Say whose application it is, once the applicant's organization is here. Flushes.

    From then on its people see it in their portal.
    """
    application.organization_id = organization_id
    if application.is_open:
        application.open_key = _open_key(application.kind, organization_id, application.email)
    db.session.flush()


def _open_key(kind: str, organization_id: int | None, email: str) -> str:
    return f"{kind}|{organization_id if organization_id is not None else email.lower()}"


def _promise_of(partner_type: str) -> int | None:
    live = current_policy()
    found = live.policy.type(partner_type) if live and partner_type else None
    return found.review_days if found else None
