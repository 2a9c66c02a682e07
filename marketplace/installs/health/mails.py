"""Letters about an incident: to organizations that use the app, and to its publisher."""

from datetime import datetime

from flask import current_app

from marketplace.catalogue.engagement.queries.people import member_addresses
from marketplace.core.mail import send_mail
from marketplace.identity.models import Role
from marketplace.installs.health.uptime import Turn
from marketplace.installs.models import HealthIncident, Installation

PARTNER_ROLES = (Role.OWNER, Role.ADMIN, Role.DEVELOPER)


def tell_installer(
    incident: HealthIncident, turn: Turn, installation: Installation, addresses: list[str]
) -> None:
    """An organization that has the app installed."""
    app, organization = incident.app, installation.organization
    page = _url(f"/organizations/{organization.slug}/apps/{installation.public_id}")
    if turn is Turn.BEGAN:
        subject = f"{app.name} is not answering"
        text = (
            f"{app.name}, which {organization.name} has installed, has not answered our checks "
            f"since {_moment(incident.started_at)}. Its publisher is told too, and we write again "
            "when it answers.\n\n"
        )
    else:
        subject = f"{app.name} is answering again"
        text = f"{app.name}, which {organization.name} has installed, {_again(incident)}\n\n"
    for address in addresses:
        send_mail(
            address,
            subject,
            f"Hello,\n\n{text}Its page: {page}\n",
            dedupe_key=f"health:{incident.id}:{turn.value}:{organization.id}:{address}"[:150],
        )


def tell_publisher(incident: HealthIncident, turn: Turn) -> None:
    """The app's own people."""
    app = incident.app
    if turn is Turn.BEGAN:
        subject = f"{app.name} does not answer our checks"
        text = (
            f"The status address of {app.name} failed three checks in a row: {incident.reason}\n\n"
            f"{app.status_url}\n\n"
            "It has to answer 200 within 3 seconds. Its listing shows that it is not answering, "
            "and organizations that use it are told.\n\n"
        )
    else:
        subject = f"{app.name} answers our checks again"
        text = f"{app.name} {_again(incident)} Organizations that use it are told.\n\n"
    for address in member_addresses(app.publisher_id, PARTNER_ROLES):
        send_mail(
            address,
            subject,
            f"Hello,\n\n{text}Its checks: {_url(f'/partner/apps/{app.public_id}/health')}\n",
            dedupe_key=f"health:{incident.id}:{turn.value}:publisher:{address}"[:150],
        )


def _again(incident: HealthIncident) -> str:
    ended = incident.ended_at or incident.started_at
    minutes = max(1, round((ended - incident.started_at).total_seconds() / 60))
    spent = f"{minutes} minute{'s' if minutes != 1 else ''}"
    if minutes >= 120:
        spent = f"{round(minutes / 60)} hours"
    return f"answers our checks again. It did not for about {spent}."


def _moment(at: datetime) -> str:
    return f"{at.day} {at:%b %Y, %H:%M} UTC"


def _url(path: str) -> str:
    return f"{current_app.config['PUBLIC_URL']}{path}"
