"""What the two partners are written."""

from flask import current_app

from marketplace.core.database import db
from marketplace.core.mail import send_mail
from marketplace.identity.models import Organization
from marketplace.pipeline.account_checks.models import AccountCheck, CheckState
from marketplace.pipeline.leads.mails import people_of


def tell_invited(check: AccountCheck, inviter: Organization) -> None:
    """Tell the other partner that it is invited."""
    _tell(
        check.invitee_id,
        check,
        f"{inviter.name} would like to compare customers",
        f"{inviter.name} invites you to an account check: you both learn which customers you "
        "share, and neither sees the other's list. Nothing happens unless you accept.",
    )


def tell_answered(check: AccountCheck) -> None:
    """Tell the inviter what the other one answered."""
    name = db.session.get_one(Organization, check.invitee_id).name
    accepted = check.state is CheckState.ACCEPTED
    _tell(
        check.inviter_id,
        check,
        f"{name} {'accepted' if accepted else 'declined'} the account check",
        f"{name} accepted. Both of you can hand in a list now."
        if accepted
        else f"{name} declined to compare customers.",
    )


def tell_ended(check: AccountCheck, by_organization_id: int) -> None:
    """Tell the other one that it has ended."""
    name = db.session.get_one(Organization, by_organization_id).name
    _tell(
        check.other_of(by_organization_id),
        check,
        f"{name} ended the account check",
        f"{name} ended the account check. Both lists and the key of your pair are deleted.",
    )


def _tell(organization_id: int, check: AccountCheck, subject: str, text: str) -> None:
    site = str(current_app.config["SITE_NAME"])
    address = f"{current_app.config['PUBLIC_URL']}/partner/account-checks/{check.public_id}"
    for person in people_of(organization_id):
        if person.email:
            send_mail(
                person.email, subject, f"Hello {person.name},\n\n{text}\n\n{address}\n\n{site}"
            )
