"""A voucher, for tests of who may reach it."""

from datetime import timedelta

from billing.public_ids import new_public_id
from marketplace.catalogue.models import Listing
from marketplace.core import clock
from marketplace.core.database import db
from marketplace.identity.models import Organization, User
from marketplace.program.vouchers.models import Voucher
from marketplace.program.vouchers.tokens import hash_of, new_token


def make_voucher(amount: int = 5_000, **fields: object) -> tuple[Voucher, str]:
    """An open voucher of so many minor units, and its token."""
    token = new_token()
    values: dict[str, object] = {
        "public_id": new_public_id("vou"),
        "token_hash": hash_of(token),
        "ending": token[-4:],
        "amount": amount,
        "currency": "EUR",
        "expires_at": clock.now() + timedelta(days=30),
    }
    row = Voucher(**{**values, **fields})
    db.session.add(row)
    db.session.flush()
    return row, token


def make_vouchers_world(
    partner: Organization, owner: User, customer: User, listing: Listing
) -> dict[str, object]:
    """An open voucher."""
    return {"voucher_id": make_voucher()[0].public_id}
