"""Partners of the demo join the program at different times, and do their tasks or not."""

from collections.abc import Callable
from datetime import timedelta

from sqlalchemy import func, select

from billing.public_ids import new_public_id
from marketplace.core import clock
from marketplace.core.database import db
from marketplace.core.permissions import ANONYMOUS
from marketplace.core.unit_of_work import unit_of_work
from marketplace.identity.models import Membership, Organization, OrganizationKind, User
from marketplace.identity.sessions import hash_token
from marketplace.program.onboarding.models import JoinRequest, PartnerInvite, PartnerTask, TaskSide
from marketplace.program.onboarding.services import inviting, tasks
from marketplace.program.onboarding.services.admitting import admit
from marketplace.program.onboarding.services.joining import Wish, submit
from marketplace.program.policy.live import LivePolicy, forget_current_policy, live_policy
from marketplace.program.standing.models import Standing

MOST = 40
# Days ago, for partners that people look at; the others joined within the last year.
JOINED = {
    "tidewater-labs": 330,
    "quillbright": 210,
    "kitewell": 150,
    "meridian-quay": 260,
    "studio-okavango": 95,
    "frontdesk-franchise": 9,
}
APPLICANTS = (
    ("technology", "Saltmarsh Sensors", "saltmarsh-sensors.example", "DK", "Freja Holst", 3),
    ("reseller", "Puente Digital", "puente-digital.example", "MX", "Lucía Ortega", 8),
    ("consulting", "Kanali Advisory", "kanali-advisory.example", "KE", "Wanjiru Njoroge", 1),
)


def load(tell: Callable[[str], None]) -> None:
    """Take partners into the program, unless any is. Commits."""
    if db.session.scalar(select(func.count()).select_from(Standing)):
        return
    live = live_policy()
    if live is None:
        return
    count = _join(live)
    with unit_of_work():
        _work_on_tasks()
        _invite()
    _apply(live)
    forget_current_policy()
    tell(f"{count} partners are in the program.")


def _join(live: LivePolicy) -> int:
    now = clock.now()
    known = {kind.key for kind in live.policy.types}
    partners = db.session.scalars(
        select(Organization)
        .where(
            Organization.kind == OrganizationKind.PARTNER,
            Organization.suspended_at.is_(None),
            Organization.partner_type.in_(known),
        )
        .order_by(Organization.slug.in_(JOINED).desc(), Organization.id)
        .limit(MOST)
    ).all()
    plan = sorted(
        ((JOINED.get(row.slug, 20 + row.id * 37 % 330), row) for row in partners),
        key=lambda each: (-each[0], each[1].id),
    )
    with unit_of_work():
        for days, partner in plan:
            with clock.frozen(now - timedelta(days=days, hours=days % 9)):
                forget_current_policy()
                admit(partner, partner.partner_type or "", by_user_id=None)
    forget_current_policy()
    return len(plan)


def _work_on_tasks() -> None:
    """What was due is done by its day, but for one task in seven."""
    now = clock.now()
    rows = db.session.scalars(
        select(PartnerTask).where(PartnerTask.due_at < now).order_by(PartnerTask.id)
    ).all()
    for place, task in enumerate(rows):
        if place % 7 == 3 and task.due_at > now - timedelta(days=60):
            continue
        with clock.frozen(task.due_at - timedelta(hours=20 + place % 30)):
            tasks.set_done(task, done=True, user_id=None)
    manager = db.session.scalar(select(User.id).where(User.name == "Daniel Osei"))
    ours = db.session.scalars(
        select(PartnerTask)
        .where(PartnerTask.side == TaskSide.OPERATOR, PartnerTask.done_at.is_(None))
        .order_by(PartnerTask.due_at)
        .limit(4)
    ).all()
    for task in ours:
        if manager is not None:
            tasks.assign(task, manager, staff={manager}, user_id=manager)


def _invite() -> None:
    """One partner brought another one, and waits for a second."""
    inviter, invited = (
        db.session.scalar(select(Organization).where(Organization.slug == slug))
        for slug in ("tidewater-labs", "studio-okavango")
    )
    if inviter is None or invited is None:
        return
    owner = db.session.scalar(
        select(Membership.user_id).where(Membership.organization_id == inviter.id).limit(1)
    )
    now = clock.now()
    for email, days, organization in (
        ("naledi@studio-okavango.example", 101, invited),
        ("hello@lantern-works.example", 4, None),
    ):
        with clock.frozen(now - timedelta(days=days)):
            invite = PartnerInvite(
                public_id=new_public_id("inv"),
                inviter_id=inviter.id,
                invited_by_id=owner,
                email=email,
                code_hash=hash_token(new_public_id("code")),
                created_at=clock.now(),
                expires_at=clock.now() + inviting.LIFETIME,
            )
            db.session.add(invite)
            db.session.flush()
        if organization is not None:
            with clock.frozen(now - timedelta(days=95)):
                request = JoinRequest(
                    public_id=new_public_id("join"),
                    partner_type=organization.partner_type or "",
                    organization_id=organization.id,
                    organization_name=organization.name,
                    email=email,
                    answers={},
                    invite_id=invite.id,
                )
                db.session.add(request)
                db.session.flush()
                inviting.credit(request, organization)


def _apply(live: LivePolicy) -> None:
    """Some apply, and wait in the queue."""
    now = clock.now()
    for key, name, website, country, person, days in APPLICANTS:
        kind = live.policy.type(key)
        if kind is None or not kind.is_open:
            continue
        answers = {
            each.key: each.options[0] if each.options else "We have done this for six years."
            for each in kind.form
            if each.kind in ("text", "long_text", "choice")
        }
        with unit_of_work(), clock.frozen(now - timedelta(days=days)):
            forget_current_policy()
            submit(
                Wish(
                    kind=kind,
                    answers=answers,
                    organization_name=name,
                    website=website,
                    country=country,
                    name=person,
                    email=f"{person.split()[0].lower()}@{website}".replace("í", "i"),
                ),
                ANONYMOUS,
            )
