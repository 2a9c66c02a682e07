"""What applicants and partners are written about applications, rounds and plans."""

from flask import current_app

from billing.formatting import format_money
from marketplace.core.database import db
from marketplace.core.mail import send_mail
from marketplace.core.sealing import SealBrokenError, unseal
from marketplace.identity.models import Role, User
from marketplace.identity.queries import may_write_to, people_to_write
from marketplace.program.applications.holders import is_of_partner
from marketplace.program.applications.models import (
    Application,
    BusinessPlan,
    Milestone,
    ProgramRound,
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
