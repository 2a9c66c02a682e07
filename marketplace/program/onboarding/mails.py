"""What people who join, their owners and the staff are written."""

from collections.abc import Sequence

from flask import current_app

from marketplace.core.mail import send_mail
from marketplace.identity.models import Organization, User
from marketplace.program.onboarding.models import JoinAsk, JoinRequest, PartnerInvite, PartnerTask


def confirm_address(request: JoinRequest, token: str, type_name: str) -> None:
    """The link with which somebody proves their address and goes on."""
    _send(
        request.name,
        request.email,
        "Confirm your address to become a partner",
        f"you asked to join as {type_name} with {request.organization_name}. Open this link to go "
        "on; it works for three days. There is no contract and no review. If it was not you, "
        "ignore this message: nothing happens.",
        f"/join/finish?token={token}",
    )


def send_status_link(request: JoinRequest, title: str, path: str) -> None:
    """The link to an application's status."""
    _send(
        request.name,
        request.email,
        f"We have your application: {title}",
        "thank you for applying. Keep this link: it shows where your application stands, and lets "
        "you answer questions or withdraw.",
        path,
    )


def tell_applied_before(request: JoinRequest, reason: str) -> None:
    """Tell the address that it cannot apply again now, and why."""
    _send(
        request.name,
        request.email,
        "Your application to become a partner",
        f"somebody, probably you, applied again with this address. {reason} The link to your "
        "application is in the mail that we sent you then.",
        "/join",
    )


def tell_asked(person: User, organization: Organization, ask: JoinAsk, token: str) -> None:
    """Tell an owner that somebody asks to be invited."""
    _send(
        person.name,
        person.email or "",
        f"{ask.name} asks to join {organization.name}",
        f"{ask.name} ({ask.email}) wants to become a partner and gave a domain that belongs to "
        f"{organization.name}. If you know them, invite them with one click; otherwise ignore this "
        "message.",
        f"/join/asks/{token}",
    )


def invite_to_program(
    invite: PartnerInvite, inviter: Organization, by_name: str, code: str
) -> None:
    """Invite somebody to become a partner."""
    site = str(current_app.config["SITE_NAME"])
    _send(
        "",
        invite.email,
        f"{inviter.name} invites you to the partner program of {site}",
        f"{by_name} of {inviter.name} thinks that you should be a partner of {site} too. This link "
        "shows how, and how long it takes. If it is not for you, ignore this message.",
        f"/join?invite={code}",
    )


def remind_partner(
    person: User, organization: Organization, tasks: Sequence[PartnerTask], *, late: bool
) -> None:
    """Remind a partner of tasks that are due soon, or late."""
    lines = "\n".join(f"- {task.title} (until {task.due_at:%d %b %Y})" for task in tasks)
    what = "are late" if late else "are due soon"
    _send(
        person.name,
        person.email or "",
        f"Tasks of {organization.name} {what}",
        f"these tasks of {organization.name} {what}:\n\n{lines}",
        "/partner/tasks",
    )


def remind_staff(person: User, tasks: Sequence[tuple[PartnerTask, str]], *, late: bool) -> None:
    """Remind somebody of the staff of tasks for partners."""
    lines = "\n".join(f"- {name}: {task.title} ({task.due_at:%d %b %Y})" for task, name in tasks)
    what = "are late" if late else "are due soon"
    _send(
        person.name,
        person.email or "",
        f"Tasks for partners {what}",
        f"these tasks for partners {what}:\n\n{lines}",
        "/staff/tasks",
    )


def _send(name: str, to: str, subject: str, text: str, path: str) -> None:
    if not to:
        return
    site = str(current_app.config["SITE_NAME"])
    link = f"{current_app.config['PUBLIC_URL']}{path}"
    greeting = f"Hello {name}," if name else "Hello,"
    send_mail(to, subject, f"{greeting}\n\n{text}\n\n{link}\n\n{site}\n")
