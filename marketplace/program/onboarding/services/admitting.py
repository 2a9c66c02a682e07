"""Taking an organization into the program as a partner of a type, by whichever way it came."""

from flask import current_app

from marketplace.core import clock
from marketplace.core.database import db
from marketplace.core.facts import record_fact
from marketplace.core.locks import lock_row
from marketplace.identity import queries as identity
from marketplace.identity.events import organization_changed
from marketplace.identity.models import Organization, OrganizationKind
from marketplace.identity.services.founding import Founding, found_partner, invite_owner
from marketplace.program.events import Decided
from marketplace.program.onboarding.domains import domains_of
from marketplace.program.onboarding.holders import holder_of
from marketplace.program.onboarding.models import JoinRequest, JoinState
from marketplace.program.onboarding.services import asking, inviting
from marketplace.program.onboarding.services.tasks import begin_playbook
from marketplace.program.policy.document import Entry
from marketplace.program.policy.live import current_policy
from marketplace.program.standing.joining import join, record_move
from marketplace.program.standing.models import MoveKind, Standing
from marketplace.program.standing.reading import IN_FORCE, place_of

ADMISSION = "admission:"


def admit(
    organization: Organization, partner_type: str, *, by_user_id: int | None, reason: str = ""
) -> Standing:
    """Make an organization a partner of a type, and take it into the program.

    One that is in the program as another type changes its type and keeps its tier; the move says
    the reason, if there is one. Raises ConflictError without a policy.
    """
    row = lock_row(Organization, Organization.id == organization.id) or organization
    standing = lock_row(Standing, Standing.organization_id == row.id)
    was = row.partner_type if row.is_partner else None
    row.kind, row.partner_type = OrganizationKind.PARTNER, partner_type
    db.session.flush()
    if standing is not None and standing.state in IN_FORCE:
        if was != partner_type:
            live = current_policy()
            record_move(
                standing,
                MoveKind.TYPE_CHANGED,
                from_tier=standing.tier,
                to_tier=standing.tier,
                policy_id=live.id if live else None,
                reason=f"{was or 'none'} to {partner_type}" + (f". {reason}" if reason else ""),
                by_user_id=by_user_id,
            )
            begin_playbook(row.id)
    else:
        standing = join(row, by_user_id=by_user_id)
    organization_changed(row.id)
    return standing


def complete(request: JoinRequest, organization: Organization, *, by_user_id: int | None) -> None:
    """Admit the organization of a request, write that down, and credit whoever invited it."""
    admit(organization, request.partner_type, by_user_id=by_user_id)
    request.state, request.organization_id = JoinState.JOINED, organization.id
    request.joined_at, request.token_hash = clock.now(), None
    db.session.flush()
    inviting.credit(request, organization)
    record_fact(
        "join_request.completed",
        subject=("join_request", request.id),
        actor_user_id=by_user_id,
        organization_id=organization.id,
        data={"partner_type": request.partner_type},
    )


def admission_decided(application: Decided, accepted: bool) -> None:
    """An application was decided; a listener. An accepted one for joining makes the organization a
    partner: the one that applied, or a new one whose first owner is invited by mail."""
    if not application.kind.startswith(ADMISSION):
        return
    request = lock_row(JoinRequest, JoinRequest.application_id == application.id)
    if request is None or request.state is not JoinState.APPLIED:
        return
    if not accepted:
        request.state = JoinState.DECLINED
        db.session.flush()
        return
    if request.organization_id is not None:
        organization = db.session.get_one(Organization, request.organization_id)
        complete(request, organization, by_user_id=request.user_id)
        return
    holder = holder_of(domains_of(request.website, request.email))
    if holder is not None:
        # Somebody else of the same organization was faster: there is never a second one, and only
        # its owners let anybody in.
        request.state = JoinState.DECLINED
        asking.ask_owners(holder.organization, request.email, request.name)
        return
    organization = found_partner(_founding(request), owner_user_id=request.user_id)
    complete(request, organization, by_user_id=request.user_id)
    if request.user_id is None:
        invite_first_owner(request, organization)


def invite_first_owner(request: JoinRequest, organization: Organization) -> None:
    """Mail the applicant the link with which they become the owner."""
    request.owner_invited += 1
    invite_owner(organization, request.email, public_url=str(current_app.config["PUBLIC_URL"]))


def found_from(request: JoinRequest, user_id: int) -> Organization:
    """The new organization of a request that needs no review, owned by who finished it."""
    return found_partner(_founding(request), owner_user_id=user_id)


def partner_was_created(organization_id: int, user_id: int) -> None:
    """Somebody created a partner organization on the account pages; a listener of identity. Where
    its type asks for no application, it is in the program at once."""
    live = current_policy()
    organization = db.session.get_one(Organization, organization_id)
    kind = live.policy.type(organization.partner_type) if live else None
    if kind is None or not kind.is_open or kind.entry is Entry.APPLICATION:
        return
    if kind.entry is Entry.EMAIL and not identity.verified_emails(user_id):
        return
    join(organization, by_user_id=user_id)


def is_in_program(organization_id: int) -> bool:
    """Whether an organization's type is the program's to change; a lock of identity."""
    return bool(place_of(organization_id).tier)


def _founding(request: JoinRequest) -> Founding:
    return Founding(
        request.organization_name, request.partner_type, request.website, request.country
    )
