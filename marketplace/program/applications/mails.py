"""What applicants and partners are written about applications, rounds and plans."""

from collections.abc import Sequence

from flask import current_app

from billing.formatting import format_money
from marketplace.core.database import db
from marketplace.core.mail import send_mail
from marketplace.core.sealing import SealBrokenError, unseal
from marketplace.identity.models import Organization, Role, User
from marketplace.identity.queries import (
    find_membership,
    may_write_to,
    people_to_write,
    platform_organization,
)
from marketplace.program.applications.holders import is_of_partner
from marketplace.program.applications.models import (
    Application,
    BusinessPlan,
    Milestone,
    PlanActivity,
    ProgramRound,
    RoundKind,
    RoundPlace,
)

# Who of an organization is written to.
READERS = (Role.OWNER, Role.ADMIN)


def address(path: str) -> str:
    """An absolute address, also where there is no request."""
    return f"{current_app.config['PUBLIC_URL']}{path}"


def status_address(application: Application) -> str:
    """Where the applicant follows an application: the secret link, or a partner's own pages."""
    if is_of_partner(application):
        return address(f"/partner/applications/{application.public_id}")
    try:
        return address(f"/applications/status/{unseal(application.status_token_sealed)}")
    except SealBrokenError:
        # The key was exchanged since. Whoever works for a partner finds it in the portal.
        return address(f"/partner/applications/{application.public_id}")


def _applicants(application: Application) -> list[tuple[str, str]]:
    """Names and addresses of whom to write to. A partner's application is the partner's: once
    whoever sent it has left, its owners and admins are written to."""
    own = application.organization_id
    if own is None or application.applicant_user_id is None or not is_of_partner(application):
        return [(application.name, application.email)] if application.email else []
    sender = db.session.get(User, application.applicant_user_id)
    if application.email and may_write_to(sender, own):
        return [(application.name, application.email)]
    return [(each.name, str(each.email)) for each in people_to_write(own, READERS)]


def _tell_applicant(application: Application, subject: str, text: str) -> None:
    for name, email in _applicants(application):
        send_mail(
            email,
            subject,
            f"Hello {name or 'there'},\n\n{text}\n\n{status_address(application)}\n\n"
            f"{current_app.config['SITE_NAME']}",
        )


def tell_fee_paid(application: Application) -> None:
    """Tell the applicant that the fee has arrived and the review begins."""
    _tell_applicant(
        application,
        f"{application.title}: your fee has arrived",
        "Your application fee has arrived, and your application is in the queue now.",
    )


def tell_asked(application: Application, question: str) -> None:
    """Pass a reviewer's question on."""
    _tell_applicant(
        application,
        f"{application.title}: we have a question",
        f"We have a question about your application:\n\n{question}\n\nAnswer it here:",
    )


def tell_decided(application: Application) -> None:
    """Send the decision letter."""
    for _name, email in _applicants(application):
        send_mail(
            email,
            f"{application.title}: our decision",
            f"{application.letter}\n\n{status_address(application)}",
        )


def tell_reviewer(application: Application, user: User) -> None:
    """Ask somebody of the staff to look at an application."""
    by = (
        f" A decision is promised by {application.promised_until:%d %b %Y}."
        if application.promised_until
        else ""
    )
    _write_to(
        user,
        f"Please review: {application.title}",
        f"You are asked to review an application: {application.title}.{by} If something connects "
        "you with the applicant, say so on its page instead of scoring it.",
        f"/staff/applications/{application.public_id}",
    )


def tell_missed(application: Application, refunded: tuple[int, str] | None) -> None:
    """Say that the promised day has passed, and what goes back."""
    back = (
        f" The fee of {format_money(*refunded)} goes back to you; you need not do anything."
        if refunded
        else ""
    )
    _tell_applicant(
        application,
        f"{application.title}: we are late",
        "We promised to decide on your application by today and have not. We are sorry, and go on "
        f"looking at it.{back}",
    )


def tell_organization(organization_id: int, subject: str, text: str, path: str) -> None:
    """Write to the owners and admins of an organization."""
    for person in people_to_write(organization_id, READERS):
        send_mail(
            str(person.email),
            subject,
            f"Hello {person.name},\n\n{text}\n\n{address(path)}\n\n"
            f"{current_app.config['SITE_NAME']}",
        )


def tell_milestone_decided(
    place: RoundPlace, round_: ProgramRound, milestone: Milestone, paid: bool
) -> None:
    """Say what became of the evidence for a milestone."""
    accepted = milestone.state.value == "accepted"
    text = f"“{milestone.title}” of {round_.name} was {'accepted' if accepted else 'returned'}."
    if paid:
        text += (
            f" {format_money(milestone.amount, round_.currency)} is payable to you with the next "
            "payout."
        )
    if milestone.note:
        text += f"\n\n{milestone.note}"
    tell_organization(
        place.organization_id,
        f"{round_.name}: {milestone.title}",
        text,
        f"/partner/rounds/places/{place.public_id}",
    )


def tell_gate_missed(place: RoundPlace, round_: ProgramRound, milestone: Milestone) -> None:
    """Say that a gate's day has passed."""
    tell_organization(
        place.organization_id,
        f"{round_.name}: a gate was missed",
        f"The day of “{milestone.title}” has passed without accepted evidence. What follows is "
        "blocked until your mentor gives it a new day.",
        f"/partner/rounds/places/{place.public_id}",
    )


def remind_of_milestone(place: RoundPlace, round_: ProgramRound, milestone: Milestone) -> None:
    """Say to a partner and its mentor that something is due soon."""
    is_gate = round_.kind is RoundKind.INCUBATOR
    after = " Once its day has passed, what follows is blocked." if is_gate else ""
    day = f"{milestone.due_at:%d %b %Y}" if milestone.due_at else ""
    subject = f"{round_.name}: “{milestone.title}” is due on {day}"
    tell_organization(
        place.organization_id,
        subject,
        f"“{milestone.title}” of {round_.name} is due on {day} (UTC), and no evidence waits for us "
        f"yet.{after}",
        f"/partner/rounds/places/{place.public_id}",
    )
    _tell_mentor(
        place,
        subject,
        f"“{milestone.title}” is due on {day} (UTC), and the partner whom you mentor in "
        f"{round_.name} has not handed in evidence yet.{after}",
    )


def tell_terms(place: RoundPlace, round_: ProgramRound) -> None:
    """Say that a round's terms wait to be accepted."""
    tell_organization(
        place.organization_id,
        f"{round_.name}: accept the terms",
        f"The terms of {round_.name} are there in version {round_.terms_version}. An owner or "
        "admin accepts them; until then nothing can be handed in.",
        f"/partner/rounds/places/{place.public_id}/terms",
    )


def remind_of_track(place: RoundPlace, round_: ProgramRound) -> None:
    """Say that an accelerator's track ends soon."""
    day = f"{place.ends_at:%d %b %Y}" if place.ends_at else ""
    tell_organization(
        place.organization_id,
        f"{round_.name} ends on {day}",
        f"Your track in {round_.name} ends on {day} (UTC). What is reached by then counts.",
        f"/partner/rounds/places/{place.public_id}",
    )


def tell_mentor_named(place: RoundPlace, round_: ProgramRound, partner: Organization) -> None:
    """Say to a mentor whom they mentor, and to the partner who mentors it."""
    _tell_mentor(
        place,
        f"You mentor {partner.name}",
        f"You were named as the mentor of {partner.name} in {round_.name}. Its page shows where "
        "the partner stands and what is due.",
    )
    mentor = db.session.get(User, place.mentor_user_id) if place.mentor_user_id else None
    if mentor is not None:
        tell_organization(
            place.organization_id,
            f"{round_.name}: {mentor.name} is your mentor",
            f"{mentor.name} mentors you in {round_.name}.",
            f"/partner/rounds/places/{place.public_id}",
        )


def tell_milestone_set(place: RoundPlace, round_: ProgramRound, milestone: Milestone) -> None:
    """Say to a partner that something more is to be shown."""
    day = f" by {milestone.due_at:%d %b %Y} (UTC)" if milestone.due_at else ""
    tell_organization(
        place.organization_id,
        f"{round_.name}: a new milestone",
        f"“{milestone.title}” was set for you in {round_.name}. Hand in evidence{day}.",
        f"/partner/rounds/places/{place.public_id}",
    )


def remind_partner_of_activities(plan: BusinessPlan, activities: Sequence[PlanActivity]) -> None:
    """Remind a partner of what it does by its plan."""
    tell_organization(
        plan.organization_id,
        f"Your business plan for {plan.year}: due soon",
        f"These activities of your plan are due soon:\n\n{_days(activities)}\n\nTick them when "
        "they are done.",
        f"/partner/business-plans/{plan.public_id}",
    )


def remind_staff_of_activities(
    person: User, partner: Organization, plan: BusinessPlan, activities: Sequence[PlanActivity]
) -> None:
    """Remind somebody of the staff of what we do by a partner's plan."""
    _write_to(
        person,
        f"Business plan of {partner.name}: due soon",
        f"These activities of ours in the plan of {partner.name} for {plan.year} are due soon:\n\n"
        f"{_days(activities)}",
        f"/staff/business-plans/{plan.public_id}",
    )


def _days(activities: Sequence[PlanActivity]) -> str:
    return "\n".join(f"- {each.title} ({each.due_on:%d %b %Y})" for each in activities)


def _tell_mentor(place: RoundPlace, subject: str, text: str) -> None:
    """Write to the mentor of a place, if it has one; staff find it on the staff's pages."""
    mentor = db.session.get(User, place.mentor_user_id) if place.mentor_user_id else None
    if mentor is None:
        return
    platform = platform_organization()
    is_staff = platform is not None and find_membership(platform.id, mentor.id) is not None
    side = "staff" if is_staff else "partner"
    _write_to(mentor, subject, text, f"/{side}/rounds/places/{place.public_id}")


def _write_to(person: User, subject: str, text: str, path: str) -> None:
    if not person.email or person.deactivated_at is not None:
        return
    send_mail(
        person.email,
        subject,
        f"Hello {person.name},\n\n{text}\n\n{address(path)}\n\n{current_app.config['SITE_NAME']}",
    )


def tell_plan_decided(plan: BusinessPlan) -> None:
    """Say what became of a business plan."""
    approved = plan.state.value == "approved"
    text = f"Your business plan for {plan.year} was {'approved' if approved else 'returned'}."
    if plan.note:
        text += f"\n\n{plan.note}"
    tell_organization(
        plan.organization_id,
        f"Your business plan for {plan.year}",
        text,
        f"/partner/business-plans/{plan.public_id}",
    )
