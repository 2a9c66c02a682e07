"""What partners are written of their claims."""

from flask import current_app

from marketplace.core.mail import send_mail
from marketplace.program.benefits.models import BenefitClaim, ClaimState
from marketplace.program.benefits.queries import told_of


def tell_decided(claim: BenefitClaim) -> None:
    """Tell who claimed, and the partner's owners and admins."""
    what = "is fulfilled" if claim.state is ClaimState.FULFILLED else "was refused"
    words = f"\n\n{claim.answer}" if claim.answer else ""
    left = (
        ""
        if claim.state is ClaimState.FULFILLED
        else "\n\nIt does not count against what you may claim this year."
    )
    site = str(current_app.config["SITE_NAME"])
    address = f"{current_app.config['PUBLIC_URL']}/partner/benefits"
    for person in told_of(claim):
        if person.email:
            send_mail(
                person.email,
                f"{claim.benefit_name} {what}",
                f"Hello {person.name},\n\nyour claim of {claim.benefit_name} {what}."
                f"{words}{left}\n\n{address}\n\n{site}",
                dedupe_key=f"benefit:{claim.id}:{claim.state.value}:{person.id}",
            )
