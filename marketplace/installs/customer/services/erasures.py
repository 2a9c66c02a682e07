"""Erasures: after an uninstall the partner erases the customer's data and says so.

A request is due 30 days later. Its publisher is reminded a week before; when it is overdue, the
publisher and our staff are told. A receipt closes it, and the customer reads it.
"""

from datetime import timedelta

from sqlalchemy import update

from marketplace.catalogue.content import clean_text
from marketplace.core import clock
from marketplace.core.database import db
from marketplace.core.errors import ConflictError, InvalidError
from marketplace.core.facts import record_fact
from marketplace.core.permissions import Actor
from marketplace.installs.credentials import new_public_id
from marketplace.installs.customer import mails
from marketplace.installs.customer.event_data import installation_data
from marketplace.installs.customer.queries import erasures as queries
from marketplace.installs.customer.queries.people import (
    addresses_of_admins,
    addresses_of_makers,
    addresses_of_staff,
)
from marketplace.installs.customer.services.recording import record
from marketplace.installs.models import (
    Environment,
    ErasureRequest,
    Installation,
    InstallationEvent,
)
from marketplace.installs.webhooks.events import emit

DUE_AFTER = timedelta(days=30)
REMIND_BEFORE = timedelta(days=7)
# A customer asks again at most this often.
ASK_AGAIN_AFTER = timedelta(days=3)
# Staff remind by hand at most this often.
REMIND_AGAIN_AFTER = timedelta(days=1)
MIN_RECEIPT, MAX_RECEIPT = 10, 2_000
WATCHING_STAFF = ("support", "program_manager")


def request_erasure(installation: Installation, user_id: int | None) -> ErasureRequest:
    """Ask the partner to erase what it has of this customer, and tell it by a webhook.

    Called where the installation ends, after its event: events of one installation stay in order.
    """
    at = clock.now()
    erasure = ErasureRequest(
        public_id=new_public_id("er"),
        installation_id=installation.id,
        app_id=installation.app_id,
        environment=installation.environment,
        requested_by_id=user_id,
        requested_at=at,
        due_at=at + DUE_AFTER,
    )
    db.session.add(erasure)
    db.session.flush()
    _record("data.erasure_requested", erasure, installation, user_id)
    _emit(erasure, installation)
    return erasure


def complete_erasure(erasure: ErasureRequest, receipt: str, *, user_id: int | None = None) -> bool:
    """The partner confirms that the data are erased; whether that is new. The customer is told.

    `receipt` is what the customer reads. The first one counts: a repeat changes nothing.
    Raises InvalidError (field `receipt`).
    """
    receipt = clean_text(receipt)
    if len(receipt) < MIN_RECEIPT:
        raise InvalidError({"receipt": "Say what was erased, or what must be kept and why."})
    if len(receipt) > MAX_RECEIPT:
        raise InvalidError({"receipt": f"Use at most {MAX_RECEIPT:,} characters."})
    done = db.session.execute(
        update(ErasureRequest)
        .where(ErasureRequest.id == erasure.id, ErasureRequest.completed_at.is_(None))
        .values(completed_at=clock.now(), receipt=receipt)
        .execution_options(synchronize_session=False)
    )
    db.session.refresh(erasure)
    if getattr(done, "rowcount", 0) != 1:
        return False
    installation = erasure.installation
    _record("data.erased", erasure, installation, user_id)
    record(installation, "data_erased", user_id, tells_partner=False)
    if erasure.environment is Environment.LIVE:
        for address in addresses_of_admins(installation.organization_id):
            mails.tell_erasure_done(address, erasure)
    return True


def may_ask_again(erasure: ErasureRequest, last_asked_again: InstallationEvent | None) -> bool:
    """Whether the customer may ask once more: it is overdue, and was not asked just now."""
    at = clock.now()
    if erasure.completed_at is not None or erasure.due_at > at:
        return False
    return last_asked_again is None or last_asked_again.created_at <= at - ASK_AGAIN_AFTER


def ask_again(actor: Actor, erasure: ErasureRequest) -> None:
    """The customer asks once more for what is overdue: the same request is sent again.

    Raises ConflictError when it is done, not due yet, or was asked again just now.
    """
    _hold(erasure)
    installation = erasure.installation
    if not may_ask_again(erasure, queries.last_event(installation.id, "erasure_asked_again")):
        raise ConflictError("You can ask again once it is overdue, every three days.")
    record(installation, "erasure_asked_again", actor.user_id, tells_partner=False)
    _emit(erasure, installation)
    if erasure.environment is Environment.LIVE:
        for address in addresses_of_makers(installation.app.publisher_id):
            mails.tell_erasure_due(address, erasure, again=True)


def remind_now(actor: Actor, erasure: ErasureRequest) -> None:
    """Our staff reminds a publisher by hand, at most once a day.

    Raises ConflictError when it is confirmed already, or was reminded just now.
    """
    _hold(erasure)
    installation = erasure.installation
    last = queries.last_event(installation.id, "erasure_reminded")
    too_soon = last is not None and last.created_at > clock.now() - REMIND_AGAIN_AFTER
    if erasure.completed_at is not None or too_soon:
        raise ConflictError("It is confirmed already, or its publisher was reminded just now.")
    # The customer sees that it happened; who of the staff did it is in the fact.
    record(installation, "erasure_reminded", None, tells_partner=False)
    _record("data.erasure_reminded", erasure, erasure.installation, actor.user_id)
    for address in addresses_of_makers(erasure.app.publisher_id):
        mails.tell_erasure_due(address, erasure)


def remind_and_escalate(limit: int = 500) -> tuple[int, int]:
    """Remind partners of what is due within a week, and tell partner and staff what is overdue.

    How many were reminded and escalated; each at most once, live ones only. Run by a job.
    """
    at = clock.now()
    reminded = [
        erasure
        for erasure in queries.waiting(
            ErasureRequest.reminded_at.is_(None),
            ErasureRequest.due_at <= at + REMIND_BEFORE,
            ErasureRequest.due_at > at,
            limit=limit,
        )
        if _mark(erasure, "reminded_at")
    ]
    for erasure in reminded:
        for address in addresses_of_makers(erasure.app.publisher_id):
            mails.tell_erasure_due(address, erasure)
    escalated = [
        erasure
        for erasure in queries.waiting(
            ErasureRequest.escalated_at.is_(None), ErasureRequest.due_at <= at, limit=limit
        )
        if _mark(erasure, "escalated_at")
    ]
    staff = addresses_of_staff(WATCHING_STAFF) if escalated else []
    for erasure in escalated:
        _record("data.erasure_overdue", erasure, erasure.installation, None)
        for address in addresses_of_makers(erasure.app.publisher_id):
            mails.tell_erasure_overdue(address, erasure, is_staff=False)
        for address in staff:
            mails.tell_erasure_overdue(address, erasure, is_staff=True)
    return len(reminded), len(escalated)


def _hold(erasure: ErasureRequest) -> None:
    """Hold the row, so that a second click finds what the first one wrote."""
    db.session.execute(
        update(ErasureRequest)
        .where(ErasureRequest.id == erasure.id)
        .values(due_at=ErasureRequest.due_at)
        .execution_options(synchronize_session=False)
    )
    db.session.refresh(erasure)


def _mark(erasure: ErasureRequest, column: str) -> bool:
    """Set the column's time if nobody has; so that two runs at once tell once."""
    done = db.session.execute(
        update(ErasureRequest)
        .where(
            ErasureRequest.id == erasure.id,
            getattr(ErasureRequest, column).is_(None),
            ErasureRequest.completed_at.is_(None),
        )
        .values({column: clock.now()})
        .execution_options(synchronize_session=False)
    )
    return getattr(done, "rowcount", 0) == 1


def _emit(erasure: ErasureRequest, installation: Installation) -> None:
    emit(
        "data.erasure_requested",
        organization_id=installation.app.publisher_id,
        environment=installation.environment,
        data=installation_data(
            installation,
            erasure={
                "id": erasure.public_id,
                "requested_at": erasure.requested_at.isoformat(),
                "due_at": erasure.due_at.isoformat(),
            },
        ),
        app=installation.app,
        installation=installation,
    )


def _record(
    kind: str, erasure: ErasureRequest, installation: Installation, user_id: int | None
) -> None:
    record_fact(
        kind,
        subject=("erasure", erasure.public_id),
        actor_user_id=user_id,
        organization_id=installation.organization_id,
        data={"installation": installation.public_id},
    )
