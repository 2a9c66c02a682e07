"""What people of affiliates and of programs are written."""

from flask import current_app

from billing.models import Affiliate, AffiliateProgram
from marketplace.core.mail import send_mail
from marketplace.sales.affiliates.queries.people import money_people, organizations_by_id


def _site() -> str:
    return str(current_app.config["SITE_NAME"])


def _address(path: str) -> str:
    """An absolute address, also where there is no request."""
    return f"{current_app.config['PUBLIC_URL']}{path}"


def _tell(organization_id: int, subject: str, body: str) -> None:
    for person in money_people(organization_id):
        if person.email:
            send_mail(person.email, subject, f"Hello {person.name},\n\n{body}\n\n{_site()}")


def tell_asked(affiliate: Affiliate, program: AffiliateProgram) -> None:
    """Tell the owner of a program that a partner asks to join."""
    if program.publisher_id is None:
        return
    who = organizations_by_id([affiliate.organization_id])[affiliate.organization_id].name
    _tell(
        program.publisher_id,
        f"{who} asks to join {program.name}",
        f"{who} would like to be an affiliate of {program.name}:\n\n{affiliate.pitch}\n\n"
        "Decide here:\n"
        + _address(
            f"/partner/affiliate-programs/{program.public_id}/affiliates/{affiliate.public_id}"
        ),
    )


def tell_decided(affiliate: Affiliate) -> None:
    """Tell an affiliate what the owner of the program decided."""
    name = affiliate.program.name
    texts = {
        "active": (f"You are an affiliate of {name}", "Your links are ready to be made."),
        "rejected": (f"{name} does not take you as an affiliate", "The reason:"),
        "suspended": (f"{name} has suspended you", "Your links bring nothing now. The reason:"),
    }
    found = texts.get(affiliate.state.value)
    if found is None:
        return
    subject, text = found
    note = f"\n\n{affiliate.decision_note}" if affiliate.decision_note else ""
    address = _address(f"/partner/affiliate/memberships/{affiliate.public_id}")
    _tell(affiliate.organization_id, subject, f"{text}{note}\n\n{address}")
