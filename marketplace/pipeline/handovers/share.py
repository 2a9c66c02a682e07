"""What an agency earns by a workspace that it handed over: by a program of the platform."""

from sqlalchemy import select

from billing.affiliates.attributing import attribute_handover
from billing.affiliates.joining import join
from billing.attribution import rate_of, rule_in_force
from billing.formatting import format_bps, format_money
from billing.models import AffiliateProgram, AffiliateState
from marketplace.core import clock
from marketplace.core.database import db
from marketplace.core.errors import ConflictError
from marketplace.identity.models import Organization
from marketplace.program.standing.reading import entitlement

# The entitlement of a policy that names the program, by its public id.
ENTITLEMENT = "client_share_program"


def program_for(partner_id: int) -> AffiliateProgram | None:
    """The platform's program by which a partner of this type and tier shares; None for none."""
    named = entitlement(partner_id, ENTITLEMENT)
    if not isinstance(named, str) or not named:
        return None
    return db.session.scalar(
        select(AffiliateProgram).where(
            AffiliateProgram.public_id == named,
            AffiliateProgram.publisher_id.is_(None),
            AffiliateProgram.closed_at.is_(None),
            AffiliateProgram.paused_at.is_(None),
        )
    )


def share_in_words(program: AffiliateProgram) -> str:
    """What it pays, in a sentence."""
    rule = rule_in_force(program.id, clock.now())
    if rule is None:
        return ""
    rate = rate_of(rule)
    parts = []
    if rate.bps:
        parts.append(format_bps(rate.bps))
    if rate.fixed and rate.currency:
        parts.append(format_money(rate.fixed, rate.currency))
    times = "every payment" if rate.payments is None else f"the first {rate.payments} payments"
    return (
        f"{' and '.join(parts) or 'Nothing'} of {times} of what the client pays within "
        f"{program.window_days} days of the handover."
    )


def begin_share(partner: Organization, customer_id: int, *, by_user_id: int | None) -> int | None:
    """Let the agency earn by the customer from now on; the attribution's id, None for no share."""
    program = program_for(partner.id)
    if program is None:
        return None
    try:
        affiliate = join(
            program, partner.id, "Hands client workspaces over.", by_user_id=by_user_id
        )
    except ConflictError:
        return None
    if affiliate.state is not AffiliateState.ACTIVE:
        return None
    made = attribute_handover(customer_id, affiliate)
    return made.id if made is not None else None
