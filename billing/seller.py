"""Who sells: what invoices say of the platform, and how long an unpaid plan goes on."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Seller:
    """The platform as a seller. `grace_days`: how long an unpaid subscription still counts."""

    name: str = "Portico"
    country: str | None = None
    address: str = ""
    tax_id: str = ""
    grace_days: int = 7


_seller: list[Seller] = [Seller()]


def configure_seller(seller: Seller) -> None:
    """Say who sells, for this process."""
    _seller[:] = [seller]


def seller() -> Seller:
    """Who sells."""
    return _seller[0]
