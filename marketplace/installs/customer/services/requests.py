"""Members ask their admins to install something."""

from collections.abc import Sequence

from sqlalchemy import select, update
from sqlalchemy.orm import joinedload

from marketplace.catalogue.content import clean_text
from marketplace.catalogue.models import Listing
from marketplace.core import clock
from marketplace.core.database import db
from marketplace.core.errors import ConflictError, InvalidError
from marketplace.core.facts import record_fact
from marketplace.core.once import insert_if_new
from marketplace.core.permissions import Actor
from marketplace.identity.models import Organization
from marketplace.installs.customer import mails
from marketplace.installs.customer.queries.people import addresses_of_admins
from marketplace.installs.models import InstallRequest, InstallRequestState

MAX_MESSAGE = MAX_NOTE = 500
CLOSED = "This request is closed already."


def request_install(
    actor: Actor,
    organization: Organization,
    listing: Listing,
    message: str = "",
    *,
    adds: Sequence[str] | None = None,
) -> tuple[InstallRequest, bool]:
    """Ask the admins to install `listing`; the request, and whether it is new.

    An organization has one open request for a listing: whoever asks second finds the first.
    That the person may ask is checked before, by the verdict of the consent. `adds` is what an
    update adds, in words (Consent.news); None where it is not installed.
    Raises InvalidError (field `message`).
    """
    message = clean_text(message)
    if len(message) > MAX_MESSAGE:
        raise InvalidError({"message": f"Use at most {MAX_MESSAGE} characters."})
    new_id = insert_if_new(
        InstallRequest,
        organization_id=organization.id,
        listing_id=listing.id,
        requested_by_id=actor.user_id,
        message=message,
        state=InstallRequestState.OPEN,
        decision_note="",
        created_at=clock.now(),
    )
    request = db.session.scalars(
        select(InstallRequest)
        .where(
            InstallRequest.organization_id == organization.id,
            InstallRequest.listing_id == listing.id,
            InstallRequest.state == InstallRequestState.OPEN,
        )
        .options(joinedload(InstallRequest.listing), joinedload(InstallRequest.requested_by))
    ).one()
    if new_id is not None:
        _fact("install_request.opened", actor, request)
        for address in addresses_of_admins(organization.id):
            mails.tell_requested(address, actor.name, request, organization, adds)
    return request, new_id is not None


def decline_request(
    actor: Actor, organization: Organization, request: InstallRequest, note: str = ""
) -> None:
    """Say no, with a word to the member, who is mailed (unless it is the decider).

    Raises InvalidError (field `note`), ConflictError when it is closed already.
    """
    note = clean_text(note)
    if len(note) > MAX_NOTE:
        raise InvalidError({"note": f"Use at most {MAX_NOTE} characters."})
    _close(actor, request, InstallRequestState.DECLINED, note)
    _fact("install_request.declined", actor, request)
    if request.requested_by_id != actor.user_id:
        mails.tell_request_declined(request, organization)


def withdraw_request(actor: Actor, request: InstallRequest) -> None:
    """The member asks no more. Raises ConflictError when it is closed already."""
    _close(actor, request, InstallRequestState.WITHDRAWN, "")
    _fact("install_request.withdrawn", actor, request)


def withdraw_requests_of(organization_id: int, user_id: int) -> None:
    """Somebody is no longer a member: what that person asked for is withdrawn, so that nobody
    decides it any more. Called where the membership ends."""
    rows = db.session.scalars(
        select(InstallRequest).where(
            InstallRequest.organization_id == organization_id,
            InstallRequest.requested_by_id == user_id,
            InstallRequest.state == InstallRequestState.OPEN,
        )
    )
    for request in rows:
        request.state = InstallRequestState.WITHDRAWN
        request.decided_at = clock.now()
        record_fact(
            "install_request.withdrawn",
            subject=("install_request", request.id),
            organization_id=organization_id,
            data={"listing": request.listing_id, "because": "member_gone"},
        )


def _close(actor: Actor, request: InstallRequest, state: InstallRequestState, note: str) -> None:
    done = db.session.execute(
        update(InstallRequest)
        .where(InstallRequest.id == request.id, InstallRequest.state == InstallRequestState.OPEN)
        .values(
            state=state,
            decided_by_id=actor.user_id,
            decided_at=clock.now(),
            decision_note=note,
        )
        .execution_options(synchronize_session=False)
    )
    db.session.refresh(request)
    if getattr(done, "rowcount", 0) != 1:
        raise ConflictError(CLOSED)


def _fact(kind: str, actor: Actor, request: InstallRequest) -> None:
    record_fact(
        kind,
        subject=("install_request", request.id),
        actor_user_id=actor.user_id,
        organization_id=request.organization_id,
        data={"listing": request.listing_id},
    )
