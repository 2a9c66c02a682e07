"""Who may agree on a resale, quote, and accept a quote."""

from typing import Any

from billing.models import QuoteState, ResaleQuote, ResellerAgreement
from marketplace.core.permissions import Actor, rule
from marketplace.identity.models import Organization
from marketplace.sales.affiliates.policies import MONEY_ROLES, acts_for_partner

# What a customer never sees.
HIDDEN = frozenset({QuoteState.DRAFT})


@rule("resale.use")
def may_use_resale(actor: Actor, _resource: object = None) -> bool:
    """Owners, admins and finance of a partner."""
    return acts_for_partner(actor)


@rule("reseller_agreement.view")
def may_view_agreement(actor: Actor, agreement: Any) -> bool:
    """The same, of either party."""
    return (
        acts_for_partner(actor)
        and isinstance(agreement, ResellerAgreement)
        and actor.organization_id in (agreement.publisher_id, agreement.reseller_id)
    )


@rule("reseller_agreement.offer")
def may_offer(actor: Actor, agreement: Any) -> bool:
    """The publisher offers new terms."""
    return may_view_agreement(actor, agreement) and agreement.publisher_id == actor.organization_id


@rule("reseller_agreement.answer")
def may_answer(actor: Actor, agreement: Any) -> bool:
    """The reseller accepts or declines, and quotes."""
    return may_view_agreement(actor, agreement) and agreement.reseller_id == actor.organization_id


@rule("resale_quote.manage")
def may_manage_quote(actor: Actor, quote: Any) -> bool:
    """The reseller's people who deal with money."""
    return (
        acts_for_partner(actor)
        and isinstance(quote, ResaleQuote)
        and quote.reseller_id == actor.organization_id
    )


@rule("resale_quotes.view")
def may_view_quotes(actor: Actor, organization: Any) -> bool:
    """Owners, admins and finance of the customer."""
    return isinstance(organization, Organization) and actor.role_in(organization.id) in MONEY_ROLES


@rule("resale_quote.answer")
def may_answer_quote(actor: Actor, quote: Any) -> bool:
    """The same, of a quote that was sent to it."""
    return (
        isinstance(quote, ResaleQuote)
        and quote.state not in HIDDEN
        and actor.role_in(quote.customer_id) in MONEY_ROLES
    )
