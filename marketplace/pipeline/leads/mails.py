"""What customers and partners are written about leads."""

from collections.abc import Sequence

from flask import current_app

from marketplace.core.database import db
from marketplace.core.mail import send_mail
from marketplace.identity.models import Organization, Role, User
from marketplace.identity.queries import people_to_write
from marketplace.pipeline.leads.models import Lead, LeadOffer
from marketplace.pipeline.leads.tokens import token_of

WORKERS = (Role.OWNER, Role.ADMIN, Role.EDITOR, Role.FINANCE)


def tell_received(lead: Lead) -> None:
    """Confirm a brief to the customer, with the link to look after it."""
    _send(
        lead.email,
        lead.name,
        "We have your request",
        "Thank you. We pass your request to a partner who fits, without your contact details. "
        "Once a partner accepts it, that partner gets them and we tell you who it is.\n\n"
        "See where it stands, or take it back and have your data removed:\n"
        f"{_address('/briefs/' + token_of(lead))}",
    )


def tell_offered(offer: LeadOffer) -> None:
    """Tell the partner's people that a lead waits."""
    _tell_partner(
        offer.organization_id,
        "A lead for you",
        "A customer looks for something that fits you. Look at it and accept or decline by "
        f"{offer.deadline:%d %b %Y %H:%M} UTC; after that it goes to somebody else.\n\n"
        f"{_address('/partner/leads/offers/' + offer.public_id)}",
    )


def tell_expired(offer: LeadOffer) -> None:
    """Tell the partner's people that the lead went on."""
    _tell_partner(
        offer.organization_id,
        "A lead was passed on",
        "A lead that was offered to you was not answered in time and went to somebody else.\n\n"
        f"{_address('/partner/leads')}",
    )


def tell_accepted(lead: Lead) -> None:
    """Tell the customer who will get in touch, and the partner's people whom to reach."""
    owner = db.session.get_one(Organization, lead.owner_id)
    _tell_customer(lead, owner, f"{owner.name} accepted your request and now has")
    _tell_partner(
        owner.id,
        "You have a new lead",
        "You accepted a lead. Its contact is on its page; get in touch soon.\n\n"
        f"{_address('/partner/leads/' + lead.public_id)}",
    )


def tell_given(lead: Lead) -> None:
    """Tell the partner's people that staff gave them a lead, and the customer who has it now."""
    owner = db.session.get_one(Organization, lead.owner_id)
    _tell_customer(lead, owner, f"We gave your request to {owner.name}. It now has")
    _tell_partner(
        owner.id,
        "You were given a lead",
        f"The program's team gave you a lead.\n\n{_address('/partner/leads/' + lead.public_id)}",
    )


def people_of(organization_id: int) -> Sequence[User]:
    """Who of a partner works on leads and is written to; nobody while it is suspended."""
    return people_to_write(organization_id, WORKERS)


def _tell_customer(lead: Lead, owner: Organization, how: str) -> None:
    if lead.email:
        _send(
            lead.email,
            lead.name,
            f"{owner.name} will contact you",
            f"{how} your name and e-mail address.\n\n"
            f"{_address('/partners/' + owner.slug)}\n\n"
            "Take your request back and have your data removed:\n"
            f"{_address('/briefs/' + token_of(lead))}",
        )


def _tell_partner(organization_id: int, subject: str, text: str) -> None:
    for person in people_of(organization_id):
        if person.email:
            _send(person.email, person.name, subject, text)


def _send(to: str, name: str, subject: str, text: str) -> None:
    site = str(current_app.config["SITE_NAME"])
    send_mail(to, subject, f"Hello {name},\n\n{text}\n\n{site}")


def _address(path: str) -> str:
    """An absolute address, also where there is no request."""
    return f"{current_app.config['PUBLIC_URL']}{path}"
