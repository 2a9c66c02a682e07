"""When two registrations are for the same, and how credit is divided. Pure."""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

from billing.money import BPS, allocate
from marketplace.pipeline.deals.models import CreditKind
from marketplace.program.onboarding.domains import registrable_domain


def product_key(listing_id: int | None, product: str) -> str:
    """A product as one word: the listing's, or its name without case, marks and signs."""
    if listing_id is not None:
        return f"listing:{listing_id}"
    plain = unicodedata.normalize("NFKD", product).casefold()
    return "product:" + re.sub(r"[^\w]+", "", plain)[:100]


def claim_key(domain: str, listing_id: int | None, product: str) -> str:
    """What can be claimed once: a customer and a product. All hosts below the domain that one can
    register are one customer."""
    return f"{registrable_domain(domain) or domain}|{product_key(listing_id, product)}"


@dataclass(frozen=True)
class Share:
    """Who gets which part of a deal's credit, in basis points."""

    organization_id: int
    kind: CreditKind
    bps: int


def fault_of(shares: Sequence[Share]) -> str:
    """What is wrong with a split, in words; empty when it is whole.

    All shares of a deal, sourced and assisted together, are 100%: no money counts twice.
    """
    if not shares:
        return "Name at least one partner."
    if any(not 0 < share.bps <= BPS for share in shares):
        return "A share is more than 0% and at most 100%."
    if len({(share.organization_id, share.kind) for share in shares}) != len(shares):
        return "A partner is there twice with the same kind of credit."
    total = sum(share.bps for share in shares)
    if total != BPS:
        return f"The shares are {total / 100:g}% together. They must be 100%."
    return ""


def amounts_of(amount: int, shares: Sequence[Share]) -> list[int]:
    """The amount divided by the shares, in minor units: they sum to it exactly. What cannot be
    divided goes to the largest remainders, among equals to the earlier share."""
    return allocate(amount, [share.bps for share in shares])
