"""Setting a workspace up for a client, offering it, and handing it over."""

import secrets
from datetime import timedelta

from flask import current_app
from sqlalchemy import func, select

from billing.public_ids import new_public_id
from marketplace.core import clock
from marketplace.core.database import db
from marketplace.core.errors import ConflictError, ForbiddenError, InvalidError, NotFoundError
from marketplace.core.facts import record_fact
from marketplace.core.locks import lock_row
from marketplace.core.mail import send_mail
from marketplace.core.permissions import Actor
from marketplace.identity import queries as identity
from marketplace.identity.events import member_gone
from marketplace.identity.models import Membership, Organization, Role, User, UserSession
from marketplace.identity.profiles import clean_email
from marketplace.identity.services.invitations import revoke_all
from marketplace.identity.services.members import lock_members
from marketplace.identity.services.organizations import create_organization
from marketplace.identity.sessions import hash_token
from marketplace.pipeline.handovers.models import ClientWorkspace, HandoverState
from marketplace.pipeline.handovers.share import begin_share

OPEN_FOR = timedelta(days=14)
MOST_OPEN = 100


def set_up(name: str, *, actor: Actor) -> ClientWorkspace:
    """A customer organization for a client, owned by the actor until it is handed over.

    Asked for twice within a minute it is made once. Raises InvalidError, ConflictError.
    """
    partner_id = actor.organization_id or 0
    waiting = db.session.scalar(
        select(func.count())
        .select_from(ClientWorkspace)
        .where(
            ClientWorkspace.partner_id == partner_id,
            ClientWorkspace.state != HandoverState.HANDED_OVER,
        )
    )
    if (waiting or 0) >= MOST_OPEN:
        raise ConflictError(f"{MOST_OPEN} workspaces wait to be handed over. Do that first.")
    session = db.session.get(UserSession, actor.session_id) if actor.session_id else None
    customer = create_organization(actor, name=name, kind="customer", partner_type=None)
    if session is not None:
        # The person goes on acting for the agency.
        session.organization_id = partner_id
    found = db.session.scalar(
        select(ClientWorkspace).where(ClientWorkspace.customer_id == customer.id)
    )
    if found is not None:
        return found
    workspace = ClientWorkspace(
        public_id=new_public_id("cws"),
        partner_id=partner_id,
        customer_id=customer.id,
        created_by_id=actor.user_id,
    )
    db.session.add(workspace)
    db.session.flush()
    _record("set_up", workspace, actor)
    return workspace


def offer(workspace: ClientWorkspace, email: str, *, actor: Actor) -> ClientWorkspace:
    """Send the client the link that takes the workspace over; an earlier link ends.

    Raises InvalidError, and ConflictError once it was handed over.
    """
    address = clean_email(email)
    if address is None:
        raise InvalidError({"email": "Enter an e-mail address like ada@company.example."})
    own = set(
        db.session.scalars(
            select(func.lower(User.email))
            .join(Membership, Membership.user_id == User.id)
            .where(Membership.organization_id == workspace.partner_id)
        )
    )
    if address in own:
        raise InvalidError({"email": "This is a colleague of yours. Enter the client's address."})
    locked = _lock(workspace)
    if locked.state is HandoverState.HANDED_OVER:
        raise ConflictError("This workspace was handed over already.")
    token = secrets.token_urlsafe(32)
    locked.state, locked.client_email = HandoverState.OFFERED, address
    locked.token_hash, locked.offered_at = hash_token(token), clock.now()
    locked.expires_at = clock.now() + OPEN_FOR
    _record("offered", locked, actor)
    base = current_app.config["PUBLIC_URL"]
    send_mail(
        address,
        f"{locked.partner.name} hands {locked.customer.name} over to you",
        f"Hello,\n\n{locked.partner.name} set up a workspace for you: {locked.customer.name}. "
        "Take it over and it is yours; their access ends unless you let them stay.\n\n"
        f"{base}/handovers?token={token}\n\nThe link is open for {OPEN_FOR.days} days.\n",
    )
    return locked


def take_back(workspace: ClientWorkspace, *, actor: Actor) -> None:
    """End the link that was sent. Raises ConflictError once it was handed over."""
    locked = _lock(workspace)
    if locked.state is HandoverState.HANDED_OVER:
        raise ConflictError("This workspace was handed over already.")
    locked.state, locked.token_hash = HandoverState.PREPARING, None
    _record("taken_back", locked, actor)


def find_offered(token: str) -> ClientWorkspace | None:
    """The workspace of a link that is open."""
    if not token or len(token) > 200:
        return None
    return db.session.scalar(
        select(ClientWorkspace).where(
            ClientWorkspace.token_hash == hash_token(token),
            ClientWorkspace.state == HandoverState.OFFERED,
            ClientWorkspace.expires_at > clock.now(),
        )
    )


def is_addressed_to(actor: Actor, workspace: ClientWorkspace) -> bool:
    """Whether the address that the link went to is proven to be the actor's."""
    return actor.user_id is not None and workspace.client_email in identity.verified_emails(
        actor.user_id
    )


def take_over(workspace: ClientWorkspace, *, keep_access: bool, actor: Actor) -> None:
    """Make the actor the owner. Everybody of the agency is out at once, and who it had invited
    cannot come in any more; with `keep_access` the one who set it up stays, as an admin. The
    agency's share begins.

    Raises ForbiddenError for another address, ConflictError when it is no longer offered.
    """
    if actor.user_id is None or not is_addressed_to(actor, workspace):
        raise ForbiddenError(
            f"The link was sent to {workspace.client_email}. Sign in with an account that has "
            "this address."
        )
    locked = _lock(workspace)
    if locked.state is not HandoverState.OFFERED:
        raise ConflictError("This workspace was handed over or taken back already.")
    lock_members(locked.customer_id)
    revoke_all(actor, locked.customer_id)
    before = list(
        db.session.scalars(
            select(Membership).where(Membership.organization_id == locked.customer_id)
        )
    )
    mine = next((row for row in before if row.user_id == actor.user_id), None)
    if mine is None:
        mine = Membership(user_id=actor.user_id, organization_id=locked.customer_id)
        db.session.add(mine)
    mine.role = Role.OWNER
    locked.kept_user_id = None
    for row in before:
        if row.user_id == actor.user_id:
            continue
        if keep_access and row.user_id == locked.created_by_id:
            row.role, locked.kept_user_id = Role.ADMIN, row.user_id
            continue
        db.session.delete(row)
        db.session.flush()
        member_gone(locked.customer_id, row.user_id)
    session = db.session.get(UserSession, actor.session_id) if actor.session_id else None
    if session is not None:
        session.organization_id = locked.customer_id
    locked.state, locked.token_hash = HandoverState.HANDED_OVER, None
    locked.handed_over_at = clock.now()
    db.session.flush()
    partner = db.session.get_one(Organization, locked.partner_id)
    locked.attribution_id = begin_share(partner, locked.customer_id, by_user_id=actor.user_id)
    db.session.flush()
    _record("handed_over", locked, actor, kept=locked.kept_user_id)
    _tell_agency(locked)


def _tell_agency(workspace: ClientWorkspace) -> None:
    """Tell whoever set it up, or, once they have left the agency, its owners and admins."""
    maker = db.session.get(User, workspace.created_by_id) if workspace.created_by_id else None
    people = (
        [maker]
        if maker is not None and identity.may_write_to(maker, workspace.partner_id)
        else identity.people_to_write(workspace.partner_id, (Role.OWNER, Role.ADMIN))
    )
    for person in people:
        stays = (
            "You stay in as an admin."
            if person.id == workspace.kept_user_id
            else "Your access has ended."
        )
        send_mail(
            str(person.email),
            f"{workspace.customer.name} was taken over",
            f"Hello {person.name},\n\nyour client took {workspace.customer.name} over. {stays}"
            f"\n\n{current_app.config['PUBLIC_URL']}/partner/clients/{workspace.public_id}\n",
        )


def _lock(workspace: ClientWorkspace) -> ClientWorkspace:
    locked = lock_row(ClientWorkspace, ClientWorkspace.id == workspace.id)
    if locked is None:
        raise NotFoundError
    return locked


def _record(what: str, workspace: ClientWorkspace, actor: Actor, **data: object) -> None:
    record_fact(
        f"client_workspace.{what}",
        subject=("client_workspace", workspace.id),
        actor_user_id=actor.user_id,
        organization_id=workspace.partner_id,
        data={"customer_id": workspace.customer_id, **data},
    )
