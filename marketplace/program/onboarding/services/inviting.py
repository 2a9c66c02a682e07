"""Partners who invite partners. The inviter is credited once the invited one is admitted."""

import secrets
from datetime import timedelta

from sqlalchemy import func, select

from billing.public_ids import new_public_id
from marketplace.core import clock
from marketplace.core.database import db
from marketplace.core.errors import ConflictError, InvalidError
from marketplace.core.facts import record_fact
from marketplace.core.locks import lock_row
from marketplace.core.pagination import Page, paginate
from marketplace.core.permissions import Actor
from marketplace.identity import queries as identity
from marketplace.identity.models import Membership, Organization
from marketplace.identity.profiles import clean_email
from marketplace.identity.services.members import lock_members
from marketplace.identity.sessions import hash_token
from marketplace.program.measures import Measure, measure
from marketplace.program.onboarding import mails
from marketplace.program.onboarding.domains import domain_of_email, domain_of_website
from marketplace.program.onboarding.models import JoinRequest, PartnerInvite

LIFETIME = timedelta(days=90)
MOST_A_DAY = 20


def invite_partner(actor: Actor, organization: Organization, email: str) -> PartnerInvite:
    """Invite an address to the program; it gets a link with a code. Inviting it again sends a new
    link. Raises InvalidError (field email) and ConflictError for too many."""
    wanted = clean_email(email)
    if wanted is None:
        raise InvalidError({"email": "Enter an address like ada@example.com."})
    own = {domain_of_website(organization.website)} | {
        domain_of_email(member.user.email or "") for member in identity.members_of(organization.id)
    }
    own.discard("")
    if wanted == actor.email or domain_of_email(wanted) in own:
        raise InvalidError(
            {"email": "This is your own organization. Invite its people as members."}
        )
    lock_members(organization.id)
    now = clock.now()
    today = db.session.scalar(
        select(func.count()).where(
            PartnerInvite.inviter_id == organization.id,
            PartnerInvite.created_at > now - timedelta(days=1),
        )
    )
    row = db.session.scalar(
        select(PartnerInvite).where(
            PartnerInvite.inviter_id == organization.id, PartnerInvite.email == wanted
        )
    )
    if row is not None and row.joined_at is not None:
        raise InvalidError({"email": "This organization joined by your invitation already."})
    if row is not None and row.created_at > now - timedelta(days=1):
        raise InvalidError({"email": "You invited this address within a day. Give it some time."})
    if (today or 0) >= MOST_A_DAY:
        raise ConflictError(f"You invited {MOST_A_DAY} within a day. Go on tomorrow.")
    code = secrets.token_urlsafe(12)
    if row is None:
        row = PartnerInvite(
            public_id=new_public_id("inv"), inviter_id=organization.id, email=wanted
        )
        db.session.add(row)
    row.code_hash, row.created_at, row.expires_at = hash_token(code), now, now + LIFETIME
    row.invited_by_id = actor.user_id
    db.session.flush()
    mails.invite_to_program(row, organization, actor.name, code)
    record_fact(
        "partner_invite.sent",
        subject=("partner_invite", row.id),
        actor_user_id=actor.user_id,
        organization_id=organization.id,
    )
    return row


def find_invite(code: str) -> PartnerInvite | None:
    """The invitation of a link's code, while it counts."""
    if not code or len(code) > 60:
        return None
    return db.session.scalar(
        select(PartnerInvite).where(
            PartnerInvite.code_hash == hash_token(code.replace("\0", "")),
            PartnerInvite.expires_at > clock.now(),
            PartnerInvite.joined_at.is_(None),
        )
    )


def credit(request: JoinRequest, organization: Organization) -> bool:
    """Credit whoever invited an organization that is admitted now; whether they were.

    Nothing is credited for oneself: an organization that shares a person or a domain with the
    inviter. An organization counts once, whoever invites it again.
    """
    if request.invite_id is None:
        return False
    invite = lock_row(PartnerInvite, PartnerInvite.id == request.invite_id)
    if invite is None or invite.joined_at is not None:
        return False
    invite.joined_at, invite.joined_organization_id = clock.now(), organization.id
    inviter = db.session.get(Organization, invite.inviter_id)
    if inviter is None or _is_own(inviter, organization, request):
        invite.not_credited_because = "self"
    elif measure(
        invite.inviter_id,
        Measure.PARTNERS_INVITED,
        key=f"organization:{organization.id}",
        source=("partner_invite", invite.id),
    ):
        invite.credited = True
        record_fact(
            "partner_invite.credited",
            subject=("partner_invite", invite.id),
            organization_id=invite.inviter_id,
            data={"invited": organization.id},
        )
    else:
        invite.not_credited_because = "repeated"
    db.session.flush()
    return invite.credited


def page_of_invites(organization_id: int, page: int) -> Page[PartnerInvite]:
    """A partner's invitations, the newest first."""
    return paginate(
        select(PartnerInvite)
        .where(PartnerInvite.inviter_id == organization_id)
        .order_by(PartnerInvite.created_at.desc(), PartnerInvite.id.desc()),
        page=page,
        per_page=20,
    )


def credited_count(organization_id: int) -> int:
    """How many partners joined by an organization's invitations, as credited."""
    return (
        db.session.scalar(
            select(func.count()).where(
                PartnerInvite.inviter_id == organization_id, PartnerInvite.credited.is_(True)
            )
        )
        or 0
    )


def _is_own(inviter: Organization, invited: Organization, request: JoinRequest) -> bool:
    if inviter.id == invited.id:
        return True
    ours = set(
        db.session.scalars(
            select(Membership.user_id).where(Membership.organization_id == inviter.id)
        )
    )
    theirs = set(
        db.session.scalars(
            select(Membership.user_id).where(Membership.organization_id == invited.id)
        )
    )
    person = identity.find_user_by_verified_email(request.email) if request.email else None
    if person is not None:
        theirs.add(person.id)
    if ours & theirs:
        return True
    emails = {member.user.email or "" for member in identity.members_of(inviter.id)}
    own = {domain_of_website(inviter.website), *(domain_of_email(each) for each in emails)}
    own.discard("")
    return bool(own & {domain_of_website(invited.website), domain_of_email(request.email)})
