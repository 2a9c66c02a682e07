"""Who of the staff may do what at the finance desk. Nobody decides about money of an organization
that they belong to, whichever part it has in it (sales/parties.py)."""

from billing.models import (
    BalanceConversion,
    Dispute,
    FeeSchedule,
    Objection,
    Order,
    RefundRequest,
    WriteOff,
)
from marketplace.core.permissions import Actor, rule
from marketplace.identity.models import Organization
from marketplace.sales.parties import is_party, parties_of_earning, parties_of_order


def is_finance(actor: Actor) -> bool:
    """Staff of finance; owners and admins of the platform too."""
    return actor.is_staff_as("finance")


@rule("finance.read")
def may_read_finance(actor: Actor, _resource: object = None) -> bool:
    """Figures, orders, balances: finance."""
    return is_finance(actor)


@rule("ledger.read")
def may_read_ledger(actor: Actor, _resource: object = None) -> bool:
    """The ledger: finance."""
    return is_finance(actor)


@rule("refunds.handle")
def may_handle_refunds(actor: Actor, _resource: object = None) -> bool:
    """The refunds desk: finance."""
    return is_finance(actor)


@rule("order.refund")
def may_refund(actor: Actor, order: Order) -> bool:
    """Finance, but not an order that an organization of theirs has a part in."""
    return is_finance(actor) and not is_party(actor, *parties_of_order(order))


@rule("refund_request.decide")
def may_decide_refund_request(actor: Actor, request: RefundRequest) -> bool:
    """Likewise."""
    return may_refund(actor, request.order)


@rule("disputes.handle")
def may_handle_disputes(actor: Actor, _resource: object = None) -> bool:
    """The disputes desk: finance."""
    return is_finance(actor)


@rule("dispute.answer")
def may_answer_dispute(actor: Actor, dispute: Dispute) -> bool:
    """Finance, but not about a payment that an organization of theirs has a part in."""
    return may_refund(actor, dispute.order)


@rule("objections.handle")
def may_handle_objections(actor: Actor, _resource: object = None) -> bool:
    """Questions of partners about their lines: finance."""
    return is_finance(actor)


@rule("objection.decide")
def may_decide_objection(actor: Actor, objection: Objection) -> bool:
    """Finance, but not about a line that an organization of theirs has a part in."""
    return is_finance(actor) and not is_party(
        actor, objection.partner_id, *parties_of_earning(objection.earning)
    )


@rule("write_offs.handle")
def may_handle_write_offs(actor: Actor, partner: Organization | None = None) -> bool:
    """What partners owe, and asking that it be given up: finance, but not about an organization
    of theirs."""
    return is_finance(actor) and (partner is None or not is_party(actor, partner.id))


@rule("write_off.decide")
def may_decide_write_off(actor: Actor, write_off: WriteOff) -> bool:
    """Finance, but not about an organization of theirs. That it is another person than the one
    who asked is the service's rule, so that the page can say so."""
    return is_finance(actor) and not is_party(actor, write_off.partner_id)


@rule("conversions.handle")
def may_handle_conversions(actor: Actor, partner: Organization | None = None) -> bool:
    """Balances in currencies that were replaced, and asking that one be converted: finance, but
    not about an organization of theirs."""
    return is_finance(actor) and (partner is None or not is_party(actor, partner.id))


@rule("conversion.decide")
def may_decide_conversion(actor: Actor, conversion: BalanceConversion) -> bool:
    """Finance, but not about an organization of theirs. That it is another person than the one
    who asked is the service's rule, so that the page can say so."""
    return is_finance(actor) and not is_party(actor, conversion.partner_id)


@rule("fees.read")
def may_read_fees(actor: Actor, _resource: object = None) -> bool:
    """Fee schedules: finance, and those who talk with partners about them."""
    return actor.is_staff_as("finance", "program_manager")


@rule("fees.manage")
def may_manage_fees(actor: Actor, _schedule: FeeSchedule | None = None) -> bool:
    """Drafts and publishing: finance."""
    return is_finance(actor)
