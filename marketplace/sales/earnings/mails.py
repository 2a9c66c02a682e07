"""The mails about a partner's money, to the people who look after it."""

from flask import current_app
from sqlalchemy import select

from billing.formatting import format_money
from billing.models import Objection, Payout, PayoutState
from marketplace.core.database import db
from marketplace.core.mail import send_mail
from marketplace.identity.models import Membership, Organization, OrganizationKind, User
from marketplace.sales.earnings.policies import MONEY_ROLES

# What is worth a mail; everything else the partner sees on its pages.
_SUBJECTS = {
    PayoutState.TRANSFERRED: "{amount} is on its way to you",
    PayoutState.FAILED: "Your bank refused {amount}",
    PayoutState.RETURNED: "Your bank returned {amount}",
    PayoutState.CANCELED: "Your payout of {amount} could not be made",
    PayoutState.REVERSED: "{amount} was taken back",
}
_BODIES = {
    PayoutState.TRANSFERRED: "{amount} was transferred to {name}'s account at Stripe, which pays it"
    " into your bank.",
    PayoutState.FAILED: "Stripe could not pay {amount} into your bank: {reason}\n\nThe money is on"
    " your balance at Stripe. Check your bank details there; Stripe then sends it again.",
    PayoutState.RETURNED: "Your bank returned {amount}: {reason}\n\nThe money is on your balance at"
    " Stripe. Check your bank details there; Stripe then sends it again.",
    PayoutState.CANCELED: "{amount} could not be transferred: {reason}\n\nIt is kept for you, and"
    " the next payout run pays it.",
    PayoutState.REVERSED: "{amount} was taken back from your account at Stripe: {reason}",
}


def tell_payout_moved(payout: Payout) -> None:
    """A partner learns that a payout left, failed, or was taken back. A listener of payouts."""
    if payout.state not in _SUBJECTS:
        return
    partner = db.session.get(Organization, payout.partner_id)
    if partner is None:
        return
    said = {
        "amount": format_money(payout.amount, payout.currency),
        "name": partner.name,
        "reason": payout.reason or "no reason was given.",
    }
    address = f"{current_app.config['PUBLIC_URL']}/partner/earnings/payouts/{payout.public_id}"
    for email in addresses_of(partner.id):
        send_mail(
            email,
            _SUBJECTS[payout.state].format(**said),
            f"{_BODIES[payout.state].format(**said)}\n\nWhat it pays, line by line:\n{address}\n\n"
            f"You get this because you look after the money of {partner.name}.\n",
            dedupe_key=f"payout:{payout.id}:{payout.state.value}:{payout.partner_payout_id}:{email}",
        )


def tell_objection_answered(objection: Objection) -> None:
    """Whoever asked about a line learns of the answer."""
    author = db.session.get(User, objection.author_id)
    if author is None or not author.email:
        return
    earning = objection.earning
    moved = (
        f"\n\nCorrection: {format_money(objection.adjustment, earning.currency)}"
        if objection.adjustment
        else ""
    )
    address = f"{current_app.config['PUBLIC_URL']}/partner/earnings/lines/{earning.public_id}"
    send_mail(
        author.email,
        f"Your question about {earning.line.description} is answered",
        f"You asked:\n\n{objection.body}\n\n"
        f"The answer:\n\n{objection.answer}{moved}\n\n{address}\n",
        dedupe_key=f"objection:{objection.id}:answered",
    )


def addresses_of(organization_id: int) -> list[str]:
    """The addresses of those who look after an organization's money."""
    return _addresses(Membership.organization_id == organization_id)


def finance_staff() -> list[str]:
    """The addresses of the platform's finance people."""
    platform = select(Organization.id).where(Organization.kind == OrganizationKind.PLATFORM)
    return _addresses(Membership.organization_id.in_(platform))


def _addresses(where: object) -> list[str]:
    return list(
        db.session.scalars(
            select(User.email)
            .join(Membership, Membership.user_id == User.id)
            .where(
                where,  # type: ignore[arg-type]  # a condition
                Membership.role.in_(MONEY_ROLES),
                User.email.is_not(None),
                User.deactivated_at.is_(None),
            )
            .order_by(User.id)
        )
    )
