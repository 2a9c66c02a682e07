"""What a partner's program manager and its owners are written."""

from datetime import datetime

from flask import current_app

from marketplace.core.mail import send_mail
from marketplace.identity import queries as identity
from marketplace.identity.models import Organization, Role, User


def ask_to_confirm(person: User, organization: Organization, until: datetime | None) -> None:
    """Ask the named person to confirm, for the first time or again until a day."""
    if not person.email or person.deactivated_at is not None:
        return
    ending = f" Confirm until {until:%d %b %Y}." if until else ""
    _send(
        person,
        f"Confirm that you manage the program for {organization.name}",
        f"you are named as program manager of {organization.name}. Confirm it with one click on "
        f"this page; we ask once in a quarter.{ending}",
    )


def warn_of_end(organization: Organization, person: User, ends_at: datetime) -> None:
    """Tell owners and the person that the quarter is over."""
    _to_managers(
        organization,
        f"{person.name} has not confirmed yet",
        f"{person.name} has not confirmed to manage the program for {organization.name}. Without "
        f"it the requirement is not met from {ends_at:%d %b %Y} on.",
        person,
    )


def tell_of_departure(organization: Organization, ends_at: datetime | None) -> None:
    """Tell owners that they need a new program manager."""
    until = (
        f" until {ends_at:%d %b %Y}; without one the requirement is not met from then on"
        if ends_at
        else ""
    )
    _to_managers(
        organization,
        f"{organization.name} needs a new program manager",
        f"your program manager left {organization.name}. Name somebody else, who then confirms"
        f"{until}.",
    )


def _to_managers(
    organization: Organization, subject: str, text: str, also: User | None = None
) -> None:
    people = {
        person.id: person
        for person in identity.people_to_write(organization.id, (Role.OWNER, Role.ADMIN))
    }
    if also is not None:
        people[also.id] = also
    for person in people.values():
        if person.email and person.email_verified and person.deactivated_at is None:
            _send(person, subject, text)


def _send(person: User, subject: str, text: str) -> None:
    site = str(current_app.config["SITE_NAME"])
    link = f"{current_app.config['PUBLIC_URL']}/partner/contacts/manager"
    send_mail(person.email or "", subject, f"Hello {person.name},\n\n{text}\n\n{link}\n\n{site}\n")
