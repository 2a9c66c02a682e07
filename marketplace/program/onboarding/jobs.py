"""Reminding of tasks, three days before and once when late; inviting first owners again."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import timedelta

from sqlalchemy import exists, select, update

from marketplace.core import clock
from marketplace.core.database import db
from marketplace.core.jobs import Payload, periodic
from marketplace.identity import queries as identity
from marketplace.identity.models import Invitation, Membership, Organization, Role, User
from marketplace.program.contacts.reading import staffing
from marketplace.program.onboarding import mails
from marketplace.program.onboarding.models import JoinRequest, JoinState, PartnerTask, TaskSide
from marketplace.program.onboarding.services.admitting import invite_first_owner

SOON = timedelta(days=3)
BATCH = 500
MOST_OWNER_INVITATIONS = 4


@periodic("onboarding.remind_of_tasks", every=timedelta(hours=6))
def remind_of_tasks(_payload: Payload) -> None:
    """Mail partners and the staff about tasks that are due soon or late, once each."""
    _remind(late=False)
    _remind(late=True)


@periodic("onboarding.invite_owners_again", every=timedelta(days=1))
def invite_owners_again(_payload: Payload) -> None:
    """Send a first owner a new link when the last one has ended unused."""
    open_invitation = exists().where(
        Invitation.organization_id == JoinRequest.organization_id,
        Invitation.expires_at > clock.now(),
        Invitation.revoked_at.is_(None),
    )
    has_members = exists().where(Membership.organization_id == JoinRequest.organization_id)
    rows = db.session.execute(
        select(JoinRequest, Organization)
        .join(Organization, Organization.id == JoinRequest.organization_id)
        .where(
            JoinRequest.state == JoinState.JOINED,
            JoinRequest.owner_invited.between(1, MOST_OWNER_INVITATIONS - 1),
            ~open_invitation,
            ~has_members,
        )
        .order_by(JoinRequest.id)
        .limit(BATCH)
    ).all()
    for request, organization in rows:
        invite_first_owner(request, organization)


def _remind(*, late: bool) -> None:
    now = clock.now()
    column = PartnerTask.reminded_late_at if late else PartnerTask.reminded_at
    due = PartnerTask.due_at < now if late else PartnerTask.due_at.between(now, now + SOON)
    taken = list(
        db.session.scalars(
            update(PartnerTask)
            .where(
                PartnerTask.id.in_(
                    select(PartnerTask.id)
                    .where(PartnerTask.done_at.is_(None), column.is_(None), due)
                    .order_by(PartnerTask.due_at)
                    .limit(BATCH)
                ),
                column.is_(None),
            )
            .values({column.key: now})
            .returning(PartnerTask.id)
            .execution_options(synchronize_session=False)
        )
    )
    tasks = db.session.scalars(
        select(PartnerTask)
        .where(PartnerTask.id.in_(taken))
        .order_by(PartnerTask.due_at, PartnerTask.id)
    ).all()
    by_partner: dict[int, list[PartnerTask]] = defaultdict(list)
    for task in tasks:
        if task.side is TaskSide.PARTNER:
            by_partner[task.organization_id].append(task)
    _remind_partners(by_partner, late=late)
    _remind_staff([task for task in tasks if task.side is TaskSide.OPERATOR], late=late)


def _remind_partners(by_partner: dict[int, list[PartnerTask]], *, late: bool) -> None:
    for organization_id, tasks in by_partner.items():
        organization = db.session.get_one(Organization, organization_id)
        for person in identity.people_to_write(organization_id, (Role.OWNER, Role.ADMIN)):
            if person.email_verified:
                mails.remind_partner(person, organization, tasks, late=late)


def _remind_staff(tasks: Sequence[PartnerTask], *, late: bool) -> None:
    if not tasks:
        return
    organizations = {
        row.id: row
        for row in db.session.scalars(
            select(Organization).where(
                Organization.id.in_({task.organization_id for task in tasks})
            )
        )
    }
    staff = staffing()
    by_person: dict[int, list[tuple[PartnerTask, str]]] = defaultdict(list)
    for task in tasks:
        organization = organizations[task.organization_id]
        person_id = task.assignee_id if task.assignee_id in staff.staff else None
        if person_id is None:
            # Nobody in particular: whoever manages the partner.
            person_id = staff.contact(
                "partner_manager", organization_id=organization.id, country=organization.country
            ).user_id
        if person_id is not None:
            by_person[person_id].append((task, organization.name))
    for person in db.session.scalars(select(User).where(User.id.in_(by_person))):
        mails.remind_staff(person, by_person[person.id], late=late)
